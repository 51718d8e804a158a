//! Simulated Espressif chips: the loader in their ROM, flash in a file, and the application
//! that starts after a reset.
//!
//! They are right when Espressif's own `esptool`, unchanged, finds, writes, verifies and reads
//! them: `tests/esp` holds them against it. What the loader does not run is code that is sent
//! to it, so tools that bring a stub are told not to (`--no-stub`). Start with [`run_esp`];
//! below it `slot` keeps the line, `chip` is one chip, `rom` its loader and `app` its
//! application. Nothing is shared with the station's own driver, so that each can contradict
//! the other.

mod app;
mod chip;
mod factory;
mod faults;
mod flash;
mod kind;
mod pins;
mod rom;
mod slip;
mod slot;
mod stored;

pub use chip::EspTimes;
pub use faults::{ESP_FAULTS, EspFaults};
pub use flash::FlashTimes;
pub use slot::{EspOptions, chip_words, run_esp};
