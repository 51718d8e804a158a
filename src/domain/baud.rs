//! The rates that serial lines are run at. Any other one is taken, and is most often a slip.

/// What Linux has a name for, and what devices of this trade use besides.
const USUAL: &[u32] = &[
    1_200, 1_800, 2_400, 4_800, 9_600, 14_400, 19_200, 28_800, 38_400, 57_600, 74_880, 76_800,
    115_200, 128_000, 153_600, 230_400, 250_000, 256_000, 460_800, 500_000, 576_000, 614_400,
    750_000, 921_600, 1_000_000, 1_152_000, 1_228_800, 1_500_000, 2_000_000, 2_500_000, 3_000_000,
    3_500_000, 4_000_000, 6_000_000, 8_000_000, 12_000_000,
];

/// The usual rate that is meant where this one is not: none where it is usual itself.
pub fn nearest_usual(baud: u32) -> Option<u32> {
    let nearest = USUAL.iter().copied().min_by_key(|usual| usual.abs_diff(baud))?;
    (nearest != baud).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_is_off_by_one_has_a_neighbour_and_a_usual_one_has_none() {
        assert_eq!(nearest_usual(115_200), None);
        assert_eq!(nearest_usual(115_201), Some(115_200));
        assert_eq!(nearest_usual(921_000), Some(921_600));
        assert_eq!(nearest_usual(u32::MAX), Some(12_000_000));
    }
}
