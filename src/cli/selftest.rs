//! `station selftest`: trying what is new before a line depends on it.

use clap::{ArgGroup, Args};

pub(super) const EXAMPLES: &str = "\
Each line is a rule: its verdict, its name, the section of docs/protocol.md. Skipped is only
what is optional and not claimed by the device. Exits with 0 where every rule holds, with 1
where one does not, with 5 where the port can't be used.

Examples:
  station selftest --port /dev/ttyUSB0
  station selftest --port /dev/ttyUSB0 --power-cut 5     and cut its power when told to
  station selftest --port /dev/ttyUSB0 --lock            the device is locked for ever";

/// `station selftest`
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("subject").required(true).args(["port"]))]
pub struct Selftest {
    /// The serial port at which the device is, or its place: usb:BUS-CHAIN
    #[arg(long, value_name = "P")]
    pub port: Option<String>,
    /// Bits a second of the line
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub baud: u32,
    /// An identity that the device holds may be lost
    #[arg(long)]
    pub overwrite: bool,
    /// Try the lock too. The device takes no identity ever again
    #[arg(long)]
    pub lock: bool,
    /// Try power cuts too, so many: someone cuts the power each time when told to
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "3")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub power_cut: Option<u32>,
}
