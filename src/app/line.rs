//! Starts a line: locks, opens, checks and records what a session runs under.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::{self, Config};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::event::{Binding, CommandSink, Event, EventSink};
use crate::domain::ids::{OperatorId, WorkOrderId, to_hex};
use crate::domain::record::{AuthoritySeen, Gap, LineStarted, Record};
use crate::domain::story::Uncertain;
use crate::engine::{Line, LineSettings, Lot, Shared, SignedIn};
use crate::ledger::{Ledger, Reader, Work, WorkLock};
use crate::pki::{Authority, Verifier};
use crate::say;
use crate::shell::Failure;
use crate::vault::{self, Vault};

use super::backups::{BackupThread, Told};
use super::clock::SystemClock;
use super::fleet::PushThread;
use super::label::{self, Desk, Eye, LabelLine, Surroundings};
use super::{aside, cloud_checks, from_config};

/// How long a line whose labels wait goes without any of its ports, where none of them comes
/// with its device: longer than a fixture or a simulator takes to change devices.
const PORT_GRACE: Duration = Duration::from_secs(3);

/// Uncertain units that are named when a line has ended; the others are counted.
const LEFT: u32 = 10;

/// Who works on what.
#[derive(Clone, Default)]
pub struct Session {
    /// The lot, where one is named.
    pub work_order: Option<WorkOrderId>,
    /// The person, where one is named.
    pub operator: Option<OperatorId>,
    /// The labels are all there already, so devices must be too: a line none of whose
    /// ports appears does not wait for them, unless they come with their devices.
    pub labels_are_ready: bool,
    /// Which slot a label is meant for, where it is not left to station.toml and the warning
    /// that goes with it.
    pub binding: Option<Binding>,
    /// Whoever is at the line can choose among several open work orders.
    pub may_choose: bool,
    /// Nothing that is made leaves for a real cloud, so nobody is warned that it might not be
    /// accepted there.
    pub is_practice: bool,
    /// Reads each label as it is printed, where a demo has its own hands.
    pub eye: Option<Eye>,
}

/// A line that is running, with what must live as long as it.
pub struct RunningLine {
    /// The line.
    pub line: Line,
    /// How many slots it has.
    pub slots: usize,
    /// The work order that it makes.
    pub lot: Arc<Lot>,
    /// Who works at it.
    pub signed_in: Arc<SignedIn>,
    labels: Option<LabelLine>,
    ledger: Ledger,
    backups: BackupThread,
    fleet: Option<PushThread>,
    _lock: WorkLock,
}

impl RunningLine {
    /// How a front end reaches the line, and what stands in between: a scan of a label that
    /// waits to be scanned back begins no unit.
    pub fn commands(&self) -> CommandSink {
        let commands = self.line.commands();
        match &self.labels {
            Some(labels) => labels.watching(commands),
            None => commands,
        }
    }

    /// The line's ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The units that are left of which nobody knows what their devices hold: once the line
    /// has ended, each of them is to be kept. None where the ledger can't be read any more,
    /// which is told elsewhere.
    pub fn left_uncertain(&self) -> Uncertain {
        let reader = self.ledger.reader().ok();
        reader.and_then(|reader| reader.uncertain(LEFT).ok()).unwrap_or_default()
    }

    /// Waits until the line has ended and everything is written.
    pub fn join(self) -> Result<(), Failure> {
        let ended = self.line.join();
        drop(self.fleet);
        drop(self.labels);
        drop(self.backups);
        drop(self.ledger);
        Ok(ended?)
    }
}

/// Starts a line over what station.toml names. A ledger that is found damaged is set aside.
pub fn start(config: &Config, session: Session, events: EventSink) -> Result<RunningLine, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let now = clock.now().wall;
    start_by(config, session, events, clock)
        .map_err(|failure| aside::told(&config.station.data_dir, failure, now))
}

fn start_by(
    config: &Config,
    session: Session,
    events: EventSink,
    clock: Arc<dyn Clock>,
) -> Result<RunningLine, Failure> {
    vault::harden_process()?;
    let now = clock.now().wall;
    let authority = from_config::authority(config)?;
    let profile = from_config::profile(config)?;
    authority.check_profile(&profile, now)?;
    let broker = from_config::broker_settings(config)?;
    let witness = from_config::witness(config, &authority)?;
    let (ledger, journal_key) = from_config::open_ledger(config, &clock)?;
    let lock = WorkLock::take(&config.station.data_dir, Work::Line)?;
    let reader = ledger.reader()?;
    reader.check_if_small()?;
    let own = vec![authority.certificate_der().to_vec()];
    let certified = from_config::certified_keys(&reader, &own, &config.station.id)?;
    ledger.check_vouched(&certified, &Verifier)?;
    closed_by_a_gap(&reader)?;
    reader.clock_check(now, config.station.max_clock_gap)?;
    let jumped = clock_remark(reader.newest_wall()?, now);
    let found = from_config::work_order(config, &reader, session.work_order.as_ref());
    let (work_order, must_choose) = match found {
        Err(failure) if session.may_choose && failure.code == Code::WorkOrderAmbiguous => {
            (None, true)
        }
        found => (found?, false),
    };
    let rule = from_config::label_rule(config, work_order.as_ref())?;
    let slots = from_config::slots(config);
    let vault = Vault::new(slots.len())?;
    let journal = authority.certify_journal_key(&journal_key, &config.station.id, now)?;
    let begun = LineStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: config.digest,
        authority: authority.fingerprint(),
        work_order: work_order.as_ref().map(|order| order.id.clone()),
        operator: session.operator.clone(),
        journal_certificate: Some(to_hex(&journal)),
    };
    record_session(&ledger, &authority, begun)?;
    let signed_in = Arc::new(SignedIn::of(session.operator));
    let lot = Arc::new(Lot::of(work_order.map(|order| order.id)));
    let shared = Shared {
        authority,
        product: config.product.name.clone(),
        profile,
        vault,
        writer: ledger.writer(),
        inquiries: ledger.inquiries()?,
        clock: Arc::clone(&clock),
        policy: from_config::policy(config),
        key_format: from_config::key_format(&config.product),
        broker,
        witness,
        lot: Arc::clone(&lot),
        signed_in: Arc::clone(&signed_in),
        uid: rustix::process::getuid().as_raw(),
        unit_deadline: config.station.unit_deadline,
    };
    let count = slots.len();
    let any = (config.scanner.binding == Some(config::Binding::Any)).then_some(Binding::Any);
    let settings = LineSettings {
        slots,
        scan: config.scanner.rules.clone(),
        rule,
        device_wait: config.station.device_wait,
        binding: session.binding.or(any),
        must_choose,
        port_grace: session.labels_are_ready.then_some(PORT_GRACE),
    };
    let events = Arc::new(Mutex::new(events));
    let unsure = (!session.is_practice).then(|| cloud_checks::first_article(config)).flatten();
    let labels = labels(config, &ledger, &signed_in, &events, session.eye)?;
    let hearing = match &labels {
        Some(labels) => labels.hearing(sink(&events)),
        None => sink(&events),
    };
    let line = Line::start(settings, Arc::new(shared), hearing)?;
    let odd = [ledger.settings().open_to_others(), ledger.altered_notes().cloned()];
    for fault in odd.into_iter().flatten().chain(jumped).chain(unsure) {
        sink(&events)(Event::Warning(fault));
    }
    let told = told(&line, sink(&events));
    let backups =
        BackupThread::start(from_config::backups(config), reader, Arc::clone(&clock), told)?;
    let fleet = PushThread::start(config, &clock, sink(&events))?;
    let slots = count;
    Ok(RunningLine { line, slots, lot, signed_in, labels, ledger, backups, fleet, _lock: lock })
}

/// Whether units that pass get a label from here on, on record where it changed; and who
/// prints them.
fn labels(
    config: &Config,
    ledger: &Ledger,
    signed_in: &Arc<SignedIn>,
    events: &Arc<Mutex<EventSink>>,
    eye: Option<Eye>,
) -> Result<Option<LabelLine>, Failure> {
    let reader = ledger.reader()?;
    let wanted = label::choice(config);
    if reader.labels_chosen()?.unwrap_or_default() != wanted {
        let chosen = ledger.writer().record(Record::LabelsChosen(wanted.clone()));
        chosen.map_err(|refusal| refusal.fault().clone())?;
    }
    if config.label.is_none() || !wanted.at_pass && reader.open_label_count()? == 0 {
        return Ok(None);
    }
    let desk = Desk::new(config, reader, ledger.writer())?;
    let surroundings =
        Surroundings { desk, signed_in: Arc::clone(signed_in), events: sink(events), eye };
    Ok(Some(LabelLine::start(surroundings)?))
}

/// One more way to the front end.
fn sink(events: &Arc<Mutex<EventSink>>) -> EventSink {
    let events = Arc::clone(events);
    Box::new(move |event| {
        let say = events.lock().unwrap_or_else(PoisonError::into_inner);
        (*say)(event);
    })
}

fn told(line: &Line, events: EventSink) -> Told {
    let stopper = line.stopper();
    Told {
        warn: Box::new(move |fault| events(Event::Warning(fault))),
        stop: Box::new(move |fault| stopper.stop_because(fault)),
    }
}

/// After a restore the line is closed until somebody knows what was lost.
fn closed_by_a_gap(reader: &Reader) -> Result<(), Failure> {
    match reader.gap()? {
        None => Ok(()),
        Some(Gap { restored_seq, restored }) => {
            let last = restored.last_seq;
            let lost = match restored.known_seq {
                Some(known) if known > last => format!("entries {} to {known}", last + 1),
                _ => format!("what came after entry {last}"),
            };
            let what = say!(
                "the ledger was restored (entry {restored_seq}): {lost} may be lost, and nobody \
                 accepted that yet",
                "账本是恢复的（记录 {restored_seq}）：{lost} 可能已丢失，还没有人接受这一点"
            );
            Err(Failure::said(Code::LedgerGap, what))
        }
    }
}

/// The session begins with what it runs under.
fn record_session(
    ledger: &Ledger,
    authority: &Authority,
    begun: LineStarted,
) -> Result<(), Failure> {
    let writer = ledger.writer();
    let seen = AuthoritySeen {
        fingerprint: authority.fingerprint(),
        der: to_hex(&authority.certificate_der()),
    };
    for record in [Record::AuthoritySeen(seen), Record::LineStarted(begun)] {
        writer.record(record).map_err(|refusal| refusal.fault().clone())?;
    }
    Ok(())
}

/// So long a line rests over a weekend; a longer pause is worth a word, since the clock may be
/// wrong and certificates would have its dates.
const PAUSE: i64 = 4 * 86_400;

/// A word about a clock that is taken and far ahead of the newest entry.
fn clock_remark(newest: Timestamp, now: Timestamp) -> Option<Fault> {
    let ahead = now.seconds().saturating_sub(newest.seconds());
    let days = ahead / 86_400;
    (ahead > PAUSE).then(|| {
        let what = say!("the clock says {now}, and the newest entry is {days} days older: go on if the line \
             rested so long, else stop and set the clock", "时钟是 {now}，最新记录在 {days} 天之前：如果产线确实停了这么久，就继续；否则停下来校准时钟"
        );
        Fault::said(Code::ClockGap, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_weeks_ahead_is_taken_with_a_word() {
        let at = |days: i64| Timestamp(days * 86_400_000_000);
        assert_eq!(clock_remark(at(100), at(103)), None);
        let said = clock_remark(at(100), at(129)).unwrap();
        assert!(said.detail.contains("29 days older"), "{said}");
    }
}
