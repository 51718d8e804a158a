//! Why a fault specification is not understood.

/// Why a fault specification is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no fault of that name.
    #[error("there is no fault {name:?}; --fault list prints their names")]
    Unknown {
        /// The name given.
        name: String,
    },
    /// The value is missing, not wanted or not understood.
    #[error("{name}={value:?}: {expected} is expected")]
    Value {
        /// The fault's name.
        name: String,
        /// The value given, empty if none was.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// What stands after `@` is neither a number nor a percentage.
    #[error(
        "@{text}: the number of a unit or request from 1, or a percentage such as 5%, is expected"
    )]
    Selection {
        /// What was given.
        text: String,
    },
}
