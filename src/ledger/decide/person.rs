//! Whether a person may do what a record says, and what is decided about persons.

use crate::domain::code::Code;
use crate::domain::ids::OperatorId;
use crate::domain::operators::{
    self, OperatorAdded, OperatorDisabled, PinChanged, PinTried, ProfileAccepted, Role,
};
use crate::domain::record::Record;
use crate::domain::supervised::supervised;
use crate::tables::operator_row;

use super::view::{Decision, Trouble, View, refuse};
use crate::say;

impl View<'_> {
    /// From the first supervisor on, some records need one. That the PIN is theirs was
    /// found out before; here it is decided whether they are still what they were then.
    pub(crate) fn approved(&self, record: &Record) -> Decision<()> {
        let Some(person) = supervised(record) else { return Ok(()) };
        if operator_row::supervisors_besides(self.connection, None)? == 0 {
            return Ok(());
        }
        let Some(id) = &person.operator else {
            return refuse(
                Code::SupervisorNeeded,
                say!("a supervisor must approve this", "此操作须由主管批准"),
            );
        };
        let known = operator_row::operator(self.connection, id, self.now)?;
        operators::may_approve(id, known.as_ref()).map_err(Trouble::Row)
    }

    pub(crate) fn operator_added(&self, added: &OperatorAdded) -> Decision<()> {
        match operator_row::operator(self.connection, &added.operator, self.now)? {
            None => Ok(()),
            Some(row) => {
                let detail =
                    say!("{} is known as {} already", "{} 早已登记为 {}", row.id, row.role);
                refuse(Code::OperatorExists, detail)
            }
        }
    }

    pub(crate) fn operator_disabled(&self, disabled: &OperatorDisabled) -> Decision<()> {
        let id = &disabled.operator;
        let role = self.enabled(id)?;
        let others = operator_row::supervisors_besides(self.connection, Some(id))?;
        match role == Role::Supervisor && others == 0 {
            true => {
                refuse(Code::OperatorLast, say!("{id} is the only supervisor", "{id} 是唯一的主管"))
            }
            false => Ok(()),
        }
    }

    pub(crate) fn pin_changed(&self, changed: &PinChanged) -> Decision<()> {
        self.enabled(&changed.operator).map(drop)
    }

    pub(crate) fn pin_tried(&self, tried: &PinTried) -> Decision<()> {
        self.enabled(&tried.operator).map(drop)
    }

    /// Somebody who is not known may work where nobody checks; somebody disabled may not.
    pub(crate) fn may_work(&self, id: Option<&OperatorId>) -> Decision<()> {
        let Some(id) = id else { return Ok(()) };
        let known = operator_row::operator(self.connection, id, self.now)?;
        operators::may_sign_in(id, known.as_ref(), false).map_err(Trouble::Row)
    }

    fn enabled(&self, id: &OperatorId) -> Decision<Role> {
        match operator_row::operator(self.connection, id, self.now)? {
            None => {
                refuse(Code::OperatorUnknown, say!("nobody is known as {id}", "没有登记工号 {id}"))
            }
            Some(row) if row.disabled => {
                refuse(Code::OperatorDisabled, say!("{id} is disabled already", "{id} 早已停用"))
            }
            Some(row) => Ok(row.role),
        }
    }

    pub(crate) fn profile_accepted(&self, accepted: &ProfileAccepted) -> Decision<()> {
        self.work_order_exists(&accepted.work_order)?;
        self.work_order_is_open(&accepted.work_order)
    }
}
