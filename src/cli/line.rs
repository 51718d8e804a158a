//! The commands that run a line: demo, batch and simulated devices.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::domain::ids::{OperatorId, WorkOrderId};

pub(super) const DEMO_EXAMPLES: &str = "\
Examples:
  station demo --headless --units 24 --slots 4
  station demo --headless --dir ./demo     then: station --config ./demo/station.toml unit list";

/// `station demo`
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// How many units to provision
    #[arg(long, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub units: u32,
    /// How many slots the line has
    #[arg(long, value_name = "N", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    pub slots: u32,
    /// Without a screen (this version has none, so that it changes nothing)
    #[arg(long)]
    pub headless: bool,
    /// Without the cloud (this version does not call it, so that it changes nothing)
    #[arg(long)]
    pub no_sync: bool,
    /// Keep everything in this directory; made if missing, must be empty
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

pub(super) const BATCH_EXAMPLES: &str = "\
Each line is one scan: a serial, or SLOT<tab>SERIAL to name its slot.

Examples:
  station batch --serials serials.txt --work-order WO-1042
  generate-serials | station batch --serials - --json
  station batch --scanner /dev/ttyACM0 --operator p117

SIGINT or SIGTERM lands the line: no new unit starts, running units end or are recorded as
interrupted. Started again, it first resolves what was under way.";

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

/// `station sim …`
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// Simulated devices, one after another, behind a pseudo-terminal
    #[command(after_help = SIM_DEVICE_EXAMPLES)]
    Device(SimDevice),
}

const SIM_DEVICE_EXAMPLES: &str = "\
When a unit is done and the station has let go of the port, the next blank device is plugged
in. Prints one line when it is ready, stops on SIGTERM.

Examples:
  station sim device --link ./slot-a --state ./devices --units 10
  station sim device --link ./slot-b --fault mute@3
  station sim device --fault list";

/// `station sim device`
#[derive(Debug, Clone, Args)]
pub struct SimDevice {
    /// Where the port appears: a link to the pseudo-terminal
    #[arg(long, value_name = "PATH")]
    pub link: Option<PathBuf>,
    /// Keep the devices' flash in this directory; without it, in memory alone
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Bits a second of the line; 0 for no pacing
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    pub baud: u32,
    /// How many devices there are
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub units: u32,
    /// What is wrong with them: `name[=value][@N | @P%]`, comma-separated; `list` names them
    #[arg(long, value_name = "SPEC")]
    pub fault: Option<String>,
    /// From what probabilities and hardware ids are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The devices can make their keys themselves
    #[arg(long)]
    pub keygen: bool,
    /// Such a key is the same each time, as one in a secure element is
    #[arg(long, requires = "keygen")]
    pub keep_key: bool,
    /// The model that the devices report
    #[arg(long, value_name = "NAME", default_value = "SIM-1")]
    pub model: String,
    /// Milliseconds before each reply, beyond its work
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub latency_ms: u64,
    /// Milliseconds to erase the storage
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub erase_ms: u64,
    /// Milliseconds to write one chunk
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub chunk_ms: u64,
    /// Milliseconds to write a header
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub commit_ms: u64,
    /// Milliseconds to sign
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub prove_ms: u64,
    /// Milliseconds from a reset to the first answer
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub boot_ms: u64,
    /// Chunks that a device takes unanswered, 1 to 8
    #[arg(long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=8))]
    pub window: u8,
    /// Bytes of data in the largest chunk that a device takes, 65 to 1000
    #[arg(long, value_name = "N", default_value_t = 512)]
    #[arg(value_parser = clap::value_parser!(u16).range(65..=1000))]
    pub max_chunk: u16,
    /// Milliseconds for which the slot is empty between two devices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub swap_ms: u64,
}
