//! One attempt at a device that has room for one identity: what was composed for it, and whether
//! something of it is staged there.
//!
//! The families without a spare slot share this: the image is composed whole and kept between
//! composing, staging and committing; from the first byte that is staged the old identity is
//! gone; and what an attempt that failed left behind is wiped, since its key is of no use to
//! anybody.

use crate::domain::identity::Identity;
use crate::domain::ids::ImageDigest;
use crate::domain::lender::KeyLender;
use crate::error::LinkError;

use super::contract::Driver;

/// What is known of the attempt that is under way.
pub(super) struct Attempt<C> {
    pub(super) composed: Option<C>,
    /// Whether something is staged that was not committed.
    is_staged: bool,
}

impl<C> Default for Attempt<C> {
    fn default() -> Self {
        Self { composed: None, is_staged: false }
    }
}

impl<C> Attempt<C> {
    /// It is over, and what was staged counts.
    pub(super) fn ends(&mut self) {
        self.is_staged = false;
    }
}

/// A driver that stages what it composed.
pub(super) trait Staging: Driver {
    /// What is composed for one device.
    type Composed;

    /// The attempt that is under way.
    fn attempt(&mut self) -> &mut Attempt<Self::Composed>;

    /// Whether this was composed for this identity and for the device that is there.
    fn is_of(&self, composed: &Self::Composed, identity: &Identity) -> bool;

    /// The digest of it as this device will store it.
    fn image_of(&mut self, composed: &Self::Composed) -> Result<ImageDigest, LinkError>;

    /// Writes all but what makes it count.
    fn take_aside(
        &mut self,
        composed: &Self::Composed,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError>;

    /// Writes what makes it count.
    fn activate(&mut self, composed: &Self::Composed) -> Result<(), LinkError>;

    /// Takes away what was staged.
    fn wipe(&mut self) -> Result<(), LinkError>;
}

/// [`Driver::stage`] of such a family.
pub(super) fn stage<D: Staging>(
    driver: &mut D,
    identity: &Identity,
    keys: &dyn KeyLender,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<(), LinkError> {
    let composed = match driver.attempt().composed.take() {
        Some(composed) if driver.is_of(&composed, identity) => composed,
        _ => {
            driver.compose(identity, keys)?;
            taken(driver, "staging")?
        }
    };
    driver.attempt().is_staged = true;
    let outcome = driver.take_aside(&composed, keys, progress);
    driver.attempt().composed = Some(composed);
    outcome
}

/// [`Driver::commit`] of such a family.
pub(super) fn commit<D: Staging>(driver: &mut D, image: ImageDigest) -> Result<(), LinkError> {
    let composed = taken(driver, "a commit")?;
    let outcome = match driver.image_of(&composed) {
        Ok(own) if own == image => driver.activate(&composed),
        Ok(_) => Err(LinkError::Order { operation: "a commit", missing: "its own image" }),
        Err(error) => Err(error),
    };
    let attempt = driver.attempt();
    attempt.composed = Some(composed);
    attempt.is_staged &= outcome.is_err();
    outcome
}

/// The part of [`Driver::release`] that such a family shares.
pub(super) fn release<D: Staging>(driver: &mut D) -> Result<(), LinkError> {
    match std::mem::take(&mut driver.attempt().is_staged) {
        true => driver.wipe(),
        false => Ok(()),
    }
}

fn taken<D: Staging>(driver: &mut D, operation: &'static str) -> Result<D::Composed, LinkError> {
    let missing = LinkError::Order { operation, missing: "the image" };
    driver.attempt().composed.take().ok_or(missing)
}

/// Refuses to lock, where a family has nothing that locks.
pub(super) fn no_lock(lock: bool) -> Result<(), LinkError> {
    match lock {
        false => Ok(()),
        true => Err(LinkError::Refused {
            request: "lock",
            error: "nothing: the family has no lock".to_owned(),
            detail: 0,
        }),
    }
}
