//! One sync over what station.toml names, without a screen.

use std::sync::Arc;
use std::time::Duration;

use super::{cloud, fleet, from_config, signals};
use crate::config::{self, Config, InitialStatus};
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::Serial;
use crate::domain::outbox::CloudChosen;
use crate::domain::person::Person;
use crate::domain::record::Record;
use crate::domain::registration::{CloudInstance, CloudStatus};
use crate::ledger::{Ledger, Reader, Work, WorkLock};
use crate::say;
use crate::shell::{Exit, Failure};
use crate::sync::plan::Rules;
use crate::sync::{self, Books, Confirm, Event, Halt, Stop, Summary};

/// The first pause after a call that failed.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a person asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Compare the whole cloud with the ledger.
    pub full: bool,
    /// Change nothing anywhere.
    pub dry_run: bool,
    /// Take the instance of station.toml as the current one.
    pub migrate: bool,
    /// Register no more than this.
    pub limit: Option<u64>,
    /// End after this long.
    pub deadline: Option<Duration>,
}

/// How a sync ended.
#[derive(Debug)]
pub struct Ended {
    /// What it did and left.
    pub summary: Summary,
    /// What is to be told beside it: a stop, a backlog.
    pub faults: Vec<Fault>,
    /// The exit status.
    pub exit: Exit,
}

/// Carries out what is open for some units alone, at once; says what kept it from that.
pub fn units(
    config: &Config,
    clock: &Arc<dyn Clock>,
    ledger: &Ledger,
    serials: Vec<Serial>,
) -> Result<Option<Fault>, Failure> {
    let (registrar, revoker) = (cloud::client(config)?, cloud::revoker(config)?);
    let instance = cloud::instance(config)?;
    let _lock = WorkLock::take(&config.station.data_dir, Work::Sync)?;
    is_current(&ledger.reader()?, &instance)?;
    let settings = settings(config, clock, &Wanted::default(), revoker.is_some(), Some(serials))?;
    let books =
        Books { writer: Some(ledger.writer()), reader: ledger.reader()?, clock: Arc::clone(clock) };
    let halt = Halt::default();
    let _watch = watch(&halt)?;
    let work = sync::sync(registrar, revoker, books, settings, halt, Box::new(|_| {}));
    let (_, stop) = cloud::runtime()?.block_on(work);
    Ok(stop.and_then(stopped))
}

/// Brings the cloud to what the ledger says; `tell` gets every line but the summary.
pub fn run(
    config: &Config,
    clock: &Arc<dyn Clock>,
    wanted: &Wanted,
    by: &Person,
    tell: Box<dyn FnMut(Event)>,
) -> Result<Ended, Failure> {
    let halt = Halt::default();
    let _watch = watch(&halt)?;
    run_until(config, clock, wanted, by, halt, tell)
}

/// The same beside a running line, which watches for signals itself.
pub fn run_until(
    config: &Config,
    clock: &Arc<dyn Clock>,
    wanted: &Wanted,
    by: &Person,
    halt: Halt,
    tell: Box<dyn FnMut(Event)>,
) -> Result<Ended, Failure> {
    fleet::push_first(config, clock);
    let (registrar, revoker) = (cloud::client(config)?, cloud::revoker(config)?);
    let instance = cloud::instance(config)?;
    let open = Opened::open(config, clock, wanted.dry_run)?;
    open.choose(&instance, wanted.migrate, by)?;
    let settings = settings(config, clock, wanted, revoker.is_some(), None)?;
    let books = Books {
        writer: open.ledger.as_ref().map(Ledger::writer),
        reader: open.reader()?,
        clock: Arc::clone(clock),
    };
    let work = sync::sync(registrar, revoker, books, settings, halt, tell);
    let (summary, stop) = cloud::runtime()?.block_on(work);
    if stop.is_none() {
        open.close_gap(&summary, by)?;
    }
    let backlog = backlog(config, &open.reader()?, clock)?;
    Ok(ended(summary, stop, backlog, wanted))
}

fn settings(
    config: &Config,
    clock: &Arc<dyn Clock>,
    wanted: &Wanted,
    may_revoke: bool,
    only: Option<Vec<Serial>>,
) -> Result<sync::Settings, Failure> {
    let section = cloud::section(config)?;
    let registering = cloud::registering(section);
    Ok(sync::Settings {
        rules: Rules { registering, may_revoke, retry_rejected: wanted.full },
        initial_status: match section.initial_status {
            InitialStatus::Active => CloudStatus::Active,
            InitialStatus::Inactive => CloudStatus::Inactive,
        },
        confirm: match section.confirm {
            config::Confirm::All => Confirm::All,
            config::Confirm::Sample => Confirm::Sample,
            config::Confirm::None => Confirm::None,
        },
        rate_per_second: section.rate_per_second,
        // A fleet deals out what the cloud takes; the own rate is for when it is away.
        most_per_second: section.rate_per_second.max(config::MAX_RATE),
        shares: fleet::shares(config, clock),
        full: wanted.full,
        dry_run: wanted.dry_run,
        limit: wanted.limit,
        deadline: wanted.deadline,
        only,
        claimed: fleet::claimed(config),
        exclusive: config.authority.exclusive,
        patience: PATIENCE,
    })
}

/// Lands the sync at the first signal.
fn watch(halt: &Halt) -> Result<signals::Watch, Failure> {
    let halt = halt.clone();
    signals::Watch::start(move || halt.stop())
}

/// Whether the ledger's instance is the one that station.toml names; false before the first.
fn is_current(reader: &Reader, instance: &CloudInstance) -> Result<bool, Failure> {
    match reader.cloud()? {
        Some(current) if current != *instance => {
            let what = say!(
                "the ledger registers in {current}, station.toml says {instance}",
                "账本注册到 {current}，station.toml 写的是 {instance}"
            );
            Err(Failure::said(Code::CloudInstanceChanged, what))
        }
        current => Ok(current.is_some()),
    }
}

/// The ledger, and the one right to sync it.
struct Opened<'a> {
    config: &'a Config,
    ledger: Option<Ledger>,
    _lock: Option<WorkLock>,
}

impl<'a> Opened<'a> {
    /// A dry run writes nothing, so it takes no lock and opens the ledger to read.
    fn open(
        config: &'a Config,
        clock: &Arc<dyn Clock>,
        dry_run: bool,
    ) -> Result<Opened<'a>, Failure> {
        if dry_run {
            return Ok(Opened { config, ledger: None, _lock: None });
        }
        let ledger = from_config::open_existing_ledger(config, clock)?;
        let lock = WorkLock::take(&config.station.data_dir, Work::Sync)?;
        Ok(Opened { config, ledger: Some(ledger), _lock: Some(lock) })
    }

    fn reader(&self) -> Result<Reader, Failure> {
        let station = &self.config.station;
        Ok(Reader::open(&station.data_dir, Some(&station.id))?)
    }

    /// Once the whole cloud was compared, what a restore lost is known as far as the cloud
    /// tells it, and the line may go on.
    fn close_gap(&self, summary: &Summary, by: &Person) -> Result<(), Failure> {
        let (Some(ledger), Some(_)) = (&self.ledger, &summary.differences) else { return Ok(()) };
        let reason = format!("the cloud was compared: {} differences", summary.different());
        if let Some(gap) = ledger.accept_gap(reason, by.clone())? {
            tracing::info!(entry = gap.restored_seq, "the gap of a restore is accepted");
        }
        Ok(())
    }

    /// Makes sure that the ledger's instance is the one that station.toml names.
    fn choose(&self, instance: &CloudInstance, migrate: bool, by: &Person) -> Result<(), Failure> {
        match is_current(&self.reader()?, instance) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(failure) if failure.code == Code::CloudInstanceChanged && migrate => {}
            Err(failure) => return Err(failure),
        }
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let chosen = CloudChosen { cloud: instance.clone(), by: by.clone() };
        let done = ledger.writer().record(Record::CloudChosen(chosen));
        done.map(drop).map_err(|refusal| Failure::from(refusal.fault()))
    }
}

/// What is wrong where the oldest unregistered proof has waited for too long.
pub fn backlog(
    config: &Config,
    reader: &Reader,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Fault>, Failure> {
    let section = cloud::section(config)?;
    let oldest = reader.oldest_unregistered()?;
    Ok(sync::backlog(oldest, clock.now().wall, section.max_backlog, cloud::registering(section)))
}

/// What a stop is told as; a deadline is none.
fn stopped(stop: Stop) -> Option<Fault> {
    match stop {
        Stop::Deadline => None,
        Stop::Told => {
            Some(Fault::said(Code::Stopped, say!("the sync was told to stop", "同步被要求停止")))
        }
        Stop::Cloud(fault) | Stop::Ledger(fault) => Some(fault),
    }
}

fn ended(summary: Summary, stop: Option<Stop>, backlog: Option<Fault>, wanted: &Wanted) -> Ended {
    let mut faults = Vec::new();
    let mut exit = match summary.has_failures() {
        true => Exit::NotAll,
        false => Exit::Done,
    };
    if stop == Some(Stop::Deadline) && summary.pending > 0 {
        exit = Exit::NotAll;
    }
    for fault in stop.and_then(stopped).into_iter().chain(backlog.filter(|_| !wanted.dry_run)) {
        exit = exit.and(Exit::of(fault.code));
        faults.push(fault);
    }
    Ended { summary, faults, exit }
}
