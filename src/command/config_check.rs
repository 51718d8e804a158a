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
                context.out.line(format!("{name:<12} {meaning}"))?;
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

fn in_words(config: &Config) -> Vec<(&'static str, String)> {
    let Config { station, product, certificate, authority, broker, ledger, .. } = config;
    let mut lines = vec![
        ("file", format!("{}, SHA-256 {}", config.path.display(), config.digest)),
        ("station", format!("{}, ledger in {}", station.id, station.data_dir.display())),
        ("", format!("time zone {}, shifts {}", station.zone, shifts(&config.shifts))),
        ("product", format!("{}, serials {}", product.name, product.serial_pattern.as_str())),
        ("", format!("client id {}", product.client_id.as_str())),
        ("", format!("required proof {}", product.required_proof.as_str())),
        ("", format!("protections demanded of a device: {}", required(product.require))),
        (
            "certificate",
            format!(
                "valid for {}, back-dated by {}",
                certificate.valid_for,
                duration_in_words(certificate.backdate)
            ),
        ),
        (
            "authority",
            format!("{}, key {}", authority.certificate.display(), authority.key.place()),
        ),
        ("", format!("above it: {}", chain_in_words(authority.chain.as_deref()))),
        (
            "broker",
            format!("{}:{}, root {}", broker.host, broker.port, broker.server_root.display()),
        ),
        ("", format!("TLS {} to {}", broker.tls_min.as_str(), broker.tls_max.as_str())),
        ("ledger", format!("no new unit below {} MiB of free disk", ledger.reserve >> 20)),
        ("work orders", work_orders_in_words(&config.work_orders)),
        ("scanner", scanner_in_words(&config.scanner)),
    ];
    let rules = &config.scanner.rules.rules;
    lines.extend(rules.iter().map(|rule| ("label", label_rule_in_words(rule))));
    lines.extend(config.slots.iter().map(|slot| ("slot", slot_in_words(slot))));
    lines.extend(takes_chips(config).then(|| ("esp", esp_in_words(&config.esp))));
    lines.extend(config.label.as_ref().map(|label| ("label", printing_in_words(label))));
    let cloud = config.cloud.as_ref();
    lines
        .extend(cloud.map(|cloud| ("cloud", format!("{}, {}", cloud.endpoint, cloud.instance_id))));
    lines.extend(fleet(config));
    lines
}

fn chain_in_words(chain: Option<&Path>) -> String {
    match chain {
        Some(path) => path.display().to_string(),
        None => "what stands behind the certificate in its own file, if anything".to_owned(),
    }
}

fn work_orders_in_words(settings: &WorkOrderSettings) -> String {
    let grants = match settings.require_grant {
        true => "a unit begins only under a grant",
        false => "a grant is counted where one was taken, and none is demanded",
    };
    let root = settings.root.as_deref();
    let root = root.map_or_else(|| "the station's own CA".into(), Path::to_string_lossy);
    format!("{grants}; order keys are certified by {root}")
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
fn fleet(config: &Config) -> Option<(&'static str, String)> {
    let url = config.fleet.url.as_ref()?;
    let every = config.fleet.push_every.as_secs();
    Some(("fleet", format!("{url}, what is new is sent every {every} s")))
}

fn shifts(shifts: &[Shift]) -> String {
    let one = |shift: &Shift| format!("{} {} to {}", shift.name, shift.from, shift.to);
    match shifts {
        [] => "none".to_owned(),
        shifts => shifts.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn required(security: Security) -> String {
    let named = [
        ("secure-boot", security.secure_boot),
        ("readout-protection", security.readout_protection),
        ("flash-encryption", security.flash_encryption),
    ];
    let words: Vec<&str> =
        named.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| *name).collect();
    match words.is_empty() {
        true => "none".to_owned(),
        false => words.join(", "),
    }
}

fn duration_in_words(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        seconds => format!("{seconds} s"),
    }
}

fn slot_in_words(slot: &Slot) -> String {
    let Slot { name, port, baud, driver, presence, restart, .. } = slot;
    let modem = slot.modem.map_or_else(|| "any modem".to_owned(), |modem| modem.to_string());
    let modem = format!(" ({modem}, tag {})", slot.sec_tag);
    let modem = if driver.may_be(Family::At) { modem.as_str() } else { "" };
    let presence = format!("presence by {presence}, restart by {restart}");
    format!("{name} at {port}, {baud} baud, {driver}{modem}, {presence}")
}

/// Whether some slot is for Espressif's chips.
fn takes_chips(config: &Config) -> bool {
    config.slots.iter().any(|slot| slot.driver.may_be(Family::Esp))
}

fn esp_in_words(esp: &EspPlace) -> String {
    let chip = esp.chip.unwrap_or("any chip");
    let form = match esp.form {
        EspForm::Tlv => "entries of esp_secure_cert_mgr".to_owned(),
        EspForm::Nvs => format!("NVS namespace {}", esp.namespace),
    };
    let place = |what: &str, value: Option<u32>| {
        value.map(|value| format!(", {what} {value:#x}")).unwrap_or_default()
    };
    let (offset, size) = (place("at", esp.offset), place("size", esp.size));
    let (partition, baud, said) = (&esp.partition, esp.baud, esp.application.as_str());
    format!("{chip}, partition {partition}{offset}{size}, {form}, {baud} baud, application {said}")
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

fn scanner_in_words(scanner: &Scanner) -> String {
    let Some(port) = &scanner.port else { return scanner.kind.to_string() };
    let bits = if scanner.has_seven_bits { 7 } else { 8 };
    let ends: Vec<&str> = scanner.ends.iter().map(|end| end.as_str()).collect();
    format!(
        "{} at {port}, {} baud, {bits} bits, parity {}, a scan ends with {}",
        scanner.kind,
        scanner.baud,
        scanner.parity,
        ends.join(" or ")
    )
}

fn label_rule_in_words(rule: &Rule) -> String {
    let device = if rule.names_device() { ", which must name its device" } else { "" };
    format!("{}{device}", rule.form())
}

fn printing_in_words(label: &LabelSettings) -> String {
    let when = match label.when {
        PrintWhen::Pass => "when a unit passes",
        PrintWhen::Never => "when a person asks",
    };
    let verify = match label.verify {
        PrintVerify::Scan => ", scanned back",
        PrintVerify::None => "",
    };
    format!("printed {when} in {} by {}{verify}", label.design.language(), label.printer)
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
