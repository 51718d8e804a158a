//! Shares of a cloud's rate, where several stations register in one instance.
//!
//! The cloud refuses more than so many registrations a second, whoever sends them. So a
//! station asks somebody who knows all of them ([`Shares`]) for a share, and asks again every
//! second for as long as it has work; who has none lets go of what it had. [`divide`] is how
//! who is asked deals the rate out: whatever is lost or late on the way, and whoever vanishes with
//! a share, what may be in use never adds up to more than the limit.
//!
//! What a station may use is every answer that may be in its hands: it goes on with what it has
//! until the next answer comes, and says with its next question which one that was. A share
//! that ended is free little by little, for the cloud counts by the second: a station sends evenly, so
//! half a second later no more than half of what it had counts still.
//!
//! Shares are whole registrations a second: a half share of many stations can be one call each
//! within the same second.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::device::Fault;
use super::registration::CloudInstance;

/// So long a share holds, unless its station asks again. One that vanishes keeps it from others
/// for no longer.
pub const TERM: Duration = Duration::from_secs(4);

/// After so long a station asks again: others may have come, or let go of theirs. It is less than
/// [`SETTLES`], so that all hear of what will be free before it is.
const AGAIN: Duration = Duration::from_secs(1);

/// The same for one that got less than its part: others are about to hear that theirs is smaller.
const SHORT: Duration = Duration::from_millis(500);

/// So long a station waits before it asks again, at least.
pub const SOONEST: Duration = Duration::from_millis(50);

/// What a station sent may be so long on its way.
const WAY: Duration = Duration::from_millis(100);

/// What the cloud counts by.
const SECOND: Duration = Duration::from_secs(1);

/// So long until nothing that a station had counts any more.
const SETTLES: Duration = WAY.saturating_add(SECOND);

/// What does not go into equal parts goes round, so long to each.
const ROUND: Duration = Duration::from_secs(60);

/// A share of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Registrations a second; none means that others have all of it at present.
    pub rate_per_second: u32,
    /// Which answer this is, to be said with the next question.
    pub number: i64,
    /// How long it holds from the moment it was asked for: clocks differ, lengths of time do not.
    pub lasts: Duration,
    /// After how long the station asks again.
    pub again: Duration,
}

/// A share that will come.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Share, Fault>> + Send + 'a>>;

/// Who deals a cloud's rate out.
pub trait Shares: fmt::Debug + Send + Sync {
    /// Asks for a share. What the station had before holds until the answer is there or it ends.
    fn ask(&self, question: Question) -> Asked<'_>;
}

/// What a station asks a fleet, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The cloud's instance.
    pub instance: CloudInstance,
    /// Registrations a second that it could use; none lets go of what it had.
    pub want: u32,
    /// The number of the newest answer that reached it: it uses none before that.
    #[serde(default)]
    pub has: Option<i64>,
}

/// What a fleet answers, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Registrations a second.
    pub rate_per_second: u32,
    /// Until when, RFC 3339, by the database's clock: for people.
    pub until: String,
    /// Which answer this is.
    pub number: i64,
    /// How long from the moment it was asked for.
    pub lasts_ms: u64,
    /// After how long the station asks again.
    pub again_ms: u64,
}

impl From<Answer> for Share {
    fn from(answer: Answer) -> Self {
        // A fleet that errs does not keep a station from asking again.
        let within = |ms| Duration::from_millis(ms).clamp(SOONEST, TERM);
        Share {
            rate_per_second: answer.rate_per_second,
            number: answer.number,
            lasts: within(answer.lasts_ms),
            again: within(answer.again_ms),
        }
    }
}

/// One answer that a station was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Registrations a second, perhaps none.
    pub rate: u32,
    /// Until when it may use them. No two of a station's answers have the same, which is how
    /// they are told from each other.
    pub until: Timestamp,
}

/// What a station was given in a cloud, as who deals it out remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<K> {
    /// The station.
    pub station: K,
    /// What it asked for.
    pub want: u32,
    /// The newest answer.
    pub newest: Given,
    /// Those before of which one may be in use.
    pub earlier: Vec<Given>,
}

impl<K> Held<K> {
    fn given(&self) -> impl Iterator<Item = Given> {
        self.earlier.iter().copied().chain([self.newest])
    }

    /// What it makes at most within the second that ends now, or within any that follows: of what
    /// it let go of, the part of that second in which it had it, and one more, since calls are whole.
    fn in_use(&self, now: Timestamp) -> u32 {
        let mut given: Vec<Given> = self.given().filter(|given| given.settled() > now).collect();
        given.sort_unstable_by_key(|given| std::cmp::Reverse(given.until));
        let begin = Timestamp(now.0.saturating_sub(micros(SECOND)));
        let (mut behind, mut rate, mut sum) = (now, 0, 0_i64);
        // Back through that second: a rate holds for as long as any that was given may.
        for given in given {
            let end = after(given.until, WAY).min(behind);
            sum = sum.saturating_add(i64::from(rate) * (behind.0 - end.0));
            (behind, rate) = (end, given.rate.max(rate));
        }
        sum = sum.saturating_add(i64::from(rate) * (behind.0 - begin.0));
        let whole = u32::try_from(sum / micros(SECOND)).unwrap_or(u32::MAX);
        rate.min(whole.saturating_add(1))
    }

    /// Whether it is among those that want a part.
    fn waits(&self, now: Timestamp) -> bool {
        self.want > 0 && self.newest.until > now
    }

    /// What may still be in use of it when it asks for so much, and has this answer in its hands.
    fn left(&self, want: u32, has: Option<i64>, now: Timestamp) -> Vec<Given> {
        let mut left: Vec<Given> = self.given().collect();
        // Whoever has the newest answer uses none before; who has another may yet get it.
        let is_newest = has == Some(self.newest.until.0);
        for given in &mut left {
            if is_newest && (want == 0 || *given != self.newest) {
                given.until = given.until.min(now);
            }
        }
        left.retain(|given| given.settled() > now);
        left
    }
}

impl Given {
    /// What was remembered. A clock that went back since makes no share longer.
    pub fn read(rate: u32, until: Timestamp, now: Timestamp) -> Self {
        Self { rate, until: until.min(after(now, TERM)) }
    }

    /// From when on it is nobody's.
    fn settled(self) -> Timestamp {
        after(self.until, SETTLES)
    }
}

/// What is to be remembered of a station in place of what it had, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dealt<K> {
    /// What it has now; the newest that it was given is the answer.
    pub held: Held<K>,
    /// After how long it asks again.
    pub again: Duration,
}

/// What a station is given that asks for so much, and has this answer in its hands.
///
/// Each gets an equal part of the limit, and what one does not want goes to the others; but
/// never more than others certainly let go of. Where there are more stations than registrations a
/// second, they take turns by the minute.
pub fn divide<K: Ord + Clone>(
    limit: u32,
    all: &[Held<K>],
    station: &K,
    (want, has): (u32, Option<i64>),
    now: Timestamp,
) -> Dealt<K> {
    let (own, others): (Vec<&Held<K>>, Vec<&Held<K>>) =
        all.iter().partition(|held| held.station == *station);
    let own = own.first();
    let taken = others.iter().map(|other| other.in_use(now)).fold(0, u32::saturating_add);
    let waiting: Vec<&Held<K>> = others.iter().copied().filter(|other| other.waits(now)).collect();
    let part = part(limit, &waiting, station, want, now);
    let rate = part.min(limit.saturating_sub(taken));
    let behind = own.map_or(0, |own| own.newest.until.0.saturating_add(1));
    let newest = Given { rate, until: after(now, TERM).max(Timestamp(behind)) };
    let mut earlier = own.map(|own| own.left(want, has, now)).unwrap_or_default();
    // What the newest answer covers says nothing more.
    earlier.retain(|earlier| earlier.rate > rate);
    let again = match own {
        // What it has less now is others' as soon as it says that it heard.
        Some(own) if own.newest.rate > rate && own.newest.until > now => SOONEST,
        _ if rate < part => until_more_is_free(limit, rate, &others, now),
        _ => AGAIN,
    };
    Dealt { held: Held { station: station.clone(), want, newest, earlier }, again }
}

/// How long until more than this is free of what others have and had.
fn until_more_is_free<K>(limit: u32, rate: u32, others: &[&Held<K>], now: Timestamp) -> Duration {
    let taken = |at| others.iter().map(|other| other.in_use(at)).fold(0, u32::saturating_add);
    let later = |step| SOONEST.saturating_mul(step).min(SHORT);
    let steps = (1..).map(later).take_while(|wait| *wait < SHORT);
    let mut enough = steps.filter(|wait| limit.saturating_sub(taken(after(now, *wait))) > rate);
    enough.next().unwrap_or(SHORT)
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
    let round = i64::try_from(ROUND.as_secs()).unwrap_or(60);
    let rounds = usize::try_from(now.seconds().div_euclid(round)).unwrap_or(0);
    (place + rounds) % many.max(1)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn after(now: Timestamp, by: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(micros(by)))
}

#[cfg(test)]
mod tests;
