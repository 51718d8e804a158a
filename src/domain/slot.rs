//! What a slot shows from afar: the newest attempt there, as the ledger knows it.

use std::time::Duration;

use super::clock::Timestamp;
use super::ids::{Serial, SlotName};
use super::state::AttemptOutcome;

/// What a slot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotShows {
    /// Nothing was ever done there, or not for long.
    Nothing,
    /// A unit is under way.
    Busy,
    /// The last one passed.
    Pass,
    /// The last one failed.
    Fail,
    /// The last one was cut off.
    CutOff,
    /// The last one's device may hold its certificate, and only that device can tell.
    Hold,
}

impl SlotShows {
    /// Everything.
    pub const ALL: &[SlotShows] = &[
        SlotShows::Nothing,
        SlotShows::Busy,
        SlotShows::Pass,
        SlotShows::Fail,
        SlotShows::CutOff,
        SlotShows::Hold,
    ];

    /// Its name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            SlotShows::Nothing => "idle",
            SlotShows::Busy => "busy",
            SlotShows::Pass => "pass",
            SlotShows::Fail => "fail",
            SlotShows::CutOff => "interrupted",
            SlotShows::Hold => "hold",
        }
    }
}

/// The newest attempt of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// Where.
    pub slot: SlotName,
    /// Which unit.
    pub serial: Serial,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How.
    pub outcome: AttemptOutcome,
    /// What was wrong, unless it passed.
    pub code: Option<String>,
    /// Whether its commit was asked and nothing is proven yet.
    pub uncertain: bool,
}

impl Newest {
    /// What its slot shows. An attempt without an end is under way while a line runs and a unit
    /// may take so long; after that its unit is on HOLD, or was cut off before anything was
    /// burned.
    pub fn shows(&self, line_runs: bool, unit_deadline: Duration, now: Timestamp) -> SlotShows {
        let took = now.milliseconds_since(self.started_at).max(0).unsigned_abs();
        let in_time = u128::from(took) <= unit_deadline.as_millis();
        match self.outcome {
            AttemptOutcome::Pass => SlotShows::Pass,
            AttemptOutcome::Fail => SlotShows::Fail,
            AttemptOutcome::Running if line_runs && in_time => SlotShows::Busy,
            AttemptOutcome::Running if self.uncertain => SlotShows::Hold,
            AttemptOutcome::Running | AttemptOutcome::Interrupted => SlotShows::CutOff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_without_an_end_is_busy_while_it_can_be() {
        let newest = |uncertain| Newest {
            slot: "A".parse().unwrap(),
            serial: "S1".parse().unwrap(),
            started_at: Timestamp(0),
            ended_at: None,
            outcome: AttemptOutcome::Running,
            code: None,
            uncertain,
        };
        let shows = |uncertain, runs, seconds: i64| {
            newest(uncertain).shows(runs, Duration::from_secs(120), Timestamp(seconds * 1_000_000))
        };
        assert_eq!(shows(true, true, 100), SlotShows::Busy);
        assert_eq!(shows(true, true, 121), SlotShows::Hold);
        assert_eq!(shows(true, false, 1), SlotShows::Hold);
        assert_eq!(shows(false, false, 1), SlotShows::CutOff);
    }
}
