//! Scans: from a wedge scanner, a serial one, a person who types, or the demo.

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Command, Scan};
use crate::domain::scan::Content;
use crate::domain::text::plain;
use crate::say;

use super::super::model::{Model, NoticeKind, Phase, Sent};
use super::super::msg::Action;
use super::line::{bell, notice};

/// What a keyboard scanner sent, whole, as it came: the one place at which it becomes a text.
pub(super) fn sent(model: &mut Model, sent: &Sent, actions: &mut Vec<Action>) {
    let text = sent.text.trim_end_matches(['\r', '\n']);
    if !sent.keys.is_empty() {
        let keys = sent.keys.join(", ");
        let detail = say!(
            "the scan held keys that are commands, and none was carried out: {keys}",
            "扫码中含有命令按键，均未执行：{keys}"
        );
        return refuse(model, text, Fault::said(Code::ScanKeys, detail), actions);
    }
    scan(model, text, actions);
}

/// Two scans that no line end kept apart: nobody knows where the second begins.
pub(super) fn without_end(model: &mut Model, text: &str, actions: &mut Vec<Action>) {
    let detail = say!(
        "two scans came without a line end: set the scanner to send Enter (CR) after each",
        "两次扫码之间没有结束符：把扫码枪设为每次扫描后发送回车（CR）"
    );
    refuse(model, text, Fault::said(Code::ScanNoEnd, detail), actions);
}

/// From a scanner at a port of its own.
pub(super) fn from_port(model: &mut Model, text: &str, actions: &mut Vec<Action>) {
    if model.is_secret_in_focus() {
        // Whatever was read may be what is being typed: it is neither shown nor kept.
        let detail = say!(
            "something was scanned while a PIN was typed, and not taken: scan it again",
            "输入 PIN 时扫了码，没有接受：请重新扫描"
        );
        notice(model, None, None, Fault::said(Code::ScanAhead, detail), NoticeKind::Refused);
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
    if is_for_a_full_line(model, shown) {
        return actions.push(Action::Command(Command::ScanBack(Scan::scanned(text))));
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

/// Whether a scan comes while no slot is free for it. It may be a label that is scanned back, for
/// which none is needed, and what is wrong with any other is the line's to say.
fn is_for_a_full_line(model: &Model, text: &str) -> bool {
    let line_is_full = model.phase == Phase::Running && model.wanted == 0;
    line_is_full && !model.is_locked() && !model.is_under_way(text)
}

fn why_not(model: &Model, text: &str) -> Option<Fault> {
    if model.is_locked() {
        return Some(Fault::said(Code::OperatorAbsent, say!("nobody is signed in", "无人登录")));
    }
    match model.phase {
        Phase::Running if model.wanted > 0 => None,
        // Any other scan for which no slot is free has gone to the line.
        Phase::Running => {
            let text = plain(text);
            let detail = say!("{text} was scanned already and waits", "{text} 已经扫过，正在等待");
            Some(Fault::said(Code::ScanDuplicate, detail))
        }
        Phase::Starting => {
            let detail = say!(
                "the line takes no scan at this moment; scan it again when a slot is free",
                "产线此刻不接受扫码；有工位空闲时再扫"
            );
            Some(Fault::said(Code::ScanAhead, detail))
        }
        Phase::Landing | Phase::Ended => {
            let detail =
                say!("the line has stopped and takes no more scans", "产线已停止，不再接受扫码");
            Some(Fault::said(Code::Stopped, detail))
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
