//! One unit's whole story.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::certificate::{CertificateState, Proof};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::state::{AttemptOutcome, UnitState};
use crate::domain::story::{ActStory, AttemptStory, CertificateStory, UnitStory};
use crate::domain::text::printable;
use crate::text::{Word, certificate_word, registration_word, unit_word};

use super::super::model::Model;
use super::super::msg::Extent;
use super::super::theme::Role;
use super::history::{ended_so, when};
use super::look::{Look, both_ends};
use super::pages::{lines, named, nothing, went_wrong};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) -> Extent {
    let view = &model.pages.unit;
    let sentence = |word| Line::from(format!(" {}", look.text(word)));
    let shown = match (&view.serial, &view.asking.fault, &view.asking.found) {
        (None, ..) => vec![sentence(Word::UnitNone)],
        (_, Some(fault), _) => went_wrong(fault, look).into(),
        (_, _, Some(Some(story))) => {
            whole(story, model.is_at_work_on(&story.serial), look, area.width)
        }
        (_, _, Some(None)) => vec![sentence(Word::UnitUnknown)],
        (_, _, None) => vec![sentence(Word::Looking)],
    };
    let shown = if shown.is_empty() { vec![nothing(look)] } else { shown };
    lines(frame, area, &shown, model.scroll, look)
}

fn whole<'a>(story: &UnitStory, is_at_work: bool, look: Look, columns: u16) -> Vec<Line<'a>> {
    let (state, role) = (look.text(unit_word(story.state)), unit_role(story.state));
    let order = story.work_order.as_ref().map_or(look.text(Word::NoWorkOrder), |id| id.as_str());
    let mut shown = vec![
        both_ends(
            vec![
                look.span(Role::Strong, format!(" {}  ", printable(story.serial.as_str()))),
                look.span(role, state),
            ],
            vec![look.span(Role::Dim, format!("{} ", look.text(Word::UnitKeys)))],
            columns,
        ),
        named(look.text(Word::ClientId), story.client_id.to_string(), look),
        named(look.text(Word::WorkOrder), order, look),
        named(look.text(Word::Since), when(story.created_at, look), look),
    ];
    for attempt in story.attempts.iter().rev() {
        shown.push(Line::from(""));
        // An attempt that has not ended leaves its unit uncertain, or is being made.
        let is_uncertain = attempt.outcome == AttemptOutcome::Running
            && story.state == UnitState::Uncertain
            && !is_at_work;
        shown.extend(attempt_lines(attempt, is_uncertain, look));
    }
    for certificate in story.certificates.iter().rev() {
        shown.push(Line::from(""));
        shown.extend(certificate_lines(certificate, look));
    }
    if !story.acts.is_empty() {
        shown.push(Line::from(""));
    }
    shown.extend(story.acts.iter().rev().map(|act| act_line(act, look)));
    shown
}

fn attempt_lines<'a>(attempt: &AttemptStory, is_uncertain: bool, look: Look) -> Vec<Line<'a>> {
    let (word, role) = match is_uncertain {
        true => (look.text(Word::OutcomeUncertain), Role::Hold),
        false => ended_so(attempt.outcome, look),
    };
    let who = attempt.operator.as_ref().map_or(String::new(), |id| format!("  {id}"));
    let place = format!(
        "{} {}  {} {}{who}  ",
        attempt.attempt,
        when(attempt.started_at, look),
        look.text(Word::Slot),
        attempt.slot
    );
    let mut shown = vec![named(look.text(Word::Attempt), place, look)];
    shown[0].spans.push(look.span(role, word));
    // What a signature shows is the rule; whatever else a proof rests on is said.
    if let Some(word) = attempt.proof.and_then(proof_word) {
        shown[0].spans.push(look.span(Role::Dim, format!("  {}", look.text(word))));
    }
    if let Some(code) = &attempt.code {
        let message = attempt.message.clone().unwrap_or_default();
        match code.parse::<Code>() {
            Ok(code) => {
                let fault = Fault::new(code, message);
                shown.push(named("", format!("{code}  {}", look.what(&fault)), look));
                shown.push(named("", look.remedy(code), look));
            }
            Err(_) => {
                shown.push(named("", printable(&format!("{code}  {message}")).into_owned(), look))
            }
        }
    }
    if let Some(hardware) = &attempt.hardware {
        shown.push(named(look.text(Word::Hardware), hardware.to_string(), look));
    }
    shown
}

const fn proof_word(proof: Proof) -> Option<Word> {
    match proof {
        Proof::Possession => None,
        Proof::Connect => Some(Word::ProofConnect),
        Proof::ReadBack => Some(Word::ProofReadBack),
        Proof::None => Some(Word::ProofNone),
    }
}

fn certificate_lines<'a>(certificate: &CertificateStory, look: Look) -> Vec<Line<'a>> {
    let role = certificate_role(certificate.state);
    let word = look.text(certificate_word(certificate.state));
    let mut head =
        named(look.text(Word::Certificate), format!("{}  ", certificate.certificate_sn), look);
    head.spans.push(look.span(role, word));
    let registration = &certificate.registration;
    let mut cloud = look.text(registration_word(registration.state)).to_owned();
    for more in [&registration.status, &registration.last_error].into_iter().flatten() {
        cloud.push_str(&format!("  {}", printable(more)));
    }
    vec![
        head,
        named(look.text(Word::Fingerprint), certificate.fingerprint_sha256.to_string(), look),
        named(look.text(Word::Registration), cloud, look),
    ]
}

fn act_line<'a>(act: &ActStory, look: Look) -> Line<'a> {
    let who = act.operator.as_ref().map_or("-", |operator| operator.as_str());
    let why = act.reason.as_deref().unwrap_or_default();
    Line::from(vec![
        look.span(Role::Dim, format!(" {} ", when(act.at, look))),
        Span::raw(format!("{} {who}: {}", act.act, printable(why))),
    ])
}

const fn unit_role(state: UnitState) -> Role {
    match state {
        UnitState::Reserved | UnitState::Issued => Role::Busy,
        UnitState::Uncertain | UnitState::Rework => Role::Hold,
        UnitState::Proven | UnitState::Registered | UnitState::Shipped => Role::Pass,
        UnitState::Failed | UnitState::Void | UnitState::Scrapped => Role::Fail,
    }
}

const fn certificate_role(state: CertificateState) -> Role {
    match state {
        CertificateState::Issued => Role::Busy,
        CertificateState::Uncertain => Role::Hold,
        CertificateState::Proven => Role::Pass,
        CertificateState::Superseded => Role::Dim,
        CertificateState::Void => Role::Fail,
    }
}
