//! Who did something.

use serde::{Deserialize, Serialize};

use super::ids::OperatorId;

/// Who did something: the operator id, where one was named, and the system's user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The operator id given.
    pub operator: Option<OperatorId>,
    /// The numeric id of the system's user.
    pub uid: u32,
}
