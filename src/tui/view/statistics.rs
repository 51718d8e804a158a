//! Yield by hour, failures by code, and slots: a worn contact shows as one bad slot.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::domain::clock::Timestamp;
use crate::domain::local::day_to_text;
use crate::domain::pages::Period;
use crate::domain::story::{Outcomes, Stats};
use crate::domain::text::plain;
use crate::text::Word;

use super::super::model::Model;
use super::super::theme::Role;
use super::look::{Look, bar, both_ends, pad};

/// Heights of a column of the chart, an eighth of a line each.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A slot is bad from so many failures on.
const FEWEST_FAILURES: u64 = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let view = &model.pages.statistics;
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let period = match view.period {
        Period::All => look.text(Word::PeriodAll).to_owned(),
        Period::Day(day) => look.fill(Word::PeriodDay, &[&day_to_text(day), &look.offset()]),
    };
    let left = vec![look.span(Role::Strong, format!(" {period}"))];
    let right = vec![look.span(Role::Dim, format!("{} ", look.text(Word::StatisticsKeys)))];
    frame.render_widget(both_ends(left, right, head.width), head);
    let stats = match (&view.asking.found, &view.asking.fault) {
        (_, Some(fault)) => {
            frame.render_widget(Line::from(look.span(Role::Red, look.what(fault))), body);
            return;
        }
        (None, None) => {
            frame.render_widget(Line::from(format!(" {}", look.text(Word::Looking))), body);
            return;
        }
        (Some(stats), None) => stats,
    };
    let [sums, hours, rest] =
        Layout::vertical([Constraint::Length(2), Constraint::Length(4), Constraint::Min(0)])
            .areas(body);
    frame.render_widget(Paragraph::new(totals(stats, look)), sums);
    frame.render_widget(Paragraph::new(by_hour(stats, look, hours.width)), hours);
    let [codes, slots] = Layout::horizontal([Constraint::Fill(1); 2]).areas(rest);
    frame.render_widget(Paragraph::new(by_code(stats, look, codes)), codes);
    frame.render_widget(Paragraph::new(by_slot(stats, look, slots)), slots);
}

fn totals<'a>(stats: &Stats, look: Look) -> Vec<Line<'a>> {
    let Outcomes { passed, failed, interrupted } = stats.attempts;
    let number = |word, role, value: u64| {
        [
            look.span(Role::Dim, format!(" {} ", look.text(word))),
            look.span(role, format!("{value} ")),
        ]
    };
    let mut spans = Vec::new();
    spans.extend(number(Word::Passed, Role::Pass, passed));
    spans.extend(number(Word::Failed, Role::Fail, failed));
    spans.extend(number(Word::CutOff, Role::Hold, interrupted));
    if let Some(share) = stats.first_pass_yield {
        let text = format!("{:.1} %", share * 100.0);
        spans.push(look.span(Role::Dim, format!("  {} ", look.text(Word::FirstPassYield))));
        spans.push(look.span(Role::Strong, text));
    }
    vec![Line::from(spans)]
}

/// One column an hour: how many passed, and below it the share that failed.
fn by_hour<'a>(stats: &Stats, look: Look, columns: u16) -> Vec<Line<'a>> {
    let room = usize::from(columns).saturating_sub(2);
    let skipped = stats.by_hour.len().saturating_sub(room);
    let hours: Vec<&Outcomes> = stats.by_hour.values().skip(skipped).collect();
    let most = hours.iter().map(|hour| hour.passed).max().unwrap_or(0).max(1);
    let passed: String = hours.iter().map(|hour| column(hour.passed, most)).collect();
    let failed: String = hours
        .iter()
        .map(|hour| match hour.failed {
            0 => ' ',
            failed => column(failed, (hour.passed + failed).max(1)),
        })
        .collect();
    let first = stats.by_hour.keys().nth(skipped).map_or("", String::as_str);
    let last = stats.by_hour.keys().last().map_or("", String::as_str);
    let label = |start: &str| hour_label(start, look);
    let heading = look.fill(Word::ByHour, &[&look.offset()]);
    let title = match hours.is_empty() {
        true => heading,
        false => format!("{heading}  {} – {}", label(first), label(last)),
    };
    vec![
        Line::from(look.span(Role::Dim, format!(" {title}"))),
        Line::from(look.span(Role::Pass, format!(" {passed}"))),
        Line::from(look.span(Role::Fail, format!(" {failed}"))),
    ]
}

/// An hour by the clock on the wall: `01-05 14 h`, or with its minute where it has one.
fn hour_label(start: &str, look: Look) -> String {
    let local = Timestamp::from_rfc3339(start).map(|start| look.zone.show_short(start));
    let local = local.as_deref().and_then(|text| text.get(..11)).unwrap_or_default();
    local.strip_suffix(":00").map_or_else(|| local.to_owned(), |hour| format!("{hour} h"))
}

fn column(value: u64, most: u64) -> char {
    let eighth = (value * 8).div_ceil(most.max(1)).clamp(1, 8);
    EIGHTHS[usize::try_from(eighth - 1).unwrap_or(7)]
}

/// The most frequent code first.
fn by_code<'a>(stats: &Stats, look: Look, area: Rect) -> Vec<Line<'a>> {
    let mut codes: Vec<(&String, &u64)> = stats.by_code.iter().collect();
    codes.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    let most = codes.first().map_or(1, |(_, count)| **count).max(1);
    let mut lines = vec![Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::ByCode))))];
    let columns = usize::from(area.width).saturating_sub(24 + 9);
    let room = usize::from(area.height).saturating_sub(1);
    lines.extend(codes.iter().take(room).map(|(code, count)| {
        Line::from(vec![
            Span::raw(format!(" {} ", pad(&plain(code), 22))),
            look.span(Role::Fail, bar(ratio(**count, most), columns.min(20))),
            Span::raw(format!(" {count}")),
        ])
    }));
    lines
}

/// The slot with the largest share of failures first.
fn by_slot<'a>(stats: &Stats, look: Look, area: Rect) -> Vec<Line<'a>> {
    let mut slots: Vec<(&String, &Outcomes)> = stats.by_slot.iter().collect();
    let share = |counts: &Outcomes| ratio(counts.failed, (counts.passed + counts.failed).max(1));
    slots.sort_by(|one, other| share(other.1).total_cmp(&share(one.1)).then(one.0.cmp(other.0)));
    let bad = bad_slot(stats);
    let worst = slots.first().map_or(1.0, |(_, counts)| share(counts)).max(0.01);
    let mut lines = vec![Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::BySlot))))];
    let room = usize::from(area.height).saturating_sub(1);
    for (slot, counts) in slots.iter().take(room) {
        let total = counts.passed + counts.failed;
        let is_bad = bad == Some(slot.as_str());
        let role = if is_bad { Role::Red } else { Role::Text };
        let numbers = format!("{}/{total}  {:.1} %", counts.failed, share(counts) * 100.0);
        lines.push(Line::from(vec![
            look.span(role, format!(" {} ", pad(slot, 6))),
            look.span(Role::Fail, bar(share(counts) / worst, 10)),
            look.span(role, format!(" {numbers}")),
        ]));
        if is_bad {
            let hint = format!(" ▲ {}", look.text(Word::LookAtSlot));
            lines.push(Line::from(look.span(Role::Red, hint)));
        }
    }
    lines
}

/// The one slot that fails at least three times as often as the others together.
fn bad_slot(stats: &Stats) -> Option<&str> {
    let all = stats
        .by_slot
        .values()
        .fold((0, 0), |(passed, failed), counts| (passed + counts.passed, failed + counts.failed));
    let mut bad = stats.by_slot.iter().filter(|(_, counts)| {
        let others = (all.0 - counts.passed, all.1 - counts.failed);
        let share = ratio(counts.failed, (counts.passed + counts.failed).max(1));
        let of_others = ratio(others.1, (others.0 + others.1).max(1));
        others.0 + others.1 > 0 && counts.failed >= FEWEST_FAILURES && share >= 3.0 * of_others
    });
    match (bad.next(), bad.next()) {
        (Some((slot, _)), None) => Some(slot),
        _ => None,
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(slots: &[(&str, u64, u64)]) -> Stats {
        let counts = |passed, failed| Outcomes { passed, failed, interrupted: 0 };
        Stats {
            units: Default::default(),
            attempts: Outcomes::default(),
            first_pass_yield: None,
            by_code: Default::default(),
            by_slot: slots
                .iter()
                .map(|(name, p, f)| ((*name).to_owned(), counts(*p, *f)))
                .collect(),
            by_hour: Default::default(),
        }
    }

    #[test]
    fn one_worn_contact_shows_as_one_bad_slot() {
        assert_eq!(bad_slot(&stats(&[("A", 100, 2), ("B", 90, 12), ("C", 100, 1)])), Some("B"));
        assert_eq!(bad_slot(&stats(&[("A", 100, 2), ("B", 100, 3)])), None, "no worse than others");
        assert_eq!(bad_slot(&stats(&[("A", 0, 2), ("B", 100, 0)])), None, "too few to say");
        assert_eq!(bad_slot(&stats(&[("A", 1, 9)])), None, "nothing to compare with");
    }

    #[test]
    fn a_column_is_as_high_as_its_share() {
        assert_eq!([column(0, 8), column(4, 8), column(8, 8)], ['▁', '▄', '█']);
    }
}
