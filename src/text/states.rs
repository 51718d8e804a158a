//! The words for where a unit, its certificate and its registration stand, and for how an attempt
//! ended: the same on the operator's screen and in a report.

use super::words::Word;
use crate::domain::certificate::{CertificateState, Proof};
use crate::domain::state::{AttemptOutcome, RegistrationState, UnitState};
use crate::domain::story::NamedBy;

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
