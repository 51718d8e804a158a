//! `station work-order key …`, `sign`, `take`, `give-back` and `verify`: grants.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::domain::clock::{Timestamp, length_of_time};
use crate::domain::grant::GrantNumber;
use crate::domain::ids::{OperatorId, ProfileDigest, StationId, WorkOrderId};
use crate::domain::label::SerialRange;
use crate::domain::say::Say;
use crate::say;

/// `station work-order key …`
#[derive(Debug, Subcommand)]
pub enum OrderKeyCommand {
    /// Makes the order key where station.toml points, certified by this station's CA
    #[command(after_help = "\
The order key lies where orders are made. Its passphrase comes from STATION_ORDERS_PASSPHRASE,
from `[work_orders] passphrase_file` (mode 0600), from the systemd credential
station_orders_passphrase, or from the keyboard.

Example:
  station work-order key make --name planning --days 365")]
    Make {
        /// Who signs with it: a role or an office, never a person
        #[arg(long, value_name = "NAME")]
        name: String,
        /// How many days its certificate is valid
        #[arg(long, value_name = "N", default_value_t = 365)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=3_650))]
        days: u32,
    },
    /// Signs a request for an offline root with the order key; makes the key where there is none
    #[command(after_help = "\
The root must sign with the extensions of the request (OpenSSL: -copy_extensions copy) and
itself: a CA in between is not taken. Stations name it as `[work_orders] root`.

Example:
  station work-order key request --name planning --out orders.csr")]
    Request {
        /// Who signs with it: a role or an office, never a person
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Write the request to this file, PEM; never over another
        #[arg(long, value_name = "CSR")]
        out: PathBuf,
    },
    /// Takes the certificate that a root signed for the order key
    Import {
        /// The certificate, PEM or DER
        #[arg(value_name = "FILE")]
        certificate: PathBuf,
    },
    /// Shows whose key it is and how long its certificate holds; needs no passphrase
    Show,
}

/// `station work-order sign`
#[derive(Debug, Clone, Args)]
pub struct NewGrant {
    /// The work order
    #[arg(value_name = "ID")]
    pub id: WorkOrderId,
    /// The one station that may make them
    #[arg(long, value_name = "STATION")]
    pub station: StationId,
    /// How many distinct units it may make
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub quantity: u32,
    /// How many the work order wants of all stations; by default this ledger's, else the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub order_quantity: Option<u32>,
    /// The only serials that it is for, both ends included
    #[arg(long, value_name = "A..B")]
    pub serials: Option<SerialRange>,
    /// How long it holds from now, for example 30d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = length)]
    pub valid_for: Duration,
    /// Until when it holds, RFC 3339; instead of --valid-for
    #[arg(long, value_name = "WHEN", conflicts_with = "valid_for", value_parser = moment)]
    pub valid_until: Option<Timestamp>,
    /// Its number within the work order; by default one made of the time
    #[arg(long, value_name = "N")]
    pub number: Option<GrantNumber>,
    /// The product profile's SHA-256, as `station config check` of the station shows it; by
    /// default that of this station.toml
    #[arg(long, value_name = "SHA256")]
    pub profile: Option<ProfileDigest>,
    /// Write it to this file; never over another
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `station work-order give-back`
#[derive(Debug, Clone, Args)]
pub struct GiveBack {
    /// The work order
    #[arg(value_name = "ID")]
    pub id: WorkOrderId,
    /// Of this grant alone
    #[arg(long, value_name = "N")]
    pub number: Option<GrantNumber>,
    /// So many units of it; by default all that are left
    #[arg(long, value_name = "N", requires = "number")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub quantity: Option<u32>,
    /// Write what stands then, signed, to this file; never over another
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Who gives it back: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: Option<OperatorId>,
}

fn length(text: &str) -> Result<Duration, Say> {
    length_of_time(text).ok_or_else(|| {
        say!("write a number and s, m, h or d, as in 30d", "写一个数字和 s、m、h 或 d，例如 30d")
    })
}

fn moment(text: &str) -> Result<Timestamp, Say> {
    let wrong = || say!("write a time as 2026-12-31T18:00:00Z", "时间写作 2026-12-31T18:00:00Z");
    Timestamp::from_rfc3339(text).ok_or_else(wrong)
}
