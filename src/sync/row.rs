//! One row of the outbox, until it is done, or left for a later run.
//!
//! Before each call the row is recorded as sent, and before the next one for its
//! certificate what came of it.

use super::compare;
use super::event::{Event, Outcome};
use super::plan::{Deed, Says, Waits, decide};
use super::run::{Run, Stop};
use crate::cloud::{CallError, ErrorClass, Registrar};
use crate::domain::code::Code;
use crate::domain::outbox::{Answer, Answered, Contradicted, Contradiction, Operation, Sent};
use crate::domain::record::{Record, Refusal};
use crate::domain::registration::{CloudStatus, NewRegistration};
use crate::domain::say::Say;
use crate::ledger::outbox::OutboxRow;
use crate::ledger::states::OutboxState;
use crate::say;

/// So many calls for one row are not carried out, or end unclear, before it is left for a
/// later run: nothing is lost by that, and others get their turn.
const TRIES: u32 = 8;

/// What became of a step.
enum Step {
    /// The cloud has to be asked, or was: decide again.
    Again,
    /// The row is done; the next one of its client id may follow.
    Done,
    /// The row is left as it stands.
    Left,
}

/// One row under way.
struct Work {
    row: OutboxRow,
    says: Says,
    failed: u32,
    /// What the last call that failed said, in each language.
    said: Say,
    /// How often the cloud was found ready again before the last call.
    openings: u64,
    /// Whether it took its place among those that the run is limited to.
    has_place: bool,
}

impl Work {
    /// A message of the record in each language: what a call said, and else in English alone,
    /// where its code says it in Chinese.
    fn told(&self, message: &str) -> Say {
        match self.said.english == message {
            true => self.said.clone(),
            false => Say { english: message.to_owned(), chinese: String::new() },
        }
    }
}

impl<R: Registrar + 'static> Run<R> {
    /// Carries out one row; says whether the next one of its client id may follow.
    pub(super) async fn row(&self, row: OutboxRow) -> bool {
        let (said, says) = (Say::default(), Says::NotAsked);
        let mut work = Work { row, says, failed: 0, said, openings: 0, has_place: false };
        if work.row.state == OutboxState::Claimed && !self.wait_before_look(work.row.sent).await {
            return false;
        }
        while !self.is_stopped() {
            match self.step(&mut work).await {
                Step::Again => {}
                Step::Done => return true,
                Step::Left => return false,
            }
        }
        false
    }

    async fn step(&self, work: &mut Work) -> Step {
        match decide(&work.row, &work.says, &self.settings.rules) {
            Deed::LookUp => self.look(work).await,
            Deed::Register => {
                if let Some(holder) = self.settings.claimed.get(&work.row.client_id) {
                    let message = say!(
                        "{holder} holds client id {}",
                        "{holder} 持有客户端 ID {}",
                        work.row.client_id
                    );
                    let trouble = Some((Code::FleetClaimed, message));
                    self.tell_row(&work.row, Outcome::Deferred, None, trouble);
                    return Step::Left;
                }
                if !work.has_place && !self.take_place() {
                    return Step::Left;
                }
                work.has_place = true;
                self.register(work).await
            }
            Deed::Set(status) => self.set(work, status).await,
            Deed::Settle(answer) => self.settle(work, answer, None).await,
            Deed::Contradict(how) => self.contradict(work, how).await,
            Deed::Wait(why) => self.wait(&work.row, why),
        }
    }

    async fn look(&self, work: &mut Work) -> Step {
        match self.look_up(&work.row).await {
            Ok(says) => {
                work.says = says;
                Step::Again
            }
            Err(_) if self.is_stopped() => Step::Left,
            Err(error) => self.leave(work, &error),
        }
    }

    async fn register(&self, work: &mut Work) -> Step {
        let row = &work.row;
        let Some(ca) = self.ca_of(row) else {
            // It came in after the preflight.
            work.said =
                say!("the instance does not know the CA {}", "实例不认识 CA {}", row.issuer);
            let message = work.said.english.clone();
            let answer = Answer::NotDone { code: Code::CloudAuthority, message };
            return self.defer(work, answer).await;
        };
        let certificate = NewRegistration {
            sn: row.sn,
            der: row.der.clone(),
            client_id: row.client_id.clone(),
            ca,
            status: self.settings.initial_status,
        };
        if !self.may_register().await || !self.send(work).await {
            return Step::Left;
        }
        match self.registrar.register(&certificate).await {
            Ok(_) if self.is_confirmed() => self.confirm(work).await,
            Ok(sn) => {
                let status = Some(certificate.status);
                let step = self.succeeded(work, Answer::Done { status, sn: Some(sn) }).await;
                self.believed(certificate.sn);
                // The sample may have shown a lie while this one was recorded.
                compare::look_at_the_doubtful(self).await;
                step
            }
            Err(error) => self.failed(work, &error).await,
        }
    }

    /// The cloud said yes: whether it has what it took.
    async fn confirm(&self, work: &mut Work) -> Step {
        match self.look_up(&work.row).await {
            Ok(Says::Same { status, sn }) => {
                self.looked(true);
                self.succeeded(work, Answer::Done { status, sn: Some(sn) }).await
            }
            Ok(_) => {
                self.looked(false);
                compare::look_at_the_doubtful(self).await;
                work.failed += 1;
                work.said = say!(
                    "the cloud took it, and a look-up does not show it",
                    "云端收下了，但查询时没有"
                );
                let message = work.said.english.clone();
                self.unclear(work, Answer::Unclear { code: Code::CloudUnclear, message }).await
            }
            Err(_) if self.is_stopped() => Step::Left,
            Err(error) => self.leave(work, &error),
        }
    }

    async fn set(&self, work: &mut Work, status: CloudStatus) -> Step {
        let sn = match (&work.says, &work.row.cloud_sn) {
            (Says::Same { sn, .. }, _) | (_, Some(sn)) => sn.clone(),
            _ => work.row.sn.to_string(),
        };
        if !self.send(work).await {
            return Step::Left;
        }
        let registrar = match (work.row.operation, &self.revoker) {
            (Operation::Deactivate | Operation::Revoke, Some(revoker)) => revoker,
            _ => &self.registrar,
        };
        match registrar.set_status(&sn, status).await {
            Ok(()) => {
                self.succeeded(work, Answer::Done { status: Some(status), sn: Some(sn) }).await
            }
            Err(error) => self.failed(work, &error).await,
        }
    }

    async fn succeeded(&self, work: &mut Work, answer: Answer) -> Step {
        self.widen();
        let outcome = match work.row.operation {
            Operation::Register => Outcome::Registered,
            _ => Outcome::Done,
        };
        self.settle(work, answer, Some(outcome)).await
    }

    /// Records that a call is about to be made. One that was withdrawn meanwhile is left.
    async fn send(&self, work: &mut Work) -> bool {
        let OutboxRow { id, sn, operation, .. } = work.row;
        // Nobody sends while the cloud is not ready.
        work.openings = self.openings().await;
        if self.is_stopped() {
            return false;
        }
        let sent = Sent { row: id, certificate_sn: sn, operation };
        if !self.record(Record::Sent(sent)).await {
            return false;
        }
        work.row.tries += 1;
        work.row.state = OutboxState::Claimed;
        // What the cloud said before the call says nothing about after it.
        work.says = Says::NotAsked;
        true
    }

    /// Makes a record durable. `false`: it was refused because the line was quicker, or
    /// the ledger can't go on.
    async fn record(&self, record: Record) -> bool {
        let Some(records) = &self.records else { return false };
        match records.record(record).await {
            Ok(_) => true,
            Err(Refusal::Row(fault)) if fault.code == Code::Bug => {
                self.end(Stop::Ledger(fault));
                false
            }
            Err(Refusal::Row(fault)) => {
                tracing::info!(%fault, "left as it stands");
                false
            }
            Err(Refusal::Ledger(fault)) => {
                self.end(Stop::Ledger(fault));
                false
            }
        }
    }

    async fn answered(&self, work: &Work, answer: &Answer) -> bool {
        let OutboxRow { id, sn, operation, .. } = work.row;
        let answer = answer.clone();
        let answered = Answered { row: id, certificate_sn: sn, operation, answer };
        self.record(Record::Answered(answered)).await
    }

    /// Records what came of the row, and tells it.
    async fn settle(&self, work: &Work, answer: Answer, outcome: Option<Outcome>) -> Step {
        if !self.answered(work, &answer).await {
            return Step::Left;
        }
        let (found, trouble) = match &answer {
            Answer::Done { .. } if work.row.operation == Operation::Register => {
                (Outcome::AlreadyRegistered, None)
            }
            Answer::Done { .. } => (Outcome::Done, None),
            Answer::Nothing => (Outcome::Nothing, None),
            Answer::Conflict { message } => {
                (Outcome::Conflict, Some((Code::CloudConflict, work.told(message))))
            }
            Answer::Rejected { code, message } => {
                (Outcome::Rejected, Some((*code, work.told(message))))
            }
            Answer::NotDone { code, message } | Answer::Unclear { code, message } => {
                (Outcome::Deferred, Some((*code, work.told(message))))
            }
        };
        let status = match answer {
            Answer::Done { status, .. } => status,
            _ => None,
        };
        let outcome = outcome.unwrap_or(found);
        self.tell_row(&work.row, outcome, status, trouble);
        match outcome {
            Outcome::Registered | Outcome::AlreadyRegistered | Outcome::Done | Outcome::Nothing => {
                Step::Done
            }
            _ => Step::Left,
        }
    }

    /// Ends a row that is about a registration which the cloud does not have; what was
    /// registered is open again, for the next run.
    async fn contradict(&self, work: &Work, contradiction: Contradiction) -> Step {
        if !self.answered(work, &Answer::Nothing).await {
            return Step::Left;
        }
        let message = contradiction.told().to_owned();
        let trouble = Some((contradiction.code(), work.told(&message)));
        let certificate_sn = work.row.sn;
        let record = Contradicted { certificate_sn, contradiction, message };
        if self.record(Record::Contradicted(record)).await {
            self.tell_row(&work.row, Outcome::Rejected, None, trouble);
        }
        Step::Left
    }

    fn tell_row(
        &self,
        row: &OutboxRow,
        outcome: Outcome,
        status: Option<CloudStatus>,
        trouble: Option<(Code, Say)>,
    ) {
        let (serial, certificate_sn, operation) = (row.serial.clone(), row.sn, row.operation);
        let (code, message) = trouble.unzip();
        let is_registration = operation == Operation::Register && outcome != Outcome::Nothing;
        let event = if is_registration {
            self.summary.borrow_mut().count(outcome);
            let tries = row.tries;
            Event::Registration { serial, certificate_sn, outcome, tries, code, message }
        } else {
            self.summary.borrow_mut().count_status(operation, outcome);
            Event::Status { serial, certificate_sn, operation, outcome, status, code, message }
        };
        self.tell(event);
    }

    /// A call that gave no answer: what may be done next depends on its class.
    async fn failed(&self, work: &mut Work, error: &CallError) -> Step {
        let (code, message) = (error.code, error.to_string());
        work.said = error.sentence();
        work.failed += 1;
        match error.class {
            ErrorClass::ItemNever => {
                self.settle(work, Answer::Rejected { code, message }, None).await
            }
            ErrorClass::StopRun | ErrorClass::Configuration => {
                self.end(Stop::Cloud(error.clone().into()));
                self.answered(work, &Answer::NotDone { code, message }).await;
                Step::Left
            }
            ErrorClass::LookUpFirst => self.unclear(work, Answer::Unclear { code, message }).await,
            ErrorClass::Throttled | ErrorClass::NotReady => {
                let answer = Answer::NotDone { code, message };
                if work.failed >= TRIES {
                    return self.defer(work, answer).await;
                }
                self.again(work, &answer, error).await
            }
        }
    }

    /// Not carried out: again later, if it is still wanted then.
    async fn again(&self, work: &mut Work, answer: &Answer, error: &CallError) -> Step {
        if !self.answered(work, answer).await {
            return Step::Left;
        }
        match error.class {
            ErrorClass::NotReady => self.wait_until_ready(work.openings, error).await,
            _ => self.narrow(),
        }
        if !self.rest(self.pause(work.failed, work.row.id)).await {
            return Step::Left;
        }
        // A certificate may have become void meanwhile.
        match self.reader.outbox_of(&work.row.client_id) {
            Ok(Some(row)) if row.id == work.row.id => {
                work.row = row;
                Step::Again
            }
            // Withdrawn: whatever is open now comes next.
            Ok(_) => Step::Done,
            Err(error) => {
                self.end(Stop::Ledger(error.into()));
                Step::Left
            }
        }
    }

    /// Nobody knows what came of it: recorded as that, then looked up.
    async fn unclear(&self, work: &mut Work, answer: Answer) -> Step {
        if work.failed >= TRIES {
            return self.defer(work, answer).await;
        }
        if !self.answered(work, &answer).await {
            return Step::Left;
        }
        match self.rest(self.pause(1, work.row.id)).await {
            true => Step::Again,
            false => Step::Left,
        }
    }

    /// Leaves the row for a later run, and tells why.
    async fn defer(&self, work: &Work, answer: Answer) -> Step {
        self.settle(work, answer, Some(Outcome::Deferred)).await;
        Step::Left
    }

    /// Leaves a row that could not be looked up: the ledger knows all there is to know.
    fn leave(&self, work: &Work, error: &CallError) -> Step {
        let trouble = Some((error.code, error.sentence()));
        self.tell_row(&work.row, Outcome::Deferred, None, trouble);
        Step::Left
    }

    fn wait(&self, row: &OutboxRow, why: Waits) -> Step {
        match why {
            Waits::ForDevice => self.summary.borrow_mut().waiting_for_device += 1,
            Waits::ForRevoker => {
                let message = say!("it waits for the revoker's credentials", "等待吊销者的凭据");
                self.tell_row(row, Outcome::Waiting, None, Some((Code::CloudRevoker, message)));
                self.tell_blocked(row);
            }
            Waits::Rejected => {
                let told = row.trouble.clone().and_then(|(code, message)| {
                    let said = Say { english: message, chinese: String::new() };
                    code.parse::<Code>().ok().map(|code| (code, said))
                });
                self.tell_row(row, Outcome::Rejected, None, told);
            }
        }
        Step::Left
    }

    /// A new certificate that waits behind an old one's revoke is deferred with it.
    fn tell_blocked(&self, row: &OutboxRow) {
        match self.reader.outbox_behind(row.id, &row.client_id) {
            Ok(blocked) => {
                for blocked in blocked {
                    let message = say!(
                        "{} of {} comes first and waits for the revoker's credentials",
                        "{} {} 在先，它等待吊销者的凭据",
                        row.operation.as_str(),
                        row.sn
                    );
                    let trouble = Some((Code::CloudRevoker, message));
                    self.tell_row(&blocked, Outcome::Deferred, None, trouble);
                }
            }
            Err(error) => self.end(Stop::Ledger(error.into())),
        }
    }
}
