//! Hand-offs for a cloud whose API can't be reached.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
pub struct Export {
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
