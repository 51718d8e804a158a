//! `station authority …`: make the CA, show it, check it, write it out.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Context;
use super::person::person;
use crate::app::patience::patiently;
use crate::app::{cloud, enrol, from_config};
use crate::cli::AuthorityCommand;
use crate::config::Config;
use crate::domain::bounds;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::OperatorId;
use crate::domain::say::Say;
use crate::enrol::Enrolled;
use crate::pki::{
    self, AuthorityInfo, AuthorityPlace, AuthorityRequest, CA_BACKDATE, KeyPlace, Passphrase,
    ValidFor,
};
use crate::say;
use crate::secret::Process;
use crate::shell::{self, Exit, Failure};

/// Does what `station authority …` says.
pub(super) fn run(command: AuthorityCommand, context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    match command {
        AuthorityCommand::Init { common_name, days, existing_key } => {
            let key = if existing_key { Key::Existing } else { Key::New };
            init(&config, common_name, days, key, context)?;
        }
        AuthorityCommand::Request { out, common_name } => {
            request(&config, &out, common_name, context)?;
        }
        AuthorityCommand::Import { chain } => import(&config, &chain, context)?,
        AuthorityCommand::Show => show(&config, &read(&config)?, context)?,
        AuthorityCommand::Check => check(&config, context)?,
        AuthorityCommand::Crl { out, next_days, by } => {
            crl(&config, &out, next_days, by, context)?;
        }
        AuthorityCommand::Register { code: Some(code), out: Some(dir), .. } => {
            for_console(&config, &code, &dir, context)?;
        }
        AuthorityCommand::Register { by, .. } => register(&config, by, context)?,
        AuthorityCommand::Export { chain, out } => {
            export(&read(&config)?, chain, out.as_deref(), context)?
        }
    }
    Ok(Exit::Done)
}

fn crl(
    config: &Config,
    out: &Path,
    next_days: u16,
    by: Option<OperatorId>,
    context: &mut Context,
) -> Result<(), Failure> {
    let made = crate::app::crl::make(config, &context.clock(), next_days, person(by))?;
    crate::app::crl::replace(out, made.pem.as_bytes())?;
    match context.out.is_json() {
        true => context.out.json(&json!({
            "written": out,
            "number": made.number,
            "certificates": made.certificates,
            "next": made.next,
        })),
        false => context.out.say(&say!(
            "list {} with {} certificates is in {}, the next is due on {}",
            "吊销列表 {}（{} 张证书）已写入 {}，下次应在 {} 之前生成",
            made.number,
            made.certificates,
            out.display(),
            made.next
        )),
    }
}

fn read(config: &Config) -> Result<AuthorityInfo, Failure> {
    Ok(AuthorityInfo::read(&from_config::authority_place(&config.authority))?)
}

/// Whether `init` makes a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    New,
    Existing,
}

fn init(
    config: &Config,
    common_name: Option<String>,
    days: Option<u32>,
    key: Key,
    context: &mut Context,
) -> Result<(), Failure> {
    let place = from_config::authority_place(&config.authority);
    // Whoever would be asked for a new passphrase in vain is told at once.
    let made = key_file(&place).filter(|_| key == Key::New);
    if let Some(path) =
        [Some(&place.certificate), made].into_iter().flatten().find(|at| at.exists())
    {
        return Err(Failure::said(
            Code::CaExists,
            say!("{} is there already", "{} 已经存在", path.display()),
        ));
    }
    let secret = new_secret(config, &place)?;
    let for_profile = from_config::valid_for(config.certificate.valid_for).of_its_authority();
    let request = AuthorityRequest {
        common_name: common_name.unwrap_or_else(|| default_name(config)),
        valid_for: days.map_or(for_profile, ValidFor::Days),
        backdate: CA_BACKDATE,
        now: context.now(),
    };
    let info = patiently(&place.key, || match key {
        Key::New => pki::init(&place, &secret, &request),
        Key::Existing => pki::init_with_existing_key(&place, &secret, &request),
    })?;
    show(config, &info, context)
}

fn default_name(config: &Config) -> String {
    format!("{} CA", config.station.id)
}

fn key_file(place: &AuthorityPlace) -> Option<&PathBuf> {
    match &place.key {
        KeyPlace::File(path) => Some(path),
        KeyPlace::Token(_) => None,
    }
}

/// What a key that is perhaps not there yet is opened with: a passphrase is new, a token has
/// its PIN.
fn new_secret(config: &Config, place: &AuthorityPlace) -> Result<Passphrase, Failure> {
    let wanted = from_config::authority_secret(&config.authority);
    let secret = match key_file(place) {
        Some(path) if !path.exists() => wanted.read_new(&Process)?,
        _ => wanted.read(&Process)?,
    };
    from_config::passphrase(&secret)
}

fn request(
    config: &Config,
    out: &Path,
    common_name: Option<String>,
    context: &mut Context,
) -> Result<(), Failure> {
    // Before a key is made that nobody would get a request for.
    refuse_output(out)?;
    let place = from_config::authority_place(&config.authority);
    let name = common_name.unwrap_or_else(|| default_name(config));
    let secret = new_secret(config, &place)?;
    let made = patiently(&place.key, || pki::request(&place, &secret, &name))?;
    write_new(out, &made.pem)?;
    if context.out.is_json() {
        return context.out.json(&json!({ "written": out, "made_key": made.made_key }));
    }
    let key = whose_key(made.made_key);
    let written = say!(", is in {}", "，已写入 {}", out.display());
    let request = say!("a request for CN={name}, with ", "CN={name} 的签发请求，使用");
    context.out.say(&request.with(&key).with(&written))
}

/// With which key a request was made.
pub(super) fn whose_key(made: bool) -> Say {
    match made {
        true => say!("a new key", "新密钥"),
        false => say!("the key that was there", "原有的密钥"),
    }
}

fn import(config: &Config, chain: &Path, context: &mut Context) -> Result<(), Failure> {
    let bytes = bounds::read_file(chain, bounds::CERTIFICATES);
    let bytes = bytes.map_err(|error| {
        Failure::said(Code::Input, say!("{} can't be read", "{} 无法读取", chain.display()))
            .caused_by(&error)
    })?;
    let secret = from_config::authority_secret(&config.authority).read(&Process)?;
    let place = from_config::authority_place(&config.authority);
    let secret = from_config::passphrase(&secret)?;
    let info = patiently(&place.key, || pki::import(&place, &secret, &bytes, context.now()))?;
    show(config, &info, context)
}

fn show(config: &Config, info: &AuthorityInfo, context: &mut Context) -> Result<(), Failure> {
    let ca_sn = enrol::ca_sn(config, info)?;
    if context.out.is_json() {
        return context.out.json(&json!({
            "subject": info.subject,
            "certificate_pem": info.certificate_pem,
            "chain_pem": info.chain_pem,
            "not_before": info.not_before.to_string(),
            "not_after": info.not_after.to_string(),
            "key": info.key,
            "fingerprint_sha256": info.fingerprint,
            // The cloud's own number for this CA; it has none before it is registered there.
            "ca_sn": ca_sn.map(|sn| sn.0),
        }));
    }
    let out = &mut context.out;
    let ca_sn = ca_sn.map_or_else(
        || say!("not registered by this station", "本站没有注册它"),
        |sn| Say::same(sn.0),
    );
    for (name, value) in [
        (say!("subject", "主题"), Say::same(&info.subject)),
        (say!("valid from", "生效"), Say::same(info.not_before.to_string())),
        (say!("valid until", "到期"), until(info.not_after)),
        (Say::same("SHA-256"), Say::same(info.fingerprint.to_string())),
        (say!("key kind", "密钥类型"), Say::same(info.key.to_string())),
        (say!("in the cloud", "云端"), ca_sn),
    ] {
        out.say(&name.padded(13).with(&value))?;
    }
    out.raw(info.certificate_pem.as_bytes())?;
    out.raw(info.chain_pem.as_deref().unwrap_or_default().as_bytes())
}

fn until(not_after: Timestamp) -> Say {
    match not_after {
        Timestamp::NO_EXPIRY => say!("no expiry", "永不过期"),
        _ => Say::same(not_after.to_string()),
    }
}

fn check(config: &Config, context: &mut Context) -> Result<(), Failure> {
    let authority = from_config::authority(config)?;
    let now = context.now();
    authority.check_profile(&from_config::profile(config)?, now)?;
    let days = authority.days_left(now);
    match context.out.is_json() {
        true => context.out.json(&json!({
            "valid": true, "fingerprint_sha256": authority.fingerprint(), "days_left": days,
        })),
        false => context.out.say(&say!(
            "key and certificate belong together; the CA may issue certificates valid for {} \
             and ends in {days} days",
            "密钥与证书匹配；该 CA 可签发有效期 {} 的证书，{days} 天后到期",
            config.certificate.valid_for
        )),
    }
}

fn register(config: &Config, by: Option<OperatorId>, context: &mut Context) -> Result<(), Failure> {
    let enrolled = enrol::run(config, &context.clock(), person(by))?;
    let instance = cloud::instance(config)?;
    let Enrolled { ca_sn, found } = enrolled;
    if context.out.is_json() {
        return context.out.json(&json!({
            "ca_sn": ca_sn.0, "found": found, "status": "ACTIVE",
            "site": instance.site, "region": instance.region, "instance_id": instance.instance,
        }));
    }
    let ca_sn = ca_sn.0;
    context.out.say(&match found {
        true => say!(
            "the CA was registered before as {ca_sn} and active: {instance}",
            "CA 早已注册为 {ca_sn}，已激活：{instance}"
        ),
        false => say!(
            "the CA is registered as {ca_sn} and active: {instance}",
            "CA 已注册为 {ca_sn}，已激活：{instance}"
        ),
    })
}

fn for_console(
    config: &Config,
    code: &str,
    dir: &Path,
    context: &mut Context,
) -> Result<(), Failure> {
    let clock = context.clock();
    let [ca, verification] = enrol::for_console(config, code, clock.as_ref())?;
    std::fs::create_dir_all(dir).map_err(|error| {
        Failure::said(Code::Output, say!("{} can't be made", "{} 无法建立", dir.display()))
            .caused_by(&error)
    })?;
    write_new(&dir.join("ca.pem"), &ca)?;
    write_new(&dir.join("verification.pem"), &verification)?;
    match context.out.is_json() {
        true => context.out.json(&json!({ "written": dir })),
        false => context.out.say(&say!(
            "upload ca.pem and verification.pem of {} in the console, within a day",
            "请在一天之内把 {} 中的 ca.pem 和 verification.pem 上传到控制台",
            dir.display()
        )),
    }
}

fn export(
    info: &AuthorityInfo,
    chain: bool,
    out: Option<&Path>,
    context: &mut Context,
) -> Result<(), Failure> {
    let pem = if chain { info.path_pem() } else { info.certificate_pem.clone() };
    if let Some(missing) = info.root_missing_in(info.path_pem().as_bytes())?.filter(|_| chain) {
        let what = say!(
            "this ends below {missing}, whose certificate the station has not: put it behind, or \
             many brokers refuse every device",
            "证书链止于 {missing} 之下，本站没有它的证书：请补在后面，否则许多代理服务器会拒绝所有设备"
        );
        shell::warn(&Fault::said(Code::CaProfile, what), context.color);
    }
    let Some(path) = out else {
        return match context.out.is_json() {
            true => context.out.json(&json!({ "certificate_pem": pem })),
            false => context.out.raw(pem.as_bytes()),
        };
    };
    write_new(path, &pem)?;
    match context.out.is_json() {
        true => context.out.json(&json!({ "written": path })),
        false => context.out.say(&say!("written to {}", "已写入 {}", path.display())),
    }
}

/// Refuses a file that is there, before anything is done for it.
pub(super) fn refuse_output(out: &Path) -> Result<(), Failure> {
    match out.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(_) => {
            let what = say!(
                "{} is there already and is never overwritten",
                "{} 已经存在，不会被覆盖",
                out.display()
            );
            Err(Failure::said(Code::Output, what))
        }
    }
}

/// Never over another file: a slip of the hand must not cost a key.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    // Certificates are public; nobody else may change them, whatever the process's mask.
    let made = options.write(true).create_new(true).mode(0o644).open(path);
    let written = made.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::said(Code::Output, say!("{} can't be written", "{} 无法写入", path.display()))
            .caused_by(&error)
    })
}
