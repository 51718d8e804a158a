//! The words for states as people, JSON and the tables have them.

use super::sql::word_columns;
use crate::domain::certificate::{CertificateState, Proof};

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of this program")]
pub struct UnknownWord(pub String);

word_columns! {
    /// How a certificate came into the ledger.
    pub enum Origin {
        /// It was issued here.
        Issued = "issued",
        /// It was read from the device that holds it, and proven there.
        Adopted = "adopted",
    }

    /// A unit's state for people: the furthest point that holds.
    pub enum UnitState {
        /// An attempt began; nothing was signed.
        Reserved = "reserved",
        /// A certificate was signed, its commit never asked.
        Issued = "issued",
        /// A device may hold its certificate; only that device can tell.
        Uncertain = "uncertain",
        /// No identity, and nothing under way.
        Failed = "failed",
        /// A device proved its identity.
        Proven = "proven",
        /// Proven, and its certificate stands in the cloud.
        Registered = "registered",
        /// It left the factory.
        Shipped = "shipped",
        /// Proven, and may be burned again.
        Rework = "rework",
        /// A person voided its certificate.
        Void = "void",
        /// A person scrapped it.
        Scrapped = "scrapped",
    }

    /// How an attempt ended, or that it did not.
    pub enum AttemptOutcome {
        /// It has no end yet.
        Running = "running",
        /// Proven and finished.
        Pass = "pass",
        /// Something was wrong.
        Fail = "fail",
        /// It was cut off.
        Interrupted = "interrupted",
    }

    /// Where a certificate's registration in the cloud stands.
    pub enum RegistrationState {
        /// It is not to be registered.
        None = "none",
        /// It waits for its turn.
        Waiting = "waiting",
        /// A call was sent and its answer is not known.
        Unclear = "unclear",
        /// It stands in the cloud.
        Registered = "registered",
        /// To be tried later.
        Deferred = "deferred",
        /// Another certificate stands there.
        Conflict = "conflict",
        /// The cloud will never take it.
        Rejected = "rejected",
        /// It was taken back before it was sent.
        Withdrawn = "withdrawn",
        /// It was revoked in the cloud.
        Revoked = "revoked",
    }

    /// What is to be done in the cloud.
    pub enum Operation {
        /// Upload the certificate.
        Register = "register",
        /// Revoke it.
        Revoke = "revoke",
    }

    /// Where a row of the outbox stands.
    pub enum OutboxState {
        /// Nobody took it yet; it may be withdrawn.
        Waiting = "waiting",
        /// A sync took it; it may have been sent.
        Claimed = "claimed",
        /// It is done.
        Done = "done",
        /// It was taken back before anybody took it.
        Withdrawn = "withdrawn",
    }

    /// How far an open attempt is known to have come.
    pub(super) enum Position {
        /// Reserved.
        Begun = "begun",
        /// Signed.
        Issued = "issued",
        /// Commit asked.
        Asked = "asked",
        /// Proven.
        Proven = "proven",
    }

    /// Whether a proven unit may be burned again.
    pub(super) enum Permission {
        /// It may not.
        No = "no",
        /// On the device that it is proven on.
        SameDevice = "same-device",
        /// On any device.
        AnyDevice = "any-device",
    }
}

/// The word for a certificate's state.
pub(super) const fn certificate_word(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Issued => "issued",
        CertificateState::Uncertain => "uncertain",
        CertificateState::Proven => "proven",
        CertificateState::Superseded => "superseded",
        CertificateState::Void => "void",
    }
}

/// The state that a word names.
pub(super) fn certificate_state(word: &str) -> Option<CertificateState> {
    use CertificateState::{Issued, Proven, Superseded, Uncertain, Void};
    let all = [Issued, Uncertain, Proven, Superseded, Void];
    all.into_iter().find(|state| certificate_word(*state) == word)
}

/// The proof that a word names.
pub(super) fn proof(word: &str) -> Option<Proof> {
    let all = [Proof::None, Proof::ReadBack, Proof::Possession, Proof::Connect];
    all.into_iter().find(|proof| proof.as_str() == word)
}
