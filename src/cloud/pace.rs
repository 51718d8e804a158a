//! When a call may be made: a token bucket of capacity one for each action.
//!
//! [`Bucket`] is pure and holds the rule; [`Pace`] waits by it. A cloud counts calls in any
//! window of one second as *it* sees them, so the calls are spread evenly and a little more
//! slowly than the rate. A call that had its turn may be sent much later: it waits for its
//! connection, or the machine is busy with something else. So a call counts until a second after it
//! was *sent*, and not after its turn. When the cloud throttles all the same, others use the same
//! quota: the rate is halved at once and comes back slowly.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much more slowly than the rate calls are spread: 20 ms in each second by which calls
/// may come closer together on their way without one too many in any window of one second.
const MARGIN: f64 = 0.02;

/// How much of a late wake-up is caught up: timers have 1 ms, a busy machine some more. It
/// must lie well below the margin.
const CATCH_UP: Duration = Duration::from_millis(5);

/// So long a call counts after it was sent: the second of the cloud, and what the ways of two calls
/// may differ by. It lies within the margin, so that calls that are sent at their turn never wait
/// for it.
const COUNTS: Duration = Duration::from_millis(1_010);

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

/// While there is no rate, or nobody knows when calls will be sent, it is looked again after this.
const STOPPED: Duration = Duration::from_millis(50);

/// The rule for one action. Times are on any clock that does not go back.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    rate: f64,
    share: f64,
    /// When the rate ends, unless another is set before.
    until: Duration,
    /// The newest turn, and what counts as one.
    last: Option<Duration>,
    /// Calls that had their turn and were not sent yet.
    unsent: usize,
    /// When calls were sent that count still, the oldest first.
    sent: VecDeque<Duration>,
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
            until: Duration::MAX,
            last: None,
            unsent: 0,
            sent: VecDeque::new(),
            not_before: Duration::ZERO,
            throttled_at: None,
            recovered_at: Duration::ZERO,
        }
    }

    /// Another rate from here on until then, in calls a second; 0 gives nobody a turn.
    ///
    /// Between two calls lies at least what the newer rate wants, so that no window of one second
    /// has more than the highest rate that was held within it.
    pub fn set_rate(&mut self, rate: f64, until: Duration, now: Duration) {
        if self.is_stopped(now) {
            // Who had none begins with a pause: whoever had it before may be this station, which
            // was started anew.
            self.last = self.last.max(Some(now));
        }
        (self.rate, self.until) = (rate, until);
    }

    /// Takes the token, or says when it will be there. [`Self::sent`] must follow.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.recover(now);
        if self.is_stopped(now) {
            return Err(now + STOPPED);
        }
        let behind = self.last.map_or(Duration::ZERO, |last| last + self.interval());
        let next = behind.max(self.not_before);
        if now < next {
            return Err(next);
        }
        if let Some(free) = self.crowded_until(now) {
            return Err(free);
        }
        self.last = Some(next.max(now.saturating_sub(CATCH_UP)));
        self.unsent += 1;
        Ok(())
    }

    /// A call that had its turn is on its way, or will never be.
    pub fn sent(&mut self, now: Duration) {
        self.unsent = self.unsent.saturating_sub(1);
        self.sent.push_back(now);
    }

    fn is_stopped(&self, now: Duration) -> bool {
        self.rate <= 0.0 || now >= self.until
    }

    /// Where as many calls as may be made in a second still count: when to look again.
    fn crowded_until(&mut self, now: Duration) -> Option<Duration> {
        while self.sent.front().is_some_and(|sent| *sent + COUNTS <= now) {
            self.sent.pop_front();
        }
        let beyond = (self.unsent + self.sent.len() + 1).checked_sub(self.most_in_a_second())?;
        // Those that are unsent may be so for long; those that were sent cease to count in turn.
        match beyond.checked_sub(1)? {
            at if at < self.sent.len() => Some(self.sent[at] + COUNTS),
            _ => Some(now + STOPPED),
        }
    }

    fn most_in_a_second(&self) -> usize {
        // A rate is a small number, and what is no whole call a second is one in longer.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as said")]
        let whole = self.rate().floor().max(1.0) as usize;
        whole
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
    lanes: BTreeMap<&'static str, Arc<Lane>>,
}

#[derive(Debug)]
struct Lane {
    bucket: Mutex<Bucket>,
    // tokio's is fair: waiters get it in the order in which they came.
    queue: tokio::sync::Mutex<()>,
}

impl Lane {
    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody's turn. It counts as a call until it was sent, and for a second more; one that is
/// dropped counts as sent, for nobody knows.
#[derive(Debug)]
pub struct Turn {
    begun: Instant,
    lane: Option<Arc<Lane>>,
}

impl Turn {
    /// The call leaves now.
    pub fn sent(&mut self) {
        if let Some(lane) = self.lane.take() {
            lane.bucket().sent(self.begun.elapsed());
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.sent();
    }
}

impl Pace {
    /// A pace with a rate for each action.
    pub fn new(rates: &[(&'static str, f64)]) -> Self {
        let lane = |rate| Lane { bucket: Mutex::new(Bucket::new(rate)), queue: Default::default() };
        let lanes = rates.iter().map(|(action, rate)| (*action, Arc::new(lane(*rate)))).collect();
        Self { begun: Instant::now(), lanes }
    }

    /// Waits for the action's turn. An action without a rate has none to wait for.
    pub async fn turn(&self, action: &str) -> Turn {
        let begun = self.begun;
        let Some(lane) = self.lanes.get(action) else { return Turn { begun, lane: None } };
        let _first = lane.queue.lock().await;
        loop {
            // The bucket is asked anew: a throttling may have slowed it down meanwhile.
            let taken = lane.bucket().take(begun.elapsed());
            let Err(at) = taken else { return Turn { begun, lane: Some(Arc::clone(lane)) } };
            tokio::time::sleep_until(begun + at).await;
        }
    }

    /// Another rate for this action from here on until then, in calls a second; 0 gives nobody a
    /// turn. A process that slept beyond that time finds its rate ended, whatever it does first.
    pub fn set_rate(&self, action: &str, rate: f64, until: Option<Instant>) {
        if let Some(lane) = self.lanes.get(action) {
            let until = until.map_or(Duration::MAX, |until| until.duration_since(self.begun));
            lane.bucket().set_rate(rate, until, self.begun.elapsed());
        }
    }

    /// Calls of this action that had their turn and were not sent yet.
    pub fn unsent(&self, action: &str) -> usize {
        self.lanes.get(action).map_or(0, |lane| lane.bucket().unsent)
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
