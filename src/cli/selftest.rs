//! `station selftest`: trying what is new before a line depends on it.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

pub(super) const EXAMPLES: &str = "\
Each line is a rule: its verdict, its name, the section of docs/protocol.md. Skipped is only
what is optional and not claimed by the device. Exits with 0 where every rule holds, with 1
where one does not, with 5 where the port can't be used.

Examples:
  station selftest --port /dev/ttyUSB0
  station selftest --port /dev/ttyUSB0 --power-cut 5     and cut its power when told to
  station selftest --port /dev/ttyUSB0 --lock            the device is locked for ever
  station selftest --broker                              the way into a broker, in seconds";

/// `station selftest`
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("subject").required(true).args(["port", "broker"]))]
pub struct Selftest {
    /// The serial port at which the device is, or its place: usb:BUS-CHAIN
    #[arg(long, value_name = "P")]
    pub port: Option<String>,
    /// Try the way into a broker: a mosquitto on this machine, with the CA of station.toml
    /// and its TLS versions, and clients that must get in or must not
    #[arg(long)]
    pub broker: bool,
    /// With --broker: the CA's list of revoked certificates, as `authority crl` writes it
    #[arg(long, value_name = "FILE", requires = "broker")]
    pub crl: Option<PathBuf>,
    /// With --broker: the file of CAs that the real broker was given; else what
    /// `authority export --chain` writes
    #[arg(long, value_name = "FILE", requires = "broker")]
    pub trusted: Option<PathBuf>,
    /// With --broker: the mosquitto to start; else the one in PATH or in /usr/sbin
    #[arg(long, value_name = "FILE", requires = "broker")]
    pub mosquitto: Option<PathBuf>,
    /// Bits a second of the line
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub baud: u32,
    /// An identity that the device holds may be lost
    #[arg(long, conflicts_with = "broker")]
    pub overwrite: bool,
    /// Try the lock too. The device takes no identity ever again
    #[arg(long, conflicts_with = "broker")]
    pub lock: bool,
    /// Try power cuts too, so many: someone cuts the power each time when told to
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "3")]
    #[arg(conflicts_with = "broker")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub power_cut: Option<u32>,
}
