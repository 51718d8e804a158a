//! Output and yield by hour on axes, failures by code in words, slots side by side: a worn
//! contact shows as one bad slot. A row leads to its attempts.

use ratatui::Frame;
use ratatui::layout::Constraint::{Fill, Length, Min};
use ratatui::layout::{Layout, Rect};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Bar, BarChart, BarGroup, Chart, Dataset, GraphType, Paragraph};

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::local::day_to_text;
use crate::domain::pages::Period;
use crate::domain::story::{Outcomes, Stats, percent};
use crate::domain::text::plain;
use crate::text::{Word, meaning};

use super::super::model::{Lead, Model};
use super::super::theme::Role;
use super::look::{Look, bar, both_ends, fit, pad};
use super::pages::went_wrong;

/// A slot is bad from so many failures on.
const FEWEST_FAILURES: u64 = 3;

/// From so many lines on, what a code means stands below it.
const TALL: u16 = 20;

const HOUR: i64 = 3_600_000_000;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let view = &model.pages.statistics;
    let [head, body] = Layout::vertical([Length(1), Min(0)]).areas(area);
    let period = match view.period {
        Period::All => look.text(Word::PeriodAll).to_owned(),
        Period::Day(day) => look.fill(Word::PeriodDay, &[&day_to_text(day), &look.offset()]),
    };
    let left = vec![look.span(Role::Strong, format!(" {period}"))];
    let right = vec![look.span(Role::Dim, format!("{} ", look.text(Word::StatisticsKeys)))];
    frame.render_widget(both_ends(left, right, head.width), head);
    match (&view.asking.found, &view.asking.fault) {
        (_, Some(fault)) => {
            frame.render_widget(Paragraph::new(went_wrong(fault, look).to_vec()), body);
        }
        (None, None) => {
            frame.render_widget(Line::from(format!(" {}", look.text(Word::Looking))), body);
        }
        (Some(stats), None) => draw_all(frame, body, model, stats, look),
    }
}

fn draw_all(frame: &mut Frame<'_>, area: Rect, model: &Model, stats: &Stats, look: Look) {
    let charts = (area.height * 2 / 5).clamp(5, 16);
    let [sums, charts, _, rows] =
        Layout::vertical([Length(1), Length(charts), Length(1), Min(0)]).areas(area);
    frame.render_widget(totals(stats, look), sums);
    let hours = hours_of(stats);
    match area.width >= 100 {
        true => {
            let [output, _, share] =
                Layout::horizontal([Fill(3), Length(2), Fill(2)]).areas(charts);
            draw_output(frame, output, &hours, look);
            draw_yield(frame, share, &hours, look);
        }
        false => draw_output(frame, charts, &hours, look),
    }
    let [codes, _, slots] = Layout::horizontal([Fill(1), Length(2), Fill(1)]).areas(rows);
    let view = &model.pages.statistics;
    let leads = view.leads();
    let chosen = leads.get(view.selected).or(leads.last());
    let tall = area.height >= TALL;
    frame.render_widget(Paragraph::new(by_code(&view.codes(), chosen, codes, tall, look)), codes);
    let bad = bad_slot(stats);
    frame.render_widget(Paragraph::new(by_slot(&view.slots(), chosen, bad, slots, look)), slots);
}

fn totals<'a>(stats: &Stats, look: Look) -> Line<'a> {
    let Outcomes { passed, failed, interrupted } = stats.attempts;
    let number = |word, role: Role, value: u64| {
        let role = if value == 0 { Role::Dim } else { role };
        [
            look.span(Role::Dim, format!(" {} ", look.text(word))),
            look.span(role, format!("{value}  ")),
        ]
    };
    let mut spans = Vec::new();
    spans.extend(number(Word::Passed, Role::Pass, passed));
    spans.extend(number(Word::Failed, Role::Fail, failed));
    spans.extend(number(Word::CutOff, Role::Hold, interrupted));
    if let Some(share) = stats.first_pass_yield {
        let text = look.fill(Word::FirstPass, &[&percent(share)]);
        spans.push(look.span(Role::Strong, format!(" {text}")));
    }
    Line::from(spans)
}

/// Every hour from the first to the last, also those in which nothing ended.
fn hours_of(stats: &Stats) -> Vec<(Timestamp, Outcomes)> {
    let known = stats.by_hour.iter();
    let known: Vec<_> = known
        .filter_map(|(start, counts)| Some((Timestamp::from_rfc3339(start)?, *counts)))
        .collect();
    let mut hours: Vec<(Timestamp, Outcomes)> = Vec::new();
    for (start, counts) in known {
        while let Some((last, _)) = hours.last()
            && start.0 > last.0 + HOUR
            && hours.len() < 24 * 7
        {
            hours.push((Timestamp(last.0 + HOUR), Outcomes::default()));
        }
        hours.push((start, counts));
    }
    hours
}

/// The hour of the clock on the wall: `14`.
fn hour_label(start: Timestamp, look: Look) -> String {
    look.zone.show_short(start).get(6..8).unwrap_or_default().to_owned()
}

/// Columns of one hour with the gap behind it.
const fn hour_width(columns: u16, hours: usize) -> u16 {
    match columns as usize / if hours == 0 { 1 } else { hours } {
        0..=3 => 3,
        4 => 4,
        5 => 5,
        _ => 6,
    }
}

/// One bar an hour: how many passed, in numbers too, over the hour.
fn draw_output(frame: &mut Frame<'_>, area: Rect, hours: &[(Timestamp, Outcomes)], look: Look) {
    let [head, chart] = Layout::vertical([Length(1), Min(0)]).areas(area);
    let title = look.fill(Word::OutputByHour, &[&look.offset()]);
    frame.render_widget(Line::from(look.span(Role::Dim, format!(" {title}"))), head);
    let width = hour_width(chart.width.saturating_sub(1), hours.len());
    let room = usize::from(chart.width.saturating_sub(1) / width);
    let shown = &hours[hours.len().saturating_sub(room)..];
    let style = look.style(Role::Accent);
    let bars: Vec<Bar<'_>> = shown
        .iter()
        .map(|(start, counts)| {
            let number = if counts.passed == 0 { String::new() } else { counts.passed.to_string() };
            Bar::default()
                .value(counts.passed)
                .text_value(if number.len() < usize::from(width) { number } else { String::new() })
                .label(Line::from(look.span(Role::Dim, hour_label(*start, look))))
                .style(style)
                .value_style(filled(style))
        })
        .collect();
    let inner = Rect { x: chart.x + 1, width: chart.width.saturating_sub(1), ..chart };
    let bars =
        BarChart::default().data(BarGroup::default().bars(&bars)).bar_width(width - 1).bar_gap(1);
    frame.render_widget(bars, inner);
}

fn filled(style: ratatui::style::Style) -> ratatui::style::Style {
    style.add_modifier(ratatui::style::Modifier::REVERSED)
}

/// The share of attempts that passed, hour by hour, on an axis that begins where it must.
fn draw_yield(frame: &mut Frame<'_>, area: Rect, hours: &[(Timestamp, Outcomes)], look: Look) {
    let [head, chart] = Layout::vertical([Length(1), Min(0)]).areas(area);
    let title = look.text(Word::YieldByHour);
    frame.render_widget(Line::from(look.span(Role::Dim, format!(" {title}"))), head);
    let points: Vec<(f64, f64)> = hours
        .iter()
        .enumerate()
        .filter(|(_, (_, counts))| counts.passed + counts.failed > 0)
        .map(|(index, (_, counts))| (index as f64, (1.0 - counts.failed_share()) * 100.0))
        .collect();
    let (Some((first, _)), Some((last, _))) = (hours.first(), hours.last()) else { return };
    let lowest = points.iter().map(|(_, share)| *share).fold(100.0, f64::min);
    // To the ten below, and never so near that a tenth of a percent fills the page.
    let floor = ((lowest / 10.0).floor() * 10.0).min(90.0);
    let dim = look.style(Role::Dim);
    let label = |value: f64| Span::styled(format!("{value:.0} %"), dim);
    let hour = |start: Timestamp| Span::styled(hour_label(start, look), dim);
    let end = hours.len().saturating_sub(1).max(1) as f64;
    let under = if first == last { vec![hour(*first)] } else { vec![hour(*first), hour(*last)] };
    let line = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(GraphType::Line)
        .style(look.style(Role::Accent))
        .data(&points);
    let middle = f64::midpoint(floor, 100.0);
    let axes = Chart::new(vec![line])
        .x_axis(Axis::default().bounds([0.0, end]).style(dim).labels(under))
        .y_axis(Axis::default().bounds([floor, 100.0]).style(dim).labels([
            label(floor),
            label(middle),
            label(100.0),
        ]));
    frame.render_widget(axes, chart);
}

/// How a row begins: a mark where the keys are about it.
fn marker(is_chosen: bool, look: Look) -> Span<'static> {
    Span::styled(if is_chosen { "▸" } else { " " }, look.style(Role::Accent))
}

/// The most frequent code first: its number, its share and what it means.
fn by_code<'a>(
    codes: &[(&str, u64)],
    chosen: Option<&Lead<'_>>,
    area: Rect,
    tall: bool,
    look: Look,
) -> Vec<Line<'a>> {
    let most = codes.first().map_or(1, |(_, count)| *count).max(1);
    let total: u64 = codes.iter().map(|(_, count)| count).sum();
    let mut lines = vec![Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::ByCode))))];
    if codes.is_empty() {
        lines.push(Line::from(
            look.span(Role::Green, format!(" ● {}", look.text(Word::NoFailures))),
        ));
    }
    let room = usize::from(area.width).saturating_sub(2);
    let length = room.saturating_sub(24 + 14).min(30);
    for (code, count) in codes {
        let share = *count as f64 / total.max(1) as f64 * 100.0;
        lines.push(Line::from(vec![
            marker(chosen == Some(&Lead::Code(code)), look),
            Span::raw(format!("{} ", pad(&plain(code), 23))),
            look.span(Role::Fail, solid(*count as f64 / most as f64, length)),
            Span::raw(format!(" {count}")),
            look.span(Role::Dim, format!("  {share:.0} %")),
        ]));
        if let Some(code) = code.parse::<Code>().ok().filter(|_| tall) {
            let text = fit(meaning(code, look.language), room);
            lines.push(Line::from(look.span(Role::Dim, format!("  {text}"))));
        }
    }
    lines.truncate(area.height.into());
    lines
}

/// A bar without a ground behind it: nothing that is good is a wall of red.
fn solid(share: f64, columns: usize) -> String {
    bar(share, columns).trim_end_matches('░').to_owned()
}

/// The slot with the largest share of failures first: what passed and failed, side by side.
fn by_slot<'a>(
    slots: &[(&str, Outcomes)],
    chosen: Option<&Lead<'_>>,
    bad: Option<&str>,
    area: Rect,
    look: Look,
) -> Vec<Line<'a>> {
    let mut lines = vec![Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::BySlot))))];
    let most = slots.iter().map(|(_, counts)| counts.passed + counts.failed).max().unwrap_or(1);
    let length = usize::from(area.width).saturating_sub(8 + 20).min(40);
    for (slot, counts) in slots {
        let is_bad = bad == Some(*slot);
        let role = if is_bad { Role::Red } else { Role::Text };
        let share = |count: u64| count as f64 / most.max(1) as f64;
        let failed = if counts.failed == 0 {
            0.0
        } else {
            share(counts.failed).max(1.0 / length.max(1) as f64)
        };
        let (good, wrong) = (solid(share(counts.passed), length), solid(failed, length));
        let total = counts.passed + counts.failed;
        let numbers = format!(" {}/{total}  {:.1} %", counts.failed, counts.failed_share() * 100.0);
        lines.push(Line::from(vec![
            marker(chosen == Some(&Lead::Slot(slot)), look),
            look.span(role, format!("{} ", pad(&plain(slot), 6))),
            look.span(Role::Accent, good),
            look.span(Role::Fail, wrong),
            look.span(role, numbers),
        ]));
        if is_bad {
            let hint = format!("  ▲ {}", look.text(Word::LookAtSlot));
            lines.push(Line::from(look.span(Role::Red, hint)));
        }
    }
    lines.truncate(area.height.into());
    lines
}

/// The one slot that fails at least three times as often as the others together.
fn bad_slot(stats: &Stats) -> Option<&str> {
    let all = stats
        .by_slot
        .values()
        .fold((0, 0), |(passed, failed), counts| (passed + counts.passed, failed + counts.failed));
    let mut bad = stats.by_slot.iter().filter(|(_, counts)| {
        let (passed, failed) = (all.0 - counts.passed, all.1 - counts.failed);
        let others = Outcomes { passed, failed, interrupted: 0 };
        let enough = passed + failed > 0 && counts.failed >= FEWEST_FAILURES;
        enough && counts.failed_share() >= 3.0 * others.failed_share()
    });
    match (bad.next(), bad.next()) {
        (Some((slot, _)), None) => Some(slot),
        _ => None,
    }
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
    fn an_hour_in_which_nothing_ended_has_its_place() {
        let mut found = stats(&[]);
        for start in ["2026-01-05T08:00:00.000Z", "2026-01-05T11:00:00.000Z"] {
            found.by_hour.insert(start.to_owned(), Outcomes { passed: 3, ..Outcomes::default() });
        }
        let passed: Vec<u64> = hours_of(&found).iter().map(|(_, counts)| counts.passed).collect();
        assert_eq!(passed, [3, 0, 0, 3]);
    }
}
