//! The projection: the only code that writes the evidence tables.
//!
//! It decides nothing. What an entry says is put into the rows, the same way when it is
//! recorded and when the journal is replayed; so it looks at the entry and at the rows,
//! never at a clock, a setting or a file.

mod adopted;
mod attempt;
mod cloud;
mod context;
mod grants;
mod held;
mod labels;
mod line;
mod marks;
mod person;
mod queue;
mod row;
mod unit;

use rusqlite::{Connection, params};

use crate::domain::ids::hex_pairs;
use crate::domain::record::Record;
use crate::error::LedgerError;
use crate::journal::entry::{Created, Entry, Fact, Kind};
use crate::tables::sql::stored;

use crate::say;
use context::Context;
use marks::Marks;

pub(crate) use held::Held;

/// Puts the next of some entries into the evidence tables, or into what is held of them: the
/// caller's, which is made before the first entry and saved behind the last.
pub(crate) fn apply_next(
    connection: &Connection,
    entry: &Entry,
    held: &mut Held,
) -> Result<(), LedgerError> {
    let (seq, wall) = (entry.seq, entry.wall);
    let context = Context { connection, held, station: &entry.station, seq, wall };
    match &entry.fact {
        Fact::Created(created) => {
            context.created(created)?;
            held.marks = Some(Marks::of_the_first(seq, wall));
        }
        Fact::Record(record, attempt) => {
            context.record(record, *attempt)?;
            if let Some(marks) = &mut held.marks {
                marks.follow(Kind::of(&entry.fact), seq, wall);
            }
        }
    }
    Ok(())
}

impl Context<'_> {
    fn record(&self, record: &Record, attempt: u32) -> Result<(), LedgerError> {
        match record {
            Record::LineStarted(r) => self.line_started(r)?,
            Record::AuthoritySeen(r) => self.authority_seen(r)?,
            Record::Begun(r) => attempt::begun(self, r, attempt)?,
            Record::FailedEarly(r) => attempt::failed_early(self, r, attempt)?,
            Record::Issued(r) => attempt::issued(self, r)?,
            Record::CommitAsked(r) => attempt::commit_asked(self, r)?,
            Record::Proven(r) => attempt::proven(self, r)?,
            Record::Finished(r) => unit::finished(self, r)?,
            Record::Denied(r) => unit::denied(self, r)?,
            Record::Ended(r) => attempt::ended(self, r)?,
            Record::UnitVoided(r) => unit::voided(self, r)?,
            Record::ReworkAllowed(r) => unit::rework_allowed(self, r)?,
            Record::UnitScrapped(r) => unit::scrapped(self, r)?,
            Record::WorkOrderCreated(r) => self.work_order_created(r)?,
            Record::WorkOrderClosed(r) => self.work_order_closed(r)?,
            Record::ClockAccepted(r) => {
                self.act("clock-accepted", None, None, Some(&r.reason), &r.by)?;
            }
            Record::Restored(r) => {
                let known = r.known_seq.map_or_else(|| "?".to_owned(), |seq| seq.to_string());
                let gap = format!("entry {} of {known}", r.last_seq);
                self.act("restored", None, None, Some(&gap), &r.by)?;
                self.set_gap(Some(self.seq))?;
            }
            Record::AuthorityRegistered(r) => self.authority_registered(r)?,
            Record::RegisteredByHand(r) => cloud::registered_by_hand(self, r)?,
            Record::Sent(r) => cloud::sent(self, r)?,
            Record::Answered(r) => cloud::answered(self, r)?,
            Record::Found(r) => cloud::found(self, r)?,
            Record::Contradicted(r) => cloud::contradicted(self, r)?,
            Record::CloudChosen(r) => cloud::chosen(self, r)?,
            Record::ActivationAsked(r) => cloud::activation_asked(self, r)?,
            Record::Shipped(r) => cloud::shipped(self, r)?,
            Record::CrlIssued(r) => {
                let what = format!("{} of CA {}", r.certificates, r.authority);
                self.act("crl-issued", None, None, Some(&what), &r.by)?;
            }
            Record::GapAccepted(r) => {
                self.act("gap-accepted", None, None, Some(&r.reason), &r.by)?;
                self.set_gap(None)?;
            }
            Record::Adopted(r) => adopted::adopted(self, r, attempt)?,
            Record::OperatorAdded(r) => person::added(self, r)?,
            Record::OperatorDisabled(r) => person::disabled(self, r)?,
            Record::PinChanged(r) => person::pin_changed(self, r)?,
            Record::PinWrong(r) => person::pin_tried(self, "pin-wrong", r)?,
            Record::PinRight(r) => person::pin_tried(self, "pin-right", r)?,
            Record::ProfileAccepted(r) => person::profile_accepted(self, r)?,
            Record::SignedIn(r) => person::signed_in(self, r)?,
            Record::IndicesRebuilt(r) => {
                self.act("indices-rebuilt", None, None, Some(&r.reason), &r.by)?;
            }
            Record::LabelSent(r) => labels::sent(self, r)?,
            Record::LabelDelivered(r) => labels::delivered(self, r)?,
            Record::LabelScanned(r) => labels::scanned(self, r)?,
            Record::LabelsChosen(r) => labels::chosen(self, r)?,
            Record::GrantTaken(r) => grants::taken(self, r)?,
            Record::GrantGivenBack(r) => grants::given_back(self, r)?,
            Record::Vouched(r) => self.act("vouched", None, None, Some(&r.reason), &r.by)?,
        }
        Ok(())
    }

    fn created(&self, created: &Created) -> Result<(), LedgerError> {
        let instance = hex_pairs(&created.instance).ok_or_else(|| {
            LedgerError::Nonsense(say!("the ledger's instance id", "账本的实例 id 无效"))
        })?;
        self.connection.execute(
            "INSERT INTO ledger VALUES (1, ?1, ?2, ?3, ?4, ?3, ?3, NULL)",
            params![self.station, instance, self.wall, stored(self.seq)],
        )?;
        Ok(())
    }

    /// The restore that keeps the line closed.
    fn set_gap(&self, restored_seq: Option<u64>) -> rusqlite::Result<()> {
        let sql = "UPDATE ledger SET gap_seq = ?1";
        self.connection.execute(sql, [restored_seq.map(stored)])?;
        Ok(())
    }
}
