//! What happens to the model: one message at a time, without a clock or a terminal.

mod answers;
mod ask;
mod forms;
mod keys;
mod line;
mod pages;
mod pointed;
mod pressed;
mod scan;
mod search;

use std::time::Duration;

use crate::domain::clock::Now;
use crate::domain::event::Command;
use crate::domain::pages::Question;

use ask::ask;

use super::model::{Model, NoticeKind, Phase};
use super::msg::{Action, Msg};

/// How often the figures are asked for.
const OVERVIEW_EVERY: Duration = Duration::from_secs(3);

/// How many lines of the log can be looked back on.
const LOG_KEPT: usize = 500;

/// Takes one message; what is to be done because of it comes back.
pub fn update(model: &mut Model, msg: Msg, now: Now) -> Vec<Action> {
    let before = model.now;
    model.now = now;
    let mut actions = Vec::new();
    match msg {
        Msg::Tick => tick(model, before, &mut actions),
        Msg::Drawn(extent) => {
            model.changed = false;
            model.scroll = model.scroll.min(extent.last_scroll);
            if let Some(dialog) = &mut model.dialog {
                dialog.drawn.get_or_insert(now.monotonic);
            }
        }
        Msg::Progress(all) => progress(model, all),
        other => {
            model.changed = true;
            take(model, other, &mut actions);
        }
    }
    actions
}

fn take(model: &mut Model, msg: Msg, actions: &mut Vec<Action>) {
    match msg {
        Msg::Key(key, at) => {
            model.touched = model.now.monotonic;
            model.hand_trouble = None;
            pressed::key(model, key, at, actions);
        }
        Msg::Mouse(mouse, at) => {
            model.touched = model.now.monotonic;
            pressed::mouse(model, mouse, at, actions);
        }
        Msg::Paste(text, at) => pressed::paste(model, &text, at, actions),
        Msg::Silence => pressed::silence(model, actions),
        Msg::Resize(width, height) => model.size = (width, height),
        Msg::Started(_) => started(model, actions),
        Msg::Line(event) => line::event(model, event, actions),
        Msg::Scanned(text) => {
            model.touched = model.now.monotonic;
            scan::from_port(model, &text, actions);
        }
        Msg::Answered(answered) => answers::answered(model, answered, actions),
        Msg::Warning(fault) => line::notice(model, None, None, fault, NoticeKind::Warning),
        Msg::Hand(trouble) => model.hand_trouble = Some(trouble),
        Msg::Log(lines) => {
            model.log.extend(lines);
            let gone = model.log.len().saturating_sub(LOG_KEPT);
            model.log.drain(..gone);
        }
        Msg::NotStarted => (model.phase, model.leaving) = (Phase::Ended, true),
        Msg::Stop => model.leaving = true,
        Msg::Progress(_) | Msg::Tick | Msg::Drawn(_) => {}
    }
}

fn started(model: &mut Model, actions: &mut Vec<Action>) {
    if model.phase == Phase::Starting {
        model.phase = Phase::Running;
    }
    if model.leaving {
        actions.push(Action::Command(Command::Stop));
    }
    ask_for_figures(model, actions);
}

fn tick(model: &mut Model, before: Now, actions: &mut Vec<Action>) {
    let minute = |now: Now| now.wall.seconds().div_euclid(60);
    model.changed |= model.running() > 0 || minute(before) != minute(model.now);
    if model.phase == Phase::Running {
        ask_for_figures(model, actions);
        scan::by_itself(model, actions);
        forms::lock_when_idle(model, actions);
    }
}

fn ask_for_figures(model: &mut Model, actions: &mut Vec<Action>) {
    let now = model.now.monotonic;
    if model.overview_at.is_some_and(|last| now < last + OVERVIEW_EVERY) {
        return;
    }
    model.overview_at = Some(now);
    ask(model, Question::Overview, actions);
    pages::refresh(model, actions);
}

fn progress(model: &mut Model, all: Vec<crate::domain::event::Progress>) {
    for (tile, progress) in model.tiles.iter_mut().zip(all) {
        let Some(running) = &mut tile.running else { continue };
        // A cell that was not written to yet says nothing of this unit.
        let is_its = progress.serial.as_ref() == Some(&running.serial);
        if is_its && running.progress != progress {
            running.progress = progress;
            model.changed = true;
        }
    }
}
