//! How a simulated slot is set up.

use std::path::PathBuf;
use std::time::Duration;

use firmware_interface::message::{ChunkLimit, Window};

use super::dice::Chance;
use super::error::SimError;
use super::fault::FaultSpec;
use super::hands::Workbench;
use super::preloaded::Preloaded;
use super::timings::Timings;
use super::transcript::Recorder;

/// How long a device stays in its slot when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stay {
    /// Until the station has let go of the port.
    #[default]
    UntilLetGo,
    /// For so long after it heard `finish`. One that never answers goes when it is let go.
    For(Duration),
    /// Until it is taken out by hand.
    UntilTaken,
}

/// A slot with simulated devices, one after another.
pub struct Options {
    /// Where the port appears. A link that is there already is replaced.
    pub link: PathBuf,
    /// Where flash contents and the slot's progress are kept; nowhere if there is none.
    /// Slots may share a directory if their links have different names.
    pub state_dir: Option<PathBuf>,
    /// From what, with the seed, the hardware ids follow; the link's path if there is
    /// none. Two slots with the same seed and name hold devices with the same ids.
    pub name: Option<String>,
    /// Bits a second of the line in both directions; 0 for no pacing.
    pub baud: u32,
    /// How many devices there are.
    pub units: u32,
    /// What is wrong with them.
    pub faults: FaultSpec,
    /// From what probabilities and hardware ids are drawn.
    pub seed: u64,
    /// Their model: 1 to 32 characters of ASCII.
    pub model: String,
    /// Their firmware version: 1 to 32 characters of ASCII.
    pub firmware: String,
    /// How many chunks they take unanswered, 1 to 8.
    pub window: u8,
    /// Bytes of data in their largest chunk, 65 to about 1000.
    pub max_chunk: u16,
    /// Bytes of the largest image that they take.
    pub capacity: u32,
    /// How long they work.
    pub timings: Timings,
    /// How long they say that they may work; as long as they do, if there is none.
    pub declared: Option<Timings>,
    /// How long each reply is late beyond its work.
    pub latency: Duration,
    /// How long a device stays in its slot when it is done.
    pub stay: Stay,
    /// How long the slot is empty between two devices.
    pub swap_time: Duration,
    /// Where devices lie that are taken out by hand; one of the slot's own if there is none.
    pub bench: Option<Workbench>,
    /// Whether a socket beside the link takes orders for the hand that moves devices.
    pub control: bool,
    /// An identity that every new device holds from the beginning.
    pub preloaded: Option<Preloaded>,
    /// Whether they can make their keys themselves.
    pub keygen: bool,
    /// Whether such a key is the same each time, as one in a secure element is.
    pub keep_key: bool,
    /// Who is shown every frame.
    pub recorder: Option<Box<dyn Recorder>>,
}

impl Options {
    /// One sound device at 115200 baud, its flash in memory.
    pub fn new(link: impl Into<PathBuf>) -> Self {
        Self {
            link: link.into(),
            state_dir: None,
            name: None,
            baud: 115_200,
            units: 1,
            faults: FaultSpec::none(),
            seed: 0,
            model: "SIM-1".to_owned(),
            firmware: "1.0.0".to_owned(),
            window: 4,
            max_chunk: 512,
            capacity: 16 * 1_024,
            timings: Timings::default(),
            declared: None,
            latency: Duration::ZERO,
            stay: Stay::UntilLetGo,
            swap_time: Duration::ZERO,
            bench: None,
            control: false,
            preloaded: None,
            keygen: false,
            keep_key: false,
            recorder: None,
        }
    }

    /// From what everything is drawn that happens by chance. The name of the link counts and
    /// not where it lies, so that a run can be repeated in another directory.
    pub(super) fn chance(&self) -> Chance {
        let link = || self.link.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Chance::new(self.seed, &self.name.clone().unwrap_or_else(link))
    }

    pub(super) fn window(&self) -> Result<Window, SimError> {
        Window::new(self.window).ok_or(SimError::Window { chunks: self.window })
    }

    pub(super) fn chunk_limit(&self) -> Result<ChunkLimit, SimError> {
        ChunkLimit::new(self.max_chunk).ok_or(SimError::MaxChunk { bytes: self.max_chunk })
    }
}
