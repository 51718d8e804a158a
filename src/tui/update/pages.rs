//! The pages besides the line: what they ask, and what their keys do.

use crate::domain::ids::Serial;
use crate::domain::local::day_to_text;
use crate::domain::pages::{HistoryQuery, Period, Question};
use crate::domain::state::AttemptOutcome;

use super::super::keymap::Intent;
use super::super::model::{Lead, Model, View};
use super::super::msg::Action;
use super::super::view;
use super::ask::ask;
use super::search;

/// Lines above and below a page's rows.
const FRAME: u16 = 3;

/// A page is shown: it asks for what it shows.
pub(super) fn opened(model: &mut Model, actions: &mut Vec<Action>) {
    match model.view {
        View::History => history(model, actions),
        View::Unit => unit(model, actions),
        View::Statistics => statistics(model, actions),
        View::Sync => {
            let number = ask(model, Question::Registrations, actions);
            model.pages.registrations.number = Some(number);
        }
        View::Checks => {
            let number = ask(model, Question::Checks, actions);
            model.pages.checks.number = Some(number);
        }
        View::Line | View::Slot | View::Kept | View::Log | View::Settings | View::Help => {}
    }
}

/// Time went by: what changes by itself is asked for again.
pub(super) fn refresh(model: &mut Model, actions: &mut Vec<Action>) {
    if matches!(model.view, View::Sync | View::Statistics) {
        opened(model, actions);
    }
}

/// The page of the unit with this serial.
pub(super) fn show_unit(model: &mut Model, serial: Option<Serial>, actions: &mut Vec<Action>) {
    model.pages.unit = super::super::model::UnitView { serial, ..Default::default() };
    model.view = View::Unit;
    model.scroll = 0;
    unit(model, actions);
}

fn unit(model: &mut Model, actions: &mut Vec<Action>) {
    let Some(serial) = model.pages.unit.serial.clone() else { return };
    let number = ask(model, Question::Unit(serial), actions);
    model.pages.unit.asking.number = Some(number);
}

fn statistics(model: &mut Model, actions: &mut Vec<Action>) {
    let number = ask(model, Question::Statistics(model.pages.statistics.period), actions);
    model.pages.statistics.asking.number = Some(number);
}

fn history(model: &mut Model, actions: &mut Vec<Action>) {
    let rows = view::parts(model).body.height.saturating_sub(FRAME).max(1);
    let query = HistoryQuery { limit: rows.into(), ..model.pages.history.query.clone() };
    let number = ask(model, Question::History(query), actions);
    model.pages.history.asking.number = Some(number);
}

/// What was typed on the history page, or with nothing typed the unit that is chosen.
/// Whether that was meant for this page.
pub(super) fn entered(model: &mut Model, typed: &str, actions: &mut Vec<Action>) -> bool {
    match (model.view, typed) {
        (View::History, "") => {
            let chosen = chosen(model);
            if chosen.is_some() {
                show_unit(model, chosen, actions);
            }
        }
        (View::History, typed) => searched(model, typed, actions),
        (View::Statistics, "") => followed(model, actions),
        (View::Kept, "") => {
            let chosen = model.kept().0.get(model.kept.selected).map(|unit| unit.serial.clone());
            if chosen.is_some() {
                show_unit(model, chosen, actions);
            }
        }
        (View::Checks | View::Sync, "") => opened(model, actions),
        _ => return false,
    }
    true
}

/// The row of the statistics that is chosen leads to its attempts.
fn followed(model: &mut Model, actions: &mut Vec<Action>) {
    let statistics = &model.pages.statistics;
    let (mut query, text) = match statistics.leads().get(statistics.selected) {
        None => return,
        Some(Lead::Code(code)) => {
            let query = HistoryQuery { code: code.parse().ok(), ..HistoryQuery::default() };
            (query, format!("code:{code}"))
        }
        Some(Lead::Slot(slot)) => {
            let query = HistoryQuery { slot: slot.parse().ok(), ..HistoryQuery::default() };
            (query, format!("slot:{slot}"))
        }
    };
    let day = match statistics.period {
        Period::All => String::new(),
        Period::Day(day) => {
            query.within = Some(model.setup.zone.day(day));
            format!(" day:{}", day_to_text(day))
        }
    };
    let view = &mut model.pages.history;
    (view.query, view.text, view.wrong) = (query, text + &day, None);
    model.view = View::History;
    restart(model, actions);
}

/// The unit of the row that is chosen.
fn chosen(model: &Model) -> Option<Serial> {
    let history = &model.pages.history;
    let page = history.asking.found.as_ref()?;
    page.lines.get(history.selected).map(|line| line.serial.clone())
}

fn searched(model: &mut Model, typed: &str, actions: &mut Vec<Action>) {
    let view = &mut model.pages.history;
    typed.clone_into(&mut view.text);
    match search::parse(typed, &model.setup.zone) {
        Ok(query) => {
            (view.query, view.wrong) = (query, None);
            restart(model, actions);
        }
        Err(word) => view.wrong = Some(word),
    }
}

/// From the first page on.
fn restart(model: &mut Model, actions: &mut Vec<Action>) {
    let view = &mut model.pages.history;
    view.query.after = None;
    view.before.clear();
    view.selected = 0;
    history(model, actions);
}

/// Escape on the history page takes the search back. Whether there was one.
pub(super) fn escaped(model: &mut Model, actions: &mut Vec<Action>) -> bool {
    if model.view == View::Unit {
        model.view = View::History;
        history(model, actions);
        return true;
    }
    let view = &mut model.pages.history;
    let searched = model.view == View::History && !view.text.is_empty();
    if searched {
        view.text.clear();
        (view.query, view.wrong) = (HistoryQuery::default(), None);
        restart(model, actions);
    }
    searched
}

/// An arrow or page key. Whether it was meant for this page.
pub(super) fn moved(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) -> bool {
    match model.view {
        View::History => moved_in_history(model, intent, actions),
        View::Kept => moved_among_kept(model, intent),
        View::Slot => moved_among_slots(model, intent),
        View::Statistics => moved_in_statistics(model, intent, actions),
        _ => false,
    }
}

fn moved_among_kept(model: &mut Model, intent: Intent) -> bool {
    let last = model.kept().0.len().saturating_sub(1);
    let page = usize::from(view::parts(model).body.height.saturating_sub(FRAME)).max(1);
    let selected = &mut model.kept.selected;
    *selected = match intent {
        Intent::Up => selected.saturating_sub(1),
        Intent::Down => *selected + 1,
        Intent::PageUp => selected.saturating_sub(page),
        Intent::PageDown => *selected + page,
        Intent::Home => 0,
        Intent::End => last,
        _ => return false,
    }
    .min(last);
    true
}

/// Left and right lead to the slot beside it; other keys scroll.
fn moved_among_slots(model: &mut Model, intent: Intent) -> bool {
    let last = model.tiles.len().saturating_sub(1);
    model.focus = match intent {
        Intent::Left => model.focus.saturating_sub(1),
        Intent::Right => (model.focus + 1).min(last),
        _ => return false,
    };
    model.scroll = 0;
    true
}

fn moved_in_history(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) -> bool {
    let view = &mut model.pages.history;
    let found = view.asking.found.as_ref();
    let last = found.map_or(0, |page| page.lines.len()).saturating_sub(1);
    match intent {
        Intent::Up => view.selected = view.selected.saturating_sub(1),
        Intent::Down => view.selected = (view.selected + 1).min(last),
        Intent::Home => restart(model, actions),
        Intent::End => view.selected = last,
        Intent::PageDown => {
            let next = found.and_then(|page| page.next.clone());
            if next.is_some() && view.asking.number.is_none() {
                view.before.push(view.query.after.take());
                view.query.after = next;
                view.selected = 0;
                history(model, actions);
            }
        }
        Intent::PageUp => {
            if let Some(start) = view.before.pop() {
                view.query.after = start;
                view.selected = 0;
                history(model, actions);
            }
        }
        Intent::Left | Intent::Right => {
            view.query.outcome = next_outcome(view.query.outcome, intent == Intent::Right);
            restart(model, actions);
        }
        _ => return false,
    }
    true
}

/// All, then each way in which an attempt ends, then all again.
fn next_outcome(now: Option<AttemptOutcome>, forwards: bool) -> Option<AttemptOutcome> {
    const ALL: [Option<AttemptOutcome>; 5] = [
        None,
        Some(AttemptOutcome::Fail),
        Some(AttemptOutcome::Interrupted),
        Some(AttemptOutcome::Pass),
        Some(AttemptOutcome::Running),
    ];
    let at = ALL.iter().position(|known| *known == now).unwrap_or(0);
    let step = if forwards { 1 } else { ALL.len() - 1 };
    ALL[(at + step) % ALL.len()]
}

fn moved_in_statistics(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) -> bool {
    let last = model.pages.statistics.leads().len().saturating_sub(1);
    let selected = &mut model.pages.statistics.selected;
    match intent {
        Intent::Up => *selected = selected.saturating_sub(1),
        Intent::Down => *selected = (*selected + 1).min(last),
        _ => return moved_in_time(model, intent, actions),
    }
    true
}

fn moved_in_time(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) -> bool {
    let today = model.setup.zone.day_of(model.now.wall);
    let period = &mut model.pages.statistics.period;
    *period = match (intent, *period) {
        (Intent::Left, Period::All) | (Intent::Home, _) => Period::Day(today),
        (Intent::Left, Period::Day(day)) => Period::Day(day - 1),
        (Intent::Right, Period::Day(day)) if day < today => Period::Day(day + 1),
        (Intent::Right, _) | (Intent::End, _) => Period::All,
        _ => return false,
    };
    statistics(model, actions);
    true
}
