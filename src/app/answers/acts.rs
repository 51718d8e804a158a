//! What a person decides at the screen, carried out and put into the journal.

use crate::app::from_config;
use crate::app::people::{self, Desk};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::{OperatorId, WorkOrderId};
use crate::domain::operators::{OperatorRow, Pin, ProfileAccepted, SignedIn, may_sign_in};
use crate::domain::pages::{Act, Answer, Approval};
use crate::domain::person::Person;
use crate::domain::record::{ClockAccepted, PersonAct, Record, WorkOrderAct};
use crate::say;
use crate::shell::Failure;

use super::Answers;

impl Answers {
    pub(super) fn act(&self, act: Act, now: Timestamp) -> Result<Answer, Failure> {
        match act {
            Act::SignIn(text) => self.sign_in(&text, now)?,
            Act::SignOut => self.work(None)?,
            Act::Unlock(approval) => self.unlock(&approval, now)?,
            Act::Rework { serial, new_device, reason, approval } => {
                let by = person(&approval);
                let act = PersonAct { serial, reason, by, new_device };
                self.record(Record::ReworkAllowed(act), approval.pin, now)?;
            }
            Act::Void { serial, reason, approval } => {
                let act = PersonAct { serial, reason, by: person(&approval), new_device: false };
                self.record(Record::UnitVoided(act), approval.pin, now)?;
            }
            Act::Scrap { serial, reason, approval } => {
                let act = PersonAct { serial, reason, by: person(&approval), new_device: false };
                self.record(Record::UnitScrapped(act), approval.pin, now)?;
            }
            Act::AcceptClock { reason, approval } => {
                let accepted = ClockAccepted { reason, by: person(&approval) };
                self.record(Record::ClockAccepted(accepted), approval.pin, now)?;
            }
            Act::AcceptProfile { work_order, reason, approval } => {
                let profile = self.config.profile_digest()?;
                let by = person(&approval);
                let accepted = ProfileAccepted { work_order, profile, reason, by };
                self.record(Record::ProfileAccepted(accepted), approval.pin, now)?;
            }
            Act::ChooseWorkOrder(id) => self.choose_work_order(&id)?,
            Act::StartSync => self.start_sync()?,
            Act::StopSync => self.stop_sync(),
            Act::CloseWorkOrder { work_order, approval } => {
                let act = WorkOrderAct { work_order, by: person(&approval) };
                self.record(Record::WorkOrderClosed(act), approval.pin, now)?;
            }
        }
        Ok(Answer::Done)
    }

    /// By an id, as a badge carries it, or by a name that only one person has.
    fn sign_in(&self, text: &str, now: Timestamp) -> Result<(), Failure> {
        let everybody = self.reader.operators(now)?;
        let id = find(&everybody, text.trim())?;
        let known = everybody.iter().find(|row| row.id == id);
        may_sign_in(&id, known, !everybody.is_empty())?;
        self.work(Some(id))
    }

    fn work(&self, operator: Option<OperatorId>) -> Result<(), Failure> {
        if self.signed_in.operator() == operator {
            return Ok(());
        }
        let uid = rustix::process::getuid().as_raw();
        self.write(Record::SignedIn(SignedIn { operator: operator.clone(), uid }))?;
        self.signed_in.change(operator);
        Ok(())
    }

    fn choose_work_order(&self, id: &WorkOrderId) -> Result<(), Failure> {
        let order = from_config::work_order(&self.config, &self.reader, Some(id))?;
        let rule = from_config::label_rule(&self.config, order.as_ref())?;
        Ok(self.chooser.choose(id.clone(), rule)?)
    }

    fn unlock(&self, approval: &Approval, now: Timestamp) -> Result<(), Failure> {
        let ask = |_: &OperatorId| typed(approval.pin.clone());
        people::approve_act(&self.desk(), approval.by.as_ref(), ask, now)
    }

    fn desk(&self) -> Desk<'_> {
        Desk { reader: &self.reader, persons: &self.persons, writer: &self.writer }
    }

    fn record(&self, record: Record, pin: Option<Pin>, now: Timestamp) -> Result<(), Failure> {
        people::approve(&self.desk(), &record, |_| typed(pin), now)?;
        self.write(record)
    }

    fn write(&self, record: Record) -> Result<(), Failure> {
        let done = self.writer.record(record);
        done.map(drop).map_err(|refusal| Failure::from(refusal.fault()))
    }
}

fn typed(pin: Option<Pin>) -> Result<Pin, Failure> {
    pin.ok_or_else(|| {
        Failure::said(
            Code::SupervisorNeeded,
            say!("this needs a supervisor's PIN", "这需要主管的 PIN"),
        )
    })
}

fn person(approval: &Approval) -> Person {
    Person { operator: approval.by.clone(), uid: rustix::process::getuid().as_raw() }
}

/// The person whom a text names.
fn find(everybody: &[OperatorRow], text: &str) -> Result<OperatorId, Failure> {
    let unknown = || {
        Failure::said(Code::OperatorUnknown, say!("nobody is known as {text}", "没有登记 {text}"))
    };
    let wanted = text.to_lowercase();
    let mut named = everybody
        .iter()
        .filter(|row| row.name.as_ref().is_some_and(|name| name.to_lowercase() == wanted));
    let by_id = everybody.iter().find(|row| row.id.as_str() == text);
    match (by_id, named.next(), named.next()) {
        (Some(row), _, _) | (None, Some(row), None) => Ok(row.id.clone()),
        (None, Some(_), Some(_)) => {
            let what = say!(
                "several persons are called {text}: use the id",
                "有几个人叫 {text}：请用工号"
            );
            Err(Failure::said(Code::OperatorUnknown, what))
        }
        (None, None, _) => text.parse().map_err(|_| unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operators::Role;

    fn row(id: &str, name: &str) -> OperatorRow {
        OperatorRow {
            id: id.parse().unwrap(),
            role: Role::Operator,
            disabled: false,
            name: Some(name.to_owned()),
            has_pin: false,
            locked_until: None,
        }
    }

    #[test]
    fn a_person_is_found_by_id_or_by_a_name_that_is_theirs_alone() {
        let all = [row("p1", "Li Wei"), row("p2", "Wang Fang"), row("p3", "Wang Fang")];
        let found = |text: &str| find(&all, text).map(|id| id.to_string()).map_err(|f| f.code);
        assert_eq!(found("p2"), Ok("p2".to_owned()));
        assert_eq!(found("li wei"), Ok("p1".to_owned()));
        assert_eq!(found("Wang Fang"), Err(Code::OperatorUnknown));
        assert_eq!(found("p9"), Ok("p9".to_owned()), "whether that may sign in is judged later");
        assert_eq!(found("nobody here"), Err(Code::OperatorUnknown));
    }
}
