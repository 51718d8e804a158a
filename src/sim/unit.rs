//! A unit: a device, where it belongs, and what it and its line do apart from answering.

use std::sync::Arc;
use std::time::Duration;

use firmware_interface::ids::RequestType;

use super::device::Device;
use super::dice::Dice;
use super::line::Mishaps;
use super::progress::Home;

/// Which simulated device: the slot from whose box it came, and its number there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitId {
    /// The name of the slot from whose box it came.
    pub home: String,
    /// Counted from 1.
    pub number: u32,
}

/// What a device does apart from answering.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// It never answers.
    pub(crate) never_answers: bool,
    /// No station can get as far as `finish` with it, so it makes place without.
    pub(crate) unreachable: bool,
    /// What it says without end.
    pub(crate) chatter: Option<Chatter>,
    /// It sends a banner after each start.
    pub(crate) banner: bool,
    /// Opening its port restarts it.
    pub(crate) reset_on_open: bool,
    /// Its port goes away while it restarts.
    pub(crate) usb_restart: bool,
    /// The line gives back what the station sends, and nobody is behind it.
    pub(crate) echo: bool,
    /// Bytes of noise before each answer.
    pub(crate) gush: usize,
    /// It stays in its slot when it has finished.
    pub(crate) stays: bool,
    /// Requests that it carries out and does not answer.
    pub(crate) withheld: Vec<RequestType>,
    /// The same until it is taken out and put in again, as with a bad contact.
    pub(crate) withheld_here: Vec<RequestType>,
    /// When it is pulled out.
    pub(crate) pull: Option<Pull>,
    /// How long each reply is late.
    pub(crate) latency: Duration,
    /// How long a start takes.
    pub(crate) boot: Duration,
}

/// What a device says that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chatter {
    /// Random bytes.
    Noise,
    /// Well-formed frames.
    Frames,
}

/// When a device is pulled out of its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pull {
    /// At which request.
    pub(crate) at: RequestType,
    /// At which of them, counted from 1.
    pub(crate) count: u32,
    /// Whether it comes back, having carried out that request.
    pub(crate) comes_back: bool,
}

/// A unit, ready to be plugged in.
pub(crate) struct Unit {
    /// The slot from whose box it came.
    pub(crate) home: Arc<Home>,
    pub(crate) number: u32,
    pub(crate) device: Device,
    pub(crate) manners: Manners,
    pub(crate) mishaps: Mishaps,
    pub(crate) dice: Dice,
}

impl Unit {
    /// Which it is.
    pub(crate) fn id(&self) -> UnitId {
        UnitId { home: self.home.name(), number: self.number }
    }

    /// Somebody pulled it out: it has no power, and its contacts are seated anew next time.
    pub(crate) fn pulled_out(&mut self) {
        self.device.restart();
        self.manners.withheld_here.clear();
    }
}
