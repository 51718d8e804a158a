//! What can go wrong between a station and its fleet.

use tokio_postgres::error::SqlState;

use crate::domain::cause::{Told, chain, system_in_chinese};
use crate::domain::code::Code;
use crate::domain::say::Say;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// What was sent is no segment of that station.
    #[error("the segment is refused: {0}")]
    Segment(Say),
    /// It says what only a newer program can read.
    #[error("the station is newer than the fleet: {0}")]
    Newer(Say),
    /// It does not continue what the fleet has.
    #[error("the fleet has entries up to {0}, and the segment does not continue there")]
    Behind(u64),
    /// The fleet says that it does not continue.
    #[error("{0}")]
    Elsewhere(Say),
    /// Two histories of one ledger.
    #[error("{0}")]
    Fork(Say),
    /// Who asks is not known, or may not.
    #[error("{0}")]
    Station(Say),
    /// A code for enrolling that is wrong, used or too old.
    #[error("this code enrols no station: {0}")]
    EnrolCode(Say),
    /// No answer.
    #[error("the fleet at {url} can't be reached: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why not.
        why: Say,
    },
    /// An answer that is none.
    #[error("what the fleet answered makes no sense: {0}")]
    Answer(Say),
    /// The store can't be used.
    #[error("the fleet's database can't be used: {0}")]
    Database(Say),
    /// Two servers got into each other's way; the same again will do.
    #[error("the fleet's database had two transactions in each other's way: {0}")]
    Turn(Say),
    /// What was asked for can't be.
    #[error("{0}")]
    Asked(Say),
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
        what: Say,
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

impl Told for FleetError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Segment(why) => format!("日志段被拒绝：{}", why.chinese),
            Self::Newer(why) => format!("本站的程序比总库新：{}", why.chinese),
            Self::Behind(seq) => format!("总库有到第 {seq} 条为止的记录，这一段接不上"),
            Self::EnrolCode(why) => format!("这个加入码不能用：{}", why.chinese),
            Self::Unreachable { url, why } => format!("连不上总库 {url}：{}", why.chinese),
            Self::Answer(why) => format!("总库的应答看不懂：{}", why.chinese),
            Self::Database(why) => format!("总库的数据库无法使用：{}", why.chinese),
            Self::Turn(why) => format!("总库的数据库里两个事务互相妨碍：{}", why.chinese),
            Self::Elsewhere(why) | Self::Fork(why) | Self::Station(why) | Self::Asked(why) => {
                why.chinese.clone()
            }
            Self::Ledger(error) => return error.chinese(),
            Self::File { path, source } => {
                format!("{} 无法使用：{}", path.display(), system_in_chinese(source))
            }
            Self::System { what, .. } => what.chinese.clone(),
        })
    }
}

impl From<tokio_postgres::Error> for FleetError {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = chain(&error);
        let state = error.code();
        match state == Some(&SqlState::T_R_DEADLOCK_DETECTED)
            || state == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
        {
            true => FleetError::Turn(text),
            false => FleetError::Database(text),
        }
    }
}
