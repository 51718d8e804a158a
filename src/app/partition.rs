//! Reads the public part of an identity as it lies in the chip in a slot. Records nothing and
//! writes nothing; a private key is passed over.

use std::time::Instant;

use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::device::Seen;
use crate::domain::esp::EspEntry;
use crate::domain::ids::SlotName;
use crate::link::driver;
use crate::link::port::Port;
use crate::link::{LinkError, Stop};
use crate::say;
use crate::shell::Failure;

use super::from_config;

/// The chip, and what was found in its partition.
#[derive(Debug)]
pub struct Partition {
    /// What the chip says of itself.
    pub seen: Seen,
    /// The entries, in the order in which they lie there.
    pub entries: Vec<EspEntry>,
}

/// Reads the partition of the chip in a slot, and has the chip go on with its application.
pub fn read(config: &Config, slot: &SlotName) -> Result<Partition, Failure> {
    let mut slots = from_config::slots(config).into_iter();
    let link = slots.find(|found| found.name == *slot).map(|found| found.link);
    let link = link.ok_or_else(|| {
        Failure::said(
            Code::Usage,
            say!("station.toml has no slot {slot}", "station.toml 中没有工位 {slot}"),
        )
    })?;
    let read = || -> Result<Partition, LinkError> {
        let port = Port::open(link.port.clone(), Stop::new())?;
        let mut driver = driver::over(port, &link)?;
        driver.set_deadline(Instant::now().checked_add(config.station.unit_deadline));
        let seen = driver.identify()?;
        let entries = driver.read_partition()?;
        // Whether it starts is no matter of what it holds.
        let _ = driver.restart();
        Ok(Partition { seen, entries })
    };
    read().map_err(|error| Failure::told(error.code(), &error))
}
