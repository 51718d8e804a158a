//! Starts a line: locks, opens, checks and records what a session runs under.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Binding, Config};
use crate::domain::clock::Clock;
use crate::domain::event::EventSink;
use crate::domain::ids::{OperatorId, WorkOrderId, to_hex};
use crate::domain::record::{AuthoritySeen, LineStarted, Record};
use crate::engine::{Crew, Line, LineSettings, Shop};
use crate::ledger::{Ledger, Work, WorkLock};
use crate::pki::Authority;
use crate::report::Failure;
use crate::vault::{self, Vault};

use super::clock::SystemClock;
use super::parts;

/// How long a line whose labels wait goes without any of its ports: longer than a fixture
/// or a simulator takes to change devices.
const PORT_GRACE: Duration = Duration::from_secs(3);

/// Who works on what.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// The lot, where one is named.
    pub work_order: Option<WorkOrderId>,
    /// The person, where one is named.
    pub operator: Option<OperatorId>,
    /// The labels are all there already, so devices must be too: a line none of whose
    /// ports appears does not wait for them.
    pub labels_are_ready: bool,
}

/// A line that is running, with what must live as long as it.
pub struct RunningLine {
    /// The line.
    pub line: Line,
    /// How many slots it has.
    pub slots: usize,
    /// The lot that it works on.
    pub work_order: Option<WorkOrderId>,
    /// Who works at it.
    pub crew: Arc<Crew>,
    ledger: Ledger,
    _lock: WorkLock,
}

impl RunningLine {
    /// The line's ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Waits until the line has ended and everything is written.
    pub fn join(self) -> Result<(), Failure> {
        let ended = self.line.join();
        drop(self.ledger);
        Ok(ended?)
    }
}

/// Starts a line over what station.toml names.
pub fn start(config: &Config, session: Session, events: EventSink) -> Result<RunningLine, Failure> {
    vault::harden_process()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let now = clock.now().wall;
    let authority = parts::authority(config)?;
    let profile = parts::profile(config)?;
    authority.check_profile(&profile, now)?;
    let broker = parts::broker(config)?;
    let (ledger, journal_key) = parts::open_ledger(config, &clock)?;
    let lock = WorkLock::take(&config.station.data_dir, Work::Line)?;
    let reader = ledger.reader()?;
    reader.clock_check(now, config.station.max_clock_gap)?;
    let work_order = parts::work_order(config, &reader, session.work_order.as_ref())?;
    let rule = parts::label_rule(config, work_order.as_ref())?;
    let slots = parts::slots(config);
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
    let crew = Arc::new(Crew::of(session.operator));
    let order = work_order.map(|order| order.id);
    let shop = Shop {
        authority,
        profile,
        vault,
        writer: ledger.writer(),
        inquiries: ledger.inquiries()?,
        clock,
        policy: parts::policy(config),
        lock: config.product.lock,
        broker,
        work_order: order.clone(),
        crew: Arc::clone(&crew),
        unit_deadline: config.station.unit_deadline,
    };
    let count = slots.len();
    let settings = LineSettings {
        slots,
        rule,
        device_wait: config.station.device_wait,
        any_device: config.scanner.binding == Some(Binding::Any),
        port_grace: session.labels_are_ready.then_some(PORT_GRACE),
    };
    let line = Line::start(settings, Arc::new(shop), events)?;
    Ok(RunningLine { line, slots: count, work_order: order, crew, ledger, _lock: lock })
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
