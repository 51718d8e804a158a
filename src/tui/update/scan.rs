//! Scans: from a wedge scanner, a serial one, a person who types, or the demo.

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Command, Scan};
use crate::domain::scan::Content;

use super::super::model::{Model, NoticeKind, Phase, Sent};
use super::super::msg::Action;
use super::line::{bell, notice};

/// What a keyboard scanner sent, whole, as it came: the one place at which it becomes a text.
pub(super) fn sent(model: &mut Model, sent: &Sent, actions: &mut Vec<Action>) {
    let text = sent.text.trim_end_matches(['\r', '\n']);
    if !sent.keys.is_empty() {
        let keys = sent.keys.join(", ");
        let detail =
            format!("the scan held keys that are commands, and none was carried out: {keys}");
        return refuse(model, text, Fault::new(Code::ScanKeys, detail), actions);
    }
    scan(model, text, actions);
}

/// Two scans that no line end kept apart: nobody knows where the second begins.
pub(super) fn without_end(model: &mut Model, text: &str, actions: &mut Vec<Action>) {
    let detail = "two scans came without a line end: set the scanner to send Enter (CR) after each";
    refuse(model, text, Fault::new(Code::ScanNoEnd, detail), actions);
}

/// From a scanner at a port of its own.
pub(super) fn from_port(model: &mut Model, text: &str, actions: &mut Vec<Action>) {
    if model.is_secret_in_focus() {
        // Whatever was read may be what is being typed: it is neither shown nor kept.
        let detail = "something was scanned while a PIN was typed, and not taken: scan it again";
        notice(model, None, None, Fault::new(Code::ScanAhead, detail), NoticeKind::Refused);
        return bell(model, actions);
    }
    scan(model, text, actions);
}

/// Hands a scan to the line, or says why not. What it means is the line's to judge.
pub(super) fn scan(model: &mut Model, text: &str, actions: &mut Vec<Action>) {
    let shown = Content::of(text).text;
    if shown.is_empty() {
        return;
    }
    if super::forms::badge(model, shown, actions) {
        return;
    }
    if super::forms::order_label(model, shown, actions) {
        return;
    }
    if model.signing_in.is_some() && model.held.len() < HELD {
        return model.held.push_back(text.to_owned());
    }
    if let Some(fault) = why_not(model, shown) {
        return refuse(model, shown, fault, actions);
    }
    model.wanted -= 1;
    actions.push(Action::Command(Command::Scan(Scan::scanned(text))));
}

/// Labels that wait while somebody is being signed in.
const HELD: usize = 8;

/// Somebody has been signed in, or has not: what was scanned meanwhile goes its way.
pub(super) fn release(model: &mut Model, actions: &mut Vec<Action>) {
    for text in std::mem::take(&mut model.held) {
        scan(model, &text, actions);
    }
}

fn refuse(model: &mut Model, text: &str, fault: Fault, actions: &mut Vec<Action>) {
    notice(model, Some(text.to_owned()), None, fault, NoticeKind::Refused);
    bell(model, actions);
}

fn why_not(model: &Model, text: &str) -> Option<Fault> {
    if model.is_locked() {
        return Some(Fault::new(Code::OperatorAbsent, "nobody is signed in"));
    }
    match model.phase {
        Phase::Running if model.wanted > 0 => None,
        Phase::Running if model.is_under_way(text) => {
            Some(Fault::new(Code::ScanDuplicate, format!("{text} was scanned already and waits")))
        }
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
