//! The audit: whether a ledger is what was written, read from its file alone.
//!
//! Start with [`verify`]. The chain is walked in pages, each entry's bytes hashed as they
//! stand; the newest signed head must cover the last entry; the notes outside must agree;
//! and the tables must be what a replay of the journal gives. Nothing is written but a
//! temporary database, which SQLite puts on disk where it grows.
//!
//! While the chain is walked, threads replay it, check signatures and look at the file. They
//! are judged in one order all the same, so that a ledger has one verdict.

use std::path::{Path, PathBuf};
use std::thread::{self, Scope, ScopedJoinHandle};

use rusqlite::Connection;
use serde::Serialize;

use crate::domain::cause::Told;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{Fingerprint, PublicKey, StationId};
use crate::domain::long_work;
use crate::domain::say::Say;
use crate::error::{LedgerError, witness_in_chinese};
use crate::journal::entry::{Entry, Fact};
use crate::journal::head::{Head, SignedHead};
use crate::journal::note::{self, HEAD_FILE, Note};
use crate::journal::witness::{self, Owner};
use crate::keep::files::{self, LEDGER_FILE};
use crate::tables::sql::counted;
use crate::tables::{schema, shape};

use super::chain::{Chain, Older, Page};
use super::heads::Heads;
use super::replayer::{Replayed, Replayer};
use super::signatures::Signatures;
use super::threads::start;
use crate::keep::structure::{self, FileCheck};
use crate::say;

/// Beside the ledger, the newest head that an audit reached.
pub const AUDITED_FILE: &str = "journal.audited";

/// What is checked, and against what.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// The key that must have signed the newest head. Without it the ledger is held
    /// against the key that it names itself.
    pub expected_key: Option<PublicKey>,
    /// Whose it must be, where that is asked.
    pub station: Option<StationId>,
    /// The CA certificates of station.toml; none where they can't be read.
    pub authorities: Vec<Fingerprint>,
    /// The journal keys that they certified in this ledger; without them it is not asked who
    /// vouches for it.
    pub certified: Option<Vec<PublicKey>>,
    /// A note of the head on another medium.
    pub anchor: Option<PathBuf>,
    /// Check the signature of every head, and not only of the newest and of samples.
    pub every_head: bool,
    /// How closely the file itself is looked at; not at all where the audit goes on from an
    /// earlier one.
    pub file: FileCheck,
    /// Do not compare the tables with a replay of the journal.
    pub skip_tables: bool,
    /// A line works in this process: little memory is taken.
    pub beside_a_line: bool,
    /// Go on where the last noted audit ended, if there is one: entries up to there are not
    /// read again, and the tables not compared.
    pub only_new: bool,
    /// Where audits that held are noted, for the next one to go on from.
    pub noted_at: Option<PathBuf>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Entries that hold.
    pub entries: u64,
    /// The last entry that was not read again, since an earlier audit had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_before: Option<u64>,
    /// Whether the whole ledger holds.
    pub valid: bool,
    /// The hash of the last entry that holds.
    pub head: String,
    /// The first entry that does not hold, where it is an entry that does not. Whoever tells of a
    /// ledger that does not hold tells it, also where there is none.
    #[serde(skip)]
    pub first_bad_entry: Option<u64>,
    /// What does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The same in Chinese, for people.
    #[serde(skip)]
    pub why_zh: Option<String>,
    /// Its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The key of the newest head, where one was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
    /// The station that it names, where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub station: Option<StationId>,
    /// Its random id, lowercase hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// How many signed heads it has. The newest covers every entry, so that older ones can be
    /// taken away unnoticed: two audits can be held against each other by this number.
    pub heads: u64,
    /// What a person should know although it is no fault of the ledger.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Say>,
}

/// Audits the ledger of a data directory, or a file such as a backup.
///
/// Only what keeps the file from being opened is an error; what the audit finds is in
/// the [`Verification`].
pub fn verify(
    path: &Path,
    verifier: &dyn HeadVerifier,
    audit: &Audit,
) -> Result<Verification, LedgerError> {
    let mut walk = Walk::open(path, verifier, audit)?;
    let found = walk.run(verifier);
    let mut verification = Verification {
        entries: walk.head.seq,
        verified_before: walk.before.map(|head| head.seq),
        valid: found.is_ok(),
        head: walk.head.hash.to_string(),
        first_bad_entry: None,
        why: None,
        why_zh: None,
        code: None,
        key: walk.key,
        station: walk.owner.as_ref().map(|owner| owner.station.clone()),
        instance: walk.owner.as_ref().map(|owner| owner.instance.to_string()),
        heads: walk.heads,
        remarks: walk.remarks,
    };
    if let Err(error) = found {
        if let LedgerError::Journal { entry, .. } = &error {
            verification.first_bad_entry = Some(*entry);
        }
        let fault = Fault::from(error);
        verification.code = Some(fault.code);
        verification.why = Some(fault.detail);
        verification.why_zh = fault.chinese;
    }
    Ok(verification)
}

/// Checks SQLite's own structures and compares the tables with a replay of the journal;
/// gives the number of entries.
pub fn check(path: &Path) -> Result<u64, LedgerError> {
    let mut walk = Walk::over(path, &Audit::default())?;
    shape::check(&walk.connection)?;
    thread::scope(|scope| {
        let file = walk.check_file(scope)?;
        let replay = Replayer::start(scope, false)?;
        let walked = walk.walk(Some(&replay), None);
        let replayed = replay.settle();
        let references = file.map_or(Ok(Ok(())), joined)?;
        let replayed = replayed?;
        walked?;
        replayed.compare(&walk.connection, |_| ())?;
        references?;
        Ok(walk.head.seq)
    })
}

/// What the restore needs to know of a ledger that holds.
pub(crate) struct Sound {
    pub(crate) owner: Owner,
    pub(crate) head: Head,
}

/// Audits a ledger or a copy of one, its file's structure too; anything found is an error.
pub(crate) fn demand(
    path: &Path,
    verifier: &dyn HeadVerifier,
    audit: &Audit,
) -> Result<Sound, LedgerError> {
    let mut walk = Walk::open(path, verifier, audit)?;
    walk.run(verifier)?;
    let owner = Owner::read(&walk.connection)?;
    let owner =
        owner.ok_or_else(|| LedgerError::Nonsense(say!("it has no owner", "它没有所属的站")))?;
    Ok(Sound { owner, head: walk.head })
}

/// One audit as it goes.
struct Walk {
    connection: Connection,
    file: PathBuf,
    audit: Audit,
    notes: Vec<(Note, String)>,
    head: Head,
    /// Where an earlier audit ended.
    before: Option<Head>,
    key: Option<PublicKey>,
    owner: Option<Owner>,
    heads: u64,
    remarks: Vec<Say>,
}

impl Walk {
    fn open(path: &Path, verifier: &dyn HeadVerifier, audit: &Audit) -> Result<Walk, LedgerError> {
        let mut walk = Walk::over(path, audit)?;
        walk.read_notes(verifier)?;
        Ok(walk)
    }

    /// One whose notes were not read.
    fn over(path: &Path, audit: &Audit) -> Result<Walk, LedgerError> {
        let file = match path.is_dir() {
            true => files::ledger_path(path),
            false => path.to_path_buf(),
        };
        if !file.exists() {
            return Err(files::absent(path));
        }
        let walk = Walk {
            connection: files::open_to_audit(&file)?,
            file,
            audit: audit.clone(),
            notes: Vec::new(),
            head: Head::NONE,
            before: None,
            key: None,
            owner: None,
            heads: 0,
            remarks: Vec::new(),
        };
        schema::check_version(&walk.connection)?;
        Ok(walk)
    }

    /// Before the ledger is read: another process may commit and note in between.
    fn read_notes(&mut self, verifier: &dyn HeadVerifier) -> Result<(), LedgerError> {
        let file = &self.file;
        let anchor = self.audit.anchor.clone();
        let in_place = file.file_name().is_some_and(|name| name == LEDGER_FILE);
        let places = match in_place {
            true => vec![("head file", file.with_file_name(HEAD_FILE))],
            false => Vec::new(),
        };
        let anchor = anchor.map(|path| ("anchor", path));
        for (what, path) in places.into_iter().chain(anchor) {
            let name = format!("the {what} {}", path.display());
            match Note::read(&path)? {
                Some(note) if !note.is_signed(verifier) => self.remarks.push(note::altered(&name)),
                Some(note) => self.notes.push((note, name)),
                None => self.remarks.push(Say {
                    english: format!("{name} is missing or has no head in it"),
                    chinese: format!("{} 缺失，或其中没有头", witness_in_chinese(&name)),
                }),
            }
        }
        Ok(())
    }

    /// Where the last noted audit ended, if its note is this ledger's and still true.
    fn go_on(&mut self, verifier: &dyn HeadVerifier) -> Result<(), LedgerError> {
        let Some(path) = self.audit.noted_at.as_deref().filter(|_| self.audit.only_new) else {
            return Ok(());
        };
        // One that somebody else left and that can't be read counts as none.
        let note = Note::read(path).ok().flatten();
        let owner = Owner::read(&self.connection)?;
        let (Some(note), Some(owner)) = (note, owner) else {
            self.remarks.push(say!(
                "no earlier audit is noted: everything was read",
                "没有以前核对的记录：已全部读取"
            ));
            return Ok(());
        };
        if !is_trusted(&self.connection, &owner, verifier, &note)? {
            self.remarks.push(say!(
                "the earlier audit's note is not signed by this ledger's key: everything was read",
                "以前核对的记录没有本账本密钥的签名：已全部读取"
            ));
            return Ok(());
        }
        let newest = Head::read(&self.connection)?;
        let name = format!("the earlier audit's note {}", path.display());
        witness::check_note(&self.connection, &owner, newest, &note, &name)?;
        self.before = note.signed().map(|signed| signed.head);
        self.head = self.before.unwrap_or(Head::NONE);
        Ok(())
    }

    fn run(&mut self, verifier: &dyn HeadVerifier) -> Result<(), LedgerError> {
        // What guards and finds the rows comes before any row.
        shape::check(&self.connection)?;
        self.go_on(verifier)?;
        let instance = Owner::read(&self.connection)?.map(|owner| owner.instance);
        thread::scope(|scope| {
            let file = self.check_file(scope)?;
            let replay = match self.audit.skip_tables || self.before.is_some() {
                true => None,
                false => Some(Replayer::start(scope, self.audit.beside_a_line)?),
            };
            let signatures = instance
                .map(|instance| Signatures::start(scope, verifier, instance))
                .transpose()?;
            let walked = self.walk(replay.as_ref(), signatures.as_ref());
            let replayed = replay.map(Replayer::settle);
            // Nothing that was read counts before the file is known to be whole, and an entry
            // that can't be replayed stands before one that broke the chain.
            let references = file.map_or(Ok(Ok(())), joined)?;
            let replayed = replayed.transpose()?;
            walked?;
            let first_bad = signatures.and_then(Signatures::first_bad);
            self.judge(verifier, first_bad, replayed, references)
        })
    }

    /// Looks at the file in a thread and over a connection of its own, and whether each row
    /// names rows that are there.
    fn check_file<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<Option<FileLook<'scope>>, LedgerError> {
        if self.before.is_some() {
            self.remarks.push(say!(
                "what came before was not read again, and the file's structure and indices not \
                 checked",
                "之前的记录没有再读，文件结构和索引没有核对"
            ));
            return Ok(None);
        }
        let (path, check, tables) = (self.file.clone(), self.audit.file, !self.audit.skip_tables);
        let look = start(scope, "file", move || {
            let connection = files::open_to_audit(&path)?;
            check.run(&connection)?;
            // What names rows that are not there is told last, where the tables are compared.
            Ok(if tables { structure::references(&connection) } else { Ok(()) })
        })?;
        Ok(Some(look))
    }

    /// Walks the chain to its end. Most pages without a transaction: the journal only grows.
    fn walk(
        &mut self,
        replay: Option<&Replayer<'_>>,
        signatures: Option<&Signatures<'_>>,
    ) -> Result<(), LedgerError> {
        let older = if self.audit.every_head { Older::Each } else { Older::Samples };
        let signatures = signatures.map(|signatures| (signatures, older));
        let mut chain =
            Chain { connection: &self.connection, replay, signatures, restores: Vec::new() };
        let total = Work(Head::read(&self.connection)?.seq).total();
        let mut to_the_end = |chain: &mut Chain<'_, '_>| -> Result<(), LedgerError> {
            while let Page::More = chain.page(&mut self.head)? {
                long_work::tell(self.head.seq, total.max(self.head.seq));
            }
            Ok(())
        };
        to_the_end(&mut chain)?;
        // What is left is read in the snapshot in which all that follows is judged; it ends
        // with the connection.
        self.connection.execute_batch("BEGIN")?;
        to_the_end(&mut chain)?;
        self.remarks.extend(chain.restores);
        Ok(())
    }

    /// What follows on a chain that holds, in one snapshot.
    fn judge(
        &mut self,
        verifier: &dyn HeadVerifier,
        first_bad_head: Option<u64>,
        replayed: Option<Replayed<'_>>,
        references: Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let connection = &self.connection;
        let inside = witness::check_inside(connection);
        let owner = Owner::read(connection)?.ok_or_else(|| LedgerError::Journal {
            entry: 1,
            why: say!("the ledger is empty", "账本是空的"),
        })?;
        self.key = SignedHead::newest(connection)?.map(|signed| signed.public_key);
        self.owner = Some(owner.clone());
        self.heads = heads_of_known_keys(connection)?;
        if let Some(wanted) = self.audit.station.clone().filter(|id| *id != owner.station) {
            return Err(LedgerError::Station { found: owner.station, wanted });
        }
        inside?;
        first_entry_is_the_owners(connection, &owner)?;
        let after = self.before.map_or(0, |head| head.seq);
        let heads = Heads { connection, instance: &owner.instance, verifier, after };
        heads.check(self.audit.expected_key, first_bad_head, &mut self.remarks)?;
        for (note, name) in &self.notes {
            witness::check_note(connection, &owner, self.head, note, name)?;
        }
        if self.audit.expected_key.is_none() {
            self.remarks.push(say!(
                "held against the key that the ledger names, not against the CA",
                "按账本自己写明的密钥核对，没有按 CA 核对"
            ));
        }
        if let Some(certified) = &self.audit.certified {
            witness::check_vouched(connection, &owner, certified, &self.notes)?;
        }
        self.remarks.extend(other_authorities(connection, &self.audit.authorities)?);
        if let Some(replayed) = replayed {
            let work = Work(self.head.seq);
            replayed.compare(connection, |tables| work.tell_compared(tables))?;
        }
        references?;
        let newest = SignedHead::newest(connection)?;
        let done = newest.map(|signed| Note::new(&owner.station, &owner.instance, &signed));
        if let (Some(path), Some(note)) = (&self.audit.noted_at, done) {
            // It holds all the same where its directory may not be written.
            let failed = note.write(path, true).err();
            let noted = |error: LedgerError| {
                say!("this audit is not noted", "本次核对没有记下").then(&error.sentence())
            };
            self.remarks.extend(failed.map(noted));
        }
        Ok(())
    }
}

/// A look at the file: an error where it is damaged, otherwise whether each row names rows that
/// are there.
type FileLook<'scope> = ScopedJoinHandle<'scope, Result<Result<(), LedgerError>, LedgerError>>;

/// How much there is to do, in entries: to walk so many, and then to compare the tables, which
/// takes about a third of that.
struct Work(u64);

impl Work {
    fn total(&self) -> u64 {
        self.0 + self.0 / 3
    }

    fn tell_compared(&self, tables: usize) {
        let compared = self.0 / 3 * tables as u64 / schema::EVIDENCE.len() as u64;
        long_work::tell(self.0 + compared, self.total());
    }
}

fn joined<R>(thread: ScopedJoinHandle<'_, Result<R, LedgerError>>) -> Result<R, LedgerError> {
    let died = |_| {
        Err(LedgerError::Nonsense(say!(
            "a check ended before it was done",
            "一项核对没做完就结束了"
        )))
    };
    thread.join().unwrap_or_else(died)
}

/// A note counts as a witness where it is signed, or where it is another station's.
fn is_trusted(
    connection: &Connection,
    owner: &Owner,
    verifier: &dyn HeadVerifier,
    note: &Note,
) -> Result<bool, LedgerError> {
    let sql = "SELECT 1 FROM journal_keys WHERE public_key = ?1";
    let known = connection.prepare(sql)?.exists([note.public_key])?;
    Ok(note.is_signed(verifier) && (known || note.station == owner.station))
}

/// Sessions that ran under a CA which station.toml does not name are told at every audit.
fn other_authorities(
    connection: &Connection,
    known: &[Fingerprint],
) -> Result<Vec<Say>, LedgerError> {
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT authority, count(*) FROM line_sessions GROUP BY authority ORDER BY min(seq)";
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(Fingerprint, i64)> = found.collect::<Result<_, _>>()?;
    let others = found.into_iter().filter(|(authority, _)| !known.contains(authority));
    Ok(others
        .map(|(authority, count)| {
            say!(
                "{count} line sessions ran under CA {authority}, not under station.toml's",
                "有 {count} 次开线用的是 CA {authority}，不是 station.toml 的 CA"
            )
        })
        .collect())
}

fn first_entry_is_the_owners(connection: &Connection, owner: &Owner) -> Result<(), LedgerError> {
    let bytes: Vec<u8> =
        connection.query_row("SELECT entry FROM journal WHERE seq = 1", [], |row| row.get(0))?;
    let wrong = |why: Say| LedgerError::Journal { entry: 1, why };
    let entry = Entry::decode(&bytes).map_err(|error| wrong(error.sentence()))?;
    match entry.fact {
        Fact::Created(created) if created.instance == owner.instance.to_string() => Ok(()),
        _ => Err(wrong(say!("it does not found this ledger", "它不是建立本账本的那一条"))),
    }
}

/// How many signed heads there are; a key that signed none has no business there.
fn heads_of_known_keys(connection: &Connection) -> Result<u64, LedgerError> {
    let sql = "SELECT 1 FROM journal_keys WHERE id NOT IN (SELECT key FROM heads)";
    if connection.prepare(sql)?.exists([])? {
        return Err(LedgerError::Tables(say!(
            "journal_keys has a key that signed no head",
            "journal_keys 中有一个没有签过头的密钥"
        )));
    }
    Ok(counted(connection.query_row("SELECT count(*) FROM heads", [], |row| row.get(0))?))
}
