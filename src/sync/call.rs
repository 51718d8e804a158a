//! Calls that may be made again: looking, and waiting for a cloud that is not ready.

use std::future::Future;
use std::time::Duration;

use super::event::Event;
use super::plan::{self, Says};
use super::run::{Run, Stop};
use crate::cloud::{CallError, CertificateFilter, CertificatePage, ErrorClass, Registrar};
use crate::domain::cause::Told;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::to_hex;
use crate::ledger::outbox::OutboxRow;

/// Each pause after a failed call is this much longer than the one before it, up to
/// [`LONGEST`] times the first.
const LONGER: u32 = 2;
const LONGEST: u32 = 32;

/// A look changes nothing, so it may be tried some times before its row is left alone.
const LOOKS: u32 = 6;

/// How often a cloud that is not ready is asked again before the run gives up: with the
/// pauses above about ten minutes.
const POLLS: u32 = 40;

/// What an instance that takes calls says of itself.
const READY: &str = "RUNNING";

impl<R: Registrar + 'static> Run<R> {
    /// Waits, unless the run is told to stop: then it says so with `false`.
    pub(super) async fn rest(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => !self.is_stopped(),
            () = self.halt.stopped() => false,
        }
    }

    /// The pause after so many failed calls. Tasks that failed together do not come back
    /// together: a row's own number shifts it.
    pub(super) fn pause(&self, failed: u32, row: u64) -> Duration {
        let factor = LONGER.saturating_pow(failed.saturating_sub(1)).min(LONGEST);
        let shift = u32::try_from(row % 16).unwrap_or(0);
        self.settings.patience * factor * (16 + shift) / 24
    }

    /// Ends when the cloud is ready, or the run stops. `openings` is the count from before
    /// the call that found it not ready.
    pub(super) async fn wait_until_ready(&self, openings: u64, why: &CallError) {
        let _polling = self.gate.polling.lock().await;
        if self.gate.openings.get() != openings || self.is_stopped() {
            return;
        }
        self.tell(Event::Paused { message: why.sentence() });
        for poll in 1..=POLLS {
            if !self.rest(self.pause(poll, 0)).await {
                return;
            }
            match self.registrar.instance_facts().await {
                Ok(facts) if facts.status == READY => {
                    self.gate.openings.set(openings + 1);
                    return;
                }
                Err(error) if is_final(error.class) => return self.end(Stop::Cloud(error.into())),
                Ok(_) | Err(_) => {}
            }
        }
        self.end(Stop::Cloud(why.clone().into()));
    }

    /// How often the cloud was found ready again; while somebody polls, after that.
    pub(super) async fn openings(&self) -> u64 {
        let _polling = self.gate.polling.lock().await;
        self.gate.openings.get()
    }

    /// Makes a call that changes nothing, again where that may help.
    pub(super) async fn read<T, F: Future<Output = Result<T, CallError>>>(
        &self,
        row: u64,
        call: impl Fn() -> F,
    ) -> Result<T, CallError> {
        let mut failed = 0;
        loop {
            let openings = self.openings().await;
            let error = match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match error.class {
                ErrorClass::NotReady => self.wait_until_ready(openings, &error).await,
                ErrorClass::StopRun | ErrorClass::Configuration => {
                    self.end(Stop::Cloud(error.clone().into()));
                    return Err(error);
                }
                ErrorClass::ItemNever => return Err(error),
                ErrorClass::Throttled => self.narrow(),
                ErrorClass::LookUpFirst => {}
            }
            failed += 1;
            if failed >= LOOKS || !self.rest(self.pause(failed, row)).await {
                return Err(error);
            }
        }
    }

    /// Sees where a row's certificate stands.
    pub(super) async fn look_up(&self, row: &OutboxRow) -> Result<Says, CallError> {
        let filter = CertificateFilter::Sn(to_hex(row.sn.as_bytes()));
        let one = || async {
            let page = self.registrar.certificates(&filter, 0, 1).await?;
            Says::of(row, &page).map_err(|nonsense| CallError {
                action: "look-up",
                class: ErrorClass::LookUpFirst,
                code: Code::CloudUnclear,
                cloud_code: None,
                message: nonsense.sentence(),
            })
        };
        self.read(row.id, one).await
    }

    /// Waits until a call for this row can't be on its way any more.
    pub(super) async fn wait_before_look(&self, sent: Option<Timestamp>) -> bool {
        let now = self.clock.now().wall;
        let wait = plan::wait_before_look(sent, now, self.registrar.call_limit());
        wait.is_zero() || self.rest(wait).await
    }

    /// One page of the certificates that the cloud has of a CA.
    pub(super) async fn page(
        &self,
        filter: &CertificateFilter,
        offset: u64,
        limit: u64,
    ) -> Result<CertificatePage, CallError> {
        self.read(offset, || self.registrar.certificates(filter, offset, limit)).await
    }
}

/// Whether no further call of a run can succeed.
pub(super) fn is_final(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::StopRun | ErrorClass::Configuration)
}
