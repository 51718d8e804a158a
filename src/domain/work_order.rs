//! Work orders: a lot with a product, a quantity and a rule for serials.

use serde::{Deserialize, Serialize};

use super::ids::{HardwareId, ProfileDigest, WorkOrderId};
use super::label::{CheckCharacter, SerialRange};

/// What a work order asks for, as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkOrder {
    /// Its id.
    pub id: WorkOrderId,
    /// The product's name.
    pub product: String,
    /// How many distinct units it wants.
    pub quantity: u32,
    /// A pattern for serials besides the product's, as written.
    pub serial_pattern: Option<String>,
    /// A range for serials.
    pub serial_range: Option<SerialRange>,
    /// The check character that its labels carry.
    pub check_character: CheckCharacter,
    /// The only devices that it accepts; empty means any.
    pub hardware_ids: Vec<HardwareId>,
    /// SHA-256 of the product profile when it was made.
    pub profile: ProfileDigest,
}

/// A work order with its state and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkOrderRow {
    /// What it asks for.
    pub work_order: WorkOrder,
    /// Whether it takes no further units.
    pub closed: bool,
    /// Distinct serials that are proven.
    pub proven: u32,
    /// Distinct serials that are uncertain or under way.
    pub open: u32,
}
