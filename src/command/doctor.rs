//! `station doctor`: the checks before a shift, one line each, red or green.

use serde_json::json;

use super::context::Context;
use crate::app::{cloud_checks, fleet, from_config, opening, sync};
use crate::checks::{self, Finding, PortCheck, Status};
use crate::config::{Config, Presence, ScannerKind};
use crate::domain::code::Code;
use crate::domain::columns::padded;
use crate::ledger::Reader;
use crate::link::settings::PortSettings;
use crate::pki::{AuthorityInfo, Verifier};
use crate::say;
use crate::shell::{self, Exit, Failure};
use crate::text::{Language, check_name, remedy, said};

/// Runs every check; none keeps another from being run.
pub(super) fn run(context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let mut worst = Status::Ok;
    for finding in findings(&config, context) {
        worst = worst.max(finding.status);
        tell(&finding, context)?;
    }
    match worst {
        Status::Ok | Status::Warn => Ok(Exit::Done),
        Status::Fail => Ok(Exit::NotAll),
    }
}

fn findings(config: &Config, context: &Context) -> Vec<Finding> {
    let now = context.now();
    let data_dir = &config.station.data_dir;
    let settings = from_config::ledger_settings(config);
    let mut findings = vec![
        checks::clock(&settings, now),
        checks::ledger(&settings, from_config::certified_by_own_ca(config), &Verifier),
        checks::files(&settings),
        checks::backups(&from_config::backups(config), &settings, now),
        checks::disk(data_dir, config.ledger.reserve),
        checks::memory(config.slots.len()),
        opening::authority(config, now),
        opening::broker(config),
        opening::journal_key(config),
        opening::work_order(config, now),
        checks::uncertain(&settings),
        checks::ports(&ports(config)),
        checks::scanner(scanner(config)),
    ];
    findings.extend(checks::pins(&settings));
    let authority = AuthorityInfo::read(&from_config::authority_place(&config.authority)).ok();
    findings.extend(authority.and_then(|ca| checks::list(&settings, &ca.fingerprint, now)));
    findings.extend(opening::connect(config));
    findings.extend(opening::labels(config));
    findings.extend(opening::view(config));
    findings.extend(surroundings(config));
    findings.extend(cloud_checks::findings(config));
    findings.extend(backlog(config, context));
    findings.extend(fleet::finding(config, now));
    findings
}

/// What of the machine itself gets in the line's way, where that can be known.
fn surroundings(config: &Config) -> impl Iterator<Item = Finding> {
    let ports: Vec<String> = config.slots.iter().map(|slot| slot.port.to_string()).collect();
    let in_chinese = shell::language() == Language::Chinese;
    let terminal = std::env::var("TERM").ok();
    let findings = [
        checks::user(&config.station.data_dir),
        checks::time(),
        checks::adapters(&ports),
        checks::letters(in_chinese, terminal.as_deref()),
    ];
    findings.into_iter().flatten()
}

/// Where there is a cloud and a ledger: whether a proof has waited too long.
fn backlog(config: &Config, context: &Context) -> Option<Finding> {
    const NAME: &str = "backlog";
    config.cloud.as_ref()?;
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id)).ok()?;
    Some(match sync::backlog(config, &reader, &context.clock()) {
        Ok(None) => Finding::ok(
            NAME,
            say!("no proof has waited too long to be registered", "没有等待注册过久的证书"),
        ),
        Ok(Some(fault)) => Finding::fail(NAME, fault),
        Err(failure) => Finding::fail(NAME, failure.into()),
    })
}

fn ports(config: &Config) -> Vec<PortCheck> {
    let slots = from_config::slots(config).into_iter().zip(&config.slots);
    let check = |(slot, configured): (crate::engine::SlotSettings, &crate::config::Slot)| {
        let comes_with_device = configured.presence == Presence::Port;
        PortCheck { slot: slot.name, settings: slot.link.port, comes_with_device }
    };
    slots.map(check).collect()
}

fn scanner(config: &Config) -> Option<PortSettings> {
    let serial = config.scanner.kind == ScannerKind::Serial;
    let port = config.scanner.port.as_ref().filter(|_| serial)?;
    Some(from_config::scanner_port(&config.scanner, &port.to_string()))
}

fn tell(finding: &Finding, context: &mut Context) -> Result<(), Failure> {
    let Finding { check, status, detail, code } = finding;
    if context.out.is_json() {
        let help = code.map(|code| remedy(code, Language::English));
        return context.out.json(&json!({
            "check": check, "status": status.as_str(), "detail": detail.english,
            "code": code.map(Code::as_str), "help": help,
        }));
    }
    let language = shell::language();
    let (name, word) = (check_name(check, language), status_word(*status, language));
    let code_before = code.map_or_else(String::new, |code| format!("{code}: "));
    let (word, name) = (padded(word, 5), padded(name, 13));
    context.out.line(format!("{word} {name} {code_before}{}", said(detail, language)))?;
    let label = match language {
        Language::English => "help",
        Language::Chinese => "处理",
    };
    match code.map(|code| remedy(code, language)) {
        Some(help) => context.out.line(format!("{:<19} {label}: {help}", "")),
        None => Ok(()),
    }
}

const fn status_word(status: Status, language: Language) -> &'static str {
    match (status, language) {
        (_, Language::English) => status.as_str(),
        (Status::Ok, Language::Chinese) => "正常",
        (Status::Warn, Language::Chinese) => "注意",
        (Status::Fail, Language::Chinese) => "故障",
    }
}
