//! How many requests are taken in any window of one second.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::refusal::Refusal;

const WINDOW: Duration = Duration::from_secs(1);

/// Requests a second that each action takes.
pub(super) const ACTION_RATE: u32 = 20;
/// Client certificates that the product registers in a second.
pub(super) const REGISTRATION_RATE: u32 = 15;

/// The times of the requests that were taken, by action; a time is that since the start.
#[derive(Debug, Default)]
pub(super) struct Pace {
    taken: HashMap<String, VecDeque<Duration>>,
}

impl Pace {
    /// Takes a request or refuses it: never more than `limit` of one action in any window of
    /// one second. One that is refused does not count. No limit takes every one.
    pub(super) fn take(
        &mut self,
        action: &str,
        now: Duration,
        limit: Option<u32>,
    ) -> Result<(), Refusal> {
        let Some(limit) = limit else { return Ok(()) };
        let taken = self.taken.entry(action.to_owned()).or_default();
        while taken.front().is_some_and(|time| now.saturating_sub(*time) >= WINDOW) {
            taken.pop_front();
        }
        if taken.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            let why = format!("{action} is called more than {limit} times a second");
            return Err(Refusal::new("RequestLimitExceeded", why));
        }
        taken.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(times: &[u64], limit: u32) -> Vec<bool> {
        let mut pace = Pace::default();
        let at = |time: &u64| Duration::from_millis(*time);
        times.iter().map(|time| pace.take("x", at(time), Some(limit)).is_ok()).collect()
    }

    #[test]
    fn no_window_of_a_second_takes_more_than_the_limit() {
        assert_eq!(
            taken(&[0, 0, 0, 999, 1_000, 1_000, 1_000], 2),
            [true, true, false, false, true, true, false]
        );
        assert_eq!(
            taken(&[0, 900, 1_000, 1_100, 1_899, 1_900], 2),
            [true, true, true, false, false, true]
        );
    }

    #[test]
    fn actions_have_limits_of_their_own_and_none_is_none() {
        let mut pace = Pace::default();
        assert!(pace.take("x", Duration::ZERO, Some(1)).is_ok());
        assert!(pace.take("y", Duration::ZERO, Some(1)).is_ok());
        assert!(pace.take("x", Duration::ZERO, Some(1)).is_err());
        assert!((0..99).all(|_| pace.take("z", Duration::ZERO, None).is_ok()));
    }
}
