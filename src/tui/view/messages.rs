//! All that was said since the screen was started: refusals, failures, units to keep, warnings
//! with what to do about them, and lines of the log; the newest at the top.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::pages::LogLine;
use crate::domain::text::{plain, printable};
use crate::text::Word;

use super::super::model::{Model, Notice, NoticeKind};
use super::super::msg::Extent;
use super::super::theme::Role;
use super::history::when;
use super::look::Look;
use super::pages::{nothing, scrolled};
use super::wrap::{wrap, wrap_line};

/// Columns before the text of a message.
const MARGIN: usize = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let columns = usize::from(area.width).saturating_sub(2);
    // A shift has thousands: those below what is shown are not looked at.
    let wanted = model.scroll + usize::from(area.height) + 1;
    let mut log = model.log.iter().rev().peekable();
    let mut shown = Vec::new();
    for notice in model.notices.all() {
        while let Some(line) = log.next_if(|line| line.at > notice.at) {
            shown.extend(log_lines(line, columns, look));
        }
        if shown.len() > wanted {
            break;
        }
        shown.extend(notice_lines(notice, columns, look));
    }
    for line in log {
        shown.extend(log_lines(line, columns, look));
    }
    if shown.is_empty() {
        shown.push(nothing(look));
    }
    scrolled(frame, area, shown, model.scroll, look)
}

/// The word for what a message is, and its colour.
pub(super) fn kind_word(kind: NoticeKind, look: Look) -> (&'static str, Role) {
    let (word, role) = match kind {
        NoticeKind::Refused => (Word::Refused, Role::Amber),
        NoticeKind::Fail => (Word::Fail, Role::Fail),
        NoticeKind::Hold => (Word::Hold, Role::Hold),
        NoticeKind::Warning => (Word::Warning, Role::Amber),
    };
    (look.text(word), role)
}

/// What to do about it.
pub(super) fn todo(notice: &Notice, look: Look) -> String {
    match notice.kind {
        NoticeKind::Hold => look.text(Word::DoHold).to_owned(),
        _ => look.remedy(notice.fault.code),
    }
}

fn notice_lines(notice: &Notice, columns: usize, look: Look) -> Vec<Line<'static>> {
    let (word, role) = kind_word(notice.kind, look);
    let mut head = vec![
        look.span(Role::Dim, format!(" {}  ", when(notice.at, look))),
        look.span(role, format!(" {word} ")),
        Span::raw("  "),
    ];
    if let Some(slot) = &notice.slot {
        head.push(Span::raw(format!("{} {slot}  ", look.text(Word::Slot))));
    }
    if let Some(serial) = &notice.serial {
        head.push(look.span(Role::Strong, format!("{}  ", plain(serial))));
    }
    head.push(look.span(Role::Dim, notice.fault.code.as_str()));
    let mut lines = wrap_line(&Line::from(head), columns, MARGIN);
    let text = |role, text: &str| {
        let lines = wrap(text, columns.saturating_sub(MARGIN)).into_iter();
        let line = move |text| Line::from(look.span(role, format!("{:MARGIN$}{text}", "")));
        lines.map(line).collect::<Vec<_>>()
    };
    lines.extend(text(Role::Text, &look.what(&notice.fault)));
    lines.extend(text(Role::Strong, &todo(notice, look)));
    lines
}

fn log_lines(line: &LogLine, columns: usize, look: Look) -> Vec<Line<'static>> {
    let role = match line.level {
        "ERROR" => Role::Red,
        "WARN" => Role::Amber,
        _ => Role::Dim,
    };
    let line = Line::from(vec![
        look.span(Role::Dim, format!(" {}  ", when(line.at, look))),
        look.span(role, format!(" {}  ", line.level)),
        Span::raw(printable(&line.text).into_owned()),
    ]);
    wrap_line(&line, columns, MARGIN)
}
