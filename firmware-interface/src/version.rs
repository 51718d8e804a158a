//! Protocol versions and the rule for changing messages.
//!
//! **The rule.** A layout, once released, never changes: no field is added, removed,
//! resized or given another meaning, and no number in [`crate::ids`] is used again.
//! A new version may add message types, error codes, object kinds and capability bits;
//! a message that needs another layout gets another type number. `IDENTIFY`, its
//! answer and `ERROR` are the same in every version, so that two sides which share no
//! version can still say so.
//!
//! The version byte of a frame says by which version its body is read. `IDENTIFY`
//! always carries [`IDENTIFY`]; every other request carries the version which the
//! device chose; a reply carries the byte of its request.

/// The oldest version that this crate speaks.
pub const MIN: u8 = 1;

/// The newest version that this crate speaks.
pub const CURRENT: u8 = 1;

/// The version byte of an `IDENTIFY` frame and of its answer, for ever.
pub const IDENTIFY: u8 = 1;

/// The version two sides use: the highest that both speak, or none.
///
/// `min` and `max` are the station's range, as `IDENTIFY` carries it.
pub const fn choose(min: u8, max: u8) -> Option<u8> {
    let highest = if max < CURRENT { max } else { CURRENT };
    let lowest = if min > MIN { min } else { MIN };
    if lowest <= highest { Some(highest) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_chosen() {
        assert_eq!(choose(1, 1), Some(1));
        assert_eq!(choose(1, 9), Some(CURRENT));
        assert_eq!(choose(0, 1), Some(1));
    }

    #[test]
    fn ranges_that_do_not_meet_have_no_version() {
        assert_eq!(choose(CURRENT + 1, 255), None);
        assert_eq!(choose(0, 0), None);
        assert_eq!(choose(2, 1), None);
    }
}
