//! `station doctor`: the checks before a shift, one line each, red or green.

use serde_json::json;

use super::Context;
use crate::app::{cloud_checks, parts, sync};
use crate::checks::{self, Finding, PortCheck, Status};
use crate::config::{Config, Presence, ScannerKind};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::ledger::Reader;
use crate::link::settings::PortSettings;
use crate::pki::Verifier;
use crate::report::{Exit, Failure};
use crate::text::{Language, remedy};

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
    let settings = parts::ledger_settings(config);
    let mut findings = vec![
        checks::clock(&settings, now),
        checks::ledger(&settings, &Verifier),
        checks::files(&settings),
        checks::backups(&parts::backups(config), &settings, now),
        checks::disk(data_dir, config.ledger.reserve),
        checks::memory(config.slots.len()),
        authority(config, context),
        checks::ports(&ports(config)),
        checks::scanner(scanner(config)),
    ];
    findings.extend(checks::pins(&settings));
    findings.extend(cloud_checks::findings(config));
    findings.extend(backlog(config, context));
    findings
}

/// Where there is a cloud and a ledger: whether a proof has waited too long.
fn backlog(config: &Config, context: &Context) -> Option<Finding> {
    const NAME: &str = "backlog";
    config.cloud.as_ref()?;
    let reader = Reader::open(&config.station.data_dir, Some(&config.station.id)).ok()?;
    Some(match sync::backlog(config, &reader, &context.clock()) {
        Ok(None) => Finding::ok(NAME, "no proof has waited too long to be registered"),
        Ok(Some(fault)) => Finding::fail(NAME, fault),
        Err(failure) => Finding::fail(NAME, Fault::new(failure.code, failure.what)),
    })
}

fn authority(config: &Config, context: &Context) -> Finding {
    let as_fault = |failure: Failure| {
        let causes = failure.causes.iter().fold(failure.what, |text, cause| text + ": " + cause);
        Fault::new(failure.code, causes)
    };
    match parts::profile(config) {
        Ok(profile) => {
            checks::authority(parts::authority(config).map_err(as_fault), &profile, context.now())
        }
        Err(failure) => Finding::fail("authority", as_fault(failure)),
    }
}

fn ports(config: &Config) -> Vec<PortCheck> {
    let slots = parts::slots(config).into_iter().zip(&config.slots);
    let check = |(slot, configured): (crate::engine::SlotSettings, &crate::config::Slot)| {
        let comes_with_device = configured.presence == Presence::Port;
        PortCheck { slot: slot.name, settings: slot.link.port, comes_with_device }
    };
    slots.map(check).collect()
}

fn scanner(config: &Config) -> Option<PortSettings> {
    let serial = config.scanner.kind == ScannerKind::Serial;
    let port = config.scanner.port.as_ref().filter(|_| serial)?;
    Some(PortSettings::new(port.to_string(), config.scanner.baud))
}

fn tell(finding: &Finding, context: &mut Context) -> Result<(), Failure> {
    let Finding { check, status, detail, code } = finding;
    let help = code.map(|code| remedy(code, Language::English));
    if context.out.is_json() {
        return context.out.json(&json!({
            "check": check, "status": status.as_str(), "detail": detail,
            "code": code.map(Code::as_str), "help": help,
        }));
    }
    let code = code.map_or_else(String::new, |code| format!("{code}: "));
    context.out.line(format!("{:<5} {check:<10} {code}{detail}", status.as_str()))?;
    match help {
        Some(help) => context.out.line(format!("{:<16} help: {help}", "")),
        None => Ok(()),
    }
}
