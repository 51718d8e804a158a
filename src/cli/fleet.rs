//! The fleet: many stations, one store.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::domain::clock;
use crate::domain::ids::{OperatorId, StationId};
use crate::domain::say::Say;
use crate::say;

pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  station fleet serve --database postgresql:///fleet --listen 0.0.0.0:8443 \\
      --certificate fleet.pem --key fleet.key
  station fleet serve --database 'postgresql://fleet@db/fleet' --partitions 16

The database's password comes from the variable STATION_FLEET_DATABASE_PASSWORD or the systemd
credential of the same name in lower case. Plain HTTP is spoken on 127.0.0.1 alone.";

pub(super) const ENROL_EXAMPLES: &str = "\
Examples:
  station fleet code --database postgresql:///fleet --station line-3      at the fleet
  station fleet enrol https://fleet.example:8443 --code K7Q2-…            at the station";

/// Where the store is.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// The database, as PostgreSQL writes it: postgresql://USER@HOST/NAME
    #[arg(long, value_name = "URL", env = "STATION_FLEET_DATABASE", hide_env_values = true)]
    pub database: String,
    /// How its server is verified
    #[command(flatten)]
    pub roots: DatabaseRoots,
}

/// The same where the fleet may be asked instead.
#[derive(Debug, Clone, Args)]
pub struct MaybeDatabase {
    /// The database; without it the fleet is asked that this station is enrolled at
    #[arg(long, value_name = "URL", env = "STATION_FLEET_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// How its server is verified
    #[command(flatten)]
    pub roots: DatabaseRoots,
}

/// How the database's server is verified.
#[derive(Debug, Clone, Args)]
pub struct DatabaseRoots {
    /// The CA of the database's certificate, PEM; without it those of the system
    #[arg(long, value_name = "PEM")]
    pub database_ca: Option<PathBuf>,
}

/// `station fleet …`
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Serves a fleet: takes what stations send, and keeps it in PostgreSQL
    ///
    /// Any number of these over one database are the same as one, and each may be killed at any
    /// time. Ends at SIGINT or SIGTERM.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(FleetServe),
    /// Makes a code with which one station enrols once
    Code(FleetCode),
    /// Binds this station, its ledger and its CA to a fleet
    #[command(after_help = ENROL_EXAMPLES)]
    Enrol(FleetEnrol),
    /// Sends what the fleet has not confirmed yet
    Push,
    /// How far the fleet has this station; with --database, all stations
    Status(MaybeDatabase),
    /// Finds a unit wherever it was made: by serial, client id, certificate number, fingerprint,
    /// public key or hardware id
    Find(FleetFind),
    /// Audits the database by the segments alone: a changed row or segment is found
    Verify(FleetVerify),
    /// Lets a station in no more, or again
    Revoke(FleetRevoke),
    /// Keeps a grant, so that its station can take it from the fleet
    Grant(FleetGrant),
    /// Decides a conflict: whose word counts
    Settle(FleetSettle),
    /// Counts what was made: by day, station and work order
    Report(FleetReport),
    /// Shows a whole fleet on this machine: PostgreSQL, a server, three simulated stations
    ///
    /// It needs PostgreSQL 15 or newer to be installed. The stations make units for work orders,
    /// one serial twice on purpose, and send their journals.
    Demo(FleetDemo),
}

/// `station fleet serve`
#[derive(Debug, Clone, Args)]
pub struct FleetServe {
    /// Where the store is
    #[command(flatten)]
    pub database: Database,
    /// Where it listens; port 0 is any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Into how many parts each table is divided when it is made
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1024))]
    pub partitions: u16,
    /// Its certificate and what stands above it, PEM
    #[arg(long, value_name = "PEM", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The file of mode 0600 that holds its key, PEM
    #[arg(long, value_name = "PEM", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// The file of mode 0600 with the token of those who may look at the page. Without it there is
    /// a page on this machine alone
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Connections to the database at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Registrations a second that a cloud takes from all stations together
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    pub cloud_rate: u32,
}

/// `station fleet code`
#[derive(Debug, Clone, Args)]
pub struct FleetCode {
    /// Where the store is
    #[command(flatten)]
    pub database: Database,
    /// The station that it is for
    #[arg(long, value_name = "ID")]
    pub station: StationId,
    /// The CA that the station must come with, PEM
    #[arg(long, value_name = "PEM")]
    pub ca: Option<PathBuf>,
    /// How long it can be used
    #[arg(long, value_name = "D", default_value = "24h", value_parser = length_of_time)]
    pub valid_for: Duration,
}

fn length_of_time(text: &str) -> Result<Duration, Say> {
    clock::length_of_time(text)
        .ok_or_else(|| say!("write 90s, 10m, 6h or 2d", "写作 90s、10m、6h 或 2d"))
}

/// `station fleet enrol`
#[derive(Debug, Clone, Args)]
pub struct FleetEnrol {
    /// The fleet's address
    #[arg(value_name = "URL")]
    pub url: String,
    /// The code that `station fleet code` made
    #[arg(long, value_name = "C")]
    pub code: String,
    /// The CA of the fleet's certificate, PEM; without it `[fleet] ca`, or those of the system
    #[arg(long, value_name = "PEM")]
    pub ca: Option<PathBuf>,
}

/// `station fleet find`
#[derive(Debug, Clone, Args)]
pub struct FleetFind {
    /// What names the unit, as a whole
    #[arg(value_name = "ANY")]
    pub text: String,
    /// Where the store is
    #[command(flatten)]
    pub database: MaybeDatabase,
}

/// `station fleet verify`
#[derive(Debug, Clone, Args)]
pub struct FleetVerify {
    /// Where the store is
    #[command(flatten)]
    pub database: Database,
    /// This station alone
    #[arg(long, value_name = "ID")]
    pub station: Option<StationId>,
}

/// `station fleet revoke`
#[derive(Debug, Clone, Args)]
pub struct FleetRevoke {
    /// Where the store is
    #[command(flatten)]
    pub database: Database,
    /// The station
    #[arg(long, value_name = "ID")]
    pub station: StationId,
    /// Let it in again
    #[arg(long)]
    pub undo: bool,
}

/// `station fleet grant`
#[derive(Debug, Clone, Args)]
pub struct FleetGrant {
    /// Where the store is
    #[command(flatten)]
    pub database: Database,
    /// The station that it is for
    #[arg(long, value_name = "ID")]
    pub station: StationId,
    /// The work order that it is for
    #[arg(long, value_name = "ID")]
    pub work_order: crate::domain::ids::WorkOrderId,
    /// The signed file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `station fleet settle`
#[derive(Debug, Clone, Args)]
pub struct FleetSettle {
    /// Where the store is
    #[command(flatten)]
    pub database: Database,
    /// The conflict
    #[arg(value_name = "CONFLICT")]
    pub conflict: String,
    /// The station whose word counts
    #[arg(long = "for", value_name = "STATION")]
    pub station: StationId,
    /// Why
    #[arg(long, value_name = "R")]
    pub reason: String,
    /// Who decides: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: OperatorId,
}

/// `station fleet demo`
#[derive(Debug, Clone, Args)]
pub struct FleetDemo {
    /// End when everything was made and sent, instead of serving until a signal
    #[arg(long)]
    pub once: bool,
    /// How many units all stations make together
    #[arg(long, value_name = "N", default_value_t = 12)]
    #[arg(value_parser = clap::value_parser!(u32).range(3..=100_000))]
    pub units: u32,
    /// Keep everything in this directory; made if missing, must be empty
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `station fleet report`
#[derive(Debug, Clone, Args)]
pub struct FleetReport {
    /// Where the store is
    #[command(flatten)]
    pub database: Database,
    /// The first day, in UTC
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// The last day, in UTC
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
}
