//! An answer that refuses: the API's code and a message for people.

use serde_json::{Map, Value};

/// Why a request is refused, in the API's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// One of the documented codes.
    pub(super) code: &'static str,
    /// For people; a client must not look at it.
    pub(super) message: String,
}

impl Refusal {
    /// A refusal with this code.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The instance is not the one asked for.
    pub(super) fn no_instance(instance: &str) -> Self {
        Self::new("ResourceNotFound.Instance", format!("there is no instance {instance:?}"))
    }

    /// A required field or header is not there.
    pub(super) fn missing(name: &str) -> Self {
        Self::new("MissingParameter", format!("{name} is missing"))
    }

    /// A field has a value that can't be.
    pub(super) fn value(name: &str, why: &str) -> Self {
        Self::new("InvalidParameterValue", format!("{name}: {why}"))
    }
}

/// What an action answers: its fields, without the request's id.
pub(super) type Answer = Result<Map<String, Value>, Refusal>;
