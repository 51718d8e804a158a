//! The command line as clap types; their doc comments are the help.
//!
//! Write for the person at the line or the one who administers it: what the command does,
//! what it leaves behind, one example. Values are parsed into the types of the domain
//! here, so that a command never sees a text that is none. What a command *does* stands
//! in `command`. Start with [`Cli`].

use station_domain::{self as domain, say};

mod acts;
mod fleet;
mod grants;
mod handoff;
mod label;
mod line;
mod report;
mod scan;
mod selftest;
mod sim;
mod sync;
mod view;

use std::path::PathBuf;

pub use acts::{
    AuthorityCommand, ClockAct, ClockCommand, ConfigCheck, ConfigCommand, Filters, LedgerAct,
    LedgerCommand, NewOperator, NewWorkOrder, OperatorCommand, SegmentsCommand, StatsOf, UnitAct,
    UnitCommand, UnitList, UnitState, WorkOrderCommand,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
pub use fleet::{
    Database, FleetCode, FleetCommand, FleetDemo, FleetEnrol, FleetFind, FleetGrant, FleetReport,
    FleetRevoke, FleetServe, FleetSettle, FleetVerify, MaybeDatabase,
};
pub use grants::{GiveBack, NewGrant, OrderKeyCommand};
pub use handoff::{
    Export, ExportCertificates, ExportFormat, ExportTable, ImportRegistered, TableFormat, TableOf,
};
pub use label::LabelCommand;
pub use line::{Batch, Demo, Run};
pub use report::{
    ReportCommand, ReportForm, ReportFormat, ReportLanguage, ReportOfTime, VerifyBundle,
};
pub use scan::Scan;
pub use selftest::Selftest;
pub use sim::{
    SimCloud, SimCloudMode, SimCommand, SimDevice, SimDuplicate, SimEsp, SimFirmware, SimHand,
    SimModem, SimMove, SimSerialForm,
};
pub use sync::{Ship, Sync};
pub use view::View;

const EXIT_STATUSES: &str = "\
Exit status: 0 all done; 1 not all that was asked is done; 2 wrong usage; 3 station.toml; \
4 ledger; 5 serial port or scanner; 6 cloud; 7 issuing authority; 8 another line process or sync \
works on this ledger; 70 a bug; 130 stopped by a signal.

Try it with nothing but this program:  station demo --headless --units 4";

/// Gives each device on a factory line an identity of its own: one device, one certificate.
///
/// The station issues a key and a certificate for each unit whose label is scanned, burns
/// them into its device, has the device prove that it holds them, and records every step in
/// a ledger that can be verified by anyone.
#[derive(Debug, Parser)]
#[command(name = "station", version, after_help = EXIT_STATUSES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; without it, the operator's screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The station's configuration; relative paths in it start from its directory
    #[arg(long, global = true, value_name = "FILE", env = "STATION_CONFIG")]
    #[arg(default_value = "station.toml")]
    pub config: PathBuf,
    /// The ledger's directory, in place of `[station] data_dir`
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// One JSON object a line on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorWhen::Auto)]
    pub color: ColorWhen,
    /// Say more on standard error; three times for every frame (type and length, never contents)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Write the log on standard error as JSON
    #[arg(long, global = true)]
    pub log_json: bool,
    /// Write the log to the end of this file too; of the screen it has every refusal, failure,
    /// HOLD and warning
    #[arg(long, global = true, value_name = "FILE", env = "STATION_LOG_FILE")]
    pub log_file: Option<PathBuf>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows a whole line in one process, with simulated devices and nothing to install
    ///
    /// A fresh CA, a fresh ledger and simulated devices on pseudo-terminals behind the real
    /// serial code. Provisions the units, registers them with an emulated cloud, verifies the
    /// ledger and says where everything lies.
    #[command(after_help = line::DEMO_EXAMPLES)]
    Demo(Demo),
    /// The operator's screen over the slots of station.toml
    ///
    /// What is done without a command. It needs a terminal; `station batch` does without.
    #[command(after_help = line::RUN_EXAMPLES)]
    Run(Run),
    /// Provisions units without a screen: each line that is read is a scan
    ///
    /// Each scan starts a unit on a free slot. Devices with an unfinished unit from an
    /// earlier run are resolved first.
    #[command(after_help = line::BATCH_EXAMPLES)]
    Batch(Batch),
    /// Registers in the cloud what is proven, and finds out what is uncertain
    ///
    /// Registers each proven certificate once, revokes what is void, and looks up what an
    /// earlier run left unclear. The line may run meanwhile. Exits with 1 where something is
    /// left that needs another run or a person.
    #[command(after_help = sync::SYNC_EXAMPLES)]
    Sync(Sync),
    /// The issuing authority (CA): make it, show it, check it
    #[command(subcommand)]
    Authority(AuthorityCommand),
    /// Work orders: lots with a quantity and a rule for serials
    #[command(subcommand)]
    WorkOrder(WorkOrderCommand),
    /// Persons at the line: operators and supervisors, and their PINs
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Units: what is known of them, and what a person may decide about them
    #[command(subcommand)]
    Unit(UnitCommand),
    /// Labels of finished units: print them, read them back; badges and cards
    #[command(subcommand)]
    Label(LabelCommand),
    /// The ledger: verify it, count it, back it up
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Writes proven certificates for registration by hand, or tables of attempts and units
    ///
    /// With --format and --out: the certificates that are proven and not registered, for an
    /// administrator where no API can be reached. `attempts` and `units` are tables for a
    /// spreadsheet or another program.
    #[command(after_help = handoff::EXPORT_EXAMPLES)]
    Export(Export),
    /// Reports as pages, tables or JSON: a shift, a day, a week, a work order, a unit
    #[command(subcommand)]
    Report(ReportCommand),
    /// Shows the line, reports and units in a browser, and changes nothing
    ///
    /// For a wall screen or an office: live from the ledger, beside a running line, with
    /// /metrics for a monitoring system. Ends at SIGINT or SIGTERM.
    #[command(after_help = view::VIEW_EXAMPLES)]
    View(View),
    /// Many stations, one store: serve a fleet, belong to one, ask it
    #[command(subcommand)]
    Fleet(FleetCommand),
    /// Writes the station's figures for a monitoring system, as OpenMetrics
    ///
    /// For the textfile collector of a node exporter: run it every minute. `station view` has
    /// the same under /metrics.
    #[command(after_help = "\
Example:
  station metrics --textfile /var/lib/prometheus/node-exporter/station.prom")]
    Metrics {
        /// Where; the file is replaced as a whole. Without it, to standard output
        #[arg(long, value_name = "PATH")]
        textfile: Option<PathBuf>,
    },
    /// Takes back what an administrator registered by hand
    #[command(after_help = handoff::IMPORT_EXAMPLES)]
    ImportRegistered(ImportRegistered),
    /// Shows what a scan is: its bytes, its fields, and whether it is a serial of the product
    ///
    /// To set up a scanner and the rules of `[[scanner.label]]`. It takes one scan, touches no
    /// ledger and no device, and exits with 1 where the scan is refused.
    #[command(after_help = scan::SCAN_EXAMPLES)]
    Scan(Scan),
    /// Lists the serial ports: path, physical place, slot
    Ports,
    /// Simulated devices and an emulated cloud, to try a line without either
    #[command(subcommand)]
    Sim(SimCommand),
    /// Tries a new device's firmware, or the way into a broker, rule by rule
    ///
    /// With --port: speaks raw frames, right and wrong ones, over a real port, and prints a
    /// verdict for each rule of docs/protocol.md. What it burns is of a CA that is made in
    /// memory and thrown away; it needs no station.toml and touches neither ledger nor CA. The
    /// device is blank at the end.
    ///
    /// With --broker: starts a mosquitto on this machine and sends clients of a throw-away CA
    /// to it. It needs station.toml and the CA's certificate, and not the CA's key.
    #[command(after_help = selftest::EXAMPLES)]
    Selftest(Selftest),
    /// Checks before the shift whether the line could run: red or green
    ///
    /// Looks at the clock, the ledger, the disk, the CA, the ports and the scanner. Exits
    /// with 1 where one of them is red.
    Doctor,
    /// station.toml
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The clock against the journal
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Prints a completion script for a shell
    #[command(after_help = "Example:\n  station completions bash > /etc/bash_completion.d/station")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints a manual page
    #[command(
        after_help = "Examples:\n  station man | man -l -\n  station man work-order create\n  station man --chinese | man -l -\n  station man --out /usr/local/share/man/man1"
    )]
    Man {
        /// The command whose page is printed; without it, the page of the program
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
        /// Write the pages of all commands into this directory
        #[arg(long, value_name = "DIR", conflicts_with = "command")]
        out: Option<PathBuf>,
        /// Print the summary of all commands in Chinese (中文)
        #[arg(long, conflicts_with_all = ["command", "out"])]
        chinese: bool,
    },
}

#[cfg(test)]
mod tests;
