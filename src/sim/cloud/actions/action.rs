//! What an action is, and what it works on.
//!
//! An action sees a [`Work`]: the book as it is, and one way to change it. It is done at
//! once and whole; nothing waits in between.

use serde_json::{Map, Value};

use crate::cloud::book::{Book, Change};
use crate::cloud::fields::Fields;
use crate::cloud::instance::{Duplicate, Instance, SerialForm};
use crate::cloud::refusal::{Answer, Refusal};
use crate::cloud::store::Store;

/// One action of the API.
pub(in crate::cloud) struct Action {
    /// Its name.
    pub(in crate::cloud) name: &'static str,
    /// Every field that it has.
    pub(in crate::cloud) fields: &'static [&'static str],
    /// Whether the international site has it.
    pub(in crate::cloud) international: bool,
    /// Who may call it, where the revoker has credentials of his own.
    pub(in crate::cloud) caller: Caller,
    pub(in crate::cloud) perform: fn(&mut Work<'_>, &Fields) -> Answer,
}

/// Who may call an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cloud) enum Caller {
    Everyone,
    /// The nightly sync and the administrator.
    Station,
    /// The revoker alone.
    Revoker,
}

/// What an action works on.
pub(in crate::cloud) struct Work<'a> {
    pub(in crate::cloud) instance: &'a Instance,
    pub(in crate::cloud) serial_form: SerialForm,
    pub(in crate::cloud) duplicate: Duplicate,
    pub(in crate::cloud) book: &'a mut Book,
    pub(in crate::cloud) store: &'a mut Store,
    /// The server's time in milliseconds.
    pub(in crate::cloud) now: i64,
    /// Whether the instance is not ready for this request.
    pub(in crate::cloud) not_ready: bool,
}

impl Work<'_> {
    /// Changes the book, and has the change written.
    pub(in crate::cloud) fn record(&mut self, change: Change) -> Result<(), Refusal> {
        self.store
            .append(&change)
            .map_err(|_| Refusal::new("InternalError", "the state can't be kept"))?;
        self.book.apply(change);
        Ok(())
    }

    /// Answers one request with this body.
    pub(in crate::cloud) fn perform(&mut self, action: &Action, body: &[u8]) -> Answer {
        let fields = Fields::read(body, action.fields)?;
        // The one action that is about the account, and not about an instance.
        if action.name == "DescribeInstanceList" {
            return (action.perform)(self, &fields);
        }
        let named = fields.required("InstanceId")?;
        if named != self.instance.id {
            return Err(Refusal::no_instance(named));
        }
        let ready = self.instance.status == "RUNNING" && !self.not_ready;
        if !ready && action.name != "DescribeInstance" {
            let why = "the instance is not ready";
            return Err(Refusal::new("FailedOperation.InstanceNotReady", why));
        }
        (action.perform)(self, &fields)
    }

    /// The refusal of what is there already.
    pub(in crate::cloud) fn exists(&self, what: &str) -> Refusal {
        Refusal::new(self.duplicate.code(), format!("{what} is registered already"))
    }

    /// The answer that names the instance and more.
    pub(in crate::cloud) fn answer<const N: usize>(&self, fields: [(&str, Value); N]) -> Answer {
        let mut answer = Map::new();
        answer.insert("InstanceId".to_owned(), self.instance.id.clone().into());
        answer.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        Ok(answer)
    }
}

/// A random identifier in the form of a UUID.
pub(in crate::cloud) fn uuid() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Refusal::new("InternalError", format!("no random numbers: {error}")))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::domain::ids::to_hex(&bytes);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(parts.join("-"))
}

/// Whether a certificate's format is the only one there is.
pub(in crate::cloud) fn check_format(fields: &Fields) -> Result<(), Refusal> {
    match fields.text("Format")? {
        None | Some("PEM") => Ok(()),
        Some(_) => Err(Refusal::value("Format", "only PEM is supported")),
    }
}
