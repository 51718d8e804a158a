//! The checks that can be made beside a running line: in a thread of their own, since an
//! audit takes its time. Ports are the line's, and nobody is asked for a passphrase.

use std::sync::Arc;
use std::thread;

use crate::app::{from_config, opening};
use crate::checks::{self, Finding, Status};
use crate::config::Config;
use crate::domain::cause::cause;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::pages::{Answer, Answered, CheckLine, Light};
use crate::pki::Verifier;
use crate::say;

use super::Answers;

impl Answers {
    pub(super) fn check(&self, number: u64) {
        let (config, now, sink) = (self.config.clone(), self.now(), Arc::clone(&self.sink));
        let work = move || {
            let lines = beside_a_line(&config, now);
            sink(Answered { number, answer: Ok(Answer::Checks(lines)) });
        };
        if let Err(error) = thread::Builder::new().name("checks".to_owned()).spawn(work) {
            let fault = Fault::said(
                Code::Shortage,
                say!("no thread for the checks", "检查得不到线程").then(&cause(&error)),
            );
            (self.sink)(Answered { number, answer: Err(fault) });
        }
    }
}

fn beside_a_line(config: &Config, now: Timestamp) -> Vec<CheckLine> {
    let settings = from_config::ledger_settings(config);
    let findings = [
        checks::clock(&settings, now),
        checks::ledger(&settings, from_config::certified_by_own_ca(config), &Verifier),
        checks::disk(&config.station.data_dir, config.ledger.reserve),
        checks::memory(config.slots.len()),
        opening::broker(config),
        checks::uncertain(&settings),
    ];
    findings.into_iter().chain(opening::labels(config)).map(line).collect()
}

fn line(finding: Finding) -> CheckLine {
    let light = match finding.status {
        Status::Ok => Light::Green,
        Status::Warn => Light::Amber,
        Status::Fail => Light::Red,
    };
    CheckLine { check: finding.check.to_owned(), light, detail: finding.detail, code: finding.code }
}
