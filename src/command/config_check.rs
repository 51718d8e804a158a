//! `station config check`: station.toml and what it means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::context::Context;
use super::scan;
use crate::app::one_scan::OneScan;
use crate::app::{cloud, from_config, label_checks};
use crate::cli::ConfigCheck;
use crate::config::{
    AuthorityKey, Config, KeyOrigin, LabelSettings, PrintVerify, PrintWhen, Scanner, Slot,
    WorkOrderSettings,
};
use crate::domain::baud::nearest_usual;
use crate::domain::code::Code;
use crate::domain::device::{Fault, Security};
use crate::domain::esp::{EspForm, EspPlace};
use crate::domain::family::{Family, Speaks};
use crate::domain::identity::TlsVersion;
use crate::domain::local::Shift;
use crate::domain::modem::Modem;
use crate::domain::say::Say;
use crate::domain::scan::Rule;
use crate::pki::{AuthorityInfo, PkiError};
use crate::say;
use crate::shell::{self, Exit, Failure};

/// Checks station.toml and prints what it means.
pub(super) fn run(check: &ConfigCheck, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    if let Some(label) = &check.label {
        return scan::tell(&config, &OneScan::of_text(&config.scanner, label), context);
    }
    refuse_profile_beyond_authority(&config, context)?;
    if !context.global.quiet {
        let labels = label_checks::warnings(&config);
        let cloud = cloud::international(&config);
        let tls = without_old_tls(&config);
        let odd = odd_rates(&config);
        let grants = grants_by_own_ca(&config);
        let chips = unfit_for_chips(&config);
        let all = absent_files(&config).into_iter().chain(tls).chain(odd).chain(grants);
        for fault in all.chain(cloud).chain(labels).chain(chips) {
            shell::warn(&fault, context.color);
        }
    }
    match context.out.is_json() {
        true => context.out.json(&as_json(&config))?,
        false => {
            for (name, meaning) in in_words(&config) {
                context.out.say(&name.padded(13).with(&meaning))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// A profile that the CA at hand can't serve is a mistake in the file; whether the CA itself
/// can be used is for `authority check` and `doctor` to say.
fn refuse_profile_beyond_authority(config: &Config, context: &Context) -> Result<(), Failure> {
    let files = from_config::authority_place(&config.authority);
    let Ok(authority) = AuthorityInfo::read(&files) else { return Ok(()) };
    let valid_for = from_config::valid_for(config.certificate.valid_for);
    match valid_for.end(context.now()) {
        Some(wanted) if wanted > authority.not_after => {
            let not_after = authority.not_after;
            Err(PkiError::TooShort { wanted, not_after }.into())
        }
        _ => Ok(()),
    }
}

/// Files that the line will need and that are not there yet: no error in station.toml.
fn absent_files(config: &Config) -> Vec<Fault> {
    let chain = config.authority.chain.iter().map(|path| ("authority.chain", path));
    let key = match &config.authority.key {
        AuthorityKey::File { path, .. } => ("authority.key", path),
        AuthorityKey::Pkcs11 { module, .. } => ("authority.module", module),
    };
    let named = [
        ("authority.certificate", &config.authority.certificate),
        key,
        ("broker.server_root", &config.broker.server_root),
    ];
    let root = config.work_orders.root.iter().map(|path| ("work_orders.root", path));
    let missing = |(_, path): &(&str, &PathBuf)| !path.exists();
    let all = named.into_iter().chain(chain).chain(root).filter(missing);
    all.map(|(key, path)| {
        let text = say!(
            "{key}: {} is not there yet; the line needs it",
            "{key}：{} 还不存在，产线需要它",
            path.display()
        );
        Fault::said(Code::ConfigValue, text)
    })
    .collect()
}

fn in_words(config: &Config) -> Vec<(Say, Say)> {
    let mut lines = about_units(config);
    lines.extend(about_trust(config));
    lines.extend(about_places(config));
    lines
}

/// A line that belongs to the one before.
fn more() -> Say {
    Say::default()
}

fn about_units(config: &Config) -> Vec<(Say, Say)> {
    let Config { station, product, certificate, .. } = config;
    let (dir, valid_for) = (station.data_dir.display(), certificate.valid_for);
    let file = Say::same(format!("{}, SHA-256 {}", config.path.display(), config.digest));
    let (zone, proof) = (&station.zone, product.required_proof.as_str());
    let backdate = duration_in_words(certificate.backdate);
    vec![
        (say!("file", "文件"), file),
        (say!("station", "站"), say!("{}, ledger in {dir}", "{}，账本在 {dir}", station.id)),
        (
            more(),
            say!("time zone {zone}, shifts ", "时区 {zone}，班次 ").with(&shifts(&config.shifts)),
        ),
        (
            say!("product", "产品"),
            say!("{}, serials {}", "{}，序列号 {}", product.name, product.serial_pattern.as_str()),
        ),
        (more(), say!("client id {}", "客户端 ID {}", product.client_id.as_str())),
        (more(), say!("required proof {proof}", "要求的验证方式 {proof}")),
        (
            more(),
            say!("protections demanded of a device", "要求设备具备的保护")
                .then(&required(product.require)),
        ),
        (
            say!("certificate", "证书"),
            say!("valid for {valid_for}, back-dated by ", "有效期 {valid_for}，提前生效 ")
                .with(&backdate),
        ),
    ]
}

fn about_trust(config: &Config) -> Vec<(Say, Say)> {
    let Config { authority, broker, ledger, .. } = config;
    let (certificate, key) = (authority.certificate.display(), authority.key.place());
    let (host, port, root) = (&broker.host, broker.port, broker.server_root.display());
    let (least, most) = (broker.tls_min.as_str(), broker.tls_max.as_str());
    let reserve = ledger.reserve >> 20;
    let chain = chain_in_words(authority.chain.as_deref());
    vec![
        (say!("authority", "CA"), say!("{certificate}, key {key}", "{certificate}，密钥 {key}")),
        (more(), say!("above it", "上级").then(&chain)),
        (Say::same("broker"), say!("{host}:{port}, root {root}", "{host}:{port}，根证书 {root}")),
        (more(), say!("TLS {least} to {most}", "TLS {least} 到 {most}")),
        (
            say!("ledger", "账本"),
            say!(
                "no new unit below {reserve} MiB of free disk",
                "磁盘空闲少于 {reserve} MiB 时不开始新单元"
            ),
        ),
        (say!("work orders", "工单"), work_orders_in_words(&config.work_orders)),
    ]
}

fn about_places(config: &Config) -> Vec<(Say, Say)> {
    let label = || say!("label", "标签");
    let mut lines = vec![(say!("scanner", "扫码枪"), scanner_in_words(&config.scanner))];
    let rules = &config.scanner.rules.rules;
    lines.extend(rules.iter().map(|rule| (label(), label_rule_in_words(rule))));
    lines.extend(config.slots.iter().map(|slot| (say!("slot", "工位"), slot_in_words(slot))));
    lines.extend(takes_chips(config).then(|| (Say::same("esp"), esp_in_words(&config.esp))));
    lines.extend(config.label.as_ref().map(|settings| (label(), printing_in_words(settings))));
    let cloud = config.cloud.as_ref();
    lines.extend(cloud.map(|cloud| {
        (say!("cloud", "云端"), Say::same(format!("{}, {}", cloud.endpoint, cloud.instance_id)))
    }));
    lines.extend(fleet(config));
    lines
}

fn chain_in_words(chain: Option<&Path>) -> Say {
    match chain {
        Some(path) => Say::same(path.display().to_string()),
        None => say!(
            "what stands behind the certificate in its own file, if anything",
            "证书文件中证书之后的内容（若有）"
        ),
    }
}

fn work_orders_in_words(settings: &WorkOrderSettings) -> Say {
    let grants = match settings.require_grant {
        true => say!("a unit begins only under a grant", "有授权才能开始单元"),
        false => say!(
            "a grant is counted where one was taken, and none is demanded",
            "接收了授权就按授权计数，不强制要求授权"
        ),
    };
    grants.with(&match settings.root.as_deref().map(Path::to_string_lossy) {
        Some(root) => {
            say!("; order keys are certified by {root}", "；订单密钥的证书由 {root} 签发")
        }
        None => say!(
            "; order keys are certified by the station's own CA",
            "；订单密钥的证书由本站 CA 签发"
        ),
    })
}

/// Grants that protect from nobody who can open the station's CA.
fn grants_by_own_ca(config: &Config) -> Option<Fault> {
    let text = say!(
        "work_orders.require_grant without work_orders.root: whoever can open the \
                station's own CA can grant; name the root of who orders",
        "设了 work_orders.require_grant 而没有 work_orders.root：能打开本站 CA 的人都能授权；请指定订货方的根证书"
    );
    let settings = &config.work_orders;
    let is_own = settings.require_grant && settings.root.is_none();
    is_own.then(|| Fault::said(Code::ConfigValue, text))
}

/// A range of TLS that shuts out stacks which devices have.
fn without_old_tls(config: &Config) -> Option<Fault> {
    let text = say!(
        "broker.tls_min = \"1.3\" shuts out devices whose TLS ends at 1.2: Mbed TLS 2.28, \
                BearSSL 0.6, MicroPython",
        "broker.tls_min = \"1.3\" 把最高支持 TLS 1.2 的设备挡在外面：Mbed TLS 2.28、BearSSL 0.6、MicroPython"
    );
    let is_narrow = config.broker.tls_min == TlsVersion::V1_3;
    is_narrow.then(|| Fault::said(Code::ConfigValue, text))
}

/// Rates at which no device is run. Nothing forbids one, and it is most often a slip.
fn odd_rates(config: &Config) -> Vec<Fault> {
    let slots = config.slots.iter().enumerate();
    let slots = slots.map(|(index, slot)| (format!("slots[{index}].baud"), slot.baud));
    let scanner =
        config.scanner.port.iter().map(|_| ("scanner.baud".to_owned(), config.scanner.baud));
    let odd = slots.chain(scanner).filter_map(|(key, baud)| {
        let usual = nearest_usual(baud)?;
        let text = say!(
            "{key}: {baud} is no usual rate; {usual} is the nearest",
            "{key}：{baud} 不是常用的波特率，最接近的是 {usual}"
        );
        Some(Fault::said(Code::ConfigValue, text))
    });
    odd.collect()
}

/// The fleet that `[fleet]` names; where the station enrolled is for `fleet status` to say.
fn fleet(config: &Config) -> Option<(Say, Say)> {
    let url = config.fleet.url.as_ref()?;
    let every = config.fleet.push_every.as_secs();
    let what = say!("{url}, what is new is sent every {every} s", "{url}，每 {every} 秒发送新内容");
    Some((say!("fleet", "总库"), what))
}

fn shifts(shifts: &[Shift]) -> Say {
    let one = |shift: &Shift| {
        let Shift { name, from, to, .. } = shift;
        say!("{name} {from} to {to}", "{name} {from}–{to}")
    };
    match shifts {
        [] => say!("none", "无"),
        shifts => joined(shifts.iter().map(one)),
    }
}

/// One behind the other, as a list.
fn joined(all: impl Iterator<Item = Say>) -> Say {
    let together = |said: Say, next: Say| said.with(&say!(", ", "，")).with(&next);
    all.reduce(together).unwrap_or_default()
}

fn required(security: Security) -> Say {
    let named = [
        ("secure-boot", security.secure_boot),
        ("readout-protection", security.readout_protection),
        ("flash-encryption", security.flash_encryption),
    ];
    let words: Vec<&str> =
        named.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| *name).collect();
    match words.is_empty() {
        true => say!("none", "无"),
        false => Say::same(words.join(", ")),
    }
}

fn duration_in_words(duration: Duration) -> Say {
    match duration.as_secs() {
        seconds if seconds % 3_600 == 0 => {
            let hours = seconds / 3_600;
            say!("{hours} h", "{hours} 小时")
        }
        seconds => say!("{seconds} s", "{seconds} 秒"),
    }
}

fn slot_in_words(slot: &Slot) -> Say {
    let Slot { name, port, baud, driver, presence, restart, sec_tag, .. } = slot;
    let modem = match slot.modem {
        None => say!("any modem", "任意调制解调器"),
        Some(modem) => Say::same(modem.to_string()),
    };
    let modem = say!(" (", "（").with(&modem).with(&say!(", tag {sec_tag})", "，tag {sec_tag}）"));
    let modem = if driver.may_be(Family::At) { modem } else { Say::default() };
    say!("{name} at {port}, {baud} baud, {driver}", "{name} 在 {port}，波特率 {baud}，{driver}")
        .with(&modem)
        .with(&say!(
            ", presence by {presence}, restart by {restart}",
            "，在位检测 {presence}，重启方式 {restart}"
        ))
}

/// Whether some slot is for Espressif's chips.
fn takes_chips(config: &Config) -> bool {
    config.slots.iter().any(|slot| slot.driver.may_be(Family::Esp))
}

fn esp_in_words(esp: &EspPlace) -> Say {
    let chip = match esp.chip {
        Some(chip) => Say::same(chip),
        None => say!("any chip", "任意芯片"),
    };
    let form = match esp.form {
        EspForm::Tlv => {
            say!(", entries of esp_secure_cert_mgr", "，esp_secure_cert_mgr 的条目")
        }
        EspForm::Nvs => say!(", NVS namespace {}", "，NVS 命名空间 {}", esp.namespace),
    };
    let offset = esp.offset.map(|offset| say!(", at {offset:#x}", "，位置 {offset:#x}"));
    let size = esp.size.map(|size| say!(", size {size:#x}", "，大小 {size:#x}"));
    let (partition, baud, application) = (&esp.partition, esp.baud, esp.application.as_str());
    chip.with(&say!(", partition {partition}", "，分区 {partition}"))
        .with(&offset.unwrap_or_default())
        .with(&size.unwrap_or_default())
        .with(&form)
        .with(&say!(
            ", {baud} baud, application {application}",
            "，波特率 {baud}，应用 {application}"
        ))
}

/// What the product asks of chips whose identity is written by their loader, and they can't.
fn unfit_for_chips(config: &Config) -> Vec<Fault> {
    let all_chips = config.slots.iter().all(|slot| slot.driver == Speaks::Family(Family::Esp));
    let wanted = [
        (
            config.product.lock,
            say!(
                "product.lock: an Espressif chip has no lock of its own",
                "product.lock：乐鑫芯片没有自己的锁"
            ),
        ),
        (
            config.product.key_origin == KeyOrigin::Device,
            say!(
                "product.key_origin: the loader of an Espressif chip makes no keys",
                "product.key_origin：乐鑫芯片的加载程序不生成密钥"
            ),
        ),
    ];
    let unfit = wanted.into_iter().filter(|(wanted, _)| *wanted && all_chips);
    unfit.map(|(_, text)| Fault::said(Code::ConfigValue, text)).collect()
}

fn scanner_in_words(scanner: &Scanner) -> Say {
    let Some(port) = &scanner.port else { return Say::same(scanner.kind.to_string()) };
    let bits = if scanner.has_seven_bits { 7 } else { 8 };
    let Scanner { kind, baud, parity, .. } = scanner;
    let ends: Vec<&str> = scanner.ends.iter().map(|end| end.as_str()).collect();
    let ends = Say { english: ends.join(" or "), chinese: ends.join(" 或 ") };
    say!(
        "{kind} at {port}, {baud} baud, {bits} bits, parity {parity}, a scan ends with ",
        "{kind} 在 {port}，波特率 {baud}，{bits} 位，校验 {parity}，扫描结束符 "
    )
    .with(&ends)
}

fn label_rule_in_words(rule: &Rule) -> Say {
    let form = Say::same(rule.form().to_string());
    match rule.names_device() {
        true => form.with(&say!(", which must name its device", "，必须写明它的设备")),
        false => form,
    }
}

fn printing_in_words(label: &LabelSettings) -> Say {
    let when = match label.when {
        PrintWhen::Pass => say!("printed when a unit passes", "单元合格时打印"),
        PrintWhen::Never => say!("printed when a person asks", "由人要求时打印"),
    };
    let verify = match label.verify {
        PrintVerify::Scan => say!(", scanned back", "，须扫回"),
        PrintVerify::None => Say::default(),
    };
    let (language, printer) = (label.design.language(), &label.printer);
    when.with(&say!(" in {language} by {printer}", "，{language}，打印机 {printer}")).with(&verify)
}

fn as_json(config: &Config) -> Value {
    let slot = |slot: &Slot| {
        let modems = slot.driver.may_be(Family::At);
        json!({
            "name": slot.name, "port": slot.port.to_string(), "baud": slot.baud,
            "driver": slot.driver.as_str(), "presence": slot.presence.as_str(),
            "restart": slot.restart.as_str(),
            // Of modems alone, where they may come.
            "modem": modems.then(|| slot.modem.map_or("auto", Modem::as_str)),
            "sec_tag": modems.then_some(slot.sec_tag),
        })
    };
    let esp = |esp: &EspPlace| {
        json!({
            "chip": esp.chip, "partition": esp.partition, "offset": esp.offset, "size": esp.size,
            "format": esp.form.as_str(), "namespace": esp.namespace, "baud": esp.baud,
            "application": esp.application.as_str(),
        })
    };
    json!({
        "valid": true,
        "file": config.path,
        "digest": config.digest,
        "profile": config.profile_digest().ok(),
        "station": config.station.id,
        "timezone": config.station.zone.name(),
        "shifts": config.shifts.iter().map(|shift| &shift.name).collect::<Vec<_>>(),
        "data_dir": config.station.data_dir,
        "product": config.product.name,
        "serial_pattern": config.product.serial_pattern.as_str(),
        "client_id": config.product.client_id,
        "required_proof": config.product.required_proof.as_str(),
        "valid_for": config.certificate.valid_for.to_string(),
        "broker": format!("{}:{}", config.broker.host, config.broker.port),
        "tls_min": config.broker.tls_min.as_str(),
        "tls_max": config.broker.tls_max.as_str(),
        "chain": config.authority.chain,
        "require_grant": config.work_orders.require_grant,
        "order_root": config.work_orders.root,
        "slots": config.slots.iter().map(slot).collect::<Vec<_>>(),
        "esp": takes_chips(config).then(|| esp(&config.esp)),
        "scanner": config.scanner.kind.as_str(),
        "label_printer": config.label.as_ref().map(|label| label.printer.to_string()),
        "fleet": config.fleet.url.as_ref().map(ToString::to_string),
        "label_rules": config.scanner.rules.rules.iter().map(|rule| rule.form().as_str())
            .collect::<Vec<_>>(),
    })
}
