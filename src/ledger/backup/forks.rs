//! Segments of a history that a restore left behind.
//!
//! Where a ledger was restored from an older backup and went on, what it held after that backup
//! still lies among its segments, perhaps longer than what came since. Both follow on the same
//! entry; the one that has the entry of the restore is the one that the station went on with.

use crate::domain::bounds;
use crate::domain::clock::Timestamp;
use crate::domain::evidence::HeadVerifier;
use crate::domain::record::Record;
use crate::journal::entry::{Entry, Fact};
use crate::journal::head::Head;
use crate::segment::chain::Found;
use crate::segment::format::SegmentError;
use crate::segment::read;

/// Of segments that follow on the same entry, those that the newest restore went on with, or
/// all where none was; and the others.
pub(super) fn told_apart(own: Vec<Found>, verifier: &dyn HeadVerifier) -> (Vec<Found>, Vec<Found>) {
    let newest: Vec<Option<Timestamp>> = own
        .iter()
        .map(|found| match has_rival(found, &own) {
            true => newest_restore(found, verifier),
            false => None,
        })
        .collect();
    let is_left = |index: usize| {
        let mut rivals = own.iter().zip(&newest);
        rivals.any(|(other, restored)| is_rival(&own[index], other) && *restored > newest[index])
    };
    let left: Vec<bool> = (0..own.len()).map(is_left).collect();
    let mut left = left.into_iter();
    own.into_iter().partition(|_| left.next() == Some(false))
}

fn has_rival(found: &Found, all: &[Found]) -> bool {
    all.iter().any(|other| is_rival(found, other))
}

/// Whether both follow on the same entry of one ledger and lead elsewhere.
fn is_rival(one: &Found, other: &Found) -> bool {
    let start =
        |found: &Found| -> (Head, [u8; 16]) { (found.header.behind(), found.header.instance.0) };
    start(one) == start(other) && one.header.signed.head != other.header.signed.head
}

/// The time of the newest restore in a segment; none where there is none, or where it does not
/// hold, which is told when it is taken.
fn newest_restore(found: &Found, verifier: &dyn HeadVerifier) -> Option<Timestamp> {
    let mut newest = None;
    let file = bounds::open(&found.path).ok()?;
    let held = read::verify(file, verifier, |_, bytes| {
        if let Ok(Entry { wall, fact: Fact::Record(Record::Restored(_), _), .. }) =
            Entry::decode(&bytes)
        {
            newest = newest.max(Some(wall));
        }
        Ok::<(), SegmentError>(())
    });
    held.ok().and(newest)
}
