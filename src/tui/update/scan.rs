//! Scans: from a wedge scanner, a serial one, a person who types, or the demo.

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Command, Scan};

use super::super::model::{Model, NoticeKind, Phase};
use super::super::msg::Action;
use super::line::{bell, notice};

/// Hands a scan to the line, or says why not. What it means is the line's to judge.
pub(super) fn scan(model: &mut Model, text: &str, actions: &mut Vec<Action>) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    if super::forms::badge(model, text, actions) {
        return;
    }
    if let Some(fault) = why_not(model) {
        notice(model, Some(text.to_owned()), None, fault, NoticeKind::Refused);
        bell(model, actions);
        return;
    }
    model.wanted -= 1;
    actions.push(Action::Command(Command::Scan(Scan::scanned(text))));
}

fn why_not(model: &Model) -> Option<Fault> {
    if model.is_locked() {
        return Some(Fault::new(Code::OperatorAbsent, "nobody is signed in"));
    }
    match model.phase {
        Phase::Running if model.wanted > 0 => None,
        Phase::Running | Phase::Starting => {
            let detail = "the line takes no scan at this moment; scan it again when a slot is free";
            Some(Fault::new(Code::ScanAhead, detail))
        }
        Phase::Landing | Phase::Ended => {
            Some(Fault::new(Code::Stopped, "the line has stopped and takes no more scans"))
        }
    }
}

/// The demo's scanner, where it is time for the next label.
pub(super) fn by_itself(model: &mut Model, actions: &mut Vec<Action>) {
    let now = model.now.monotonic;
    if model.wanted == 0 {
        return;
    }
    let label = model.setup.auto_scan.as_mut().and_then(|scanner| scanner.next(now));
    if let Some(label) = label {
        model.changed = true;
        scan(model, &label, actions);
    }
}
