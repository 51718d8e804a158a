//! The audit: whether a ledger is what was written, read from its file alone.
//!
//! Start with [`verify`]. The chain is walked in pages, each entry's bytes hashed as they
//! stand; the newest signed head must cover the last entry; the notes outside must agree;
//! and the tables must be what a replay of the journal gives. Nothing is written but a
//! temporary database, which SQLite puts on disk where it grows.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::Serialize;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{Fingerprint, PublicKey, StationId};
use crate::domain::long_work;
use crate::domain::record::{Record, Restored};
use crate::ledger::error::LedgerError;
use crate::ledger::journal::entry::{Entry, Fact, Hash, InstanceId};
use crate::ledger::journal::head::{Head, SignedHead};
use crate::ledger::journal::note::{self, HEAD_FILE, Note};
use crate::ledger::journal::witness::{self, Owner};
use crate::ledger::keep::files::{self, LEDGER_FILE};
use crate::ledger::tables::sql::{counted, stored};
use crate::ledger::tables::{schema, shape};

use super::replay::Replay;
use crate::ledger::keep::structure::{self, FileCheck};

/// Entries or heads in one page.
const PAGE: u32 = 512;

/// Of the older heads, one in this many is checked unless all are.
const SAMPLE: u64 = 1000;

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
    /// The first entry that does not hold, where it is an entry that does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bad_entry: Option<u64>,
    /// What does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
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
    pub remarks: Vec<String>,
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
    }
    Ok(verification)
}

/// Checks SQLite's own structures and compares the tables with a replay of the journal;
/// gives the number of entries.
pub fn check(path: &Path) -> Result<u64, LedgerError> {
    let mut walk = Walk::over(path, &Audit::default())?.0;
    shape::check(&walk.connection)?;
    FileCheck::Whole.run(&walk.connection)?;
    let mut replay = Replay::new()?;
    let connection = walk.connection;
    let snapshot = connection.unchecked_transaction()?;
    walk.head = Head::NONE;
    while let Page::More = walk_page(&snapshot, &mut walk.head, Some(&mut replay), &mut Vec::new())?
    {
    }
    replay.compare(&snapshot)?;
    structure::references(&snapshot)?;
    Ok(walk.head.seq)
}

/// What the restore needs to know of a ledger that holds.
pub(in crate::ledger) struct Sound {
    pub(in crate::ledger) owner: Owner,
    pub(in crate::ledger) head: Head,
}

/// Audits a ledger or a copy of one, its file's structure too; anything found is an error.
pub(in crate::ledger) fn demand(
    path: &Path,
    verifier: &dyn HeadVerifier,
    audit: &Audit,
) -> Result<Sound, LedgerError> {
    let mut walk = Walk::open(path, verifier, audit)?;
    walk.run(verifier)?;
    let owner = Owner::read(&walk.connection)?;
    let owner = owner.ok_or_else(|| LedgerError::Nonsense("it has no owner".to_owned()))?;
    Ok(Sound { owner, head: walk.head })
}

/// One audit as it goes.
struct Walk {
    connection: Connection,
    audit: Audit,
    notes: Vec<(Note, String)>,
    head: Head,
    /// Where an earlier audit ended.
    before: Option<Head>,
    key: Option<PublicKey>,
    owner: Option<Owner>,
    heads: u64,
    remarks: Vec<String>,
}

impl Walk {
    fn open(path: &Path, verifier: &dyn HeadVerifier, audit: &Audit) -> Result<Walk, LedgerError> {
        let (mut walk, file) = Walk::over(path, audit)?;
        walk.read_notes(&file, verifier)?;
        Ok(walk)
    }

    /// One whose notes were not read.
    fn over(path: &Path, audit: &Audit) -> Result<(Walk, PathBuf), LedgerError> {
        let file = match path.is_dir() {
            true => files::ledger_path(path),
            false => path.to_path_buf(),
        };
        if !file.exists() {
            return Err(files::absent(path));
        }
        let walk = Walk {
            connection: files::open_to_audit(&file)?,
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
        Ok((walk, file))
    }

    /// Before the ledger is read: another process may commit and note in between.
    fn read_notes(&mut self, file: &Path, verifier: &dyn HeadVerifier) -> Result<(), LedgerError> {
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
                None => self.remarks.push(format!("{name} is missing or has no head in it")),
            }
        }
        Ok(())
    }

    fn check_file(&mut self) -> Result<(), LedgerError> {
        match self.before {
            None => self.audit.file.run(&self.connection),
            Some(_) => {
                let remark = "what came before was not read again, and the file's structure and \
                              indices not checked";
                self.remarks.push(remark.to_owned());
                Ok(())
            }
        }
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
            self.remarks.push("no earlier audit is noted: everything was read".to_owned());
            return Ok(());
        };
        if !is_trusted(&self.connection, &owner, verifier, &note)? {
            let remark = "the earlier audit's note is not signed by this ledger's key: everything \
                          was read";
            self.remarks.push(remark.to_owned());
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
        self.check_file()?;
        let mut replay = match self.audit.skip_tables || self.before.is_some() {
            true => None,
            false => Some(Replay::new()?),
        };
        // Most pages without a transaction: the journal only grows.
        let mut restores = Vec::new();
        let total = Head::read(&self.connection)?.seq;
        let mut page = |connection: &Connection, head: &mut Head| {
            let page = walk_page(connection, head, replay.as_mut(), &mut restores);
            long_work::tell(head.seq, total.max(head.seq));
            page
        };
        while let Page::More = page(&self.connection, &mut self.head)? {}
        let connection = &self.connection;
        let snapshot = connection.unchecked_transaction()?;
        while let Page::More = page(&snapshot, &mut self.head)? {}
        self.remarks.extend(restores);
        let inside = witness::check_inside(&snapshot);
        let owner = Owner::read(&snapshot)?.ok_or_else(|| LedgerError::Journal {
            entry: 1,
            why: "the ledger is empty".to_owned(),
        })?;
        self.key = SignedHead::newest(&snapshot)?.map(|signed| signed.public_key);
        self.owner = Some(owner.clone());
        self.heads = heads_of_known_keys(&snapshot)?;
        if let Some(wanted) = self.audit.station.clone().filter(|id| *id != owner.station) {
            return Err(LedgerError::Station { found: owner.station, wanted });
        }
        inside?;
        first_entry_is_the_owners(&snapshot, &owner)?;
        let after = self.before.map_or(0, |head| head.seq);
        let heads = Heads { connection: &snapshot, instance: &owner.instance, verifier, after };
        heads.check(&self.audit, &mut self.remarks)?;
        for (note, name) in &self.notes {
            witness::check_note(&snapshot, &owner, self.head, note, name)?;
        }
        if self.audit.expected_key.is_none() {
            let remark = "held against the key that the ledger names, not against the CA";
            self.remarks.push(remark.to_owned());
        }
        if let Some(certified) = &self.audit.certified {
            witness::check_vouched(&snapshot, &owner, certified, &self.notes)?;
        }
        self.remarks.extend(other_authorities(&snapshot, &self.audit.authorities)?);
        if let Some(replay) = replay {
            replay.compare(&snapshot)?;
            structure::references(&snapshot)?;
        }
        let newest = SignedHead::newest(&snapshot)?;
        let done = newest.map(|signed| Note::new(&owner.station, &owner.instance, &signed));
        if let (Some(path), Some(note)) = (&self.audit.noted_at, done) {
            // It holds all the same where its directory may not be written.
            let failed = note.write(path, true).err();
            self.remarks.extend(failed.map(|error| format!("this audit is not noted: {error}")));
        }
        Ok(())
    }
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
) -> Result<Vec<String>, LedgerError> {
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
            format!("{count} line sessions ran under CA {authority}, not under station.toml's")
        })
        .collect())
}

fn holds(verifier: &dyn HeadVerifier, instance: &InstanceId, signed: &SignedHead) -> bool {
    signed.holds(instance, verifier)
}

fn first_entry_is_the_owners(connection: &Connection, owner: &Owner) -> Result<(), LedgerError> {
    let bytes: Vec<u8> =
        connection.query_row("SELECT entry FROM journal WHERE seq = 1", [], |row| row.get(0))?;
    let wrong = |why: String| LedgerError::Journal { entry: 1, why };
    let entry = Entry::decode(&bytes).map_err(|error| wrong(error.to_string()))?;
    match entry.fact {
        Fact::Created(created) if created.instance == owner.instance.to_string() => Ok(()),
        _ => Err(wrong("it does not found this ledger".to_owned())),
    }
}

/// How many signed heads there are; a key that signed none has no business there.
fn heads_of_known_keys(connection: &Connection) -> Result<u64, LedgerError> {
    let sql = "SELECT 1 FROM journal_keys WHERE id NOT IN (SELECT key FROM heads)";
    if connection.prepare(sql)?.exists([])? {
        return Err(LedgerError::Tables("journal_keys has a key that signed no head".to_owned()));
    }
    Ok(counted(connection.query_row("SELECT count(*) FROM heads", [], |row| row.get(0))?))
}

enum Page {
    More,
    Last,
}

/// Walks one page of the chain, and replays it.
fn walk_page(
    connection: &Connection,
    head: &mut Head,
    mut replay: Option<&mut Replay>,
    restores: &mut Vec<String>,
) -> Result<Page, LedgerError> {
    let sql = "SELECT seq, entry, hash FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![stored(head.seq), PAGE])?;
    let mut walked = 0;
    if let Some(replay) = &mut replay {
        replay.begin()?;
    }
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let entry = follow(head, counted(row.get(0)?), bytes, Hash(row.get(2)?))?;
        if let Fact::Record(Record::Restored(restored), _) = &entry.fact {
            restores.push(told(entry.seq, restored));
        }
        if let Some(replay) = &mut replay {
            replay.entry(&entry)?;
        }
        walked += 1;
    }
    if let Some(replay) = &mut replay {
        replay.end()?;
    }
    Ok(if walked < PAGE { Page::Last } else { Page::More })
}

/// A restore is told at every audit for ever: what it lost is not in the journal.
fn told(seq: u64, restored: &Restored) -> String {
    let last = restored.last_seq;
    match restored.known_seq {
        Some(known) if known > last => {
            format!("entry {seq} restored a backup: entries {} to {known} are lost", last + 1)
        }
        _ => format!("entry {seq} restored a backup that ends with entry {last}"),
    }
}

/// Checks that an entry is the next link, and moves the head to it.
fn follow(head: &mut Head, seq: u64, bytes: &[u8], hash: Hash) -> Result<Entry, LedgerError> {
    let next = head.seq + 1;
    let wrong = |why: String| LedgerError::Journal { entry: next, why };
    if seq != next {
        return Err(wrong(format!("it is missing, the next one there is {seq}")));
    }
    if head.hash.of_next(bytes) != hash {
        return Err(wrong("its bytes do not give its hash".to_owned()));
    }
    let entry = Entry::decode(bytes).map_err(|error| wrong(error.to_string()))?;
    if entry.seq != seq {
        return Err(wrong(format!("it carries number {}", entry.seq)));
    }
    *head = Head { seq, hash };
    Ok(entry)
}

/// The signed heads of a journal whose chain holds.
struct Heads<'a> {
    connection: &'a Connection,
    instance: &'a InstanceId,
    verifier: &'a dyn HeadVerifier,
    /// Those up to this entry were checked before.
    after: u64,
}

impl Heads<'_> {
    /// The newest head must be the expected key's and verify; since the chain holds, that
    /// proves every entry. Where it does not verify, the first that does not is found.
    fn check(&self, audit: &Audit, remarks: &mut Vec<String>) -> Result<(), LedgerError> {
        let newest = SignedHead::newest(self.connection)?;
        let newest = newest.ok_or_else(|| LedgerError::Journal {
            entry: 1,
            why: "no signed head covers it".to_owned(),
        })?;
        if let Some(wanted) = audit.expected_key.filter(|key| *key != newest.public_key) {
            let Some(seq) = began_with_a_restore(self.connection, &newest.public_key)? else {
                let (found, wanted) = (Box::new(newest.public_key), Box::new(wanted));
                return Err(LedgerError::Key { found, wanted });
            };
            remarks.push(format!(
                "entry {seq} restored the ledger under a new journal key, which the CA certifies \
                 at the next line start"
            ));
        }
        let sound = holds(self.verifier, self.instance, &newest);
        self.check_older(if audit.every_head || !sound { 1 } else { SAMPLE })?;
        match sound {
            true => Ok(()),
            false => Err(bad_head(newest.head.seq, newest.head.seq - 1)),
        }
    }

    fn check_older(&self, step: u64) -> Result<(), LedgerError> {
        let sql = "SELECT heads.seq, hash, public_key, signature FROM heads
            JOIN journal ON journal.seq = heads.seq JOIN journal_keys ON journal_keys.id = heads.key
            WHERE heads.seq > ?1 ORDER BY heads.seq";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([stored(self.after)])?;
        let mut good = self.after;
        let mut index: u64 = 0;
        while let Some(row) = rows.next()? {
            let head = Head { seq: counted(row.get(0)?), hash: Hash(row.get(1)?) };
            if index.is_multiple_of(step) {
                let signed = SignedHead { head, public_key: row.get(2)?, signature: row.get(3)? };
                if !holds(self.verifier, self.instance, &signed) {
                    return Err(bad_head(head.seq, good));
                }
            }
            good = head.seq;
            index += 1;
        }
        Ok(())
    }
}

/// The entry with which a journal key came into use, if that entry is a restore.
fn began_with_a_restore(
    connection: &Connection,
    key: &PublicKey,
) -> Result<Option<u64>, LedgerError> {
    let sql = "SELECT journal.seq, entry FROM journal WHERE journal.seq = (
        SELECT min(heads.seq) FROM heads JOIN journal_keys ON journal_keys.id = heads.key
        WHERE public_key = ?1)";
    let mut statement = connection.prepare(sql)?;
    let first =
        statement.query_row([key], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let (seq, bytes) = first?;
    let restored = Entry::decode(&bytes)
        .is_ok_and(|entry| matches!(entry.fact, Fact::Record(Record::Restored(_), _)));
    Ok(u64::try_from(seq).ok().filter(|_| restored))
}

fn bad_head(seq: u64, good: u64) -> LedgerError {
    let why = format!("the signature of the head at entry {seq} does not verify");
    LedgerError::Journal { entry: good + 1, why }
}
