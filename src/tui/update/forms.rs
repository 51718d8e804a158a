//! What a person decides: menus, forms, badges, and the lock of an idle screen.

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::WorkOrderId;
use crate::domain::operators::Pin;
use crate::domain::pages::{Act, Approval, Question};
use crate::domain::state::UnitState;
use crate::say;
use crate::text::Word;

use tui_input::Input;

use super::super::keymap::Intent;
use super::super::model::{
    Choice, Dialog, DialogKind, Field, Form, FormNote, Menu, Model, Purpose, SigningIn, View,
};
use super::super::msg::Action;
use super::ask::ask;

/// The dialog that signs somebody in.
pub(super) fn sign_in(model: &mut Model) {
    open(model, Purpose::SignIn);
}

fn open(model: &mut Model, purpose: Purpose) {
    model.dialog = Some(Dialog::new(DialogKind::Form(Form::new(purpose))));
}

/// What can be done on this page.
pub(super) fn menu(model: &mut Model) {
    let mut items = Vec::new();
    let mut add = |word, about: String, choice| items.push((word, about, choice));
    if model.view == View::Unit {
        let story = model.pages.unit.asking.found.as_ref().and_then(Option::as_ref);
        for (word, purpose) in story.map(|story| acts_on(story)).unwrap_or_default() {
            add(word, String::new(), Choice::Form(purpose));
        }
    }
    let clock_is_wrong = model.overview.as_ref().is_some_and(|overview| overview.clock.is_err());
    if clock_is_wrong || model.view == View::Checks {
        add(Word::DoAcceptClock, String::new(), Choice::Form(Purpose::AcceptClock));
    }
    if model.view == View::Sync {
        let found = model.pages.registrations.found.as_ref();
        match found.is_some_and(|found| found.run.running) {
            true => add(Word::DoStopSync, String::new(), Choice::StopSync),
            false => add(Word::DoStartSync, String::new(), Choice::StartSync),
        }
    }
    add(Word::DoOrders, String::new(), Choice::Orders);
    add(Word::DoSignIn, String::new(), Choice::Form(Purpose::SignIn));
    if model.overview.as_ref().is_some_and(|overview| overview.operator.is_some()) {
        add(Word::DoSignOut, String::new(), Choice::SignOut);
    }
    model.dialog = Some(Dialog::new(DialogKind::Menu(Menu { items, at: 0 })));
}

/// What may be decided about a unit as it stands; the ledger decides again.
fn acts_on(story: &crate::domain::story::UnitStory) -> Vec<(Word, Purpose)> {
    let serial = || story.serial.clone();
    let rework = |new_device| Purpose::Rework { serial: serial(), new_device };
    let proven = matches!(
        story.state,
        UnitState::Proven | UnitState::Registered | UnitState::Shipped | UnitState::Rework
    );
    let mut acts = Vec::new();
    if proven {
        acts.push((Word::DoRework, rework(false)));
        acts.push((Word::DoReworkElsewhere, rework(true)));
    }
    if proven || story.state == UnitState::Uncertain {
        acts.push((Word::DoVoid, Purpose::Void(serial())));
    }
    if story.state != UnitState::Scrapped {
        acts.push((Word::DoScrap, Purpose::Scrap(serial())));
    }
    acts
}

/// Asks for the work orders, to list them.
fn list_orders(model: &mut Model, actions: &mut Vec<Action>) {
    let number = ask(model, Question::WorkOrders, actions);
    model.pages.orders.number = Some(number);
}

fn choose_order(model: &mut Model, id: WorkOrderId, actions: &mut Vec<Action>) {
    ask(model, Question::Act(Act::ChooseWorkOrder(id)), actions);
}

/// What a label of a work order begins with.
const ORDER_LABEL: &str = "order:";

/// The label of a work order was scanned: it is made from here on. Whether the text was one.
pub(super) fn order_label(model: &mut Model, text: &str, actions: &mut Vec<Action>) -> bool {
    let (Some(head), Some(id)) = (text.get(..ORDER_LABEL.len()), text.get(ORDER_LABEL.len()..))
    else {
        return false;
    };
    let id = id.trim().parse().ok().filter(|_| head.eq_ignore_ascii_case(ORDER_LABEL));
    if let Some(id) = id.clone() {
        choose_order(model, id, actions);
    }
    id.is_some()
}

/// The figures say that one of several work orders must be chosen: they are listed, once.
pub(super) fn offer_orders(model: &mut Model, actions: &mut Vec<Action>) {
    let must_choose = model.overview.as_ref().is_some_and(|overview| overview.must_choose);
    if !must_choose {
        model.offered_orders = false;
    } else if !model.offered_orders && model.dialog.is_none() {
        model.offered_orders = true;
        list_orders(model, actions);
    }
}

/// The work orders came: they are listed, to make one, to accept a profile or to close one.
pub(super) fn orders_came(model: &mut Model) {
    let Some(orders) = model.pages.orders.found.as_ref() else { return };
    let made = model.overview.as_ref().and_then(|overview| overview.work_order.as_ref());
    let made = made.map(|order| &order.id);
    let open = || orders.iter().filter(|choice| !choice.row.closed);
    let others = open().filter(|choice| choice.profile_holds);
    let others = others.filter(|choice| Some(&choice.row.work_order.id) != made);
    let makes = others.map(|choice| {
        let order = &choice.row.work_order;
        let about = format!("{}  {}/{}", order.id, choice.row.proven, order.quantity);
        (Word::DoMakeOrder, about, Choice::Make(order.id.clone()))
    });
    let items: Vec<_> = open()
        .flat_map(|choice| {
            let order = &choice.row.work_order;
            let (id, about) = (
                order.id.clone(),
                format!("{}  {}/{}", order.id, choice.row.proven, order.quantity),
            );
            let close =
                (Word::DoCloseOrder, about.clone(), Choice::Form(Purpose::CloseOrder(id.clone())));
            let accept = Choice::Form(Purpose::AcceptProfile(id));
            let changed = (!choice.profile_holds).then_some((Word::DoAcceptProfile, about, accept));
            changed.into_iter().chain([close])
        })
        .collect();
    let items = makes.chain(items).collect();
    model.dialog = Some(Dialog::new(DialogKind::Menu(Menu { items, at: 0 })));
}

/// A key over a menu.
pub(super) fn menu_key(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) {
    let Some(DialogKind::Menu(menu)) = model.dialog.as_mut().map(|dialog| &mut dialog.kind) else {
        return;
    };
    let last = menu.items.len().saturating_sub(1);
    match intent {
        Intent::Up => menu.at = menu.at.saturating_sub(1),
        Intent::Down | Intent::NextNeed => menu.at = (menu.at + 1).min(last),
        Intent::Home => menu.at = 0,
        Intent::End => menu.at = last,
        Intent::Escape => model.dialog = None,
        Intent::Enter => {
            let choice = menu.items.get(menu.at).map(|(_, _, choice)| choice.clone());
            model.dialog = None;
            match choice {
                Some(Choice::Form(purpose)) => open(model, purpose),
                Some(Choice::SignOut) => drop(ask(model, Question::Act(Act::SignOut), actions)),
                Some(Choice::StartSync) => drop(ask(model, Question::Act(Act::StartSync), actions)),
                Some(Choice::StopSync) => drop(ask(model, Question::Act(Act::StopSync), actions)),
                Some(Choice::Orders) => list_orders(model, actions),
                Some(Choice::Make(id)) => choose_order(model, id, actions),
                None => {}
            }
        }
        _ => {}
    }
}

/// The form that is open.
pub(super) fn form(model: &mut Model) -> Option<&mut Form> {
    match model.dialog.as_mut().map(|dialog| &mut dialog.kind) {
        Some(DialogKind::Form(form)) => Some(form),
        _ => None,
    }
}

/// The field that characters go to. In a dialog without one they go nowhere.
pub(super) fn field(model: &mut Model) -> Option<&mut Input> {
    match &model.dialog {
        Some(_) => None,
        None => Some(&mut model.scan),
    }
}

/// What is to be known of the keys that came last; a form says so.
pub(super) fn note(model: &mut Model, note: FormNote) {
    if let Some(form) = form(model) {
        form.note = Some(note);
    }
}

/// A key over a form.
pub(super) fn form_key(model: &mut Model, intent: Intent, actions: &mut Vec<Action>) {
    let Some(form) = form(model) else { return };
    form.note = None;
    match intent {
        Intent::Up | Intent::PreviousSlot => form.step(-1),
        Intent::Down | Intent::NextNeed => form.step(1),
        Intent::Backspace => form.backspace(),
        Intent::Delete => form.clear(),
        Intent::Escape => model.dialog = None,
        Intent::Enter if form.is_last() => send(model, actions),
        Intent::Enter => form.step(1),
        _ => {}
    }
}

fn send(model: &mut Model, actions: &mut Vec<Action>) {
    let Some(form) = form(model).filter(|form| form.sent.is_none()) else { return };
    match act(form) {
        Ok(act) => {
            let signs_in = matches!(act, Act::SignIn(_));
            let number = ask(model, Question::Act(act), actions);
            if signs_in {
                model.signing_in = Some(SigningIn::Asked(number));
            }
            if let Some(form) = self::form(model) {
                (form.sent, form.fault) = (Some(number), None);
            }
        }
        Err(fault) => form.fault = Some(fault),
    }
}

/// What a filled-in form asks for.
fn act(form: &Form) -> Result<Act, Fault> {
    let reason = || match form.text(Field::Reason) {
        "" => Err(Fault::said(Code::Usage, say!("the reason is empty", "没有填写原因"))),
        reason => Ok(reason.to_owned()),
    };
    let who = form.text(Field::Who);
    if form.purpose == Purpose::SignIn {
        return match who {
            "" => Err(Fault::said(Code::OperatorUnknown, say!("nobody was named", "没有填写工号"))),
            who => Ok(Act::SignIn(who.to_owned())),
        };
    }
    let approval = || approval(who, form.text(Field::Pin));
    Ok(match form.purpose.clone() {
        Purpose::SignIn => Act::SignOut,
        Purpose::Rework { serial, new_device } => {
            Act::Rework { serial, new_device, reason: reason()?, approval: approval()? }
        }
        Purpose::Void(serial) => Act::Void { serial, reason: reason()?, approval: approval()? },
        Purpose::Scrap(serial) => Act::Scrap { serial, reason: reason()?, approval: approval()? },
        Purpose::AcceptClock => Act::AcceptClock { reason: reason()?, approval: approval()? },
        Purpose::AcceptProfile(work_order) => {
            Act::AcceptProfile { work_order, reason: reason()?, approval: approval()? }
        }
        Purpose::CloseOrder(work_order) => {
            Act::CloseWorkOrder { work_order, approval: approval()? }
        }
    })
}

fn approval(who: &str, pin: &str) -> Result<Approval, Fault> {
    let unknown = || {
        Fault::said(Code::OperatorUnknown, say!("nobody is known as {who}", "没有登记工号 {who}"))
    };
    let by = (!who.is_empty()).then(|| who.parse().map_err(|_| unknown())).transpose()?;
    let wrong = |error: crate::domain::operators::PinError| Fault::told(Code::PinWrong, &error);
    let pin = (!pin.is_empty()).then(|| Pin::new(pin).map_err(wrong)).transpose()?;
    Ok(Approval { by, pin })
}

/// An act was refused: its form says why, and the PIN is typed anew. Whether it was one.
pub(super) fn refused(model: &mut Model, number: u64, fault: &Fault) -> bool {
    let Some(form) = form(model).filter(|form| form.sent == Some(number)) else { return false };
    form.sent = None;
    form.fault = Some(fault.clone());
    form.forget_pin();
    true
}

/// A badge was scanned: into the form that is open, otherwise it signs its person in.
/// Whether the text was one.
pub(super) fn badge(model: &mut Model, text: &str, actions: &mut Vec<Action>) -> bool {
    let prefix = &model.setup.badge_prefix;
    let Some(id) = text.strip_prefix(prefix.as_str()).filter(|_| !prefix.is_empty()) else {
        return false;
    };
    let id = id.trim().to_owned();
    match form(model) {
        Some(form) if form.purpose != Purpose::SignIn => form.badge(&id),
        _ => {
            if form(model).is_some() {
                model.dialog = None;
            }
            let number = ask(model, Question::Act(Act::SignIn(id)), actions);
            model.signing_in = Some(SigningIn::Asked(number));
        }
    }
    true
}

/// Nobody touched the screen for long: whoever was signed in is signed out.
pub(super) fn lock_when_idle(model: &mut Model, actions: &mut Vec<Action>) {
    let idle = model.now.monotonic.saturating_sub(model.touched) >= model.setup.idle_lock;
    let somebody = model.overview.as_ref().is_some_and(|overview| overview.operator.is_some());
    if !idle || !somebody || model.is_locked() {
        return;
    }
    // Told once; the next figures show nobody.
    if let Some(overview) = &mut model.overview {
        overview.operator = None;
    }
    model.changed = true;
    ask(model, Question::Act(Act::SignOut), actions);
}
