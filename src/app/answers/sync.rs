//! A sync that is started from the screen: in a thread of its own, with what it has done so
//! far in a cell that the next question reads.

use std::sync::{Arc, PoisonError};
use std::thread;

use crate::app::cloud;
use crate::app::sync::{self, Wanted};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::pages::SyncRun;
use crate::domain::person::Person;
use crate::say;
use crate::secret::{self, Process};
use crate::shell::Failure;
use crate::sync::{Event, Halt, Outcome};

use super::Answers;
use super::desk::{SharedDesk, change};

impl Answers {
    /// What the sync that runs has done so far, or what the last one did.
    pub(super) fn sync_run(&self) -> SyncRun {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).run.clone()
    }

    pub(super) fn stop_sync(&self) {
        change(&self.desk, |desk| {
            if let Some(halt) = desk.halt.take() {
                halt.stop();
            }
        });
    }

    pub(super) fn start_sync(&self) -> Result<(), Failure> {
        if self.sync_run().running {
            return Ok(());
        }
        has_credentials(&self.config)?;
        let halt = Halt::default();
        change(&self.desk, |desk| {
            desk.run = SyncRun { running: true, ..SyncRun::default() };
            desk.halt = Some(halt.clone());
        });
        let (config, clock, desk) =
            (self.config.clone(), Arc::clone(&self.clock), Arc::clone(&self.desk));
        let by =
            Person { operator: self.signed_in.operator(), uid: rustix::process::getuid().as_raw() };
        let body = move || {
            let ended = run(&config, &clock, &by, halt, &desk);
            change(&desk, |desk| {
                desk.run.running = false;
                desk.run.ended = Some(ended);
            });
        };
        let started = thread::Builder::new().name("sync".to_owned()).spawn(body);
        started.map(drop).map_err(|error| {
            change(&self.desk, |desk| desk.run.running = false);
            Failure::said(Code::Shortage, say!("no thread for a sync", "同步得不到线程"))
                .caused_by(&error)
        })
    }
}

/// Nobody can be asked for a secret while the screen is on the terminal.
fn has_credentials(config: &Config) -> Result<(), Failure> {
    let section = cloud::section(config)?;
    let wanted = [
        secret::cloud_secret_id(section.secret_id_file.as_deref()),
        secret::cloud_secret_key(section.secret_key_file.as_deref()),
    ];
    for wanted in wanted {
        if wanted.configured_only(&Process)?.is_none() {
            return Err(Failure::said(
                Code::SecretMissing,
                say!("{} was not given", "没有给出：{}", wanted.what),
            ));
        }
    }
    Ok(())
}

fn run(
    config: &Config,
    clock: &Arc<dyn Clock>,
    by: &Person,
    halt: Halt,
    desk: &SharedDesk,
) -> Result<(), Fault> {
    let told = Arc::clone(desk);
    let tell = Box::new(move |event| {
        change(&told, |desk| count(&mut desk.run, &event));
    });
    let ended = sync::run_until(config, clock, &Wanted::default(), by, halt, tell);
    match ended.map_err(Fault::from)?.faults.into_iter().next() {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

/// What went well and what did not.
fn count(run: &mut SyncRun, event: &Event) {
    match event {
        Event::Registration {
            outcome: Outcome::Conflict | Outcome::Rejected | Outcome::Deferred,
            ..
        } => run.failed += 1,
        Event::Registration { .. } => run.done += 1,
        _ => {}
    }
}
