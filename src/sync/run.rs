//! One run: the queue of open rows, many of them under way at once, and its end.
//!
//! A task has one client id: its rows are carried out one after another, and rows of
//! different client ids beside each other. What a task does is in `row`.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use super::call::Gate;
use super::compare;
use super::event::{Event, Summary};
use super::halt::Halt;
use super::plan::{self, Deed, Rules};
use super::records::Records;
use crate::cloud::preflight::{self, NeededAuthority};
use crate::cloud::{CallError, Registrar};
use crate::domain::clock::Clock;
use crate::domain::device::Fault;
use crate::domain::ids::{ClientId, Serial};
use crate::domain::outbox::Operation;
use crate::domain::registration::{CaSn, CloudAuthority, CloudStatus, Registering};
use crate::ledger::outbox::OutboxRow;
use crate::ledger::{LedgerError, Reader, Writer};

/// Rows that are read at a time.
const PAGE: u32 = 500;

/// Client ids under way at once, at least and at most. A call takes a tenth of a second to
/// a few seconds, so this many are needed to reach the rate; more would only wait.
const LEAST_WIDTH: usize = 8;
const WIDEST: usize = 96;

/// What a run is to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How it may act.
    pub rules: Rules,
    /// The status with which certificates are registered.
    pub initial_status: CloudStatus,
    /// Registrations a second, as the pace has it.
    pub rate_per_second: u32,
    /// Which registrations are looked up again before they count.
    pub confirm: Confirm,
    /// Compare the whole cloud with the ledger.
    pub full: bool,
    /// Change nothing anywhere.
    pub dry_run: bool,
    /// Register no more than this.
    pub limit: Option<u64>,
    /// End after this long.
    pub deadline: Option<Duration>,
    /// Only what is open for these units.
    pub only: Option<Vec<Serial>>,
    /// Whether every CA of this ledger issues for this station alone.
    pub exclusive: bool,
    /// How long the first pause after a failed call is; each next one is longer.
    pub patience: Duration,
}

/// Which registrations that the cloud took are looked up again before they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// Each.
    All,
    /// The first one of a run and one of twenty.
    Sample,
    /// None.
    None,
}

/// One of so many is looked up again in a sample.
const SAMPLED: u64 = 20;

/// The ledger, to be written and read.
pub struct Books {
    /// Writes; none in a dry run.
    pub writer: Option<Writer>,
    /// Reads.
    pub reader: Reader,
    /// The station's clock.
    pub clock: Arc<dyn Clock>,
}

/// Why a run ended before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It was told to.
    Told,
    /// Its time was over.
    Deadline,
    /// Nothing further can succeed.
    Cloud(Fault),
    /// The ledger can't be used.
    Ledger(Fault),
}

/// What the tasks of a run share.
pub(super) struct Run<R> {
    pub(super) registrar: R,
    pub(super) revoker: Option<R>,
    pub(super) records: Option<Records>,
    pub(super) reader: Reader,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    authorities: RefCell<Vec<CloudAuthority>>,
    pub(super) gate: Gate,
    pub(super) halt: Halt,
    pub(super) summary: RefCell<Summary>,
    tell: RefCell<Box<dyn FnMut(Event)>>,
    stop: RefCell<Option<Stop>>,
    places: Cell<Option<u64>>,
    width: Cell<usize>,
    successes: Cell<usize>,
    taken: Cell<u64>,
    /// Units whose certificate was found missing in the cloud.
    pub(super) missing: RefCell<Vec<Serial>>,
}

/// Looks whether the instance is fit, does what is open for it, and says how it ended.
/// `tell` is called for every line.
pub async fn sync<R: Registrar + 'static>(
    registrar: R,
    revoker: Option<R>,
    books: Books,
    settings: Settings,
    halt: Halt,
    tell: Box<dyn FnMut(Event)>,
) -> (Summary, Option<Stop>) {
    let begun = Instant::now();
    let run = match Run::new(registrar, revoker, books, settings, halt, tell) {
        Ok(run) => Rc::new(run),
        Err(error) => return (Summary::default(), Some(Stop::Ledger(error.into()))),
    };
    LocalSet::new().run_until(run_until_deadline(&run)).await;
    run.finish(begun)
}

async fn run_until_deadline<R: Registrar + 'static>(run: &Rc<Run<R>>) {
    let Some(deadline) = run.settings.deadline else { return everything(run).await };
    let work = everything(run);
    tokio::pin!(work);
    tokio::select! {
        () = &mut work => {}
        () = tokio::time::sleep(deadline) => {
            run.end(Stop::Deadline);
            work.await;
        }
    }
}

async fn everything<R: Registrar + 'static>(run: &Rc<Run<R>>) {
    if let Some(units) = &run.settings.only {
        return some(run, units).await;
    }
    if let Err(stop) = run.preflight().await {
        return run.end(stop);
    }
    let automatic = run.settings.rules.registering == Registering::Automatic;
    if automatic {
        compare::compare(run).await;
    }
    queue(run).await;
    if run.settings.full && !automatic {
        compare::compare(run).await;
        register_again(run).await;
    }
}

/// Carries out what is open for some units, one after another: a person waits for it.
async fn some<R: Registrar + 'static>(run: &Rc<Run<R>>, units: &[Serial]) {
    if let Err(stop) = run.preflight().await {
        return run.end(stop);
    }
    for serial in units {
        match run.reader.outbox_of_unit(serial) {
            Ok(Some(row)) if !run.is_stopped() => run.client(row).await,
            Ok(_) => {}
            Err(error) => return run.end(Stop::Ledger(error.into())),
        }
    }
}

/// What was found missing is registered again at once.
async fn register_again<R: Registrar + 'static>(run: &Rc<Run<R>>) {
    let mut tasks = JoinSet::new();
    for serial in run.missing.take() {
        match run.reader.outbox_of_unit(&serial) {
            Ok(Some(row)) if !run.is_stopped() => {
                while tasks.len() >= run.width.get() {
                    reap(&mut tasks).await;
                }
                let run = Rc::clone(run);
                tasks.spawn_local(async move { run.client(row).await });
            }
            Ok(_) => {}
            Err(error) => run.end(Stop::Ledger(error.into())),
        }
    }
    while !tasks.is_empty() {
        reap(&mut tasks).await;
    }
}

/// Carries out what is open, page by page; rows that come in meanwhile too.
async fn queue<R: Registrar + 'static>(run: &Rc<Run<R>>) {
    let mut tasks = JoinSet::new();
    // A task goes on with the next row of its client id, so that row is not begun here too.
    let under_way: Rc<RefCell<HashSet<ClientId>>> = Rc::default();
    let mut last = 0;
    while !run.is_stopped() {
        let page = match run.reader.outbox(last, PAGE) {
            Ok(page) => page,
            Err(error) => return run.end(Stop::Ledger(error.into())),
        };
        let Some(row) = page.last() else { break };
        last = row.id;
        for (row, deed) in plan::plan(page, &run.settings.rules) {
            if run.is_stopped() {
                break;
            }
            if run.settings.dry_run {
                run.preview(row, &deed).await;
                continue;
            }
            while tasks.len() >= run.width.get() {
                reap(&mut tasks).await;
            }
            if under_way.borrow_mut().insert(row.client_id.clone()) {
                let (run, under_way) = (Rc::clone(run), Rc::clone(&under_way));
                tasks.spawn_local(async move {
                    let client_id = row.client_id.clone();
                    run.client(row).await;
                    under_way.borrow_mut().remove(&client_id);
                });
            }
        }
    }
    while !tasks.is_empty() {
        reap(&mut tasks).await;
    }
}

/// Waits for one task; its panic is this run's.
async fn reap(tasks: &mut JoinSet<()>) {
    if let Some(Err(error)) = tasks.join_next().await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

impl<R: Registrar + 'static> Run<R> {
    fn new(
        registrar: R,
        revoker: Option<R>,
        books: Books,
        settings: Settings,
        halt: Halt,
        tell: Box<dyn FnMut(Event)>,
    ) -> Result<Self, LedgerError> {
        let rate = usize::try_from(settings.rate_per_second).unwrap_or(WIDEST);
        Ok(Run {
            registrar,
            revoker,
            records: books.writer.map(Records::start).transpose()?,
            reader: books.reader,
            clock: books.clock,
            places: Cell::new(settings.limit),
            width: Cell::new(rate.saturating_mul(2).clamp(LEAST_WIDTH, WIDEST)),
            successes: Cell::new(0),
            taken: Cell::new(0),
            missing: RefCell::default(),
            settings,
            authorities: RefCell::default(),
            gate: Gate::default(),
            halt,
            summary: RefCell::default(),
            tell: RefCell::new(tell),
            stop: RefCell::default(),
        })
    }

    /// Refuses an instance that can't take what waits for it, and learns of its CAs.
    async fn preflight(&self) -> Result<(), Stop> {
        let cloud = |error: CallError| Stop::Cloud(error.into());
        let facts = self.read(0, || self.registrar.instance_facts()).await.map_err(cloud)?;
        let (instance, rules) = (self.registrar.instance(), &self.settings.rules);
        preflight::judge_instance(instance, &facts, rules.registering).map_err(Stop::Cloud)?;
        let all = self.read(0, || self.registrar.authorities()).await.map_err(cloud)?;
        preflight::judge_clock(&self.registrar).map_err(Stop::Cloud)?;
        let open = self.reader.open_issuers().map_err(|error| Stop::Ledger(error.into()))?;
        let needed: Vec<NeededAuthority> = open
            .iter()
            .map(|open| NeededAuthority { issuer: open.issuer, not_after: open.not_after })
            .collect();
        preflight::judge_authorities(&all, &needed).map_err(Stop::Cloud)?;
        self.authorities.replace(all);
        Ok(())
    }

    /// The CAs of the instance.
    pub(super) fn authorities(&self) -> Vec<CloudAuthority> {
        self.authorities.borrow().clone()
    }

    /// The CA that issued a certificate, as the cloud names it.
    pub(super) fn ca_of(&self, row: &OutboxRow) -> Option<CaSn> {
        preflight::find(&self.authorities.borrow(), &row.issuer).map(|ca| ca.sn.clone())
    }

    /// All rows of one client id, in their order.
    async fn client(&self, first: OutboxRow) {
        let mut row = first;
        while self.row(row.clone()).await {
            row = match self.reader.outbox_of(&row.client_id) {
                Ok(Some(next)) if next.id != row.id => next,
                Ok(_) => return,
                Err(error) => return self.end(Stop::Ledger(error.into())),
            };
        }
    }

    /// What a dry run says of a row. Looking is allowed.
    async fn preview(&self, row: OutboxRow, deed: &Deed) {
        let deed = match deed {
            Deed::LookUp => match self.look_up(&row).await {
                Ok(says) => plan::decide(&row, &says, &self.settings.rules),
                Err(_) => Deed::LookUp,
            },
            other => other.clone(),
        };
        if row.operation == Operation::Register && deed == Deed::Register && !self.take_place() {
            return;
        }
        let (serial, certificate_sn, operation) = (row.serial, row.sn, row.operation);
        self.tell(Event::Planned { serial, certificate_sn, operation, deed: deed.as_str() });
    }

    /// Takes one of the registrations that this run is limited to.
    pub(super) fn take_place(&self) -> bool {
        match self.places.get() {
            None => true,
            Some(0) => false,
            Some(left) => {
                self.places.set(Some(left - 1));
                true
            }
        }
    }

    /// The cloud took one more registration: whether that is looked up again.
    pub(super) fn is_confirmed(&self) -> bool {
        let before = self.taken.get();
        self.taken.set(before + 1);
        match self.settings.confirm {
            Confirm::All => true,
            Confirm::Sample => before.is_multiple_of(SAMPLED),
            Confirm::None => false,
        }
    }

    pub(super) fn tell(&self, event: Event) {
        self.tell.borrow_mut()(event);
    }

    /// Ends the run: what is under way ends, nothing new is begun. The first reason stays,
    /// unless it was only that time was over.
    pub(super) fn end(&self, why: Stop) {
        let mut stop = self.stop.borrow_mut();
        if matches!(*stop, None | Some(Stop::Deadline)) {
            *stop = Some(why);
        }
        drop(stop);
        self.halt.stop();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.halt.is_stopped()
    }

    /// Fewer at once while the cloud throttles: they would wait for their turn.
    pub(super) fn narrow(&self) {
        self.width.set((self.width.get() / 2).max(1));
    }

    /// More at once again, slowly.
    pub(super) fn widen(&self) {
        let (successes, width) = (self.successes.get() + 1, self.width.get());
        self.successes.set(successes % width.max(1));
        let rate = usize::try_from(self.settings.rate_per_second).unwrap_or(WIDEST);
        if self.successes.get() == 0 && width < rate.saturating_mul(2).clamp(LEAST_WIDTH, WIDEST) {
            self.width.set(width + 1);
        }
    }

    fn finish(&self, begun: Instant) -> (Summary, Option<Stop>) {
        let mut summary = self.summary.take();
        for registrar in std::iter::once(&self.registrar).chain(&self.revoker) {
            let usage = registrar.usage();
            summary.requests += usage.requests;
            summary.throttled += usage.throttled;
        }
        let told = self.halt.is_stopped().then_some(Stop::Told);
        let stop = self.stop.take().or(told);
        match self.left(&mut summary) {
            Ok(()) => {}
            Err(error) => return (summary, stop.or(Some(Stop::Ledger(error.into())))),
        }
        summary.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        (summary, stop)
    }

    /// What is open and was not told of.
    fn left(&self, summary: &mut Summary) -> Result<(), LedgerError> {
        let open = self.reader.outbox_open()?;
        let registrations = open.iter().find(|(operation, _)| *operation == Operation::Register);
        let told = summary.conflict + summary.rejected + summary.deferred;
        let told = told + summary.waiting_for_device;
        summary.pending = registrations.map_or(0, |(_, count)| *count).saturating_sub(told);
        summary.elsewhere = self.reader.outbox_elsewhere()?;
        Ok(())
    }
}
