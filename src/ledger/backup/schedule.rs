//! The backups that a line makes by itself, by age and by count, in a directory of their own.
//!
//! Start with [`Backups::keep_up`]: it looks whether one is due, and writes what came since the
//! last as a segment of the journal. Whose thread that is, and who is told, is
//! not decided here.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::ask::reader::Reader;
use crate::audit::verify::{self, Audit};
use crate::domain::clock::Timestamp;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::StationId;
use crate::error::LedgerError;
use crate::keep::aside::compact;
use crate::keep::{files, filesystem};
use crate::segment;
use crate::settings::Settings;

use super::persons;
use super::rebuild::Way;
use crate::say;

/// How the name of a whole copy ends.
const ENDING: &str = ".db";

/// Up to so many entries the whole ledger is audited before a segment is written; beyond it
/// that would take long beside a busy line, and `ledger verify` does it when asked.
const TABLES_UP_TO: u64 = 100_000;

/// Bytes that an entry takes at most in a segment, but for a few.
const ROOM: u64 = 1 << 10;

/// When backups are made, where, and how many stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRule {
    /// The directory; none is the data directory's own.
    pub dir: Option<PathBuf>,
    /// One is made when the newest is older and something was recorded since.
    pub every: Duration,
    /// One is made when so many entries are in no backup.
    pub after: u64,
    /// So many whole copies of an older program stay; 0 makes no backups.
    pub keep: usize,
}

/// One backup by its file's name. Their order is that of their last entries: a clock may
/// have been wrong when one was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupFile {
    /// Its last entry.
    pub seq: u64,
    /// Its time, as its file's name has it: `20261125T224100Z`.
    pub time: String,
    /// Where it is.
    pub path: PathBuf,
}

impl BackupFile {
    /// When it was made, by the clock of then.
    pub fn made_at(&self) -> Option<Timestamp> {
        let part = |from: usize, until: usize| self.time.get(from..until);
        let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
        let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
        Timestamp::from_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
    }

    /// Whether it holds what came since the one before it, and not all.
    fn is_segment(&self) -> bool {
        self.path.to_string_lossy().ends_with(segment::files::ENDING)
    }
}

/// The backups of one station.
#[derive(Debug, Clone)]
pub struct Backups {
    rule: BackupRule,
    station: StationId,
    data_dir: PathBuf,
    reserve_bytes: u64,
}

impl Backups {
    /// The backups of a ledger by a rule.
    pub fn new(settings: &Settings, rule: BackupRule) -> Self {
        Backups {
            rule,
            station: settings.station.clone(),
            data_dir: settings.data_dir.clone(),
            reserve_bytes: settings.reserve_bytes,
        }
    }

    /// The rule.
    pub const fn rule(&self) -> &BackupRule {
        &self.rule
    }

    /// Where they lie.
    pub fn dir(&self) -> PathBuf {
        self.rule.dir.clone().unwrap_or_else(|| self.data_dir.join("backups"))
    }

    /// Whether they lie in the data directory, so that one lost disk takes both.
    pub fn are_beside_the_ledger(&self) -> bool {
        self.dir().starts_with(&self.data_dir)
    }

    /// The newest that a ledger of so many entries can have; one with more is of a history
    /// that a restore left behind.
    pub fn newest_of(&self, seq: u64) -> Result<Option<BackupFile>, LedgerError> {
        Ok(self.list()?.into_iter().rfind(|backup| backup.seq <= seq))
    }

    /// Those there are, in the order of their last entries.
    pub fn list(&self) -> Result<Vec<BackupFile>, LedgerError> {
        let dir = self.dir();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(LedgerError::file(dir, error)),
        };
        let mut found: Vec<BackupFile> =
            entries.filter_map(|entry| self.named(&entry.ok()?.path())).collect();
        found.sort();
        Ok(found)
    }

    /// A copy is named `STATION-TIME-LAST.db`, a segment `STATION-TIME-FIRST-LAST.segment`.
    fn named(&self, path: &Path) -> Option<BackupFile> {
        let name = path.file_name()?.to_str()?;
        let copy = name.strip_suffix(ENDING);
        let segment = name.strip_suffix(segment::files::ENDING);
        let rest = copy.or(segment)?.strip_prefix(self.station.as_str())?.strip_prefix('-')?;
        let (time, entries) = rest.split_once('-')?;
        let last = match segment {
            Some(_) => entries.split_once('-')?.1,
            None => entries,
        };
        let whole = time.len() == 16 && time.ends_with('Z');
        let seq = last.parse().ok().filter(|_| whole)?;
        Some(BackupFile { time: time.to_owned(), seq, path: path.to_path_buf() })
    }

    /// What a ledger can be brought back from, with the last entry of each, the newest first:
    /// the directory itself with its segments, and whole copies.
    pub fn to_restore(
        &self,
        verifier: &dyn HeadVerifier,
    ) -> Result<Vec<(u64, PathBuf)>, LedgerError> {
        let copies = self.list()?.into_iter().filter(|backup| !backup.is_segment());
        let mut all: Vec<(u64, PathBuf)> = copies.map(|copy| (copy.seq, copy.path)).collect();
        let by_segments = Way::find(&self.dir(), &self.station, verifier)?.last();
        if by_segments > 0 {
            all.push((by_segments, self.dir()));
        }
        all.sort();
        all.reverse();
        Ok(all)
    }

    /// Makes a backup if one is due; gives it.
    pub fn keep_up(
        &self,
        reader: &Reader,
        verifier: &dyn HeadVerifier,
        now: Timestamp,
    ) -> Result<Option<BackupFile>, LedgerError> {
        if self.rule.keep == 0 {
            return Ok(None);
        }
        let seq = reader.head()?.seq;
        match self.is_due(self.newest_of(seq)?.as_ref(), seq, now) {
            true => self.make(reader, verifier, now).map(Some),
            false => Ok(None),
        }
    }

    fn is_due(&self, newest: Option<&BackupFile>, seq: u64, now: Timestamp) -> bool {
        let Some(newest) = newest else { return true };
        let unsaved = seq.saturating_sub(newest.seq);
        (self.is_older(newest, self.rule.every, now) && unsaved > 0) || unsaved >= self.rule.after
    }

    /// Whether a backup is older than that. One that lies in the future was made under a
    /// wrong clock, and is.
    pub fn is_older(&self, backup: &BackupFile, than: Duration, now: Timestamp) -> bool {
        let age = i64::try_from(than.as_micros()).unwrap_or(i64::MAX);
        let earlier = Timestamp(now.0.saturating_sub(age));
        backup.time <= compact(earlier) || backup.time > compact(now)
    }

    fn make(
        &self,
        reader: &Reader,
        verifier: &dyn HeadVerifier,
        now: Timestamp,
    ) -> Result<BackupFile, LedgerError> {
        let (dir, seq, time) = (self.dir(), reader.head()?.seq, compact(now));
        self.prepare(seq.saturating_sub(self.saved(seq)?))?;
        self.check_ledger(seq, verifier)?;
        let written = reader.write_segments(&dir, &time, verifier)?;
        persons::save(reader, &self.station, &dir)?;
        self.prune(reader)?;
        Ok(BackupFile { seq, time, path: written.unwrap_or(dir) })
    }

    /// The last entry that is in any backup.
    fn saved(&self, seq: u64) -> Result<u64, LedgerError> {
        Ok(self.newest_of(seq)?.map_or(0, |newest| newest.seq))
    }

    /// A segment holds what was recorded, whatever the tables say. So those of a ledger that is
    /// not large are looked at too; the line stops where they do not hold.
    fn check_ledger(&self, seq: u64, verifier: &dyn HeadVerifier) -> Result<(), LedgerError> {
        if seq > TABLES_UP_TO {
            return Ok(());
        }
        let audit = Audit { beside_a_line: true, ..Audit::default() };
        verify::demand(&files::ledger_path(&self.data_dir), verifier, &audit).map(drop)
    }

    /// A directory that was named is never made: its medium may not be there.
    fn prepare(&self, unsaved: u64) -> Result<(), LedgerError> {
        let dir = self.dir();
        if self.rule.dir.is_none() && !dir.exists() {
            let made = DirBuilder::new().mode(0o700).create(&dir);
            made.map_err(|error| LedgerError::file(&dir, error))?;
        }
        if !dir.is_dir() {
            return Err(LedgerError::Backup(say!("{} is not there", "{} 不存在", dir.display())));
        }
        let needed = unsaved.saturating_mul(ROOM);
        let free = filesystem::free_bytes(&dir)?;
        match free < needed.saturating_add(self.reserve_bytes) {
            true => Err(LedgerError::Backup(say!(
                "{} MiB are free in {}, a backup needs {} MiB beside the reserve",
                "可用 {} MiB（{}），除保留空间外备份还需 {} MiB",
                free >> 20,
                dir.display(),
                (needed >> 20) + 1
            ))),
            false => Ok(()),
        }
    }

    /// Of the whole copies that older programs made, and that segments replace now, removes
    /// those with the fewest entries beyond those that stay. No segment is ever removed. What
    /// is not of this ledger's own history is left to a person: it holds what a restore lost.
    fn prune(&self, reader: &Reader) -> Result<(), LedgerError> {
        let mut found = self.list()?;
        found.retain(|backup| !backup.is_segment());
        found.retain(|backup| reader.has_head_of(&backup.path).unwrap_or(false));
        let spare = found.len().saturating_sub(self.rule.keep);
        for old in found.into_iter().take(spare) {
            fs::remove_file(&old.path).map_err(|error| LedgerError::file(&old.path, error))?;
        }
        Ok(())
    }
}
