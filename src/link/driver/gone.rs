//! What a port that vanishes means while a restart is asked for and waited for.

use crate::link::error::LinkError;

/// A port that goes while a restart is waited for is the restart.
pub(super) fn gone_is_fine(outcome: Result<(), LinkError>) -> Result<(), LinkError> {
    match outcome {
        Err(LinkError::Unplugged { .. }) => Ok(()),
        outcome => outcome,
    }
}
