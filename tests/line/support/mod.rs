//! What the tests stand on: factories in a directory, processes with deadlines, and what
//! the ledger and the devices say afterwards.

pub(crate) mod broker;
pub(crate) mod connecting;
pub(crate) mod factory;
pub(crate) mod faulty;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod meddler;
pub(crate) mod older;
pub(crate) mod openssl;
pub(crate) mod p11;
pub(crate) mod process;
#[path = "../../quick_key/mod.rs"]
pub(crate) mod quick_key;
pub(crate) mod tell;
pub(crate) mod token;
pub(crate) mod tpm;
pub(crate) mod zephyr;

pub(crate) use factory::{Factory, Plan, label, labels, named};
pub(crate) use ledger::Ledger;
pub(crate) use process::{Finished, Process};
pub(crate) use tell::{Count, Tell};

use std::time::Duration;

/// Far beyond what any run here takes, on a machine that does other things too.
pub(crate) const LONG: Duration = Duration::from_secs(120);
