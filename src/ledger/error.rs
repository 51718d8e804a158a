//! What can go wrong with the ledger as a whole. A record that is refused alone is a
//! [`Refusal::Row`](crate::domain::record::Refusal::Row) and not in here.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::domain::cause::{Told, cause, system_in_chinese};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{PublicKey, StationId};
use crate::domain::say::Say;

/// Why the ledger can't be opened, read, written, verified, saved or restored.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The data directory lies on a file system that can't hold a ledger.
    #[error("{path} lies on {found}; a ledger needs a local file system", path = path.display())]
    FileSystem {
        /// The nearest existing directory.
        path: PathBuf,
        /// The file system as people name it.
        found: String,
    },
    /// There is no ledger.
    #[error("there is no ledger in {}", .0.display())]
    Missing(PathBuf),
    /// A file or directory can't be used.
    #[error("can't use {path}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite can't open or read it.
    #[error("can't read the ledger")]
    Read(#[source] rusqlite::Error),
    /// Its file is damaged.
    #[error("the ledger's file is damaged")]
    Damaged(#[source] rusqlite::Error),
    /// A value in it is not one that this program writes.
    #[error("the ledger's file is damaged: {0}")]
    Nonsense(Say),
    /// It has tables, indices, views or triggers that are not those of this program.
    #[error("the ledger is not made as this program makes it: {}", listed(.0))]
    Schema(Vec<Difference>),
    /// It could not be used and was set aside; nothing was restored in its place.
    #[error("there is no ledger: it was set aside as {}", .0.display())]
    SetAside(PathBuf),
    /// A newer program wrote it.
    #[error("the ledger has schema {found}, this program knows up to {known}")]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// An older program wrote it, and it was opened only to be read.
    #[error("the ledger has schema {found}; it is upgraded to {known} when it is opened to write")]
    Older {
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// It belongs to another station.
    #[error("the ledger belongs to station {found}, this is {wanted}")]
    Station {
        /// Whose it is.
        found: StationId,
        /// Who asked.
        wanted: StationId,
    },
    /// A ledger is already there.
    #[error("there is already a ledger at {}", .0.display())]
    Exists(PathBuf),
    /// Another process works on it.
    #[error("process {pid} already works on this ledger")]
    Busy {
        /// The other process, "?" where it did not say.
        pid: String,
    },
    /// A write failed.
    #[error("can't write to the ledger")]
    Write(#[source] rusqlite::Error),
    /// A write found no room on the disk.
    #[error("the disk is full: can't write to the ledger")]
    Full(#[source] rusqlite::Error),
    /// Backups can't be made, looked for or removed.
    #[error("{0}")]
    Backup(Say),
    /// A backup can't be made where somebody wants it.
    #[error("the backup {} can't be written", path.display())]
    Copy {
        /// Where it was to be.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A segment of the journal is missing, torn, foreign or changed.
    #[error("{0}")]
    Segment(Say),
    /// The system gives no thread.
    #[error("no thread for the ledger's {what}")]
    Thread {
        /// What it was for.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The disk takes no writes.
    #[error("the disk of {} is mounted read-only", .0.display())]
    ReadOnly(PathBuf),
    /// The disk has room, and no place for the names of further files.
    #[error("the disk of {} has {left} inodes left: too few for the files of a ledger", path.display())]
    NoInodes {
        /// Where.
        path: PathBuf,
        /// How many.
        left: u64,
    },
    /// A file can't be made or written for want of room, or of a place for its name.
    #[error("the disk is full, or has no inodes left: can't write {}", path.display())]
    NoRoom {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The writer thread is gone.
    #[error("the ledger's writer has stopped")]
    WriterGone,
    /// The reader thread is gone.
    #[error("the ledger's reader has stopped")]
    ReaderGone,
    /// The head could not be signed.
    #[error("can't sign the journal's head: {0}")]
    Sign(#[source] Fault),
    /// The head was signed by another key than the station's.
    #[error("the journal was signed with key {found}, the station's journal key is {wanted}")]
    Key {
        /// The key of the newest head.
        found: Box<PublicKey>,
        /// The station's key.
        wanted: Box<PublicKey>,
    },
    /// Nothing outside it says that it is the station's own.
    #[error(
        "nothing says that this ledger, instance {instance} of station {station}, is the \
         station's own: the CA certified no key of it, and no note knows it"
    )]
    Unvouched {
        /// The station that it names.
        station: StationId,
        /// Its random id, lowercase hex.
        instance: String,
    },
    /// The journal does not verify.
    #[error("entry {entry} of the journal does not hold: {why}")]
    Journal {
        /// The first bad entry.
        entry: u64,
        /// What is wrong with it.
        why: Say,
    },
    /// The tables are not what the journal says.
    #[error("the tables are not what the journal says: {0}")]
    Tables(Say),
    /// Entries are missing at its end.
    #[error("the journal ends at entry {last}, {witness} knows entry {known}")]
    Cut {
        /// The last entry there is.
        last: u64,
        /// The last entry known.
        known: u64,
        /// What knows it.
        witness: String,
    },
    /// It is an older copy of itself, or went on from one.
    #[error("{}", rolled_back(*last, *known, witness))]
    RolledBack {
        /// The last entry there is.
        last: u64,
        /// The last entry known.
        known: u64,
        /// What knows it.
        witness: String,
    },
    /// The clock disagrees with the journal.
    #[error("the clock says {now}, the journal's newest entry {newest}")]
    ClockGap {
        /// The clock.
        now: Timestamp,
        /// The newest entry that the clock is held against.
        newest: Timestamp,
    },
    /// Too little room is left.
    #[error("{free} MiB are free for the ledger, {reserve} MiB are kept for units under way")]
    DiskFull {
        /// MiB free.
        free: u64,
        /// MiB reserved.
        reserve: u64,
    },
}

impl LedgerError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            LedgerError::FileSystem { .. } => Code::LedgerFileSystem,
            LedgerError::Read(error) if is_of_memory(error) => Code::Shortage,
            LedgerError::Missing(_)
            | LedgerError::File { .. }
            | LedgerError::Read(_)
            | LedgerError::Older { .. }
            | LedgerError::ReaderGone => Code::LedgerOpen,
            LedgerError::Damaged(_) | LedgerError::Nonsense(_) => Code::LedgerCorrupt,
            LedgerError::Schema(_) => Code::LedgerSchema,
            LedgerError::SetAside(_) => Code::LedgerSetAside,
            LedgerError::Backup(_) => Code::LedgerBackup,
            LedgerError::Copy { .. } => Code::Output,
            LedgerError::Segment(_) => Code::LedgerSegment,
            LedgerError::Newer { .. } => Code::LedgerNewer,
            LedgerError::Station { .. } => Code::LedgerStation,
            LedgerError::Exists(_) => Code::LedgerExists,
            LedgerError::Busy { .. } => Code::LedgerBusy,
            LedgerError::Write(_) | LedgerError::WriterGone | LedgerError::ReadOnly(_) => {
                Code::LedgerWrite
            }
            LedgerError::Thread { .. } => Code::Shortage,
            LedgerError::Sign(fault) => fault.code,
            LedgerError::Key { .. } => Code::LedgerKey,
            LedgerError::Unvouched { .. } => Code::LedgerUnvouched,
            LedgerError::Journal { .. } | LedgerError::Tables(_) => Code::LedgerJournal,
            LedgerError::Cut { .. } => Code::LedgerCut,
            LedgerError::RolledBack { .. } => Code::LedgerRolledBack,
            LedgerError::ClockGap { .. } => Code::ClockGap,
            LedgerError::DiskFull { .. }
            | LedgerError::Full(_)
            | LedgerError::NoInodes { .. }
            | LedgerError::NoRoom { .. } => Code::LedgerDiskFull,
        }
    }

    /// Whether the ledger's own bytes are wrong, and not the way to them.
    pub fn is_about_its_contents(&self) -> bool {
        matches!(
            self,
            LedgerError::Damaged(_)
                | LedgerError::Nonsense(_)
                | LedgerError::Schema(_)
                | LedgerError::Journal { .. }
                | LedgerError::Tables(_)
        )
    }

    /// Whether SQLite found no memory, or no way to a file: nothing was learnt of what it read.
    pub(super) fn is_of_the_system(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, SystemIoFailure};
        let LedgerError::Read(error) = self else { return false };
        let code = error.sqlite_error_code();
        is_of_memory(error) || matches!(code, Some(CannotOpen | DiskFull | SystemIoFailure))
    }

    /// What a failed write means: damage and a full disk have remedies of their own.
    pub(super) fn write(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => LedgerError::Damaged(error),
            Some(DiskFull) => LedgerError::Full(error),
            _ => LedgerError::Write(error),
        }
    }

    pub(super) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                LedgerError::NoRoom { path, source }
            }
            _ => LedgerError::File { path, source },
        }
    }
}

fn is_of_memory(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OutOfMemory)
}

impl Told for LedgerError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::FileSystem { path, found } => {
                format!("{} 在 {found} 上；账本需要本地文件系统", path.display())
            }
            Self::Missing(path) => format!("{} 里没有账本", path.display()),
            Self::File { path, .. } => format!("{} 无法使用", path.display()),
            Self::Read(_) => "账本无法读取".to_owned(),
            Self::Damaged(_) => "账本的文件损坏".to_owned(),
            Self::Nonsense(what) => format!("账本的文件损坏：{}", what.chinese),
            Self::Schema(differences) => {
                format!("账本不是本程序建立的样子：{}", listed_in_chinese(differences))
            }
            Self::SetAside(path) => format!("没有账本：它已被移到 {}", path.display()),
            Self::Newer { found, known } => {
                format!("账本的结构版本是 {found}，本程序最高支持 {known}")
            }
            Self::Older { found, known } => {
                format!("账本的结构版本是 {found}；以写方式打开时升级到 {known}")
            }
            Self::Station { found, wanted } => format!("账本属于站 {found}，本站是 {wanted}"),
            Self::Exists(path) => format!("{} 已经有账本", path.display()),
            Self::Busy { pid } => format!("进程 {pid} 正在使用该账本"),
            Self::Write(_) => "账本无法写入".to_owned(),
            Self::Full(_) => "磁盘已满，账本无法写入".to_owned(),
            Self::ReadOnly(path) => format!("{} 所在的磁盘以只读方式挂载", path.display()),
            Self::NoInodes { path, left } => {
                format!("{} 所在的磁盘只剩 {left} 个 inode，账本的文件不够用", path.display())
            }
            Self::NoRoom { path, .. } => {
                format!("磁盘已满，或没有空闲的 inode：无法写入 {}", path.display())
            }
            Self::WriterGone => "账本的写线程已停止".to_owned(),
            Self::ReaderGone => "账本的读线程已停止".to_owned(),
            Self::Sign(fault) => {
                let why = fault.sentence().chinese;
                format!("日志的头无法签名：{why}")
            }
            Self::Key { found, wanted } => {
                format!("日志由密钥 {found} 签名，本站的日志密钥是 {wanted}")
            }
            Self::Unvouched { station, instance } => format!(
                "没有什么能说明站 {station} 的这个账本（实例 {instance}）是本站自己的：CA 没有为它的\
                 密钥签发证书，也没有记录认识它"
            ),
            Self::Journal { entry, why } => {
                format!("日志的第 {entry} 条核对不通过：{}", why.chinese)
            }
            Self::Tables(what) => format!("表与日志不一致：{}", what.chinese),
            Self::Cut { last, known, witness } => {
                let witness = witness_in_chinese(witness);
                format!("日志止于第 {last} 条，而{witness}知道第 {known} 条")
            }
            Self::RolledBack { last, known, witness } if last < known => {
                let witness = witness_in_chinese(witness);
                format!("账本是旧的副本：它有第 {last} 条，{witness}知道第 {known} 条")
            }
            Self::RolledBack { known, witness, .. } => {
                let witness = witness_in_chinese(witness);
                format!("账本从旧的副本继续了：{witness}知道的第 {known} 条与它的不同")
            }
            Self::ClockGap { now, newest } => {
                format!("时钟是 {now}，日志的最新记录是 {newest}")
            }
            Self::DiskFull { free, reserve } => {
                format!("账本可用空间 {free} MiB，为处理中的单元保留 {reserve} MiB")
            }
            Self::Thread { source, .. } => {
                format!("账本得不到线程：{}", system_in_chinese(source))
            }
            Self::Copy { path, .. } => format!("备份 {} 无法写入", path.display()),
            Self::Backup(what) | Self::Segment(what) => what.chinese.clone(),
        })
    }
}

/// What knows an entry, in Chinese: a table, or a file by its name.
pub(crate) fn witness_in_chinese(witness: &str) -> String {
    const KNOWN: [(&str, &str); 4] = [
        ("its own table", "它自己的表"),
        ("the head file ", "头文件 "),
        ("the anchor ", "锚文件 "),
        ("the earlier audit's note ", "先前核对的记录 "),
    ];
    let found = KNOWN.iter().find_map(|(english, chinese)| {
        let rest = witness.strip_prefix(english)?;
        Some(format!("{chinese}{rest}"))
    });
    found.unwrap_or_else(|| format!(" {witness} "))
}

/// What is wrong with one table, index, view or trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// It is not there.
    Missing,
    /// It is there, by another statement.
    Changed,
    /// This program makes none of that name.
    Foreign,
    /// It is as it should be, and does not hold what its table holds.
    Wrong,
}

/// One thing in a ledger's schema that is not as this program makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is wrong.
    pub oddity: Oddity,
    /// "table", "index", "view" or "trigger", as the file says.
    pub kind: String,
    /// Its name, made harmless.
    pub name: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference { oddity, kind, name } = self;
        match oddity {
            Oddity::Missing => write!(f, "the {kind} {name} is missing"),
            Oddity::Changed => write!(f, "the {kind} {name} is not as this program makes it"),
            Oddity::Foreign => write!(f, "the {kind} {name} does not belong there"),
            Oddity::Wrong => write!(f, "the {kind} {name} does not hold what its table holds"),
        }
    }
}

/// How many are named.
const SHOWN: usize = 5;

/// The first few, and how many more.
fn listed(differences: &[Difference]) -> String {
    let mut text: Vec<String> = differences.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more) = differences.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push(format!("{more} more"));
    }
    text.join(", ")
}

fn listed_in_chinese(differences: &[Difference]) -> String {
    let one = |difference: &Difference| {
        let Difference { oddity, kind, name } = difference;
        match oddity {
            Oddity::Missing => format!("缺少 {kind} {name}"),
            Oddity::Changed => format!("{kind} {name} 不是本程序建立的样子"),
            Oddity::Foreign => format!("{kind} {name} 不该在那里"),
            Oddity::Wrong => format!("{kind} {name} 与表的内容不符"),
        }
    };
    let mut text: Vec<String> = differences.iter().take(SHOWN).map(one).collect();
    if let Some(more) = differences.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push(format!("另有 {more} 处"));
    }
    text.join("，")
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => LedgerError::Damaged(error),
            _ => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => LedgerError::Damaged(error),
                other => LedgerError::Read(other),
            },
        }
    }
}

fn rolled_back(last: u64, known: u64, witness: &str) -> String {
    match last < known {
        true => {
            format!(
                "the ledger is an older copy: it has entry {last}, {witness} knows entry {known}"
            )
        }
        false => format!(
            "the ledger went on from an older copy: {witness} knows another entry {known} than it has"
        ),
    }
}

impl From<LedgerError> for Fault {
    /// The whole chain in one sentence, for those who only look at the code.
    fn from(error: LedgerError) -> Self {
        let code = error.code();
        let chinese = error.chinese();
        let is_said = chinese.is_some();
        let mut whole = Say { english: error.to_string(), chinese: chinese.unwrap_or_default() };
        let mut next = std::error::Error::source(&error);
        while let Some(inner) = next {
            let said = cause(inner);
            if !whole.english.contains(&said.english) {
                whole = whole.then(&said);
            }
            next = inner.source();
        }
        let Say { english: detail, chinese } = whole;
        Fault { code, detail, chinese: is_said.then_some(chinese) }
    }
}
