//! Keeps a run to its station's share of the cloud's rate, a minute at a time, and gives it back
//! at the end.
//!
//! While it asks, and while others have all of the rate, no registration is begun. Where nobody
//! answers, the station keeps to its own rate, as one without a fleet does.

use std::time::Duration;

use tokio::time::Instant;

use super::run::Run;
use crate::cloud::Registrar;
use crate::domain::outbox::Operation;
use crate::domain::share::Share;

/// So long an answer is waited for: what is asked for begins to hold when it is asked.
const ANSWER: Duration = Duration::from_secs(5);

/// So long the station's own rate holds before it is asked again.
const ALONE: Duration = Duration::from_secs(10);

impl<R: Registrar + 'static> Run<R> {
    /// Asks for a share, obeys it, asks again; never ends by itself.
    pub(super) async fn keep_share(&self) {
        let Some(shares) = self.settings.shares.clone() else {
            return std::future::pending().await;
        };
        loop {
            // Who asks has let go of what it had.
            self.obey(0);
            let asked = Instant::now();
            let answer = shares.ask(self.registrar.instance(), self.wanted());
            let answer = tokio::time::timeout(ANSWER, answer).await;
            let share = match answer {
                Ok(Ok(share)) => share,
                Ok(Err(fault)) => self.alone(&fault.to_string()),
                Err(_) => self.alone("nobody answers"),
            };
            self.obey(share.rate_per_second);
            tokio::time::sleep_until(asked + share.lasts).await;
        }
    }

    /// Asks for nothing, so that others have what this station is done with.
    pub(super) async fn let_go(&self) {
        let Some(shares) = &self.settings.shares else { return };
        self.obey(0);
        let answer = shares.ask(self.registrar.instance(), 0);
        // Where nobody hears it, what it had ends by itself.
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => tracing::debug!(why = fault.detail, "the share was not given back"),
            Err(_) => tracing::debug!("nobody took the share back"),
        }
    }

    fn obey(&self, rate: u32) {
        self.registrar.set_rate(rate);
        self.door.set(rate);
    }

    fn alone(&self, why: &str) -> Share {
        let rate_per_second = self.settings.rate_per_second;
        tracing::warn!(
            why,
            rate_per_second,
            "no share of the cloud's rate: the station's own holds"
        );
        // What is late counts from now on.
        Share { rate_per_second, lasts: ANSWER + ALONE }
    }

    /// Registrations a second that the run could use.
    fn wanted(&self) -> u32 {
        let open = self.reader.outbox_open().unwrap_or_default();
        let open = open.iter().find(|(operation, _)| *operation == Operation::Register);
        let open = open.map_or(0, |(_, count)| *count);
        u32::try_from(open).unwrap_or(u32::MAX).clamp(1, self.settings.most_per_second)
    }

    /// Waits until a registration may be begun; false where the run ends before.
    pub(super) async fn may_register(&self) -> bool {
        tokio::select! {
            () = self.door.open() => !self.is_stopped(),
            () = self.halt.stopped() => false,
        }
    }
}
