//! A CA whose token is away: a unit waits before it begins, and none fails in the meantime.
//!
//! The first signature that the token did not give fails its unit: until then nobody knows.
//! Every unit after that asks the token before it begins, so that a line stands still instead
//! of failing what it is given.

use std::time::{Duration, Instant};

use super::halt::Halt;
use super::shared::Shared;
use crate::link::driver::Driver;

/// How often an absent token is looked for.
const LOOK: Duration = Duration::from_millis(250);

/// Waits until the token is there again, the slot is to land its unit, or half of the unit's
/// time has passed: then the unit begins, and fails by the token's own code if need be.
pub(super) fn await_token(shared: &Shared, halt: &Halt, driver: &mut dyn Driver) {
    let until = Instant::now() + shared.unit_deadline / 2;
    let mut told = false;
    while halt.reason().is_none() && Instant::now() < until && shared.authority.is_away() {
        if !std::mem::replace(&mut told, true) {
            tracing::warn!("the CA's token is away; the unit waits for it");
        }
        // A device that leaves meanwhile is told by the next thing that it is asked.
        if driver.idle(LOOK).is_err() {
            return;
        }
    }
}
