//! What can go wrong between a station and its fleet.

use tokio_postgres::error::SqlState;

use crate::domain::code::Code;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// What was sent is no segment of that station.
    #[error("the segment is refused: {0}")]
    Segment(String),
    /// It says what only a newer program can read.
    #[error("the station is newer than the fleet: {0}")]
    Newer(String),
    /// It does not continue what the fleet has.
    #[error("the fleet has entries up to {0}, and the segment does not continue there")]
    Behind(u64),
    /// The fleet says that it does not continue.
    #[error("{0}")]
    Elsewhere(String),
    /// Two histories of one ledger.
    #[error("{0}")]
    Fork(String),
    /// Who asks is not known, or may not.
    #[error("{0}")]
    Station(String),
    /// A code for enrolling that is wrong, used or too old.
    #[error("this code enrols no station: {0}")]
    EnrolCode(String),
    /// No answer.
    #[error("the fleet at {url} can't be reached: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why not.
        why: String,
    },
    /// An answer that is none.
    #[error("what the fleet answered makes no sense: {0}")]
    Answer(String),
    /// The store can't be used.
    #[error("the fleet's database can't be used: {0}")]
    Database(String),
    /// Two servers got into each other's way; the same again will do.
    #[error("the fleet's database had two transactions in each other's way: {0}")]
    Turn(String),
    /// What was asked for can't be.
    #[error("{0}")]
    Asked(String),
    /// The station's ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// A file of the station's.
    #[error("{path} can't be used: {source}")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The system gives no thread, or no socket.
    #[error("{what}")]
    System {
        /// What is missing.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl FleetError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            FleetError::Segment(_)
            | FleetError::Newer(_)
            | FleetError::Behind(_)
            | FleetError::Elsewhere(_) => Code::FleetSegment,
            FleetError::Fork(_) => Code::FleetFork,
            FleetError::Station(_) | FleetError::EnrolCode(_) => Code::FleetStation,
            FleetError::Unreachable { .. } | FleetError::Answer(_) => Code::FleetUnreachable,
            FleetError::Database(_) | FleetError::Turn(_) => Code::FleetDatabase,
            FleetError::Asked(_) => Code::Usage,
            FleetError::Ledger(error) => error.code(),
            FleetError::File { .. } => Code::Input,
            FleetError::System { .. } => Code::Shortage,
        }
    }
}

impl From<tokio_postgres::Error> for FleetError {
    fn from(error: tokio_postgres::Error) -> Self {
        let mut text = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        let state = error.code();
        match state == Some(&SqlState::T_R_DEADLOCK_DETECTED)
            || state == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
        {
            true => FleetError::Turn(text),
            false => FleetError::Database(text),
        }
    }
}
