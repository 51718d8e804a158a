//! Shares of a cloud's rate, where several stations register in one instance.
//!
//! The cloud refuses more than so many registrations a second, whoever sends them. So a
//! station asks somebody who knows all of them ([`Shares`]) for a share, uses it for as long as
//! it holds, and asks again when it has ended; who has done its work asks for nothing. Who asks
//! has let go of what it had. [`divide`] is
//! how who is asked deals the rate out: whatever is lost on the way, and whoever vanishes with
//! a share, what may be in use never adds up to more than the limit.
//!
//! Shares are whole registrations a second: the cloud counts by the second, and a half
//! share of many stations can be one call each within the same second.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::device::Fault;
use super::registration::CloudInstance;

/// So long a share holds. A station that vanishes keeps it from others for no longer.
pub const TERM: Duration = Duration::from_secs(60);

/// So long a share holds that is less than its station could use: others may be done meanwhile.
const CONTENDED: Duration = Duration::from_secs(20);

/// So long a station that got nothing waits before it asks again, at least.
pub const SOONEST: Duration = Duration::from_secs(1);

/// So long a station waits at most that got less than its part: others may let go of theirs at any
/// time, and nobody tells it.
const LATEST: Duration = Duration::from_secs(2);

/// So long behind the end of what it had a station still counts among those that want some: it
/// is about to ask again.
const MEMORY: Duration = Duration::from_secs(10);

/// A share of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Registrations a second; none means that others have all of it at present.
    pub rate_per_second: u32,
    /// How long it holds from the moment it was asked for: clocks differ, lengths of time do not.
    pub lasts: Duration,
}

/// A share that will come.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Share, Fault>> + Send + 'a>>;

/// Who deals a cloud's rate out.
pub trait Shares: fmt::Debug + Send + Sync {
    /// Asks for a share of at most `want` registrations a second. What the station had before is
    /// not used any more.
    fn ask<'a>(&'a self, instance: &'a CloudInstance, want: u32) -> Asked<'a>;
}

/// What a station asks a fleet, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The cloud's instance.
    pub instance: CloudInstance,
    /// Registrations a second that it could use.
    pub want: u32,
}

/// What a fleet answers, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Registrations a second.
    pub rate_per_second: u32,
    /// Until when, RFC 3339, by the fleet's clock: for people.
    pub until: String,
    /// How long from the moment it was asked for.
    pub lasts_ms: u64,
}

impl From<Answer> for Share {
    fn from(answer: Answer) -> Self {
        // A fleet that errs does not keep a station from asking again.
        let lasts = Duration::from_millis(answer.lasts_ms).clamp(SOONEST, TERM);
        Share { rate_per_second: answer.rate_per_second, lasts }
    }
}

/// What a station was given, as who deals it out remembers it: one for each station and
/// instance, put in place of the one before when the station asks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<K> {
    /// The station.
    pub station: K,
    /// What it asked for.
    pub want: u32,
    /// What it was given, perhaps nothing.
    pub rate: u32,
    /// Until when it may use it.
    pub until: Timestamp,
}

/// What a station is given now, to be remembered in place of what it had.
///
/// Each gets an equal part of the limit, and what one does not want goes to the others; but
/// never more than others let go of: a share that was given is used until it ends. Where there
/// are more stations than registrations a second, they take turns by the minute.
pub fn divide<K: Ord + Clone>(
    limit: u32,
    held: &[Held<K>],
    station: &K,
    want: u32,
    now: Timestamp,
) -> Held<K> {
    let others: Vec<&Held<K>> = held
        .iter()
        .filter(|other| other.station != *station && after(other.until, MEMORY) > now)
        .collect();
    let in_use: Vec<&Held<K>> =
        others.iter().copied().filter(|other| other.rate > 0 && other.until > now).collect();
    let taken = in_use.iter().map(|other| other.rate).fold(0, u32::saturating_add);
    let free = limit.saturating_sub(taken);
    let part = part(limit, &others, station, want, now);
    let rate = part.min(free);
    // Who got less than its part asks again when somebody else's share ends, and before.
    let ends = in_use.iter().map(|other| other.until).min();
    let until = match ends {
        Some(ends) if rate < part => ends.clamp(after(now, SOONEST), after(now, LATEST)),
        _ if rate < want => after(now, CONTENDED),
        _ => after(now, TERM),
    };
    Held { station: station.clone(), want, rate, until }
}

/// The station's part of the limit, if all who want some asked now.
fn part<K: Ord>(limit: u32, others: &[&Held<K>], station: &K, want: u32, now: Timestamp) -> u32 {
    let mut all: Vec<(&K, u32)> =
        others.iter().map(|other| (&other.station, other.want)).chain([(station, want)]).collect();
    all.sort_unstable();
    let level = level(limit, all.iter().map(|(_, want)| *want).collect());
    let given: u32 = all.iter().map(|(_, want)| (*want).min(level)).fold(0, u32::saturating_add);
    let rest = usize::try_from(limit.saturating_sub(given)).unwrap_or(usize::MAX);
    let more: Vec<&K> =
        all.iter().filter(|(_, want)| *want > level).map(|(station, _)| *station).collect();
    // What does not go into equal parts goes round, a minute each.
    let place = more.iter().position(|other| *other == station);
    let extra = place.is_some_and(|place| turn(place, more.len(), now) < rest);
    want.min(level).saturating_add(u32::from(extra))
}

/// The highest whole number of which everybody can have as much as they want.
fn level(limit: u32, mut wants: Vec<u32>) -> u32 {
    wants.sort_unstable();
    let mut left = limit;
    let mut waiting = u32::try_from(wants.len()).unwrap_or(u32::MAX);
    for want in wants {
        let equal = left / waiting.max(1);
        if want > equal {
            return equal;
        }
        left -= want;
        waiting -= 1;
    }
    limit
}

/// Whose turn it is among `many`: 0 is first.
fn turn(place: usize, many: usize, now: Timestamp) -> usize {
    let term = i64::try_from(TERM.as_secs()).unwrap_or(60);
    let minute = usize::try_from(now.seconds().div_euclid(term)).unwrap_or(0);
    (place + minute) % many.max(1)
}

fn after(now: Timestamp, by: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const LIMIT: u32 = 15;
    const SECOND: i64 = 1_000_000;

    /// Who deals out, and what stations may be using.
    #[derive(Default)]
    struct Fleet {
        held: BTreeMap<u8, Held<u8>>,
        in_use: BTreeMap<u8, (u32, i64)>,
    }

    impl Fleet {
        /// A station asks; whether the answer reaches it is another matter.
        fn ask(&mut self, station: u8, want: u32, now: i64, arrives: bool) -> u32 {
            // Who asks has let go of what it had.
            self.in_use.remove(&station);
            let held: Vec<Held<u8>> = self.held.values().cloned().collect();
            let given = divide(LIMIT, &held, &station, want, Timestamp(now));
            assert!(given.rate <= want);
            if arrives && given.rate > 0 {
                self.in_use.insert(station, (given.rate, given.until.0));
            }
            let rate = given.rate;
            self.held.insert(station, given);
            rate
        }

        fn sum(&self, now: i64) -> u32 {
            self.in_use.values().filter(|(_, until)| *until > now).map(|(rate, _)| rate).sum()
        }

        /// Everybody uses what it has until it ends, and asks again then, for so many seconds.
        fn run(&mut self, stations: u8, want: u32, from: i64, seconds: i64) -> Vec<u32> {
            let mut sums = Vec::new();
            for second in 0..seconds {
                let now = from + second * SECOND;
                for station in 0..stations {
                    let ended = |held: &Held<u8>| held.until.0 <= now;
                    if self.held.get(&station).is_none_or(ended) {
                        self.ask(station, want, now, true);
                    }
                }
                sums.push(self.sum(now));
            }
            sums
        }
    }

    #[test]
    fn one_station_has_all_of_it_and_a_second_one_half_from_the_next_minute_on() {
        let mut fleet = Fleet::default();
        assert_eq!(fleet.ask(1, 15, 0, true), 15);
        assert_eq!(fleet.ask(2, 15, SECOND, true), 0);
        // It asks again meanwhile, for the first one may be done before its minute.
        assert_eq!(fleet.held[&2].until, Timestamp(3 * SECOND));
        assert_eq!(fleet.ask(2, 15, 56 * SECOND, true), 0);
        let first = fleet.ask(1, 15, 60 * SECOND, true);
        let second = fleet.ask(2, 15, 60 * SECOND, true);
        assert_eq!(first + second, 15);
        assert!(first.abs_diff(second) == 1, "{first} {second}");
    }

    #[test]
    fn what_one_does_not_want_goes_to_the_others() {
        let mut fleet = Fleet::default();
        fleet.ask(1, 2, 0, true);
        fleet.ask(2, 15, 0, true);
        assert_eq!((fleet.held[&1].rate, fleet.held[&2].rate), (2, 13));
    }

    #[test]
    fn five_stations_have_all_of_the_limit_between_them_from_the_first_second_on() {
        let sums = Fleet::default().run(5, 15, 0, 300);
        let all: u32 = sums.iter().sum();
        assert!(sums.iter().all(|sum| *sum <= LIMIT));
        assert!(f64::from(all) >= 0.95 * f64::from(LIMIT) * 300.0, "{all}");
        let mut fleet = Fleet::default();
        fleet.run(5, 15, 0, 200);
        assert!(fleet.held.values().all(|held| held.rate == 3), "{:?}", fleet.held);
    }

    #[test]
    fn what_a_station_lets_go_of_is_another_s_within_seconds() {
        let mut fleet = Fleet::default();
        fleet.ask(1, 15, 0, true);
        assert_eq!(fleet.ask(2, 15, SECOND, true), 0);
        assert_eq!(fleet.ask(1, 0, 3 * SECOND, true), 0);
        assert_eq!(fleet.ask(2, 15, fleet.held[&2].until.0, true), 15);
        assert_eq!(fleet.sum(6 * SECOND), 15);
    }

    #[test]
    fn what_a_station_vanished_with_is_dealt_out_again_when_it_ends() {
        let mut fleet = Fleet::default();
        fleet.run(5, 15, 0, 200);
        // The fifth never asks again, and its share is nobody's until it ends.
        let sums = fleet.run(4, 15, 200 * SECOND, 200);
        assert!(sums.iter().all(|sum| *sum <= LIMIT));
        assert_eq!(*sums.last().unwrap(), LIMIT);
    }

    #[test]
    fn more_stations_than_registrations_take_turns() {
        let mut fleet = Fleet::default();
        let mut had: BTreeMap<u8, u32> = BTreeMap::new();
        for minute in 0..40 {
            fleet.run(20, 15, minute * 60 * SECOND, 60);
            for (station, held) in &fleet.held {
                *had.entry(*station).or_default() += held.rate;
            }
        }
        assert!(had.len() == 20 && had.values().all(|sum| *sum > 0), "{had:?}");
    }

    proptest! {
        /// Whoever asks when, for how much, whether the answer arrives or not, and whoever
        /// vanishes: what may be in use never adds up to more than the limit.
        #[test]
        fn what_is_in_use_is_never_more_than_the_limit(
            asks in prop::collection::vec(
                (0_u8..8, 0_u32..40, 0_i64..90, any::<bool>()),
                1..200,
            ),
        ) {
            let (mut fleet, mut now) = (Fleet::default(), 0);
            for (station, want, pause, arrives) in asks {
                now += pause * SECOND;
                fleet.ask(station, want, now, arrives);
                prop_assert!(fleet.sum(now) <= LIMIT);
            }
        }

        /// Where all want something and ask again when theirs ends, nothing lies idle for long.
        #[test]
        fn nothing_lies_idle_for_long(
            wants in prop::collection::vec(1_u32..20, 1..12),
            start in 0_i64..1_000,
        ) {
            let mut fleet = Fleet::default();
            let stations = u8::try_from(wants.len()).unwrap();
            for second in 0..180 {
                let now = (start + second) * SECOND;
                for station in 0..stations {
                    if fleet.held.get(&station).is_none_or(|held| held.until.0 <= now) {
                        fleet.ask(station, wants[usize::from(station)], now, true);
                    }
                }
            }
            let wanted: u32 = wants.iter().sum();
            let sum = fleet.sum((start + 179) * SECOND);
            prop_assert!(sum >= LIMIT.min(wanted) - 1, "{} of {}", sum, wanted);
        }
    }
}
