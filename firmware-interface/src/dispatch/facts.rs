//! What a board says about itself.

use crate::ids::{Capabilities, SecurityFlags};
use crate::message::{ChunkLimit, HardwareId, MAX_NAME, MAX_SERIAL, ShortText, Window};
use crate::timing::BusyTimes;

/// What never changes while a device runs, as `IDENTIFY` answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The model, by which a station knows that it has the right product.
    pub model: ShortText<MAX_NAME>,
    /// What this one device calls itself.
    pub hardware_id: HardwareId,
    /// The firmware version.
    pub firmware: ShortText<MAX_NAME>,
    /// The serial that its maker gave it.
    pub factory_serial: Option<ShortText<MAX_SERIAL>>,
    /// Protections that are in force.
    pub security: SecurityFlags,
    /// What it offers of what is optional. [`super::Device`] leaves out what it lacks itself.
    pub capabilities: Capabilities,
    /// How many chunks it can take unanswered; one, if it is deaf while it programs.
    pub window: Window,
    /// The largest chunk it takes.
    pub max_chunk: ChunkLimit,
    /// How long it may be silent; see [`super::Device::measured`].
    pub busy: BusyTimes,
}
