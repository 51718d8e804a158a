//! The history: one attempt a line.

use ratatui::Frame;
use ratatui::layout::Constraint::{Length, Min};
use ratatui::layout::{Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::domain::clock::Timestamp;
use crate::domain::pages::HistoryLine;
use crate::domain::state::{AttemptOutcome, UnitState};
use crate::domain::text::plain;
use crate::text::{Word, outcome_word};

use super::super::model::Model;
use super::super::theme::Role;
use super::look::{Look, both_ends, pad};
use super::wrap::wrap_line;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let view = &model.pages.history;
    let summary = wrap_line(&summary(model, look), usize::from(area.width).saturating_sub(1), 1);
    // What is wrong with a search takes the place of rows.
    let wanted = u16::try_from(summary.len()).unwrap_or(u16::MAX);
    let [head, titles, rows, keys] =
        Layout::vertical([Length(wanted), Length(1), Min(0), Length(1)]).areas(area);
    frame.render_widget(Paragraph::new(summary), head);
    let wide = area.width >= 100;
    frame.render_widget(Line::from(look.span(Role::Dim, titles_of(look, wide))), titles);
    let page = view.asking.found.as_ref();
    let lines = page.map_or(&[][..], |page| &page.lines);
    let shown = lines.iter().enumerate().map(|(index, line)| {
        let outcome = outcome_of(line, model, look);
        row(line, outcome, index == view.selected, look, wide)
    });
    let shown: Vec<Line<'_>> = match (lines.is_empty(), view.asking.number) {
        (true, Some(_)) => vec![Line::from(format!(" {}", look.text(Word::Looking)))],
        (true, None) => vec![Line::from(format!(" {}", look.text(Word::NothingYet)))],
        (false, _) => shown.collect(),
    };
    frame.render_widget(Paragraph::new(shown), rows);
    let left = vec![look.span(Role::Dim, format!(" {}", look.text(Word::HistoryKeys)))];
    let more = match page {
        Some(page) if page.too_many => look.text(Word::HistoryTooMany),
        Some(page) if page.next.is_some() => look.text(Word::HistoryMore),
        _ => "",
    };
    let right = vec![look.span(Role::Key, format!("{more} "))];
    frame.render_widget(both_ends(left, right, keys.width), keys);
}

/// What is shown: all, or what was searched for and filtered by.
fn summary<'a>(model: &Model, look: Look) -> Line<'a> {
    let view = &model.pages.history;
    if let Some(word) = &view.wrong {
        let text = look.fill(Word::HistoryWrong, &[&plain(word)]);
        return Line::from(look.span(Role::Red, format!(" {}", text)));
    }
    if let Some(fault) = &view.asking.fault {
        return Line::from(look.span(Role::Red, format!(" {}", look.what(fault))));
    }
    let mut text = match view.text.as_str() {
        "" => look.text(Word::HistoryAll).to_owned(),
        typed => look.fill(Word::HistoryFound, &[&plain(typed)]),
    };
    if let Some(outcome) = view.query.outcome {
        text.push_str("  ");
        let word = match outcome {
            // Both are attempts that have not ended.
            AttemptOutcome::Running => look.text(Word::OutcomeOpen),
            outcome => look.text(outcome_word(outcome)),
        };
        text.push_str(&look.fill(Word::HistoryOnly, &[word]));
    }
    Line::from(look.span(Role::Strong, format!(" {}", text)))
}

fn titles_of(look: Look, wide: bool) -> String {
    let when = look.fill(Word::When, &[&look.offset()]);
    let [serial, slot] = [Word::Serial, Word::Slot].map(|word| look.text(word));
    let [outcome, code, person] =
        [Word::Outcome, Word::Code, Word::Person].map(|word| look.text(word));
    let (serials, codes) = columns(wide);
    let mut text = format!(
        " {} {} {} {} {}",
        pad(&when, 16),
        pad(serial, serials),
        pad(slot, 6),
        pad(outcome, 9),
        pad(code, codes),
    );
    if wide {
        text.push_str(&format!(" {}", pad(person, 12)));
    }
    text
}

/// Columns for a serial and for a code.
const fn columns(wide: bool) -> (usize, usize) {
    if wide { (32, 26) } else { (20, 23) }
}

/// How an attempt ended. One that has not is running where a slot is at work on its unit; else
/// only the unit's device can tell.
fn outcome_of(line: &HistoryLine, model: &Model, look: Look) -> (&'static str, Role) {
    let is_open = line.outcome == AttemptOutcome::Running;
    match is_open && line.state == UnitState::Uncertain && !model.is_at_work_on(&line.serial) {
        true => (look.text(Word::OutcomeUncertain), Role::Hold),
        false => ended_so(line.outcome, look),
    }
}

fn row<'a>(
    line: &HistoryLine,
    (word, role): (&'static str, Role),
    chosen: bool,
    look: Look,
    wide: bool,
) -> Line<'a> {
    let (serials, codes) = columns(wide);
    let serial = match line.attempt {
        1 => plain(line.serial.as_str()).into_owned(),
        attempt => format!("{} #{attempt}", plain(line.serial.as_str())),
    };
    let base = if chosen { Role::Focus } else { Role::Text };
    let text = |text: String| look.span(base, text);
    let mut spans = vec![
        text(format!(" {} ", pad(&when(line.started_at, look), 16))),
        text(format!("{} {} ", pad(&serial, serials), pad(line.slot.as_str(), 6))),
        look.span(if chosen { base } else { role }, pad(word, 9)),
        text(format!(" {}", pad(&plain(line.code.as_deref().unwrap_or("")), codes))),
    ];
    if wide {
        let who = line.operator.as_ref().map_or("", |operator| operator.as_str());
        spans.push(text(format!(" {}", pad(&plain(who), 12))));
    }
    spans.push(Span::raw(""));
    Line::from(spans)
}

/// Month, day and second of the factory.
pub(super) fn when(at: Timestamp, look: Look) -> String {
    look.zone.show_short(at)
}

/// How an attempt ended, and its colour.
pub(super) fn ended_so(outcome: AttemptOutcome, look: Look) -> (&'static str, Role) {
    let role = match outcome {
        AttemptOutcome::Pass => Role::Pass,
        AttemptOutcome::Fail => Role::Fail,
        AttemptOutcome::Interrupted => Role::Hold,
        AttemptOutcome::Running => Role::Busy,
    };
    (look.text(outcome_word(outcome)), role)
}
