//! Numbers that follow from a seed, so that what a failure prints can be drawn again.

/// Splitmix64.
pub(crate) struct Dice(u64);

impl Dice {
    /// The same seed and round give the same numbers, whatever was drawn in other rounds.
    pub(crate) fn new(seed: u64, round: u64) -> Dice {
        Dice(seed.wrapping_add(round.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// One of them.
    pub(crate) fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}
