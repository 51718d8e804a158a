//! An auditor that trusts nobody: it reads the ledger's file and the devices' flash files with
//! code of its own, and says which promises do not hold.
//!
//! It shares no logic with the station: `docs/ledger.md` and `docs/protocol.md` are all that
//! it knows, and it uses nothing of the crate. [`flash`] reads a device, [`cloud`] what a cloud keeps, [`journal`] checks the
//! chain, [`model`] replays it, [`tables`] holds the replay against the tables, [`rules`] are
//! the promises. Start with [`audit`].

pub(crate) mod cloud;
pub(crate) mod flash;
pub(crate) mod journal;
pub(crate) mod model;
pub(crate) mod rules;
pub(crate) mod segments;
pub(crate) mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use model::Model;

/// When the audit is made; later ones demand more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// On the files as a cut left them.
    AsLeft,
    /// After start-up, before any device was presented.
    Started,
    /// When everything was done that there was to do.
    Completed,
}

/// What there is to look at.
pub(crate) struct Scene<'s> {
    /// The station's data directory; need not be there.
    pub(crate) data_dir: &'s Path,
    /// A directory with the flash files of all devices; need not be there.
    pub(crate) devices: &'s Path,
    /// What the emulated cloud keeps, where there is one.
    pub(crate) cloud: Option<&'s Path>,
    /// Serials that the station said passed.
    pub(crate) passed: &'s BTreeSet<String>,
    /// Whether the ledger was restored and devices may hold what it lost.
    pub(crate) gap: bool,
    /// Whether devices make their keys: a certificate may then wait for its key to come again.
    pub(crate) device_keys: bool,
    /// Whether some devices were made to lie: what those hold is then nobody's fault.
    pub(crate) liars: bool,
}

/// What an audit found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Promises that do not hold, in words.
    pub(crate) findings: Vec<String>,
    /// What the journal says.
    pub(crate) model: Model,
}

/// Looks at everything.
pub(crate) fn audit(scene: &Scene<'_>, moment: Moment) -> Report {
    let mut report = Report::default();
    let devices = flash::read_all(scene.devices, &mut report.findings);
    // Before the ledger: a station at work may note a commit that comes in between.
    let note = fs::read(scene.data_dir.join("journal.head")).unwrap_or_default();
    match Copied::open(scene.data_dir, moment) {
        Ok(None) => {}
        Ok(Some(copied)) => {
            let backups = scene.data_dir.join("backups");
            read_ledger(&copied.connection, &note, &backups, &mut report);
        }
        Err(error) => report.findings.push(format!("the ledger can't be read: {error}")),
    }
    rules::hold(&report.model, &devices, scene, moment, &mut report.findings);
    if let Some(file) = scene.cloud {
        cloud::hold(file, &report.model, moment, &mut report.findings);
    }
    report
}

fn read_ledger(connection: &Connection, note: &[u8], backups: &Path, report: &mut Report) {
    let findings = &mut report.findings;
    let outcome = (|| {
        if !tables::exist(connection)? {
            return Ok(Model::default());
        }
        let entries = journal::read(connection, findings)?;
        journal::check_heads(connection, &entries, findings)?;
        journal::check_note(note, &entries, findings);
        segments::hold(backups, &entries, findings);
        let model = Model::replay(&entries, findings);
        tables::compare(connection, &model, findings)?;
        Ok(model)
    })();
    match outcome {
        Ok(model) => report.model = model,
        Err::<_, rusqlite::Error>(error) => findings.push(format!("the ledger: {error}")),
    }
}

/// A ledger that is read and not touched: SQLite would recover and tidy the files of one that
/// nobody has open, so those are copied first.
struct Copied {
    connection: Connection,
    _folder: Option<tempfile::TempDir>,
}

impl Copied {
    fn open(data_dir: &Path, moment: Moment) -> Result<Option<Self>, Box<dyn std::error::Error>> {
        let file = data_dir.join("ledger.db");
        if !file.exists() {
            return Ok(None);
        }
        if moment == Moment::Started {
            // Somebody has it open and may tidy up at any time; a transaction holds still.
            let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(std::time::Duration::from_secs(20))?;
            connection.execute_batch("BEGIN")?;
            return Ok(Some(Self { connection, _folder: None }));
        }
        let folder = tempfile::tempdir()?;
        for name in ["ledger.db", "ledger.db-wal"] {
            let from = data_dir.join(name);
            if from.exists() {
                fs::copy(from, folder.path().join(name))?;
            }
        }
        let connection = Connection::open(folder.path().join("ledger.db"))?;
        connection.execute_batch("BEGIN")?;
        Ok(Some(Self { connection, _folder: Some(folder) }))
    }
}

/// The files with that ending in a directory.
fn files_ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == ending));
    files.sort();
    files
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits; none where it is something else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
