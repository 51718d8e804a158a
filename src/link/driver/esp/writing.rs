//! What is written into the partition: a sector at a time, looked at when it was written, and
//! begun again with the erase where an answer was lost.

use super::super::attempt::{Attempt, Staging};
use super::holding;
use super::image::{Composed, digest_of_ones};
use super::line::SYNCS;
use super::loader::{BLOCK, Loader};
use super::meeting::{BEGINNINGS, Esp};
use crate::domain::identity::Identity;
use crate::domain::ids::ImageDigest;
use crate::domain::lender::KeyLender;
use crate::error::LinkError;

impl Esp {
    /// Does something that may be done again from its beginning.
    fn begin_until_done(
        &mut self,
        work: &mut dyn FnMut(&mut Loader, bool) -> Result<(), LinkError>,
    ) -> Result<(), LinkError> {
        self.ready_loader()?;
        let fifth = self.about()?.chip.has_fifth_word;
        self.known = None;
        let mut begun = 0;
        loop {
            begun += 1;
            let error = match work(self.line.loader()?, fifth) {
                Err(error) if may_begin_again(&error) && begun < BEGINNINGS => error,
                outcome => return outcome,
            };
            tracing::warn!(%error, begun, "begun again with the erase");
            if !self.line.finds_loader(SYNCS)? {
                return Err(error);
            }
            // A chip that lost power meanwhile starts at the beginning too.
            self.about = Some(self.meet()?);
        }
    }
}

impl Staging for Esp {
    type Composed = Composed;

    fn attempt(&mut self) -> &mut Attempt<Composed> {
        &mut self.attempt
    }

    fn is_of(&self, composed: &Composed, identity: &Identity) -> bool {
        self.about.as_ref().is_some_and(|about| composed.is_of(identity, about.place))
    }

    fn image_of(&mut self, composed: &Composed) -> Result<ImageDigest, LinkError> {
        Ok(composed.image())
    }

    fn take_aside(
        &mut self,
        composed: &Composed,
        keys: &dyn KeyLender,
        progress: &mut dyn FnMut(u32, u32),
    ) -> Result<(), LinkError> {
        let (place, key) = (self.about()?.place, composed.key_place());
        let front = key.at - place.at;
        self.begin_until_done(&mut |loader, fifth| {
            loader.begin(place.at, front, 0, fifth)?;
            is_stored(loader, place.at, front, digest_of_ones(front), "its erased sectors")?;
            loader.begin(key.at, key.size, 1, fifth)?;
            composed.lend_key(keys, &mut |begin, room| {
                let ones = [0xff; BLOCK];
                loader.block(0, &[begin, &ones[begin.len()..]], room)
            })?;
            is_stored(loader, key.at, key.size, composed.key_digest(), "the key's sector")?;
            progress(BLOCK as u32, composed.total());
            Ok(())
        })
    }

    fn activate(&mut self, composed: &Composed) -> Result<(), LinkError> {
        let (place, key) = (self.about()?.place, composed.key_place());
        let (front, wanted) = (composed.front(), self.line.wanted().clone());
        let size = key.at - place.at;
        self.begin_until_done(&mut |loader, fifth| {
            loader.begin(place.at, size, size / BLOCK as u32, fifth)?;
            for (number, block) in (0..).zip(front.chunks(BLOCK)) {
                loader.block(number, &[block], &mut [0; 512])?;
            }
            let digest = <md5::Md5 as md5::Digest>::digest(front).into();
            is_stored(loader, place.at, size, digest, "its sectors")?;
            is_stored(loader, key.at, key.size, composed.key_digest(), "the key's sector")?;
            // The digest is the chip's own word; what is public is read.
            let found = holding::read(loader, place, &wanted)?;
            let held = holding::held(loader, place, &found)?;
            match held {
                Some(held) if held.image == composed.image() => Ok(()),
                _ => Err(not_stored("what is read back is not what was written")),
            }
        })
    }

    /// Leaves nothing of an attempt that failed in the partition.
    fn wipe(&mut self) -> Result<(), LinkError> {
        let place = self.about()?.place;
        self.begin_until_done(&mut |loader, fifth| {
            loader.begin(place.at, place.size, 0, fifth)?;
            is_stored(loader, place.at, place.size, digest_of_ones(place.size), "erased sectors")
        })
    }
}

/// Whether a write that failed so is begun again: an answer was lost or damaged, a bit fell on
/// the way, or the chip lost power.
fn may_begin_again(error: &LinkError) -> bool {
    error.is_unanswered()
        || matches!(
            error,
            LinkError::Refused { .. } | LinkError::Malformed { .. } | LinkError::NotStored { .. }
        )
}

fn is_stored(
    loader: &mut Loader,
    at: u32,
    size: u32,
    digest: [u8; 16],
    what: &str,
) -> Result<(), LinkError> {
    match loader.digest(at, size)? == digest {
        true => Ok(()),
        false => Err(not_stored(&format!("{what} at {at:#x} have another digest"))),
    }
}

fn not_stored(why: &str) -> LinkError {
    LinkError::NotStored { why: why.to_owned() }
}
