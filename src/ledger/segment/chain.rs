//! Which of many segments follow each other from the first entry on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::journal::entry::InstanceId;
use crate::journal::head::Head;

use super::format::SegmentHeader;

/// A segment's file, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) header: SegmentHeader,
}

/// Those that follow each other, and the others.
#[derive(Debug, Default)]
pub(crate) struct Chained {
    pub(crate) chain: Vec<Found>,
    pub(crate) others: Vec<Found>,
}

impl Chained {
    /// The end of the chain.
    pub(crate) fn head(&self) -> Head {
        self.chain.last().map_or(Head::NONE, |found| found.header.signed.head)
    }
}

/// Follows the segments of one ledger from its first entry; where several could be next, the
/// way that leads furthest is taken.
pub(crate) fn follow(found: Vec<Found>, instance: InstanceId) -> Chained {
    let (own, mut others): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| found.header.instance == instance);
    let key = |head: Head| (head.seq, head.hash.0);
    let mut by_start: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, found) in own.iter().enumerate() {
        by_start.entry(key(found.header.behind())).or_default().push(index);
    }
    // From the end on, since each leads to a later entry: how far one comes by each.
    let mut order: Vec<usize> = (0..own.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(own[*index].header.first));
    let mut reach: Vec<(u64, Option<usize>)> = vec![(0, None); own.len()];
    for index in order {
        let end = own[index].header.signed.head;
        let next = by_start.get(&key(end)).into_iter().flatten().copied();
        let best = next.max_by_key(|next| reach[*next].0);
        reach[index] = (best.map_or(end.seq, |best| reach[best].0), best);
    }
    let starts = by_start.get(&key(Head::NONE)).into_iter().flatten().copied();
    let mut at = starts.max_by_key(|index| reach[*index].0);
    let mut own: Vec<Option<Found>> = own.into_iter().map(Some).collect();
    let mut chain = Vec::new();
    while let Some(index) = at {
        chain.extend(own[index].take());
        at = reach[index].1;
    }
    others.extend(own.into_iter().flatten());
    Chained { chain, others }
}
