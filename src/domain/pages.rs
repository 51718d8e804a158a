//! What the pages of a screen ask of the ledger and the machine, and what they are told. Plain data;
//! `app` gives the channels and answers.
//!
//! A screen numbers what it asks ([`Asked`]) and hears of it under the same number
//! ([`Answered`]), so that an answer that came too late is told from the one it waits for.

use std::time::Duration;

use super::clock::Timestamp;
use super::code::Code;
use super::device::Fault;
use super::ids::{ClientId, OperatorId, Serial, SlotName, WorkOrderId};
use super::local::Span;
use super::operators::{OperatorRow, Pin, Role};
use super::say::Say;
use super::state::{AttemptOutcome, RegistrationState, UnitState};
use super::story::{Outcomes, Stats, Uncertain, UnitStory};
use super::work_order::WorkOrderRow;

/// How a screen asks; it never blocks. `false` where nobody answers any more.
pub type AskSink = Box<dyn Fn(Asked) -> bool + Send>;

/// How answers reach the screen.
pub type AnswerSink = Box<dyn Fn(Answered) + Send + Sync>;

/// A question, or a person's act, under a number that the screen chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Comes back with the answer.
    pub number: u64,
    /// What is asked.
    pub question: Question,
}

/// The answer to [`Asked`].
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Of which question.
    pub number: u64,
    /// The answer, or why there is none.
    pub answer: Result<Answer, Fault>,
}

/// What a screen asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The figures around the line: header and footer. Ask it again every few seconds.
    Overview,
    /// One page of attempts.
    History(HistoryQuery),
    /// One unit's whole story.
    Unit(Serial),
    /// Counts and yield.
    Statistics(Period),
    /// The work orders that may be chosen, open ones first.
    WorkOrders,
    /// Everybody who is known.
    Operators,
    /// What waits for the cloud, and what went wrong there.
    Registrations,
    /// The checks that can be made beside a running line; takes seconds.
    Checks,
    /// A person's act.
    Act(Act),
}

/// What a screen is told; each variant answers the question of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The figures around the line.
    Overview(Box<Overview>),
    /// One page of attempts.
    History(HistoryPage),
    /// A unit's story; none where the ledger has never seen it.
    Unit(Option<Box<UnitStory>>),
    /// Counts and yield.
    Statistics(Box<Stats>),
    /// Work orders.
    WorkOrders(Vec<WorkOrderChoice>),
    /// Everybody who is known.
    Operators(Vec<OperatorRow>),
    /// What waits for the cloud.
    Registrations(Box<Registrations>),
    /// How the checks came out.
    Checks(Vec<CheckLine>),
    /// The act is done and in the journal.
    Done,
}

/// Green, amber or red; in this order, so that the worst of several is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Light {
    /// Nothing to do.
    Green,
    /// Someone should look at it.
    Amber,
    /// The line stands still, or soon will.
    Red,
}

/// Header and footer of the line view.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// When it was looked up.
    pub at: Timestamp,
    /// The work order, where there is one.
    pub work_order: Option<OrderProgress>,
    /// Several work orders are open, and none was chosen yet.
    pub must_choose: bool,
    /// How quickly units are made: of the work order, or of all where there is none; none where
    /// too few were made to say, or the line rests.
    pub pace: Option<Pace>,
    /// Of the units whose first attempt passed or failed, the share in which it passed: of
    /// the work order, or of today where there is none.
    pub first_pass_yield: Option<f64>,
    /// What ended in this shift, or on this day where there are no shifts.
    pub counted: Counted,
    /// Units that passed in each of the last hours by the factory's clock, the present one last.
    pub passed_by_hour: Vec<u32>,
    /// The units of which only their own devices can tell what they hold. One that a slot is
    /// at work on can be among them.
    pub uncertain: Uncertain,
    /// Registrations that wait for the cloud.
    pub backlog: u64,
    /// When the cloud was last called.
    pub last_sync: Option<Timestamp>,
    /// Whether the backlog and the age of the last sync need somebody.
    pub sync: Light,
    /// Bytes free for the ledger.
    pub disk_free: u64,
    /// Whether they suffice.
    pub disk: Light,
    /// Why the clock can't be right, where it can't.
    pub clock: Result<(), Fault>,
    /// The end of the CA's validity.
    pub authority_not_after: Timestamp,
    /// Until when it can issue what the product's profile asks for.
    pub issues_until: Timestamp,
    /// Whether a new CA is due.
    pub authority: Light,
    /// Who works at the line.
    pub operator: Option<SignedInPerson>,
    /// Whether anybody is known, so that somebody should be signed in.
    pub people_known: bool,
}

impl Overview {
    /// How long the rest of the work order takes at the present pace.
    pub fn time_to_finish(&self) -> Option<Duration> {
        let order = self.work_order.as_ref()?;
        let pace = self.pace.map(|pace| pace.units_an_hour).filter(|pace| *pace > 0.0)?;
        let left = order.quantity.saturating_sub(order.proven);
        Duration::try_from_secs_f64(f64::from(left) / pace * 3600.0).ok()
    }
}

/// How quickly units are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Units that pass in an hour of work.
    pub units_an_hour: f64,
    /// The time of work, of the last hour, that it is of.
    pub over: Duration,
}

/// Attempts that were counted over a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The shift's name; none where a day is counted.
    pub shift: Option<String>,
    /// From when on.
    pub from: Timestamp,
    /// How they ended.
    pub attempts: Outcomes,
}

/// How far a work order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderProgress {
    /// Which.
    pub id: WorkOrderId,
    /// How many distinct units it wants.
    pub quantity: u32,
    /// Distinct units that are proven.
    pub proven: u32,
    /// Distinct units that are uncertain or under way.
    pub under_way: u32,
}

impl OrderProgress {
    /// Whether every unit that it wants is proven.
    pub const fn is_complete(&self) -> bool {
        self.proven >= self.quantity
    }
}

/// Who works at the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInPerson {
    /// The id in the journal.
    pub id: OperatorId,
    /// The name, where one is known.
    pub name: Option<String>,
    /// What they may do; none where nobody is known to the ledger.
    pub role: Option<Role>,
}

/// A light over room on the disk: red where no unit begins any more, amber where that is
/// near.
pub fn disk_light(free: u64, reserve: u64) -> Light {
    match free {
        free if free < reserve => Light::Red,
        free if free < reserve.saturating_mul(4) => Light::Amber,
        _ => Light::Green,
    }
}

/// A light over the CA: amber for the last 90 days in which it can issue.
pub fn authority_light(issues_until: Timestamp, now: Timestamp) -> Light {
    const NOTICE: i64 = 90 * 24 * 3600 * 1_000_000;
    match issues_until.0.saturating_sub(now.0) {
        left if left <= 0 => Light::Red,
        left if left < NOTICE => Light::Amber,
        _ => Light::Green,
    }
}

/// Which attempts are listed, and from where on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryQuery {
    /// The beginning, or all, of a serial, client id, certificate serial number,
    /// fingerprint or hardware id; empty for all.
    pub text: String,
    /// Only those that ended so.
    pub outcome: Option<AttemptOutcome>,
    /// Only those of this slot.
    pub slot: Option<SlotName>,
    /// Only those with this code.
    pub code: Option<Code>,
    /// Only those that began in this time.
    pub within: Option<Span>,
    /// Behind this attempt; none for the first page.
    pub after: Option<HistoryKey>,
    /// At most so many.
    pub limit: u32,
}

/// Where a page ends, and the next goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryKey {
    /// When the attempt began.
    pub started_at: Timestamp,
    /// Its unit.
    pub serial: Serial,
    /// Its number.
    pub attempt: u32,
}

/// One page of attempts: without a search the newest first, with one by serial.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryPage {
    /// The attempts.
    pub lines: Vec<HistoryLine>,
    /// Where the next page begins, where there is more. A page may have fewer lines than
    /// asked for, or none, and still be followed by one: a search looks at so many rows a
    /// page and no more.
    pub next: Option<HistoryKey>,
    /// More units match than were looked at: the text should be longer.
    pub too_many: bool,
}

/// One attempt in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// The unit.
    pub serial: Serial,
    /// The attempt's number.
    pub attempt: u32,
    /// Where the unit stands now.
    pub state: UnitState,
    /// Where it happened.
    pub slot: SlotName,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What was wrong, unless it passed; a word of an older program where this one does
    /// not know it.
    pub code: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who worked at the line.
    pub operator: Option<OperatorId>,
}

impl HistoryLine {
    /// Where this line stands in the order of pages.
    pub fn key(&self) -> HistoryKey {
        let (serial, attempt) = (self.serial.clone(), self.attempt);
        HistoryKey { started_at: self.started_at, serial, attempt }
    }
}

/// Over what time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// Everything.
    All,
    /// One day of the factory's, counted from 1970-01-01.
    Day(i64),
}

/// A work order to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkOrderChoice {
    /// It.
    pub row: WorkOrderRow,
    /// Whether the product profile is the one that it was made or last accepted under.
    pub profile_holds: bool,
}

/// What waits for the cloud, and what went wrong there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registrations {
    /// How many certificates stand in each state of a registration.
    pub counts: Vec<(RegistrationState, u64)>,
    /// Those that need somebody, the newest first; not all where there are many.
    pub troubles: Vec<RegistrationTrouble>,
    /// When the cloud was last called.
    pub last_sync: Option<Timestamp>,
    /// The sync that was started at this screen.
    pub run: SyncRun,
}

/// The sync that was started at this screen and runs, or ran last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncRun {
    /// Whether it runs.
    pub running: bool,
    /// Certificates that are as they should be.
    pub done: u64,
    /// Certificates that are not.
    pub failed: u64,
    /// How it ended, or why it did not begin.
    pub ended: Option<Result<(), Fault>>,
}

/// A registration that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationTrouble {
    /// The unit.
    pub serial: Serial,
    /// Its client id.
    pub client_id: ClientId,
    /// Where the registration stands.
    pub state: RegistrationState,
    /// Calls so far.
    pub tries: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// One check before the shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// The check's name.
    pub check: String,
    /// How it came out.
    pub light: Light,
    /// What was found.
    pub detail: Say,
    /// What is wrong, where something is.
    pub code: Option<Code>,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How grave: "ERROR", "WARN", "INFO", …
    pub level: &'static str,
    /// What, untrusted.
    pub text: String,
}

/// What a person does at the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Somebody works at the line from here on. The text of a badge without its prefix, an
    /// id, or a name.
    SignIn(String),
    /// Nobody does.
    SignOut,
    /// Whether this supervisor and PIN hold; changes nothing.
    Unlock(Approval),
    /// Allows a proven unit to be burned again.
    Rework {
        /// The unit.
        serial: Serial,
        /// It gets another device.
        new_device: bool,
        /// Why.
        reason: String,
        /// Who approves.
        approval: Approval,
    },
    /// Voids a unit's certificate, for good.
    Void {
        /// The unit.
        serial: Serial,
        /// Why.
        reason: String,
        /// Who approves.
        approval: Approval,
    },
    /// Scraps a unit.
    Scrap {
        /// The unit.
        serial: Serial,
        /// Why.
        reason: String,
        /// Who approves.
        approval: Approval,
    },
    /// Accepts the clock although it disagrees with the journal.
    AcceptClock {
        /// Why.
        reason: String,
        /// Who approves.
        approval: Approval,
    },
    /// Accepts the changed product profile for a work order.
    AcceptProfile {
        /// The work order.
        work_order: WorkOrderId,
        /// Why.
        reason: String,
        /// Who approves.
        approval: Approval,
    },
    /// This work order is made from here on.
    ChooseWorkOrder(WorkOrderId),
    /// Starts a sync with the cloud.
    StartSync,
    /// Stops the one that runs.
    StopSync,
    /// Closes a work order.
    CloseWorkOrder {
        /// The work order.
        work_order: WorkOrderId,
        /// Who approves.
        approval: Approval,
    },
}

/// Who approves an act.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approval {
    /// The person; none only where no supervisor is known.
    pub by: Option<OperatorId>,
    /// Their PIN.
    pub pin: Option<Pin>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lights_turn_amber_before_they_turn_red() {
        assert_eq!(disk_light(99, 100), Light::Red);
        assert_eq!(disk_light(100, 100), Light::Amber);
        assert_eq!(disk_light(400, 100), Light::Green);
        let day = 24 * 3600 * 1_000_000;
        let light = |days: i64| authority_light(Timestamp(days * day), Timestamp(0));
        assert_eq!([light(0), light(89), light(90)], [Light::Red, Light::Amber, Light::Green]);
        assert_eq!(authority_light(Timestamp::NO_EXPIRY, Timestamp(0)), Light::Green);
    }

    fn overview(order: Option<OrderProgress>, pace: Option<f64>) -> Overview {
        Overview {
            at: Timestamp(0),
            work_order: order,
            must_choose: false,
            pace: pace.map(|units_an_hour| Pace { units_an_hour, over: Duration::from_secs(60) }),
            first_pass_yield: None,
            counted: Counted { shift: None, from: Timestamp(0), attempts: Outcomes::default() },
            passed_by_hour: Vec::new(),
            uncertain: Uncertain::default(),
            backlog: 0,
            last_sync: None,
            sync: Light::Green,
            disk_free: 0,
            disk: Light::Red,
            clock: Ok(()),
            authority_not_after: Timestamp(0),
            issues_until: Timestamp(0),
            authority: Light::Red,
            operator: None,
            people_known: false,
        }
    }

    #[test]
    fn what_is_left_of_a_work_order_takes_as_long_as_the_pace_says() {
        let id = "WO-1".parse().unwrap();
        let order = OrderProgress { id, quantity: 100, proven: 40, under_way: 2 };
        let at = |pace| overview(Some(order.clone()), pace).time_to_finish();
        assert_eq!(at(Some(120.0)), Some(Duration::from_secs(1800)));
        assert_eq!(at(None), None);
        assert_eq!(at(Some(0.0)), None);
        assert_eq!(overview(None, Some(120.0)).time_to_finish(), None);
    }
}
