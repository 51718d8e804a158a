//! The words for where a unit, its certificate and its registration stand, and for how an attempt
//! ended: the same on the operator's screen and in a report.

use super::language::Language;
use super::words::Word;
use crate::domain::certificate::{CertificateState, Proof};
use crate::domain::labelling::LabelState;
use crate::domain::say::Say;
use crate::domain::state::{AttemptOutcome, RegistrationState, UnitState};
use crate::domain::story::NamedBy;
use crate::say;

/// Where a unit stands.
pub const fn unit_word(state: UnitState) -> Word {
    match state {
        UnitState::Reserved => Word::StateReserved,
        UnitState::Issued => Word::StateIssued,
        UnitState::Uncertain => Word::StateUncertain,
        UnitState::Failed => Word::StateFailed,
        UnitState::Proven => Word::StateProven,
        UnitState::Registered => Word::StateRegistered,
        UnitState::Shipped => Word::StateShipped,
        UnitState::Rework => Word::StateRework,
        UnitState::Void => Word::StateVoid,
        UnitState::Scrapped => Word::StateScrapped,
    }
}

/// Where a certificate stands.
pub const fn certificate_word(state: CertificateState) -> Word {
    match state {
        CertificateState::Issued => Word::CertificateIssued,
        CertificateState::Uncertain => Word::CertificateUncertain,
        CertificateState::Proven => Word::CertificateProven,
        CertificateState::Superseded => Word::CertificateSuperseded,
        CertificateState::Void => Word::CertificateVoid,
    }
}

/// Where a registration stands.
pub const fn registration_word(state: RegistrationState) -> Word {
    match state {
        RegistrationState::None => Word::RegistrationNone,
        RegistrationState::Waiting => Word::RegistrationWaiting,
        RegistrationState::Unclear => Word::RegistrationUnclear,
        RegistrationState::Registered => Word::RegistrationRegistered,
        RegistrationState::Deferred => Word::RegistrationDeferred,
        RegistrationState::Conflict => Word::RegistrationConflict,
        RegistrationState::Rejected => Word::RegistrationRejected,
        RegistrationState::Withdrawn => Word::RegistrationWithdrawn,
        RegistrationState::Revoked => Word::RegistrationRevoked,
    }
}

/// How an attempt ended.
pub const fn outcome_word(outcome: AttemptOutcome) -> Word {
    match outcome {
        AttemptOutcome::Pass => Word::OutcomePass,
        AttemptOutcome::Fail => Word::OutcomeFail,
        AttemptOutcome::Interrupted => Word::OutcomeInterrupted,
        AttemptOutcome::Running => Word::OutcomeRunning,
    }
}

/// By what a unit was found.
pub const fn named_by_word(by: NamedBy) -> Word {
    match by {
        NamedBy::Serial => Word::Serial,
        NamedBy::ClientId => Word::ClientId,
        NamedBy::CertificateSn => Word::CertificateNumber,
        NamedBy::Fingerprint => Word::Fingerprint,
        NamedBy::Hardware => Word::HardwareId,
    }
}

/// How a device showed that it holds its certificate.
pub const fn proof_word(proof: Proof) -> Word {
    match proof {
        Proof::Possession => Word::ProofPossession,
        Proof::Connect => Word::ProofConnect,
        Proof::ReadBack => Word::ProofReadBack,
        Proof::None => Word::ProofNone,
    }
}

/// Where a unit stands in one word, by the one that programs read.
pub fn unit_state_said(state: UnitState) -> Say {
    let word = match state {
        UnitState::Uncertain => Word::OutcomeUncertain,
        other => unit_word(other),
    };
    Say { english: state.as_str().to_owned(), chinese: word.text(Language::Chinese).to_owned() }
}

/// How a label stands, by the word that programs read.
pub fn label_state_said(state: LabelState) -> Say {
    match state {
        LabelState::Wanted => say!("wanted", "待打印"),
        LabelState::Asked => say!("asked", "已要求"),
        LabelState::Sent => say!("sent", "已发送"),
        LabelState::Unclear => say!("unclear", "不明"),
        LabelState::Right => say!("right", "正确"),
        LabelState::Wrong => say!("wrong", "不符"),
    }
}

/// What a person did to a unit, by the name of its entry.
pub fn act_said(act: &str) -> Say {
    let chinese = match act {
        "unit-voided" => "证书作废",
        "rework-allowed" => "允许返工",
        "unit-scrapped" => "报废",
        "unit-shipped" => "出厂",
        "label-reprinted" => "重打标签",
        "registered-by-hand" => "记为人工注册",
        "activation-asked" => "要求激活",
        "denied" => "撤销合格",
        other => other,
    };
    Say { english: act.to_owned(), chinese: chinese.to_owned() }
}
