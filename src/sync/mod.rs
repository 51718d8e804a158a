//! Brings the cloud to what the ledger says: registers what is proven, activates,
//! deactivates and revokes what is asked, and finds out what is uncertain.
//!
//! [`plan`] decides, and does nothing: from a row of the outbox and what the cloud says of
//! its certificate follows one deed. `run` does it: many calls in flight, each recorded
//! before it is made and again when its outcome is known. [`compare`] holds the whole cloud
//! against the ledger. The line may run meanwhile. Nothing here knows which cloud it is, or
//! how its calls are made.

use station_cloud as cloud;
use station_domain::{self as domain, say};
use station_ledger as ledger;
#[cfg(test)]
use station_pki as pki;

mod backlog;
mod call;
pub mod compare;
mod door;
mod event;
mod gate;
mod halt;
mod order;
pub mod plan;
mod records;
mod row;
mod run;
mod share;
mod stands;
#[cfg(test)]
mod tests;

pub use backlog::backlog;
pub use event::{Difference, DifferenceKind, Event, Outcome, Summary};
pub use halt::Halt;
pub use order::sync;
pub use run::{Books, Confirm, Settings, Stop};
pub use stands::{Stands, look};
