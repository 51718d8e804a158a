//! The drivers: one folder for each family of devices, and here the place at which they
//! are registered.
//!
//! A new family is a folder beside these with a `DeviceFamily` in it, a `mod` and an arm of
//! `family` here, and a name in `domain::family`. The compiler and `tests/config` ask for
//! the rest.

mod at;
mod attempt;
mod auto;
mod contract;
mod esp;
pub mod framed;
mod gone;
mod key_document;
mod pem;
mod smp;

pub use contract::Driver;

use self::contract::DeviceFamily;
use super::error::LinkError;
use super::port::Port;
use super::settings::SlotLink;
use crate::domain::family::{Family, Speaks};

/// Where each family stands.
fn family(family: Family) -> &'static dyn DeviceFamily {
    match family {
        Family::Framed => &framed::Family,
        Family::Smp => &smp::Family,
        Family::At => &at::Family,
        Family::Esp => &esp::Family,
    }
}

/// Who asks for a family where any may come. A chip of Espressif's answers in the framed
/// protocol while its application runs, and takes no identity that way.
fn asked(name: Family) -> &'static dyn DeviceFamily {
    match name {
        Family::Framed => &esp::Application,
        other => family(other),
    }
}

/// The driver that a slot is configured to use, over its open port.
pub fn over(port: Port, slot: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
    match slot.speaks {
        Speaks::Family(name) => family(name).drive(port, slot),
        Speaks::Auto => {
            let families = Family::ALL.iter().copied().map(asked).collect();
            Ok(Box::new(auto::Auto::new(port, slot, families)))
        }
    }
}
