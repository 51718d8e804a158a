//! The line: slots that perform the flow's effects. Commands in, events out.
//!
//! Start with `line` (the thread that routes scans), then `slot` (one thread for each
//! fixture position) and `effects` (one effect performed). Decisions about a unit are made
//! in [`crate::flow`], decisions about which slot takes it in `router`; both are pure.

use station_domain::{self as domain, say};
use station_flow as flow;
use station_ledger as ledger;
use station_link as link;
use station_pki as pki;
use station_vault as vault;

mod adopt;
mod effects;
mod halt;
mod line;
mod patience;
mod router;
mod shared;
mod slot;
mod to_line;
mod unit;

pub use adopt::{FoundIdentity, find_identity};
pub use line::{Line, LineSettings, LotChooser, Stopper};
pub use shared::{Broker, Lot, Shared, SignedIn};
pub use slot::SlotSettings;
