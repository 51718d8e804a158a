//! What can go wrong with a simulated slot.

use std::path::PathBuf;

use rustix::io::Errno;

/// Why a simulated slot can't be started or had to end.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A pseudo-terminal could not be made or used.
    #[error("the pseudo-terminal can't be used")]
    Port(#[source] Errno),
    /// The link to the pseudo-terminal could not be made.
    #[error("the link {link} can't be made")]
    Link {
        /// Where it should be.
        link: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something that is no link stands where the link should be.
    #[error("{link} is there already and is no link")]
    LinkTaken {
        /// Where.
        link: PathBuf,
    },
}
