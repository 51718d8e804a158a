//! Starts a line: locks, opens, checks and records what a session runs under.

use std::path::Path;
use std::sync::Arc;

use crate::config::{Config, PortPlace};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::code::Code;
use crate::domain::event::EventSink;
use crate::domain::ids::{OperatorId, WorkOrderId, to_hex};
use crate::domain::record::{AuthoritySeen, LineStarted, Record};
use crate::domain::work_order::WorkOrder;
use crate::engine::{Line, LineSettings, Shop};
use crate::ledger::{Ledger, LineLock};
use crate::pki::Authority;
use crate::report::Failure;
use crate::vault::{self, Vault};

use super::clock::SystemClock;
use super::parts;

/// Who works on what.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// The lot, where one is named.
    pub work_order: Option<WorkOrderId>,
    /// The person, where one is named.
    pub operator: Option<OperatorId>,
}

/// A line that is running, with what must live as long as it.
pub struct RunningLine {
    /// The line.
    pub line: Line,
    /// How many slots it has.
    pub slots: usize,
    ledger: Ledger,
    _lock: LineLock,
}

impl RunningLine {
    /// Waits until the line has ended and everything is written.
    pub fn join(self) -> Result<(), Failure> {
        let ended = self.line.join();
        self.ledger.close();
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
    some_port_exists(config)?;
    let ledger = parts::open_ledger(config, &clock)?;
    let lock = LineLock::take(&config.station.data_dir)?;
    ledger.check_clock()?;
    let work_order = parts::work_order(config, &ledger.reader()?, session.work_order.as_ref())?;
    let rule = parts::label_rule(config, work_order.as_ref())?;
    let slots = parts::slots(config);
    let vault = Vault::new(slots.len())?;
    record_session(config, &ledger, &authority, work_order.as_ref(), &session, now)?;
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
        work_order: work_order.map(|order| order.id),
        operator: session.operator,
        unit_deadline: config.station.unit_deadline,
    };
    let count = slots.len();
    let settings = LineSettings { slots, rule, device_wait: config.station.device_wait };
    let line = Line::start(settings, Arc::new(shop), events)?;
    Ok(RunningLine { line, slots: count, ledger, _lock: lock })
}

/// A line none of whose ports is there can't be meant. A physical place may be empty until
/// its device is plugged in, so it counts as there.
fn some_port_exists(config: &Config) -> Result<(), Failure> {
    let may_come = |place: &PortPlace| match place {
        PortPlace::Path(path) => Path::new(path).exists(),
        PortPlace::Physical(_) => true,
    };
    if config.slots.iter().any(|slot| may_come(&slot.port)) {
        return Ok(());
    }
    let ports: Vec<_> = config.slots.iter().map(|slot| slot.port.to_string()).collect();
    let what = format!("none of the slots' ports is there: {}", ports.join(", "));
    Err(Failure::new(Code::PortMissing, what))
}

/// The session begins with what it runs under.
fn record_session(
    config: &Config,
    ledger: &Ledger,
    authority: &Authority,
    work_order: Option<&WorkOrder>,
    session: &Session,
    now: Timestamp,
) -> Result<(), Failure> {
    let writer = ledger.writer();
    let record = |record| writer.record(record).map_err(|refusal| refusal.fault().clone());
    let seen = AuthoritySeen {
        fingerprint: authority.fingerprint(),
        der: to_hex(&authority.certificate_der()),
    };
    record(Record::AuthoritySeen(seen))?;
    let journal = authority.certify_journal_key(&ledger.public_key(), &config.station.id, now)?;
    record(Record::LineStarted(LineStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: config.digest,
        authority: authority.fingerprint(),
        work_order: work_order.map(|order| order.id.clone()),
        operator: session.operator.clone(),
        journal_certificate: Some(to_hex(&journal)),
    }))?;
    Ok(())
}
