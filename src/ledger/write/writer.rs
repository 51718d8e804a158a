//! The one thread of a process that writes: what is waiting goes into one transaction,
//! and nobody is answered before its COMMIT returned.
//!
//! Start with [`Scribe::write_group`]. Other processes write too, so the head is read
//! inside each transaction and never remembered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::apply::Held;
use crate::decide::view::{Decided, Limits, Trouble, View};
use crate::domain::cause::Told;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::evidence::HeadSigner;
use crate::domain::grant::GrantNumber;
use crate::domain::record::{Begun, Record, Recorded, Refusal};
use crate::error::LedgerError;
use crate::journal::entry::{Entry, Fact, Kind};
use crate::journal::head::{Head, SignedHead};
use crate::journal::note::{Note, Notes, Noting};
use crate::journal::witness::Owner;
use crate::keep::files;
use crate::say;

use super::append::{append, commit};
use super::persons::Private;

/// More than this many records never share a commit, so that nobody waits for ever.
const GROUP: usize = 256;

enum Job {
    Record(Box<Work>, SyncSender<Result<Recorded, Refusal>>),
    Stop,
}

/// A record, and what is written with it and stands in no entry.
struct Work {
    record: Record,
    private: Option<Private>,
}

/// What the writer has done since it started.
#[derive(Debug, Default)]
struct Tally {
    commits: AtomicU64,
    records: AtomicU64,
}

/// How much was written, and in how many commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Commits; each costs one sync.
    pub commits: u64,
    /// Records made durable by them.
    pub records: u64,
}

#[derive(Debug, Default)]
struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, shut: bool) {
        *self.shut.lock().unwrap_or_else(PoisonError::into_inner) = shut;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(shut, |shut| *shut));
    }
}

/// Holds the writer back until it is dropped; for tests.
#[doc(hidden)]
#[derive(Debug)]
pub struct HeldBack(Arc<Gate>);

impl Drop for HeldBack {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A door to the writer thread; every slot has its own.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: Sender<Job>,
    tally: Arc<Tally>,
    gate: Arc<Gate>,
    anchor: Arc<Mutex<Option<Fault>>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

/// A record that was handed in and is not answered yet.
#[derive(Debug)]
pub struct Ticket(Receiver<Result<Recorded, Refusal>>);

impl Ticket {
    /// Waits until the record is durable, or is not going to be.
    pub fn wait(self) -> Result<Recorded, Refusal> {
        self.0.recv().unwrap_or_else(|_| Err(Refusal::Ledger(LedgerError::WriterGone.into())))
    }

    /// The answer, if it is there already.
    pub fn poll(&self) -> Option<Result<Recorded, Refusal>> {
        match self.0.try_recv() {
            Ok(answer) => Some(answer),
            Err(mpsc::TryRecvError::Empty) => None,
            Err(mpsc::TryRecvError::Disconnected) => {
                Some(Err(Refusal::Ledger(LedgerError::WriterGone.into())))
            }
        }
    }
}

impl Writer {
    /// Hands a record in.
    pub fn submit(&self, record: Record) -> Ticket {
        self.hand_in(Work { record, private: None })
    }

    fn hand_in(&self, work: Work) -> Ticket {
        let (answer, ticket) = mpsc::sync_channel(1);
        // A writer that is gone drops the answer's sender, and the ticket says so.
        let _ = self.jobs.send(Job::Record(Box::new(work), answer));
        Ticket(ticket)
    }

    /// Makes a record durable together with what is personal and stands in no entry.
    pub fn record_with(&self, record: Record, private: Private) -> Result<Recorded, Refusal> {
        self.hand_in(Work { record, private: Some(private) }).wait()
    }

    /// Makes a record durable; returns when it is, or why it is not going to be.
    pub fn record(&self, record: Record) -> Result<Recorded, Refusal> {
        self.submit(record).wait()
    }

    /// How much was written since the ledger was opened.
    pub fn written(&self) -> Written {
        Written {
            commits: self.tally.commits.load(Ordering::Relaxed),
            records: self.tally.records.load(Ordering::Relaxed),
        }
    }

    /// Why the last head could not be noted beside the ledger or at its anchor.
    pub fn anchor_fault(&self) -> Option<Fault> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Holds the writer back: it takes nothing until the guard is dropped.
    #[doc(hidden)]
    pub fn hold_back(&self) -> HeldBack {
        self.gate.set(true);
        HeldBack(Arc::clone(&self.gate))
    }
}

/// The writer thread, which ends with the ledger that owns it.
#[derive(Debug)]
pub(crate) struct WriterThread {
    writer: Writer,
    thread: Option<JoinHandle<()>>,
}

impl WriterThread {
    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn start(scribe: Scribe) -> Result<WriterThread, std::io::Error> {
        let (jobs, waiting) = mpsc::channel();
        let (tally, gate) = (Arc::clone(&scribe.tally), Arc::new(Gate::default()));
        let writer = Writer { jobs, tally, gate, anchor: Arc::clone(&scribe.anchor) };
        let gate = Arc::clone(&writer.gate);
        let thread = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || scribe.run(&waiting, &gate))?;
        Ok(WriterThread { writer, thread: Some(thread) })
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        let _ = self.writer.jobs.send(Job::Stop);
        self.writer.gate.set(false);
        if let Some(thread) = self.thread.take() {
            // Whoever still waits was told by the panic that ended it.
            let _ = thread.join();
        }
    }
}

/// What the writer thread works with.
pub(crate) struct Scribe {
    pub(crate) connection: Connection,
    pub(crate) owner: Owner,
    pub(crate) limits: Limits,
    pub(crate) notes: Notes,
    pub(crate) signer: Arc<dyn HeadSigner>,
    pub(crate) clock: Arc<dyn Clock>,
    tally: Arc<Tally>,
    anchor: Arc<Mutex<Option<Fault>>>,
    newest: Option<Note>,
    failed: Option<Fault>,
}

/// Where a transaction stands: its newest entry, and what of its entries is in no table yet.
struct SoFar {
    head: Head,
    held: Held,
}

type Waiting = (Box<Work>, SyncSender<Result<Recorded, Refusal>>);
type Answers = Vec<Result<Recorded, Refusal>>;

impl Scribe {
    pub(crate) fn new(
        connection: Connection,
        owner: Owner,
        limits: Limits,
        notes: Notes,
        signer: Arc<dyn HeadSigner>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Scribe {
            connection,
            owner,
            limits,
            notes,
            signer,
            clock,
            tally: Arc::default(),
            anchor: Arc::default(),
            newest: None,
            failed: None,
        }
    }

    fn run(mut self, waiting: &Receiver<Job>, gate: &Gate) {
        let mut stopped = false;
        while !stopped {
            let Ok(first) = waiting.recv() else { break };
            gate.pass();
            let mut group = Vec::new();
            for job in std::iter::once(first).chain(waiting.try_iter().take(GROUP - 1)) {
                match job {
                    Job::Record(work, answer) => group.push((work, answer)),
                    Job::Stop => stopped = true,
                }
            }
            self.write_group(group);
        }
        if let Some(note) = self.newest.take() {
            // The process ends; whoever opens next finds an older note at worst.
            let _ = self.notes.write(&note, Noting::AtEnd, self.signer.as_ref());
        }
        let commits = self.tally.commits.load(Ordering::Relaxed);
        let records = self.tally.records.load(Ordering::Relaxed);
        tracing::info!(commits, records, "ledger closed");
    }

    /// One transaction for all; answers each only after its COMMIT.
    fn write_group(&mut self, group: Vec<Waiting>) {
        if group.is_empty() {
            return;
        }
        let answers = match &self.failed {
            Some(fault) => Err(fault.clone()),
            None => self.transact(&group),
        };
        match answers {
            Ok((answers, signed)) => self.answer(group, answers, signed.as_ref()),
            Err(fault) => {
                self.failed = Some(fault.clone());
                // What is wrong may be the file: its log stays as it is.
                let _ = files::keep_log(&self.connection, true);
                for (_, waiting) in group {
                    let _ = waiting.send(Err(Refusal::Ledger(fault.clone())));
                }
            }
        }
    }

    /// Answers what is durable, and only then notes its head: no slot waits for a slow
    /// anchor. Whoever asks for the anchor's fault after an answer hears of this commit's.
    fn answer(&mut self, group: Vec<Waiting>, answers: Answers, signed: Option<&SignedHead>) {
        let anchor = Arc::clone(&self.anchor);
        let mut fault = anchor.lock().unwrap_or_else(PoisonError::into_inner);
        for ((_, waiting), answer) in group.into_iter().zip(answers) {
            let _ = waiting.send(answer);
        }
        if let Some(signed) = signed {
            *fault = self.note(signed);
        }
    }

    /// A group is written together. A record that breaks a constraint which `decide` did not
    /// foresee would take the others with it, so then all are written again, each apart: a
    /// savepoint for each would cost every group a copy of the pages that it changes.
    fn transact(&mut self, group: &[Waiting]) -> Result<(Answers, Option<SignedHead>), Fault> {
        let result = match self.transact_once(group, Care::Together) {
            Err(error) if breaks_constraint(&error) => self.transact_once(group, Care::Apart),
            result => result,
        };
        result.map_err(|error| written_not_read(error).into())
    }

    fn transact_once(
        &self,
        group: &[Waiting],
        care: Care,
    ) -> Result<(Answers, Option<SignedHead>), LedgerError> {
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE").map_err(LedgerError::write);
        begun.and_then(|()| self.append_all(group, care)).inspect_err(|_| {
            // What never began, or was rolled back by SQLite itself, can't be rolled back.
            let _ = self.connection.execute_batch("ROLLBACK");
        })
    }

    /// The answers, and the head that was committed where anything was.
    fn append_all(
        &self,
        group: &[Waiting],
        care: Care,
    ) -> Result<(Answers, Option<SignedHead>), LedgerError> {
        let before = Head::read(&self.connection)?;
        let mut so_far = SoFar { head: before, held: Held::nothing(&self.connection)? };
        let mut answers = Vec::with_capacity(group.len());
        let mut kinds = Vec::with_capacity(group.len());
        for (work, _) in group {
            let answer = match care {
                Care::Together => self.append_one(&mut so_far, work)?,
                Care::Apart => self.append_apart(&mut so_far, work)?,
            };
            kinds.extend(answer.is_ok().then(|| Kind::of_record(&work.record)));
            answers.push(answer);
        }
        let SoFar { head, held } = so_far;
        if head == before {
            self.connection.execute_batch("ROLLBACK").map_err(LedgerError::write)?;
            return Ok((answers, None));
        }
        held.save(&self.connection)?;
        let signed =
            SignedHead::make(&self.connection, &self.owner.instance, head, self.signer.as_ref())?;
        commit(&self.connection, &kinds)?;
        self.tally.commits.fetch_add(1, Ordering::Relaxed);
        self.tally.records.fetch_add(head.seq - before.seq, Ordering::Relaxed);
        Ok((answers, Some(signed)))
    }

    /// One record; what `decide` refuses has written nothing.
    fn append_one(
        &self,
        so_far: &mut SoFar,
        work: &Work,
    ) -> Result<Result<Recorded, Refusal>, LedgerError> {
        match self.decide_and_append(so_far, work) {
            Ok(recorded) => Ok(Ok(recorded)),
            Err(Trouble::Row(fault)) => Ok(Err(Refusal::Row(fault))),
            Err(Trouble::Ledger(error)) => Err(error),
        }
    }

    /// One record in its own savepoint: whatever refuses it, it leaves nothing and harms no
    /// other.
    fn append_apart(
        &self,
        so_far: &mut SoFar,
        work: &Work,
    ) -> Result<Result<Recorded, Refusal>, LedgerError> {
        let (head, marks) = (so_far.head, so_far.held.marks());
        let run = |sql| self.connection.execute_batch(sql).map_err(LedgerError::write);
        run("SAVEPOINT record")?;
        let answer = match self.append_one(so_far, work) {
            Err(error) if breaks_constraint(&error) => {
                let detail = say!("the ledger refused a record", "账本拒绝了一条记录")
                    .then(&error.sentence());
                Err(Refusal::Row(Fault::said(Code::Bug, detail)))
            }
            answer => answer?,
        };
        match answer {
            Ok(_) => run("RELEASE record")?,
            Err(_) => {
                run("ROLLBACK TO record; RELEASE record")?;
                so_far.head = head;
                so_far.held.set_marks(marks);
            }
        }
        Ok(answer)
    }

    fn decide_and_append(&self, so_far: &mut SoFar, work: &Work) -> Result<Recorded, Trouble> {
        let SoFar { head, held } = so_far;
        let record = &work.record;
        let now = self.clock.now().wall;
        let (connection, limits) = (&self.connection, &self.limits);
        let view = View { connection, limits, now, clock: held.clock() };
        let Decided { attempt, grant } = view.decide(record)?;
        let entry = Entry {
            seq: head.seq + 1,
            wall: now,
            station: self.owner.station.clone(),
            fact: Fact::Record(under_grant(record.clone(), grant), attempt),
        };
        append(head, connection, &entry, held)?;
        if let Some(private) = &work.private {
            private.write(connection)?;
        }
        Ok(Recorded { seq: entry.seq, attempt })
    }

    fn note(&mut self, signed: &SignedHead) -> Option<Fault> {
        let note = Note::new(&self.owner.station, &self.owner.instance, signed);
        let fault = self
            .notes
            .write(&note, Noting::AfterCommit, self.signer.as_ref())
            .err()
            .map(Fault::from);
        self.newest = Some(note);
        fault
    }
}

/// A unit that begins, with the grant that the transaction chose, whatever was asked for.
fn under_grant(record: Record, grant: Option<GrantNumber>) -> Record {
    match record {
        Record::Begun(begun) => Record::Begun(Begun { grant, ..begun }),
        other => other,
    }
}

/// Whether a constraint of the tables stopped it, which `decide` did not foresee.
fn breaks_constraint(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Read(error)
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation))
}

/// How the records of a group are kept from harming each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Not at all: none is expected to break a constraint.
    Together,
    /// Each in a savepoint.
    Apart,
}

fn written_not_read(error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Read(error) => LedgerError::write(error),
        other => other,
    }
}
