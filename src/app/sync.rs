//! One sync over what station.toml names, without a screen.

use std::sync::Arc;
use std::time::Duration;

use super::{cloud, parts, signals};
use crate::config::{Config, InitialStatus};
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::outbox::CloudChosen;
use crate::domain::record::{Person, Record};
use crate::domain::registration::{CloudInstance, CloudStatus};
use crate::ledger::{Ledger, Reader, Work, WorkLock};
use crate::report::{Exit, Failure};
use crate::sync::plan::Rules;
use crate::sync::{self, Books, Event, Halt, Stop, Summary};

/// The first pause after a call that failed.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// Brings the cloud to what the ledger says; `tell` gets every line but the summary.
pub fn run(
    config: &Config,
    clock: &Arc<dyn Clock>,
    wanted: &Wanted,
    by: &Person,
    tell: Box<dyn FnMut(Event)>,
) -> Result<Ended, Failure> {
    let section = cloud::section(config)?;
    let (registrar, revoker) = (cloud::client(config)?, cloud::revoker(config)?);
    let instance = cloud::instance(config)?;
    let open = Opened::open(config, clock, wanted.dry_run)?;
    open.choose(&instance, wanted.migrate, by)?;
    let settings = sync::Settings {
        rules: Rules {
            registering: cloud::registering(section),
            may_revoke: revoker.is_some(),
            retry_rejected: wanted.full,
        },
        initial_status: match section.initial_status {
            InitialStatus::Active => CloudStatus::Active,
            InitialStatus::Inactive => CloudStatus::Inactive,
        },
        rate_per_second: section.rate_per_second,
        full: wanted.full,
        dry_run: wanted.dry_run,
        limit: wanted.limit,
        deadline: wanted.deadline,
        exclusive: config.authority.exclusive,
        patience: PATIENCE,
    };
    let halt = Halt::default();
    let watch = signals::Watch::start({
        let halt = halt.clone();
        move || halt.stop()
    })
    .map_err(|error| Failure::new(Code::Bug, "signals can't be watched").caused_by(&error))?;
    let books = Books {
        writer: open.ledger.as_ref().map(Ledger::writer),
        reader: open.reader()?,
        clock: Arc::clone(clock),
    };
    let work = sync::sync(registrar, revoker, books, settings, halt, tell);
    let (summary, stop) = cloud::runtime()?.block_on(work);
    drop(watch);
    let backlog = backlog(config, &open.reader()?, clock)?;
    Ok(ended(summary, stop, backlog, wanted))
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
        let ledger = parts::open_existing_ledger(config, clock)?;
        let lock = WorkLock::take(&config.station.data_dir, Work::Sync)?;
        Ok(Opened { config, ledger: Some(ledger), _lock: Some(lock) })
    }

    fn reader(&self) -> Result<Reader, Failure> {
        let station = &self.config.station;
        Ok(Reader::open(&station.data_dir, Some(&station.id))?)
    }

    /// Makes sure that the ledger's instance is the one that station.toml names.
    fn choose(&self, instance: &CloudInstance, migrate: bool, by: &Person) -> Result<(), Failure> {
        let current = self.reader()?.cloud()?;
        match current {
            Some(current) if current == *instance => return Ok(()),
            Some(current) if !migrate => {
                let what =
                    format!("the ledger registers in {current}, station.toml says {instance}");
                return Err(Failure::new(Code::CloudInstanceChanged, what));
            }
            Some(_) | None => {}
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

fn ended(summary: Summary, stop: Option<Stop>, backlog: Option<Fault>, wanted: &Wanted) -> Ended {
    let mut faults = Vec::new();
    let mut exit = match summary.has_failures() {
        true => Exit::NotAll,
        false => Exit::Done,
    };
    let stopped = match stop {
        None => None,
        Some(Stop::Told) => Some(Fault::new(Code::Stopped, "the sync was told to stop")),
        Some(Stop::Deadline) => {
            if summary.pending > 0 {
                exit = Exit::NotAll;
            }
            None
        }
        Some(Stop::Cloud(fault) | Stop::Ledger(fault)) => Some(fault),
    };
    for fault in stopped.into_iter().chain(backlog.filter(|_| !wanted.dry_run)) {
        exit = exit.and(Exit::of(fault.code));
        faults.push(fault);
    }
    Ended { summary, faults, exit }
}
