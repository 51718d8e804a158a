//! Keeps a run to its station's share of the cloud's rate, which it asks for again each
//! second, and gives it back at the end.
//!
//! While others have all of the rate, no registration is begun. Where nobody answers, the station
//! keeps to its own rate, as one without a fleet does; a fleet that answered before is waited for
//! a while.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::run::Run;
use crate::cloud::Registrar;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::outbox::Operation;
use crate::domain::share::{Question, Share};
use crate::say;

/// So long an answer is waited for: what is asked for begins to hold when it is asked.
const ANSWER: Duration = Duration::from_secs(5);

/// So long the station's own rate holds before a fleet is asked again.
const ALONE: Duration = Duration::from_secs(10);

/// So long a fleet that answered may be away before the station goes on alone: one of its servers
/// is started anew, or its database changes over.
const PATIENCE: Duration = Duration::from_secs(30);

/// So long until a fleet that is away is asked again.
const RETRY: Duration = Duration::from_secs(1);

impl<R: Registrar + 'static> Run<R> {
    /// Asks for a share, obeys it, asks again; never ends by itself.
    pub(super) async fn keep_share(&self) {
        let Some(shares) = self.settings.shares.clone() else {
            return std::future::pending().await;
        };
        self.stop_registering();
        let (mut ends, mut heard) = (Instant::now(), None);
        loop {
            let asked = Instant::now();
            let answer = tokio::time::timeout(ANSWER, shares.ask(self.question(self.wanted())));
            let answer = self.obeying_until(ends, answer).await;
            let silent =
                |_| Err(Fault::said(Code::FleetUnreachable, say!("nobody answers", "无应答")));
            let next = match answer.unwrap_or_else(silent) {
                Ok(share) => {
                    heard = Some(Instant::now());
                    ends = asked + share.lasts;
                    self.take(&share, ends);
                    // Slow answers do not make it end before the next.
                    (Instant::now() + share.again).min(asked + share.lasts / 2)
                }
                Err(fault) if heard.is_some_and(|at| at.elapsed() < PATIENCE) => {
                    tracing::debug!(why = fault.detail, "no answer for a share");
                    Instant::now() + RETRY
                }
                Err(fault) => {
                    ends = Instant::now() + ALONE;
                    self.go_alone(&fault, ends);
                    ends
                }
            };
            self.obeying_until(ends, tokio::time::sleep_until(next)).await;
        }
    }

    /// Waits for something; what the station has ends in its time.
    async fn obeying_until<F: Future>(&self, ends: Instant, work: F) -> F::Output {
        tokio::pin!(work);
        tokio::select! {
            biased;
            out = &mut work => return out,
            () = tokio::time::sleep_until(ends) => self.stop_registering(),
        }
        work.await
    }

    fn take(&self, share: &Share, ends: Instant) {
        self.door.heard(share.number);
        self.obey(share.rate_per_second, ends);
    }

    fn question(&self, want: u32) -> Question {
        let instance = self.registrar.instance().clone();
        Question { instance, want, has: self.door.obeyed(self.registrar.unsent()) }
    }

    /// Asks for nothing, so that others have what this station is done with.
    pub(super) async fn let_go(&self) {
        let Some(shares) = &self.settings.shares else { return };
        self.stop_registering();
        let answer = shares.ask(self.question(0));
        // Where nobody hears it, what it had ends by itself.
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => tracing::debug!(why = fault.detail, "the share was not given back"),
            Err(_) => tracing::debug!("nobody took the share back"),
        }
    }

    fn stop_registering(&self) {
        self.registrar.set_rate(0, None);
        self.door.set(0);
    }

    /// The pace knows the end too: after a sleep of the whole process nothing leaves before this
    /// task had its turn.
    fn obey(&self, rate: u32, ends: Instant) {
        self.registrar.set_rate(rate, Some(ends));
        self.door.set(rate);
    }

    fn go_alone(&self, why: &Fault, ends: Instant) {
        let rate_per_second = self.settings.rate_per_second;
        tracing::warn!(
            why = why.detail,
            rate_per_second,
            "no share of the cloud's rate: the station's own holds"
        );
        self.obey(rate_per_second, ends);
    }

    /// Registrations a second that the run could use. What it has it keeps until all is done, and
    /// then gives it back as a whole: at a rate that shrinks with what is open the last few would
    /// take as long as many.
    fn wanted(&self) -> u32 {
        let open = self.reader.outbox_open().unwrap_or_default();
        let open = open.iter().find(|(operation, _)| *operation == Operation::Register);
        let open = open.map_or(0, |(_, count)| *count);
        let open = u32::try_from(open).unwrap_or(u32::MAX);
        open.max(self.door.rate()).clamp(1, self.settings.most_per_second)
    }

    /// Waits until a registration may be begun; false where the run ends before.
    pub(super) async fn may_register(&self) -> bool {
        tokio::select! {
            () = self.door.open() => !self.is_stopped(),
            () = self.halt.stopped() => false,
        }
    }
}
