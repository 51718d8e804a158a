//! What the line says.

use crate::domain::device::Fault;
use crate::domain::event::{Event, LabelOutcome, LabelReport, SlotStatus, UnitReport};
use crate::domain::ids::SlotName;
use crate::domain::story::UncertainUnit;

use super::super::model::{Dialog, DialogKind, LabelBack, Mark, Model, Notice, NoticeKind, Phase};
use super::super::msg::Action;

pub(super) fn event(model: &mut Model, event: Event, actions: &mut Vec<Action>) {
    match event {
        Event::Slot { slot, status } => slot_says(model, &slot, status),
        Event::Wanted(more) => model.wanted += more,
        Event::Waiting { serial, slot } => waits(model, serial, slot),
        Event::Withdrawn(serial) => forget(model, &serial),
        // Each tile shows by itself that its device is to be taken out.
        Event::ToBePulled(_) => {}
        Event::Chosen(slot) => model.chosen = slot,
        Event::Unit(report) => unit(model, *report, actions),
        Event::Denied(report) => denied(model, *report, actions),
        Event::Label(report) => label(model, *report, actions),
        Event::Warning(fault) => notice(model, None, None, fault, NoticeKind::Warning),
        Event::Fleet(heard) => model.fleet = Some(heard),
        Event::Stopping(fault) => stopping(model, fault),
        Event::Ended => ended(model),
    }
}

fn slot_says(model: &mut Model, slot: &SlotName, status: SlotStatus) {
    if let SlotStatus::Busy(serial) = &status {
        forget(model, serial);
    }
    let now = model.now.monotonic;
    if let Some(tile) = model.tile_mut(slot) {
        tile.take(status, now);
    }
    jump_to(model, slot);
}

fn waits(model: &mut Model, serial: String, slot: Option<SlotName>) {
    let Some(slot) = slot else { return model.waiting.push(serial) };
    if let Some(tile) = model.tile_mut(&slot) {
        tile.bound = Some(serial);
    }
}

/// A scan waits no longer.
fn forget(model: &mut Model, serial: &str) {
    model.waiting.retain(|waiting| waiting != serial);
    for tile in &mut model.tiles {
        tile.bound.take_if(|bound| bound == serial);
    }
}

fn unit(model: &mut Model, report: UnitReport, actions: &mut Vec<Action>) {
    let runs_here = |tile: &super::super::model::Tile| {
        Some(&tile.name) == report.slot.as_ref()
            && tile.running.as_ref().is_some_and(|running| running.serial == report.serial)
    };
    let here = model.tiles.iter().position(runs_here);
    match here {
        Some(index) => {
            // A scan that was refused is no unit of the demo's sum.
            if let Some(scanner) = &mut model.setup.auto_scan {
                scanner.note(&report);
            }
            verdict(model, index, report, actions);
        }
        None => {
            forget(model, &report.serial);
            refused(model, report, actions);
        }
    }
}

/// What was PASS is to be kept. Where another unit has begun in its slot, the message says so.
fn denied(model: &mut Model, report: UnitReport, actions: &mut Vec<Action>) {
    let is_its = |tile: &super::super::model::Tile| {
        Some(&tile.name) == report.slot.as_ref()
            && tile.shown_verdict().is_some_and(|shown| shown.report.serial == report.serial)
    };
    let here = model.tiles.iter().position(is_its);
    match here {
        Some(index) => verdict(model, index, report, actions),
        None => {
            keep(model, &report);
            let UnitReport { serial, slot, fault, .. } = report;
            let Some(fault) = fault else { return };
            notice(model, Some(serial), slot, fault, NoticeKind::Hold);
            bell(model, actions);
        }
    }
}

/// A label that is right settles what was said of it; a wrong one keeps its unit.
fn label(model: &mut Model, report: LabelReport, actions: &mut Vec<Action>) {
    let LabelReport { serial, outcome, fault, open } = report;
    let (sent, _) = model.labels.unwrap_or_default();
    model.labels = Some((sent + u32::from(outcome == LabelOutcome::Sent), open));
    let back = match outcome {
        LabelOutcome::Sent | LabelOutcome::Wrong if model.setup.scans_back => Some(LabelBack::Due),
        LabelOutcome::Right => Some(LabelBack::Right),
        _ => None,
    };
    if let Some(back) = back {
        model.tiles.iter_mut().for_each(|tile| tile.label(&serial, back));
    }
    let kind = match outcome {
        LabelOutcome::Wrong => NoticeKind::Hold,
        LabelOutcome::Right => return model.notices.settle(&serial),
        LabelOutcome::Sent | LabelOutcome::Open => NoticeKind::Warning,
    };
    let Some(fault) = fault else { return };
    notice(model, Some(serial), None, fault, kind);
    bell(model, actions);
}

fn verdict(model: &mut Model, index: usize, report: UnitReport, actions: &mut Vec<Action>) {
    let at = model.now.wall;
    let Some(tile) = model.tiles.get_mut(index) else { return };
    tile.end(report.clone(), at);
    let slot = tile.name.clone();
    let mark = tile.verdict.as_ref().map(super::super::model::Verdict::mark);
    if mark != Some(Mark::Pass) {
        bell(model, actions);
    }
    keep(model, &report);
    // What it was elsewhere is out of date.
    for (_, tile) in model.tiles.iter_mut().enumerate().filter(|(other, _)| *other != index) {
        tile.see(&report.serial);
    }
    let kind = match mark {
        // The unit must not leave the line, even when its device has left the slot.
        Some(Mark::Hold) => NoticeKind::Hold,
        _ => NoticeKind::Fail,
    };
    match report.fault.filter(|_| mark != Some(Mark::Pass)) {
        Some(fault) => notice(model, Some(report.serial), Some(slot.clone()), fault, kind),
        None => model.notices.settle(&report.serial),
    }
    jump_to(model, &slot);
}

/// What the unit's end says of whether it must be kept. The figures are asked for anew where
/// the ledger alone knows.
fn keep(model: &mut Model, report: &UnitReport) {
    let Ok(serial) = report.serial.parse() else { return };
    let now = model.now.wall;
    match (Mark::of(report), &report.slot) {
        (Mark::Pass, _) => model.kept.settle(&serial, now),
        (Mark::Hold, Some(slot)) => {
            let figures = model.overview.as_ref();
            let order = figures.and_then(|figures| figures.work_order.as_ref());
            let person = figures.and_then(|figures| figures.operator.as_ref());
            let unit = UncertainUnit {
                serial,
                work_order: order.map(|order| order.id.clone()),
                slot: slot.clone(),
                operator: person.map(|person| person.id.clone()),
                hardware: report.hardware.clone(),
                since: now,
            };
            model.kept.hold(unit, now);
        }
        (Mark::Hold | Mark::Fail, _) => model.overview_at = None,
    }
}

fn refused(model: &mut Model, report: UnitReport, actions: &mut Vec<Action>) {
    let Some(fault) = report.fault else { return };
    notice(model, Some(report.serial), report.slot, fault, NoticeKind::Refused);
    bell(model, actions);
}

pub(super) fn notice(
    model: &mut Model,
    serial: Option<String>,
    slot: Option<SlotName>,
    fault: Fault,
    kind: NoticeKind,
) {
    let notice = Notice { at: model.now.wall, serial, slot, fault, kind };
    match kind {
        // Its slot shows it.
        NoticeKind::Fail => model.notices.keep(notice),
        _ => model.notices.push(notice),
    }
}

pub(super) fn bell(model: &Model, actions: &mut Vec<Action>) {
    if model.bell {
        actions.push(Action::Bell);
    }
}

/// The focus goes to a slot that needs a person, unless it is at one already.
fn jump_to(model: &mut Model, slot: &SlotName) {
    let needs = |model: &Model, index: usize| {
        model.tiles.get(index).is_some_and(|tile| model.need(tile).is_some())
    };
    let Some(index) = model.tiles.iter().position(|tile| tile.name == *slot) else { return };
    if needs(model, index) && !needs(model, model.focus) {
        model.focus = index;
    }
}

fn stopping(model: &mut Model, fault: Option<Fault>) {
    model.phase = Phase::Landing;
    match fault {
        Some(fault) => drop(model.stopped.get_or_insert(fault)),
        None => model.leaving = true,
    }
}

fn ended(model: &mut Model) {
    model.phase = Phase::Ended;
    if model.stopped.is_some() && !model.leaving {
        model.dialog = Some(Dialog::new(DialogKind::Stopped));
    }
}
