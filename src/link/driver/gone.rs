//! What a port that vanishes means while a restart is asked for and waited for, and the wait of
//! the families that ask the same short question until somebody answers it again.

use std::time::{Duration, Instant};

use crate::error::LinkError;
use crate::port::Port;

/// How often a port that vanished is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// Between two questions to a device that is about to restart: a short absence is to be seen.
const BETWEEN: Duration = Duration::from_millis(5);

/// A port that goes while a restart is waited for is the restart.
pub(super) fn gone_is_fine(outcome: Result<(), LinkError>) -> Result<(), LinkError> {
    match outcome {
        Err(LinkError::Unplugged { .. }) => Ok(()),
        outcome => outcome,
    }
}

/// A session in which somebody can be asked whether they are there.
pub(super) trait Restarting {
    /// Whether somebody answered within this time.
    fn ping(&mut self, within: Duration) -> Result<bool, LinkError>;

    /// Whether it said by itself that it starts.
    fn has_started(&self) -> bool;

    /// Opens the port again; `false` where it is not there yet.
    fn reopen(&mut self) -> Result<bool, LinkError>;

    fn port(&mut self) -> &mut Port;
}

/// How long whoever restarts is waited for.
pub(super) struct Patience {
    /// For an answer to one question.
    pub(super) ping: Duration,
    /// Until it stops answering.
    pub(super) leave: Duration,
    /// Until it answers again.
    pub(super) boot: Duration,
}

/// What came of a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    Back,
    /// It went and did not come back.
    Silent,
    /// It answered all the time.
    NeverLeft,
}

/// Waits until a device has been away, or was heard to start, and is back.
pub(super) fn await_return(
    session: &mut impl Restarting,
    patience: &Patience,
) -> Result<Return, LinkError> {
    let begun = Instant::now();
    let (mut was_away, mut until) = (false, begun + patience.leave);
    while Instant::now() < until {
        match session.ping(patience.ping) {
            Ok(true) if was_away || session.has_started() => return Ok(Return::Back),
            Ok(true) => gone_is_fine(session.port().idle(BETWEEN))?,
            Ok(false) => was_away = true,
            Err(LinkError::Unplugged { .. }) => {
                was_away = true;
                if !session.reopen()? {
                    session.port().pause(LOOK)?;
                }
            }
            Err(error) => return Err(error),
        }
        if was_away || session.has_started() {
            until = begun + patience.boot;
        }
    }
    Ok(if was_away { Return::Silent } else { Return::NeverLeft })
}
