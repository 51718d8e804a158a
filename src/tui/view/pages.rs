//! The pages besides the line.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::domain::device::Fault;
use crate::domain::pages::{CheckLine, Light, Registrations, SyncRun};
use crate::domain::text::{plain, printable};
use crate::text::{Word, check_name, registration_word, said};

use super::super::model::Model;
use super::super::msg::Extent;
use super::super::theme::Role;
use super::history::when;
use super::look::{Look, pad};
use super::tile;
use super::wrap::wrap_line;

/// Columns for the names of values.
const NAMES: usize = 14;

pub(super) fn named<'a>(name: &str, value: impl Into<String>, look: Look) -> Line<'a> {
    Line::from(vec![
        look.span(Role::Dim, format!(" {} ", pad(name, NAMES))),
        Span::raw(value.into()),
    ])
}

/// Lines that are wrapped into the room there is, from the one to which the page is scrolled;
/// an arrow says that more stand below.
pub(super) fn lines(
    frame: &mut Frame<'_>,
    area: Rect,
    lines: &[Line<'_>],
    scroll: usize,
    look: Look,
) -> Extent {
    let columns = usize::from(area.width);
    let shown: Vec<_> = lines.iter().flat_map(|line| wrap_line(line, columns, NAMES + 2)).collect();
    scrolled(frame, area, shown, scroll, look)
}

/// Lines that fit, from the one to which the page is scrolled.
pub(super) fn scrolled(
    frame: &mut Frame<'_>,
    area: Rect,
    shown: Vec<Line<'_>>,
    scroll: usize,
    look: Look,
) -> Extent {
    let hidden = shown.len().saturating_sub(usize::from(area.height));
    let first = scroll.min(hidden);
    let page = shown.into_iter().skip(first).take(area.height.into());
    frame.render_widget(Paragraph::new(page.collect::<Vec<_>>()), area);
    let arrow = |frame: &mut Frame<'_>, text: &'static str, y: u16| {
        let place = Rect { x: area.right().saturating_sub(1), y, width: 1, height: 1 };
        frame.render_widget(Line::from(look.span(Role::Key, text)), place.intersection(area));
    };
    if first > 0 {
        arrow(frame, "↑", area.y);
    }
    if first < hidden {
        arrow(frame, "↓", area.bottom().saturating_sub(1));
    }
    Extent { last_scroll: hidden }
}

pub(super) fn nothing<'a>(look: Look) -> Line<'a> {
    Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::NothingYet))))
}

/// Why there is no answer, and what to do about it.
pub(super) fn went_wrong<'a>(fault: &Fault, look: Look) -> [Line<'a>; 2] {
    [
        Line::from(look.span(Role::Red, format!(" {}", look.what(fault)))),
        Line::from(format!(" {}", look.remedy(fault.code))),
    ]
}

/// station.toml, as it was read.
pub(super) fn settings(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let all = model.setup.settings.iter();
    let shown = all.map(|(key, value)| {
        Line::from(vec![
            look.span(Role::Dim, format!(" {} ", pad(&printable(key), 28))),
            Span::raw(printable(value).into_owned()),
        ])
    });
    lines(frame, area, &shown.collect::<Vec<_>>(), model.scroll, look)
}

/// What waits for the cloud, and what went wrong there.
pub(super) fn sync(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let asking = &model.pages.registrations;
    let mut shown = Vec::new();
    match (&asking.found, &asking.fault) {
        (_, Some(fault)) => shown.extend(went_wrong(fault, look)),
        (None, None) => shown.push(Line::from(format!(" {}", look.text(Word::Looking)))),
        (Some(found), None) => shown.extend(registrations(found, look)),
    }
    shown.push(Line::from(""));
    shown.push(Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::SyncKeys)))));
    lines(frame, area, &shown, model.scroll, look)
}

fn registrations<'a>(found: &Registrations, look: Look) -> Vec<Line<'a>> {
    let title = |word| Line::from(look.span(Role::Strong, format!(" {}", look.text(word))));
    let mut shown = vec![title(Word::SyncWaits)];
    if found.counts.is_empty() {
        shown.push(Line::from(format!(" {}", look.text(Word::SyncNothing))));
    }
    for (state, count) in &found.counts {
        shown.push(named(look.text(registration_word(*state)), count.to_string(), look));
    }
    let last = found.last_sync.map_or(look.text(Word::SyncNever).to_owned(), |at| {
        look.fill(Word::SyncAgo, &[&when(at, look)])
    });
    shown.push(Line::from(look.span(Role::Dim, format!(" {last}"))));
    shown.extend(sync_run(&found.run, look));
    if !found.troubles.is_empty() {
        shown.extend([Line::from(""), title(Word::SyncTroubles)]);
    }
    for trouble in &found.troubles {
        let error = trouble.last_error.as_deref().unwrap_or_default();
        shown.push(Line::from(vec![
            Span::raw(format!(" {} ", pad(&plain(trouble.serial.as_str()), 24))),
            look.span(Role::Amber, pad(look.text(registration_word(trouble.state)), 10)),
            Span::raw(format!(" {}× {}", trouble.tries, printable(error))),
        ]));
    }
    shown
}

fn sync_run<'a>(run: &SyncRun, look: Look) -> Vec<Line<'a>> {
    let numbers = [run.done.to_string(), run.failed.to_string()];
    let numbers = numbers.each_ref().map(String::as_str);
    let mut shown = Vec::new();
    if run.running {
        let text = look.fill(Word::SyncRunning, &numbers);
        shown.push(Line::from(look.span(Role::Busy, format!(" {text}"))));
    } else if run.ended.is_some() {
        let text = look.fill(Word::SyncEnded, &numbers);
        shown.push(Line::from(look.span(Role::Strong, format!(" {text}"))));
    }
    if let Some(Err(fault)) = &run.ended {
        shown.extend(went_wrong(fault, look));
    }
    shown
}

/// The checks that can be made beside a running line, and the slots.
pub(super) fn checks(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let asking = &model.pages.checks;
    let columns = usize::from(area.width);
    let wrapped = |line: &Line<'_>| wrap_line(line, columns, 3 + NAMES);
    let mut shown: Vec<Line<'_>> = Vec::new();
    for check in asking.found.iter().flatten() {
        shown.extend(check_lines(check, look).iter().flat_map(wrapped));
    }
    if asking.number.is_some() {
        shown.push(Line::from(format!(" {}", look.text(Word::ChecksRun))));
    }
    if let Some(fault) = &asking.fault {
        shown.extend(went_wrong(fault, look));
    }
    shown.push(Line::from(""));
    shown.extend(model.tiles.iter().map(|tile| {
        let (word, role) = tile::state(model, tile, look);
        Line::from(vec![
            Span::raw(format!(" {} {} ", look.text(Word::Slot), pad(tile.name.as_str(), 8))),
            look.span(role, word),
        ])
    }));
    shown.push(Line::from(""));
    shown.push(Line::from(look.span(Role::Dim, format!(" {}", look.text(Word::ChecksKeys)))));
    lines(frame, area, &shown, model.scroll, look)
}

fn check_lines<'a>(check: &CheckLine, look: Look) -> Vec<Line<'a>> {
    let (shape, role) = match check.light {
        Light::Green => ("●", Role::Green),
        Light::Amber => ("▲", Role::Amber),
        Light::Red => ("✖", Role::Red),
    };
    let mut shown = vec![Line::from(vec![
        look.span(role, format!(" {shape} ")),
        look.span(Role::Strong, pad(check_name(&check.check, look.language), NAMES)),
        Span::raw(printable(said(&check.detail, look.language)).into_owned()),
    ])];
    if let Some(code) = check.code {
        shown.push(Line::from(format!("{:1$}{code}  {2}", "", 3 + NAMES, look.remedy(code))));
    }
    shown
}
