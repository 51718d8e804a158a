//! What is known of grants.

use crate::domain::grant::GrantRow;
use crate::domain::ids::WorkOrderId;
use crate::error::LedgerError;
use crate::tables::grant_row;

use super::reader::Reader;

impl Reader {
    /// The grants of a work order, in the order of their numbers.
    pub fn grants(&self, work_order: &WorkOrderId) -> Result<Vec<GrantRow>, LedgerError> {
        Ok(grant_row::of_order(&self.connection, work_order)?)
    }
}
