//! The commands that speak to the cloud: the nightly sync, and the gate to the world.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::domain::clock;
use crate::domain::ids::{OperatorId, Serial};
use crate::domain::say::Say;
use crate::say;

pub(super) const SYNC_EXAMPLES: &str = "\
Examples:
  station sync --limit 1        the first article: see whether the cloud takes one
  station sync --deadline 6h    at night, from a timer
  station sync --full           also compare the whole cloud with the ledger

SIGINT or SIGTERM lands it: no new call is made, calls under way end. What was under way is
looked up first by the next one.";

/// `station sync`
#[derive(Debug, Clone, Args)]
pub struct Sync {
    /// Also compare every certificate in the cloud with the ledger, and try rejected ones again
    #[arg(long)]
    pub full: bool,
    /// Change nothing anywhere; say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// End cleanly after this long, for example 6h
    #[arg(long, value_name = "D", value_parser = length_of_time)]
    pub deadline: Option<Duration>,
    /// Register no more than so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Move to the instance of `[cloud]`: every proven certificate is registered there
    #[arg(long)]
    pub migrate: bool,
    /// Who does it: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}

fn length_of_time(text: &str) -> Result<Duration, Say> {
    clock::length_of_time(text)
        .ok_or_else(|| say!("write 90s, 10m, 6h or 2d", "写作 90s、10m、6h 或 2d"))
}

pub(super) const SHIP_EXAMPLES: &str = "\
Examples:
  station unit ship TH200-00000001 TH200-00000002
  station unit ship --file pallet-7.txt --by s04";

/// `station unit ship`
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("units").required(true).multiple(true).args(["serials", "file"]))]
pub struct Ship {
    /// The units' serials
    #[arg(value_name = "SERIAL")]
    pub serials: Vec<Serial>,
    /// A file of serials, one a line
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Ship by what the ledger knows, and do not ask the cloud for each certificate
    #[arg(long)]
    pub offline: bool,
    /// Who sends them: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}
