//! The commands that run a line: demo and batch.

use std::path::PathBuf;

use clap::Args;

use crate::domain::ids::{OperatorId, WorkOrderId};

pub(super) const DEMO_EXAMPLES: &str = "\
Examples:
  station demo --headless --units 24 --slots 4
  station demo --headless --dir ./demo     then: station --config ./demo/station.toml unit list";

/// `station demo`
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// How many units to provision; 8 without a screen, 400 with one
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub units: Option<u32>,
    /// How many slots the line has; 2 without a screen, 6 with one
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    pub slots: Option<u32>,
    /// Without a screen; so it is where there is no terminal too
    #[arg(long)]
    pub headless: bool,
    /// Leave the certificates unregistered
    #[arg(long)]
    pub no_sync: bool,
    /// Keep everything in this directory; made if missing, must be empty
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  station
  station run --work-order WO-1042 --operator p117

A scanner that types may be used at any time, on every page; F1 shows the keys. SIGINT,
SIGTERM and SIGHUP land the line and give the terminal back.";

/// `station run`
#[derive(Debug, Clone, Default, Args)]
pub struct Run {
    /// The work order; without it the only open one is taken, and none means no limit
    #[arg(long, value_name = "ID")]
    pub work_order: Option<WorkOrderId>,
    /// Who works at the line: an id, never a name
    #[arg(long, value_name = "ID")]
    pub operator: Option<OperatorId>,
}

pub(super) const BATCH_EXAMPLES: &str = "\
Each line is one scan: a serial, or SLOT<tab>SERIAL to name its slot.

Examples:
  station batch --serials serials.txt --work-order WO-1042
  generate-serials | station batch --serials - --json
  station batch --scanner /dev/ttyACM0 --operator p117

SIGINT, SIGTERM or SIGHUP lands the line: no new unit starts, running units end or are recorded
as interrupted. So does a closed terminal, but under nohup. Started again, it first resolves
what was under way.";

/// `station batch`
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("scans").required(true).args(["serials", "scanner"]))]
pub struct Batch {
    /// Read scans from a file, `-` for standard input, and end when it ends
    #[arg(long, value_name = "FILE")]
    pub serials: Option<PathBuf>,
    /// Read scans from a serial scanner, `-` for standard input, until stopped
    #[arg(long, value_name = "PORT")]
    pub scanner: Option<String>,
    /// The work order; without it the only open one is taken, and none means no limit
    #[arg(long, value_name = "ID")]
    pub work_order: Option<WorkOrderId>,
    /// Who works at the line: an id, never a name
    #[arg(long, value_name = "ID")]
    pub operator: Option<OperatorId>,
}
