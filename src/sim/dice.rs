//! Chance that comes out the same each time: what a fault's probability is drawn from.
//!
//! Not for keys. A [`Dice`] is made from a text, so that two purposes never share a
//! sequence.

use sha2::{Digest, Sha256};

/// A sequence of numbers that follows from a seed and a purpose (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

/// The luck of one slot: two slots with one seed have different luck.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    seed: u64,
    slot: String,
}

impl Chance {
    /// That of the slot with this name.
    pub(crate) fn new(seed: u64, slot: &str) -> Self {
        Self { seed, slot: slot.to_owned() }
    }

    /// The dice for this purpose.
    pub(crate) fn dice(&self, purpose: &str) -> Dice {
        Dice::new(self.seed, &format!("{purpose} in {}", self.slot))
    }
}

impl Dice {
    /// The sequence for this purpose.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose);
        let mut first = [0; 8];
        first.copy_from_slice(&digest.finalize()[..8]);
        Self(u64::from_le_bytes(first))
    }

    /// The next 64 bits.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn happens(&mut self, percent: f64) -> bool {
        // The upper 53 bits are what a double holds exactly.
        const STEPS: f64 = (1_u64 << 53) as f64;
        ((self.roll() >> 11) as f64) / STEPS * 100.0 < percent
    }

    /// Fills `bytes`.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.roll().to_le_bytes()[..part.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_roll_the_same() {
        let rolls = |seed, purpose| -> Vec<u64> {
            let mut dice = Dice::new(seed, purpose);
            (0..4).map(|_| dice.roll()).collect()
        };
        assert_eq!(rolls(7, "noise"), rolls(7, "noise"));
        assert_ne!(rolls(7, "noise"), rolls(7, "faults"));
        assert_ne!(rolls(7, "noise"), rolls(8, "noise"));
    }

    #[test]
    fn a_probability_is_about_kept() {
        let mut dice = Dice::new(1, "test");
        let hits = (0..10_000).filter(|_| dice.happens(5.0)).count();
        assert!((400..600).contains(&hits), "{hits}");
        assert!(!dice.happens(0.0));
        assert!(dice.happens(100.0));
    }
}
