//! What the answers change: the pages that asked, and the form or the sign-in that waited.

use super::super::model::{Model, NoticeKind, SigningIn};
use super::super::msg::Action;
use super::ask::ask;
use super::{forms, line, pages, scan};
use crate::domain::device::Fault;
use crate::domain::pages::{Answer, Answered, Question};

/// An answer goes to the page that asked.
pub(super) fn answered(model: &mut Model, answered: Answered, actions: &mut Vec<Action>) {
    let number = answered.number;
    let pages = &mut model.pages;
    match answered.answer {
        Ok(Answer::Overview(mut overview)) => {
            model.kept.told(overview.at, std::mem::take(&mut overview.uncertain));
            model.overview = Some(overview);
            figures_came(model, number, actions);
            forms::offer_orders(model, actions);
        }
        Ok(Answer::History(page)) => pages.history.asking.take(number, Ok(page)),
        Ok(Answer::Unit(story)) => pages.unit.asking.take(number, Ok(story)),
        Ok(Answer::Statistics(stats)) => pages.statistics.asking.take(number, Ok(stats)),
        Ok(Answer::Registrations(found)) => pages.registrations.take(number, Ok(found)),
        Ok(Answer::Checks(lines)) => pages.checks.take(number, Ok(lines)),
        Ok(Answer::WorkOrders(orders)) => {
            pages.orders.take(number, Ok(orders));
            forms::orders_came(model);
        }
        Ok(Answer::Operators(_)) => {}
        Ok(Answer::Done) => done(model, number, actions),
        Err(fault) => {
            refused(model, number, fault);
            sign_in_failed(model, number, actions);
        }
    }
}

fn refused(model: &mut Model, number: u64, fault: Fault) {
    if forms::refused(model, number, &fault) {
        return;
    }
    let pages = &mut model.pages;
    let waits = |asked: Option<u64>| asked == Some(number);
    if waits(pages.history.asking.number) {
        pages.history.asking.take(number, Err(fault));
    } else if waits(pages.unit.asking.number) {
        pages.unit.asking.take(number, Err(fault));
    } else if waits(pages.statistics.asking.number) {
        pages.statistics.asking.take(number, Err(fault));
    } else if waits(pages.registrations.number) {
        pages.registrations.take(number, Err(fault));
    } else if waits(pages.checks.number) {
        pages.checks.take(number, Err(fault));
    } else {
        line::notice(model, None, None, fault, NoticeKind::Warning);
    }
}

/// An act is done: its form goes, and what it changed is looked up.
fn done(model: &mut Model, number: u64, actions: &mut Vec<Action>) {
    if forms::form(model).is_some_and(|form| form.sent == Some(number)) {
        model.dialog = None;
    }
    model.overview_at = None;
    if model.signing_in == Some(SigningIn::Asked(number)) {
        let figures = ask(model, Question::Overview, actions);
        model.signing_in = Some(SigningIn::Done(figures));
    }
    pages::opened(model, actions);
}

/// The figures came: where they say who was just signed in, what waited for that goes on.
fn figures_came(model: &mut Model, number: u64, actions: &mut Vec<Action>) {
    if let Some(SigningIn::Done(awaited)) = model.signing_in
        && number >= awaited
    {
        model.signing_in = None;
        scan::release(model, actions);
    }
}

/// Nobody was signed in; what waited for that is told so.
fn sign_in_failed(model: &mut Model, number: u64, actions: &mut Vec<Action>) {
    if let Some(SigningIn::Asked(awaited) | SigningIn::Done(awaited)) = model.signing_in
        && number == awaited
    {
        model.signing_in = None;
        scan::release(model, actions);
    }
}
