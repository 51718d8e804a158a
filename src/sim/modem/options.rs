//! How a slot of simulated modems is set up.

use std::path::PathBuf;
use std::time::Duration;

use super::fault::ModemFaults;
use crate::domain::modem::Modem;

/// How a slot of modems is set up.
#[derive(Debug, Clone)]
pub struct ModemOptions {
    /// Whose they are.
    pub kind: Modem,
    /// Where the port appears. A link that is there already is replaced.
    pub link: PathBuf,
    /// Where their flash is kept, a file each; in memory alone if there is none.
    pub state_dir: Option<PathBuf>,
    /// Bits a second of the line; 0 for no pacing.
    pub baud: u32,
    /// How many there are.
    pub units: u32,
    /// What is wrong with them.
    pub faults: ModemFaults,
    /// From what IMEIs and probabilities are drawn.
    pub seed: u64,
    /// From a restart to the first answer.
    pub boot: Duration,
    /// How long each change of the flash takes.
    pub write: Duration,
    /// Whether a modem that is done stays in the slot.
    pub stay: bool,
}
