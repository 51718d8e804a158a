//! The words for states as the tables have them; those that people see too stand in
//! [`crate::domain::state`].

use crate::domain::certificate::{CertificateState, Proof};
pub use crate::domain::state::{AttemptOutcome, Origin, RegistrationState, UnitState, UnknownWord};

pub use crate::domain::labelling::LabelState;

use super::sql::word_columns;

/// Whether a row of the outbox is open, as the indices of open rows say it: SQLite takes one
/// for a question that says it in the same words. No list of words, from which it would fill a
/// temporary table each time.
macro_rules! open_row {
    ($table:literal) => {
        concat!(
            "(",
            $table,
            "state = 'waiting' OR ",
            $table,
            "state = 'claimed' OR ",
            $table,
            "state = 'parked')"
        )
    };
}

pub(crate) use open_row;

word_columns! {
    /// Where a row of the outbox stands.
    pub enum OutboxState {
        /// Nobody took it yet; it may be withdrawn.
        Waiting = "waiting",
        /// A sync sent it, and nobody knows what came of it.
        Claimed = "claimed",
        /// It can't go on by itself: a conflict, or the cloud will never take it.
        Parked = "parked",
        /// It is done.
        Done = "done",
        /// It was taken back before anybody took it.
        Withdrawn = "withdrawn",
    }

    /// How far an open attempt is known to have come.
    pub(crate) enum Position {
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
    pub(crate) enum Permission {
        /// It may not.
        No = "no",
        /// On the device that it is proven on.
        SameDevice = "same-device",
        /// On any device.
        AnyDevice = "any-device",
    }
}

/// The word for a certificate's state.
pub(crate) const fn certificate_word(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Issued => "issued",
        CertificateState::Uncertain => "uncertain",
        CertificateState::Proven => "proven",
        CertificateState::Superseded => "superseded",
        CertificateState::Void => "void",
    }
}

/// The state that a word names.
pub(crate) fn certificate_state(word: &str) -> Option<CertificateState> {
    use CertificateState::{Issued, Proven, Superseded, Uncertain, Void};
    let all = [Issued, Uncertain, Proven, Superseded, Void];
    all.into_iter().find(|state| certificate_word(*state) == word)
}

/// The proof that a word names.
pub(crate) fn proof(word: &str) -> Option<Proof> {
    let all = [Proof::None, Proof::ReadBack, Proof::Possession, Proof::Connect];
    all.into_iter().find(|proof| proof.as_str() == word)
}
