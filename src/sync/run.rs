//! What the tasks of one run share: where it stands, how wide it is, and why it ends.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::door::Door;
use super::event::{Event, Summary};
use super::gate::Gate;
use super::halt::Halt;
use super::plan::Rules;
use super::records::Records;
use crate::cloud::{Registrar, preflight};
use crate::domain::clock::Clock;
use crate::domain::device::Fault;
use crate::domain::ids::{CertificateSn, ClientId, Serial};
use crate::domain::outbox::Operation;
use crate::domain::registration::{CaSn, CloudAuthority, CloudStatus};
use crate::domain::share::Shares;
use crate::ledger::outbox::OutboxRow;
use crate::ledger::{LedgerError, Reader, Writer};

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
    /// Registrations a second at most, where several stations share the cloud's rate.
    pub most_per_second: u32,
    /// Who deals that rate out; none where the station keeps to its own.
    pub shares: Option<Arc<dyn Shares>>,
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
    /// Client ids that another station of the fleet holds as proven, and which: none of them is
    /// registered from here.
    pub claimed: BTreeMap<ClientId, String>,
    /// Whether every CA of this ledger issues for this station alone.
    pub exclusive: bool,
    /// How long the first pause after a failed call is; each next one is longer.
    pub patience: Duration,
}

impl Settings {
    /// Registrations a second that the run may come to.
    fn fastest(&self) -> u32 {
        match self.shares {
            Some(_) => self.most_per_second,
            None => self.rate_per_second,
        }
    }
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
    pub(super) authorities: RefCell<Vec<CloudAuthority>>,
    pub(super) gate: Gate,
    pub(super) door: Door,
    pub(super) halt: Halt,
    pub(super) summary: RefCell<Summary>,
    tell: RefCell<Box<dyn FnMut(Event)>>,
    stop: RefCell<Option<Stop>>,
    places: Cell<Option<u64>>,
    pub(super) width: Cell<usize>,
    successes: Cell<usize>,
    taken: Cell<u64>,
    /// Whether a look-up did not show what the cloud said it took: from then on each is looked up.
    doubted: Cell<bool>,
    /// What the cloud said it took since the last look-up that showed it.
    unlooked: RefCell<Vec<CertificateSn>>,
    /// Units whose certificate was found missing in the cloud.
    pub(super) missing: RefCell<Vec<Serial>>,
}

impl<R: Registrar + 'static> Run<R> {
    pub(super) fn new(
        registrar: R,
        revoker: Option<R>,
        books: Books,
        settings: Settings,
        halt: Halt,
        tell: Box<dyn FnMut(Event)>,
    ) -> Result<Self, LedgerError> {
        let door = Door::new(if settings.shares.is_some() { 0 } else { settings.rate_per_second });
        let rate = usize::try_from(settings.fastest()).unwrap_or(WIDEST);
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
            doubted: Cell::default(),
            unlooked: RefCell::default(),
            missing: RefCell::default(),
            settings,
            authorities: RefCell::default(),
            gate: Gate::default(),
            door,
            halt,
            summary: RefCell::default(),
            tell: RefCell::new(tell),
            stop: RefCell::default(),
        })
    }

    /// The CAs of the instance.
    pub(super) fn authorities(&self) -> Vec<CloudAuthority> {
        self.authorities.borrow().clone()
    }

    /// The CA that issued a certificate, as the cloud names it.
    pub(super) fn ca_of(&self, row: &OutboxRow) -> Option<CaSn> {
        preflight::find(&self.authorities.borrow(), &row.issuer).map(|ca| ca.sn.clone())
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
            Confirm::Sample => self.doubted.get() || before.is_multiple_of(SAMPLED),
            Confirm::None => false,
        }
    }

    /// A registration that counts by the cloud's word alone.
    pub(super) fn believed(&self, certificate: CertificateSn) {
        if self.settings.confirm == Confirm::Sample {
            self.unlooked.borrow_mut().push(certificate);
        }
    }

    /// A look-up showed what the cloud said it took, or did not.
    pub(super) fn looked(&self, shows_it: bool) {
        match shows_it {
            true if !self.doubted.get() => self.unlooked.borrow_mut().clear(),
            true => {}
            false => self.doubted.set(true),
        }
    }

    /// What counts by the word of a cloud that was caught at another one.
    pub(super) fn doubtful(&self) -> Vec<CertificateSn> {
        if self.doubted.get() { self.unlooked.take() } else { Vec::new() }
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
        let rate = usize::try_from(self.settings.fastest()).unwrap_or(WIDEST);
        if self.successes.get() == 0 && width < rate.saturating_mul(2).clamp(LEAST_WIDTH, WIDEST) {
            self.width.set(width + 1);
        }
    }

    pub(super) fn finish(&self, begun: Instant) -> (Summary, Option<Stop>) {
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
