//! Overwrites the part of the stack on which a key may have been worked with.

use std::hint::black_box;

use zeroize::Zeroize;

/// Bytes below the caller that are overwritten: several times what encoding a frame, or
/// deriving a public key, was seen to use.
pub(super) const SCRUBBED: usize = 32 * 1024;

/// Overwrites the stack below it when it goes out of scope, after a panic too.
pub(super) struct StackScrub;

impl Drop for StackScrub {
    fn drop(&mut self) {
        scrub();
    }
}

/// A frame of its own, as low as the frames of what ran before and deeper.
#[inline(never)]
fn scrub() {
    let mut room = [0_u64; SCRUBBED / size_of::<u64>()];
    // The first makes the array real, the second writes it in a way nobody may leave out.
    black_box(&mut room);
    // As a slice: an array is wiped by a call for each of its elements.
    room.as_mut_slice().zeroize();
}
