//! What a run does, in its order: a look whether the instance is fit, then what is open for it,
//! many clients at once.
//!
//! A task has one client id: its rows are carried out one after another, and rows of
//! different client ids beside each other. What a task does is in `row`.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use super::compare;
use super::event::{Event, Summary};
use super::halt::Halt;
use super::plan::{self, Deed};
use super::run::{Books, Run, Settings, Stop};
use crate::cloud::preflight::{self, NeededAuthority};
use crate::cloud::{CallError, Registrar};
use crate::domain::ids::{ClientId, Serial};
use crate::domain::outbox::Operation;
use crate::domain::registration::Registering;
use crate::ledger::outbox::OutboxRow;

/// Rows that are read at a time.
const PAGE: u32 = 500;

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
    let work = async {
        tokio::select! {
            () = run_until_deadline(&run) => {}
            () = run.keep_share() => {}
        }
        run.let_go().await;
    };
    LocalSet::new().run_until(work).await;
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
    compare::look_at_the_doubtful(run).await;
    if !(run.settings.full || automatic) {
        register_again(run).await;
    }
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
}
