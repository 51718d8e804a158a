//! The words for where a registration stands.

use super::look::Look;
use crate::domain::state::RegistrationState;
use crate::text::Word;

/// Where a registration stands.
pub(super) fn registration_word(state: RegistrationState, look: Look) -> &'static str {
    look.text(match state {
        RegistrationState::None => Word::RegistrationNone,
        RegistrationState::Waiting => Word::RegistrationWaiting,
        RegistrationState::Unclear => Word::RegistrationUnclear,
        RegistrationState::Registered => Word::RegistrationRegistered,
        RegistrationState::Deferred => Word::RegistrationDeferred,
        RegistrationState::Conflict => Word::RegistrationConflict,
        RegistrationState::Rejected => Word::RegistrationRejected,
        RegistrationState::Withdrawn => Word::RegistrationWithdrawn,
        RegistrationState::Revoked => Word::RegistrationRevoked,
    })
}
