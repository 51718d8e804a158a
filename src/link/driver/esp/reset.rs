//! How a chip is reset, into its loader or into its application.
//!
//! On boards DTR and RTS reach boot and reset pin through two transistors, active low: RTS
//! alone holds the chip in reset, DTR alone the boot pin, both or none do nothing. So DTR must
//! be let go of before RTS where the application is to start. Without these lines the chip's
//! watchdog resets it, or, where that can't, the end of a write.

use std::time::Duration;

use super::chip::{Chip, Watchdog};
use super::loader::{Loader, gone_is_fine};
use crate::error::LinkError;
use crate::port::{OutputLine, Port};

/// The reset pin is held so long; its capacitor needs a few milliseconds.
const HOLD: Duration = Duration::from_millis(100);

/// The boot pin is held so long after the reset; slow capacitors need the longer one.
const BOOT_HOLD: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(550)];

/// What opens the watchdog's registers.
const WATCHDOG_KEY: u32 = 0x50d8_3aa1;

/// Ticks of its slow clock, and what it does then: reset everything.
const WATCHDOG_TICKS: u32 = 2000;
const WATCHDOG_RESETS: u32 = 1 << 31 | 5 << 28 | 1 << 8 | 2;

fn set(port: &mut Port, dtr: bool, rts: bool) -> Result<(), LinkError> {
    port.set_level(OutputLine::Dtr, dtr)?;
    port.set_level(OutputLine::Rts, rts)
}

/// Resets a chip into its loader; every other `attempt` gives its capacitor more time.
pub(super) fn to_loader(port: &mut Port, attempt: usize) -> Result<(), LinkError> {
    set(port, false, false)?;
    port.set_level(OutputLine::Rts, true)?;
    port.idle(HOLD)?;
    // The boot pin goes low while the capacitor still holds the reset.
    port.set_level(OutputLine::Dtr, true)?;
    port.set_level(OutputLine::Rts, false)?;
    port.idle(BOOT_HOLD[attempt % BOOT_HOLD.len()])?;
    port.set_level(OutputLine::Dtr, false)
}

/// Resets a chip into its application.
pub(super) fn to_application(port: &mut Port) -> Result<(), LinkError> {
    port.set_level(OutputLine::Dtr, false)?;
    port.set_level(OutputLine::Rts, true)?;
    port.idle(HOLD)?;
    port.set_level(OutputLine::Rts, false)
}

/// Has a chip in its loader reset itself, and says how.
pub(super) fn by_itself(loader: &mut Loader, chip: &Chip) -> Result<(), LinkError> {
    let Some(Watchdog { config, time, lock }) = chip.watchdog else {
        return loader.leave(chip.has_fifth_word);
    };
    loader.write_register(lock, WATCHDOG_KEY)?;
    loader.write_register(time, WATCHDOG_TICKS)?;
    gone_is_fine(loader.write_register(config, WATCHDOG_RESETS))
}

/// How a chip resets itself, for the record.
pub(super) const fn by_itself_kind(chip: Option<&Chip>) -> &'static str {
    match chip {
        Some(chip) if chip.watchdog.is_none() => "flash-end",
        _ => "watchdog",
    }
}
