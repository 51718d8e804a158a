//! The pages besides the line.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use crate::domain::question::LogLine;
use crate::domain::text::{plain, printable};
use crate::text::Word;

use super::super::model::{Mark, Model, Tile};
use super::super::theme::Role;
use super::look::{Look, pad};
use super::tile;

/// Columns for the names of values.
const NAMES: usize = 14;

fn named<'a>(name: &str, value: impl Into<String>, look: Look) -> Line<'a> {
    Line::from(vec![
        look.span(Role::Dim, format!(" {} ", pad(name, NAMES))),
        Span::raw(value.into()),
    ])
}

fn lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>, scroll: usize) {
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    let scroll = u16::try_from(scroll.min(hidden)).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll, 0)), area);
}

fn nothing<'a>(look: Look) -> Line<'a> {
    Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::NothingYet))))
}

/// station.toml, as it was read.
pub(super) fn settings(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let all = model.setup.settings.iter();
    let shown = all.map(|(key, value)| {
        Line::from(vec![
            look.span(Role::Dim, format!(" {} ", pad(&printable(key), 28))),
            Span::raw(printable(value).into_owned()),
        ])
    });
    lines(frame, area, shown.collect(), model.scroll);
}

/// The unit in the focused slot.
pub(super) fn unit(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let shown = match model.focused().and_then(|tile| Some((tile, tile.verdict.as_ref()?))) {
        None => vec![nothing(look)],
        Some((tile, verdict)) => {
            let report = &verdict.report;
            let (word, _) = look.mark(verdict.mark());
            let mut shown = vec![
                named(look.text(Word::Serial), plain(&report.serial), look),
                named(look.text(Word::Slot), tile.name.as_str(), look),
                named(look.text(Word::Outcome), word, look),
            ];
            if let Some(step) = report.step {
                shown.push(named(
                    "",
                    look.fill(Word::AtStep, &[look.text(tile::step_word(step))]),
                    look,
                ));
            }
            if let Some(fault) = &report.fault {
                shown.push(named(look.text(Word::Code), fault.code.as_str(), look));
                shown.push(named(look.text(Word::Reason), look.what(fault), look));
                let todo = look.remedy(fault.code);
                shown.push(named(look.text(Word::Remedy), todo, look));
            }
            if let Some(hardware) = &report.hardware {
                shown.push(named(look.text(Word::Hardware), hardware.to_string(), look));
            }
            if let Some(sn) = &report.certificate_sn {
                shown.push(named(look.text(Word::Certificate), sn.to_string(), look));
            }
            if let Some(attempt) = report.attempt {
                shown.push(named(look.text(Word::Attempt), attempt.to_string(), look));
            }
            shown.push(named(
                look.text(Word::Duration),
                format!("{} ms", report.duration_ms),
                look,
            ));
            shown
        }
    };
    lines(frame, area, shown, model.scroll);
}

fn verdict_line<'a>(tile: &'a Tile, look: Look) -> Option<Line<'a>> {
    let verdict = tile.verdict.as_ref()?;
    let (word, role) = look.mark(verdict.mark());
    let code = verdict.report.fault.as_ref().map_or("", |fault| fault.code.as_str());
    Some(Line::from(vec![
        Span::raw(format!(" {} ", pad(tile.name.as_str(), 8))),
        look.span(role, pad(word, 8)),
        Span::raw(format!("{} {code}", pad(&plain(&verdict.report.serial), 28))),
    ]))
}

/// The last unit of each slot.
pub(super) fn history(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let mut shown: Vec<_> =
        model.tiles.iter().filter_map(|tile| verdict_line(tile, look)).collect();
    if shown.is_empty() {
        shown.push(nothing(look));
    }
    lines(frame, area, shown, model.scroll);
}

/// How many of the slots show what.
pub(super) fn statistics(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let count = |mark: Mark| {
        let verdicts = model.tiles.iter().filter_map(|tile| tile.verdict.as_ref());
        verdicts.filter(|verdict| verdict.mark() == mark).count().to_string()
    };
    let shown = vec![
        named(look.text(Word::Passed), count(Mark::Pass), look),
        named(look.text(Word::Failed), count(Mark::Fail), look),
        named(look.text(Word::Held), count(Mark::Hold), look),
    ];
    lines(frame, area, shown, model.scroll);
}

/// What waits for the cloud.
pub(super) fn sync(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let shown = match &model.overview {
        None => Line::from(format!(" {}", look.text(Word::NoFigures))),
        Some(overview) => {
            Line::from(format!(" {}", look.fill(Word::Backlog, &[&overview.backlog.to_string()])))
        }
    };
    lines(frame, area, vec![shown], model.scroll);
}

/// What is wrong with the slots.
pub(super) fn checks(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let shown = model.tiles.iter().map(|tile| {
        let (word, role) = tile::state(model, tile, look);
        Line::from(vec![
            Span::raw(format!(" {} ", pad(tile.name.as_str(), 8))),
            look.span(role, word),
        ])
    });
    lines(frame, area, shown.collect(), model.scroll);
}

/// The last lines of the log, the newest at the top.
pub(super) fn log(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let mut shown: Vec<_> = model.log.iter().rev().map(|line| log_line(line, look)).collect();
    if shown.is_empty() {
        shown.push(nothing(look));
    }
    lines(frame, area, shown, model.scroll);
}

fn log_line<'a>(line: &LogLine, look: Look) -> Line<'a> {
    let role = match line.level {
        "ERROR" => Role::Red,
        "WARN" => Role::Amber,
        _ => Role::Dim,
    };
    Line::from(vec![
        look.span(Role::Dim, format!(" {} ", line.at)),
        look.span(role, pad(line.level, 6)),
        Span::raw(printable(&line.text).into_owned()),
    ])
}
