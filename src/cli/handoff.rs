//! Hand-offs for a cloud whose API can't be reached, and tables for others.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::acts::Filters;
use crate::domain::ids::{OperatorId, WorkOrderId};

pub(super) const EXPORT_EXAMPLES: &str = "\
Only proven certificates are written, never void or uncertain ones. The manifest (in the zip,
or beside the table as OUT.manifest.json) names each with its fingerprint and its proof, and
has the SHA-256 of each file. The same certificates always make the same bytes.

Examples:
  station export --format pem-zip --out certificates.zip
  station export --format csv --out wo-1042.csv --work-order WO-1042
Then upload them in the console, and:
  station import-registered certificates.zip --by p117";

/// `station export`
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Export {
    /// Certificates, where no table is named.
    #[command(flatten)]
    pub certificates: Option<ExportCertificates>,
    /// A table of everything.
    #[command(subcommand)]
    pub table: Option<ExportTable>,
}

/// `station export attempts` and `station export units`
#[derive(Debug, Clone, Subcommand)]
pub enum ExportTable {
    /// Every attempt as a table: when, which unit, where, who, on what, how it ended
    ///
    /// The oldest comes first. Without --out it goes to standard output, row by row, however
    /// many there are.
    #[command(after_help = TABLE_EXAMPLES)]
    Attempts(TableOf),
    /// Every unit as a table: its state, its last attempt, its certificate, its registration
    ///
    /// In the order of their serials. Without --out it goes to standard output, row by row,
    /// however many there are.
    #[command(after_help = TABLE_EXAMPLES)]
    Units(TableOf),
}

const TABLE_EXAMPLES: &str = "\
In CSV, times are the factory's, and a text that a spreadsheet would take for a number, a date
or a formula has an apostrophe before it. In NDJSON, times are UTC and texts as they are.

Examples:
  station export attempts --format csv --bom --from 2026-01-05 --to 2026-01-09 --out week.csv
  station export attempts --format ndjson --slot B --code E-DEV-TIMEOUT
  station export units --format csv --work-order WO-1042 --out wo-1042.csv";

/// Which table, and how.
#[derive(Debug, Clone, Args)]
pub struct TableOf {
    /// In which form
    #[arg(long, value_name = "FORM", value_enum)]
    pub format: TableFormat,
    /// Where; without it, to standard output
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Begin a CSV with a byte order mark, by which spreadsheets know UTF-8
    #[arg(long)]
    pub bom: bool,
    /// What narrows it.
    #[command(flatten)]
    pub filters: Filters,
}

/// In which form a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// With commas and a heading, for a spreadsheet
    Csv,
    /// One JSON object a line
    Ndjson,
}

/// `station export --format …`: certificates.
#[derive(Debug, Clone, Args)]
pub struct ExportCertificates {
    /// In which form
    #[arg(long, value_name = "FORM", value_enum)]
    pub format: ExportFormat,
    /// Where; nothing may be there yet
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Only those of this work order
    #[arg(long, value_name = "ID")]
    pub work_order: Option<WorkOrderId>,
    /// The registered ones too
    #[arg(long)]
    pub all: bool,
}

/// In which form certificates are handed off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A zip with one PEM file for each, and the manifest
    PemZip,
    /// A table with commas, the PEM in its last column
    Csv,
    /// One JSON object a line
    Ndjson,
}

pub(super) const IMPORT_EXAMPLES: &str = "\
The file is an export or its manifest, or a table with the columns fingerprint_sha256 and, if
it has them, certificate_sn, serial and client_id, with commas or semicolons. Each row is held
against the ledger; one that differs is refused alone. What is recorded counts as registered in
the instance of [cloud]; the next sync finds it there.

Example:
  station import-registered certificates.zip --by p117";

/// `station import-registered`
#[derive(Debug, Clone, Args)]
pub struct ImportRegistered {
    /// What was registered
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Who registered it: an id, never a name
    #[arg(long, value_name = "ID")]
    pub by: OperatorId,
}
