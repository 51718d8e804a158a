//! A sync's share of the cloud's rate, from the station's fleet.

use std::fmt;
use std::sync::Arc;

use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::device::Fault;
use crate::domain::share::{Asked, Question, Share, Shares};
use crate::fleet::Client;

use super::station::Station;

/// Who is asked where the station is enrolled.
struct FleetShares(Client);

impl fmt::Debug for FleetShares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shares of {}", self.0.url())
    }
}

impl Shares for FleetShares {
    fn ask(&self, question: Question) -> Asked<'_> {
        Box::pin(async move {
            let answer = self.0.share(&question).await;
            let answer = answer.map_err(|error| Fault::told(error.code(), &error))?;
            Ok(Share::from(answer))
        })
    }
}

/// Whom a sync asks for its share; nobody where the station is at no fleet. One that can't be
/// asked at all is warned of: the sync then keeps the rate of station.toml.
pub fn shares(config: &Config, clock: &Arc<dyn Clock>) -> Option<Arc<dyn Shares>> {
    match Station::open(config, clock) {
        Ok(station) => station.map(|station| Arc::new(FleetShares(station.client)) as _),
        Err(failure) => {
            tracing::warn!("{}: {}", failure.code, failure.what);
            None
        }
    }
}
