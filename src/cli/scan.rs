//! `station scan`: what a scan is.

use std::ffi::OsString;

use clap::Args;

pub(super) const SCAN_EXAMPLES: &str = "\
Without an option it takes one scan of the scanner that station.toml names: its port, or the
keyboard of this terminal; Ctrl-C ends it. What is piped in is one scan as a whole.

Examples:
  station scan
  station scan --port /dev/ttyACM0
  station scan --text '(01)09506000134352(21)TH200-00000001'
  station scan --text $'0109506000134352\\x1d21TH200-00000001' --json";

/// `station scan`
#[derive(Debug, Clone, Args)]
pub struct Scan {
    /// Take this text as one scan
    #[arg(long, value_name = "TEXT", conflicts_with = "port", allow_hyphen_values = true)]
    pub text: Option<OsString>,
    /// Take one scan of the serial scanner at this port
    #[arg(long, value_name = "PORT")]
    pub port: Option<String>,
}
