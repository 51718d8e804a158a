//! Reports: what a manager takes away.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::ids::{AnyName, WorkOrderId};

const TIME_EXAMPLES: &str = "\
Examples:
  station report shift --out shift.html
  station report shift --name night --date yesterday --format json
  station report day --date 2026-01-05 --format csv
  station report week --language zh-CN --out week.html
  station report day --from 2026-01-05T22:00 --to 2026-01-06T06:00";

/// `station report …`
#[derive(Debug, Clone, Subcommand)]
pub enum ReportCommand {
    /// A shift: output by hour against the plan, yield, causes, slots, persons, cycle times
    ///
    /// Without --name and --date, the shift that is under way, or the last one that was. A
    /// station without `[[shifts]]` has one a day.
    #[command(after_help = TIME_EXAMPLES)]
    Shift {
        /// Which of `[[shifts]]`
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// When, and in which form.
        #[command(flatten)]
        of: ReportOfTime,
    },
    /// A day of the factory's, the same
    #[command(after_help = TIME_EXAMPLES)]
    Day(ReportOfTime),
    /// A week from Monday to Sunday, the same
    #[command(after_help = TIME_EXAMPLES)]
    Week(ReportOfTime),
    /// A work order, the same
    #[command(after_help = "\
Examples:
  station report work-order WO-1042 --out wo-1042.html
  station report work-order WO-1042 --certificate-of-conformity --out sheet.html --bundle lot.zip")]
    WorkOrder {
        /// Which
        id: WorkOrderId,
        /// The lot's sheet for its customer instead: what it is, and how it can be checked
        #[arg(long)]
        certificate_of_conformity: bool,
        /// Everything that shows it besides, as a zip: table, certificates, journal, instructions
        #[arg(long, value_name = "ZIP", requires = "certificate_of_conformity")]
        bundle: Option<PathBuf>,
        /// In which form, and where.
        #[command(flatten)]
        form: ReportForm,
    },
    /// A unit: its attempts, its certificates, what persons did
    #[command(after_help = "\
Example:
  station report unit TH200-00000001 --out unit.html")]
    Unit {
        /// Which: what `unit show` takes
        #[arg(value_name = "ANY")]
        any: AnyName,
        /// In which form, and where.
        #[command(flatten)]
        form: ReportForm,
    },
    /// Verifies a lot's bundle by itself: its files, the journal, signatures, each unit
    ///
    /// It needs no station.toml and no ledger. The bundle's VERIFY.md does the same without
    /// this program.
    #[command(after_help = "\
Example:
  station report verify lot.zip --ca ca.pem")]
    Verify(VerifyBundle),
}

/// A lot's bundle, as its customer has it.
#[derive(Debug, Clone, Args)]
pub struct VerifyBundle {
    /// The zip
    #[arg(value_name = "ZIP")]
    pub bundle: PathBuf,
    /// The CA certificate that it must be of; without it, compare the fingerprint that is printed
    #[arg(long, value_name = "PEM")]
    pub ca: Option<PathBuf>,
}

/// When, and in which form.
#[derive(Debug, Clone, Args)]
pub struct ReportOfTime {
    /// On which day: 2026-01-05, today, yesterday; today where none is named
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
    /// Exactly from then on instead: a date or a time of the factory
    #[arg(long, value_name = "TIME", conflicts_with = "date", requires = "to")]
    pub from: Option<String>,
    /// Exactly until then; a date is meant with its whole day
    #[arg(long, value_name = "TIME", requires = "from")]
    pub to: Option<String>,
    /// In which form, and where.
    #[command(flatten)]
    pub form: ReportForm,
}

/// In which form, and where.
#[derive(Debug, Clone, Args)]
pub struct ReportForm {
    /// In which form
    #[arg(long, value_name = "FORM", value_enum, default_value_t = ReportFormat::Html)]
    pub format: ReportFormat,
    /// Where; without it, to standard output
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// The page's language; without it, that of station.toml
    #[arg(long, value_name = "LANGUAGE", value_enum)]
    pub language: Option<ReportLanguage>,
}

/// In which form a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One page that needs nothing else, for a screen or paper
    Html,
    /// A table with commas, for a spreadsheet
    Csv,
    /// One JSON object
    Json,
}

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportLanguage {
    /// English
    En,
    /// 简体中文
    #[value(name = "zh-CN")]
    ZhCn,
}
