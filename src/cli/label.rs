//! `station label …`: labels for units, cards for people and slots.

use std::ffi::OsString;

use clap::Subcommand;

use crate::domain::ids::{OperatorId, Serial, SlotName, WorkOrderId};

/// `station label …`
#[derive(Debug, Subcommand)]
pub enum LabelCommand {
    /// Sends a finished unit's label to the printer
    ///
    /// Once: where a label was sent, or may have been, it is refused. "Sent" is all that can be
    /// said, since most printers answer nothing.
    #[command(after_help = "\
Example:
  station label print TH200-00000001")]
    Print {
        /// The unit
        #[arg(value_name = "SERIAL")]
        serial: Serial,
        /// Who prints it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Sends a unit's label once more, the same byte for byte; the journal keeps why
    #[command(after_help = "\
Example:
  station label reprint TH200-00000001 --reason 'torn when it was applied' --by p117")]
    Reprint {
        /// The unit
        #[arg(value_name = "SERIAL")]
        serial: Serial,
        /// Why; kept in the journal
        #[arg(long, value_name = "R")]
        reason: String,
        /// Who prints it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Takes what was scanned from a printed label, and records whether it is right
    ///
    /// Exits with 1 where it says something else than the unit's label should: the unit is
    /// then on HOLD.
    #[command(after_help = "\
Examples:
  station label read --text TH200-00000001
  station label read                       (one scan of the scanner of station.toml)")]
    Read {
        /// The unit whose label it should be; without it, the one that it names
        #[arg(value_name = "SERIAL")]
        serial: Option<Serial>,
        /// Take this text as the scan
        #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
        text: Option<OsString>,
        /// Who scans it: an id, never a name
        #[arg(long, value_name = "ID")]
        by: Option<OperatorId>,
    },
    /// Lists the labels that somebody still has to see to
    List,
    /// Prints a badge, with which a person signs in by a scan
    Badge {
        /// The person's id
        #[arg(value_name = "ID")]
        id: OperatorId,
    },
    /// Prints a slot's own code, with which it is chosen by a scan
    Slot {
        /// The slot
        #[arg(value_name = "NAME")]
        name: SlotName,
    },
    /// Prints the paper that goes with a lot: a code that chooses its work order, its quantity, its serials
    Sheet {
        /// The work order
        #[arg(long, value_name = "ID")]
        work_order: WorkOrderId,
    },
}
