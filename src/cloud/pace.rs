//! When a call may be made: a token bucket of capacity one for each action.
//!
//! [`Bucket`] is pure and holds the rule; [`Pace`] waits by it. A cloud counts calls in any
//! window of one second as *it* sees them, so the calls are spread evenly and a little more
//! slowly than the rate. When it throttles all the same, others use the same quota: the
//! rate is halved at once and comes back slowly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much more slowly than the rate calls are spread: 20 ms in each second by which calls
/// may come closer together on their way without one too many in any window of one second.
const MARGIN: f64 = 0.02;

/// How much of a late wake-up is caught up: timers have 1 ms, a busy machine some more. It
/// must lie well below the margin.
const CATCH_UP: Duration = Duration::from_millis(5);

/// What one throttling does to the rate, and the least that it is brought down to.
const SLOWER: f64 = 0.5;
const SLOWEST: f64 = 1.0 / 16.0;

/// Clouds count by the second: nothing is sent for as long after a throttling, and others
/// of the calls that were under way then do not slow the rate down further.
const PENALTY: Duration = Duration::from_secs(1);

/// Each time so long has passed without a throttling, a part of the whole rate comes back:
/// from a half to the whole in a minute.
const RECOVERY: Duration = Duration::from_secs(6);
const RECOVERED: f64 = 0.05;

/// While there is no rate it is looked again after this.
const STOPPED: Duration = Duration::from_millis(50);

/// The rule for one action. Times are on any clock that does not go back.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    rate: f64,
    share: f64,
    /// The newest call, and what counts as one.
    last: Option<Duration>,
    /// Nothing is called before.
    not_before: Duration,
    throttled_at: Option<Duration>,
    recovered_at: Duration,
}

impl Bucket {
    /// A bucket whose one token is there. `rate` is in calls a second.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            share: 1.0,
            last: None,
            not_before: Duration::ZERO,
            throttled_at: None,
            recovered_at: Duration::ZERO,
        }
    }

    /// Another rate from here on, in calls a second; 0 gives nobody a turn.
    ///
    /// Between two calls lies at least what the newer rate wants, so that no window of one second
    /// has more than the highest rate that was held within it.
    pub fn set_rate(&mut self, rate: f64, now: Duration) {
        if self.rate <= 0.0 {
            // Who had none begins with a pause: whoever had it before may be this station, which
            // was started anew.
            self.last = self.last.max(Some(now));
        }
        self.rate = rate;
    }

    /// Takes the token, or says when it will be there.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.recover(now);
        if self.rate <= 0.0 {
            return Err(now + STOPPED);
        }
        let behind = self.last.map_or(Duration::ZERO, |last| last + self.interval());
        let next = behind.max(self.not_before);
        if now < next {
            return Err(next);
        }
        self.last = Some(next.max(now.saturating_sub(CATCH_UP)));
        Ok(())
    }

    /// Calls a second at present.
    pub fn rate(&self) -> f64 {
        self.rate * self.share
    }

    /// The cloud throttled a call.
    pub fn throttled(&mut self, now: Duration) {
        self.recover(now);
        let again = self.throttled_at.is_some_and(|at| now < at + PENALTY);
        if !again {
            self.share = (self.share * SLOWER).max(SLOWEST);
            self.throttled_at = Some(now);
        }
        self.recovered_at = now;
        self.not_before = now + PENALTY;
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64((1.0 + MARGIN) / self.rate())
    }

    fn recover(&mut self, now: Duration) {
        while self.share < 1.0 && now >= self.recovered_at + RECOVERY {
            self.recovered_at += RECOVERY;
            self.share = (self.share + RECOVERED).min(1.0);
        }
    }
}

/// Lets calls of one client through, each action by a bucket of its own.
///
/// Who came first goes first, and a caller that is dropped while it waits takes no token.
#[derive(Debug)]
pub struct Pace {
    begun: Instant,
    lanes: BTreeMap<&'static str, Lane>,
}

#[derive(Debug)]
struct Lane {
    bucket: Mutex<Bucket>,
    // tokio's is fair: waiters get it in the order in which they came.
    queue: Arc<tokio::sync::Mutex<()>>,
}

impl Lane {
    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// A pace with a rate for each action.
    pub fn new(rates: &[(&'static str, f64)]) -> Self {
        let lane = |rate| Lane { bucket: Mutex::new(Bucket::new(rate)), queue: Arc::default() };
        let lanes = rates.iter().map(|(action, rate)| (*action, lane(*rate))).collect();
        Self { begun: Instant::now(), lanes }
    }

    /// Waits for the action's turn. An action without a rate has none to wait for.
    pub async fn turn(&self, action: &str) {
        let Some(lane) = self.lanes.get(action) else { return };
        let _first = lane.queue.lock().await;
        loop {
            // The bucket is asked anew: a throttling may have slowed it down meanwhile.
            let taken = lane.bucket().take(self.begun.elapsed());
            let Err(at) = taken else { return };
            tokio::time::sleep_until(self.begun + at).await;
        }
    }

    /// Another rate for this action from here on, in calls a second; 0 gives nobody a turn.
    pub fn set_rate(&self, action: &str, rate: f64) {
        if let Some(lane) = self.lanes.get(action) {
            lane.bucket().set_rate(rate, self.begun.elapsed());
        }
    }

    /// The cloud throttled a call of this action.
    pub fn throttled(&self, action: &str) {
        if let Some(lane) = self.lanes.get(action) {
            lane.bucket().throttled(self.begun.elapsed());
        }
    }

    /// Calls a second of this action at present.
    pub fn rate(&self, action: &str) -> Option<f64> {
        self.lanes.get(action).map(|lane| lane.bucket().rate())
    }
}

#[cfg(test)]
mod tests;
