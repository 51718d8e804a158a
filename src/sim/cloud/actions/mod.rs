//! The actions of the API: which there are, what each takes, and who does it.
//!
//! An action sees a [`Work`]: the book as it is, and one way to change it. It is done at
//! once and whole; nothing waits in between.

mod authorities;
mod certificates;
mod instance;
mod query;

use serde_json::{Map, Value};

use super::book::{Book, Change};
use super::fields::Fields;
use super::refusal::{Answer, Refusal};
use super::store::Store;
use super::{Instance, Options};

/// One action of the API.
pub(super) struct Action {
    /// Its name.
    pub(super) name: &'static str,
    /// Every field that it has.
    fields: &'static [&'static str],
    /// Whether the international site has it.
    pub(super) international: bool,
    /// Who may call it, where the revoker has credentials of his own.
    pub(super) caller: Caller,
    perform: fn(&mut Work<'_>, &Fields) -> Answer,
}

/// Who may call an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Everyone,
    /// The nightly sync and the administrator.
    Station,
    /// The revoker alone.
    Revoker,
}

const fn read(
    name: &'static str,
    fields: &'static [&'static str],
    international: bool,
    perform: fn(&mut Work<'_>, &Fields) -> Answer,
) -> Action {
    Action { name, fields, international, caller: Caller::Everyone, perform }
}

const fn write(
    name: &'static str,
    fields: &'static [&'static str],
    caller: Caller,
    perform: fn(&mut Work<'_>, &Fields) -> Answer,
) -> Action {
    Action { name, fields, international: false, caller, perform }
}

const INSTANCE: &[&str] = &["InstanceId"];
const ONE_CA: &[&str] = &["InstanceId", "CaSn"];
const ONE_DEVICE: &[&str] = &["InstanceId", "DeviceCertificateSn"];
const NEW_CA: &[&str] =
    &["InstanceId", "CaCertificate", "VerificationCertificate", "Format", "Status"];
const NEW_DEVICE: &[&str] =
    &["InstanceId", "DeviceCertificate", "CaSn", "ClientId", "Format", "Status"];
const QUERY: &[&str] = &["InstanceId", "Filters", "Limit", "Offset", "OrderBy"];

const LIST: &[&str] = &["Filters", "TagFilters", "Limit", "Offset"];
const MODIFY: &[&str] = &[
    "InstanceId",
    "Name",
    "Remark",
    "SkuCode",
    "DeviceCertificateProvisionType",
    "AutomaticActivation",
    "AuthorizationPolicy",
    "UseDefaultServerCert",
    "X509Mode",
    "MessageRate",
];
const MODIFY_X509: &[&str] =
    &["InstanceId", "X509Mode", "DeviceCertificateProvisionType", "AutomaticActivation"];
const BIND: &[&str] = &[
    "InstanceId",
    "X509Mode",
    "SSLServerCertId",
    "SSLCaCertId",
    "DeviceCertificateProvisionType",
    "AutomaticActivation",
];
const HISTORY: &[&str] = &[
    "InstanceId",
    "Destination",
    "CaSn",
    "DeviceCertificateSn",
    "ModificationTimeStart",
    "ModificationTimeEnd",
    "Limit",
];

/// The action with which a client certificate is registered; it has a limit of its own.
pub(super) const REGISTER: &str = "RegisterDeviceCertificate";

/// Every action that the emulation has.
pub(super) const ACTIONS: &[Action] = &[
    read("DescribeInstance", INSTANCE, true, instance::describe),
    read("DescribeInsPublicEndpoints", INSTANCE, true, instance::endpoints),
    read("DescribeInstanceList", LIST, true, instance::list),
    write("ModifyInstance", MODIFY, Caller::Station, instance::modify),
    write("ModifyX509Config", MODIFY_X509, Caller::Station, instance::modify_x509),
    write("ModifyInstanceCertBinding", BIND, Caller::Station, instance::bind),
    write("ApplyRegistrationCode", INSTANCE, Caller::Station, instance::apply_code),
    write("RegisterCaCertificate", NEW_CA, Caller::Station, authorities::register),
    read("DescribeCaCertificate", ONE_CA, false, authorities::describe),
    read("DescribeCaCertificates", INSTANCE, false, authorities::list),
    write("ActivateCaCertificate", ONE_CA, Caller::Station, authorities::activate),
    write("DeactivateCaCertificate", ONE_CA, Caller::Station, authorities::deactivate),
    write("DeleteCaCertificate", ONE_CA, Caller::Station, authorities::delete),
    write(REGISTER, NEW_DEVICE, Caller::Station, certificates::register),
    read("DescribeDeviceCertificate", ONE_DEVICE, true, certificates::describe),
    read("DescribeDeviceCertificates", QUERY, true, query::list),
    read("DescribeDeviceCertificateBackupHistory", HISTORY, false, certificates::backup_history),
    write("ActivateDeviceCertificate", ONE_DEVICE, Caller::Station, certificates::activate),
    write("DeactivateDeviceCertificate", ONE_DEVICE, Caller::Revoker, certificates::deactivate),
    write("RevokedDeviceCertificate", ONE_DEVICE, Caller::Revoker, certificates::revoke),
    write("DeleteDeviceCertificate", ONE_DEVICE, Caller::Station, certificates::delete),
];

/// What an action works on.
pub(super) struct Work<'a> {
    pub(super) options: &'a Options,
    pub(super) book: &'a mut Book,
    pub(super) store: &'a mut Store,
    /// The server's time in milliseconds.
    pub(super) now: i64,
    /// Whether the instance is not ready for this request.
    pub(super) not_ready: bool,
}

impl Work<'_> {
    fn instance(&self) -> &Instance {
        &self.options.instance
    }

    /// Changes the book, and has the change written.
    fn record(&mut self, change: Change) -> Result<(), Refusal> {
        self.store
            .append(&change)
            .map_err(|_| Refusal::new("InternalError", "the state can't be kept"))?;
        self.book.apply(change);
        Ok(())
    }

    /// Answers one request with this body.
    pub(super) fn perform(&mut self, action: &Action, body: &[u8]) -> Answer {
        let fields = Fields::read(body, action.fields)?;
        // The one action that is about the account, and not about an instance.
        if action.name == "DescribeInstanceList" {
            return (action.perform)(self, &fields);
        }
        let named = fields.required("InstanceId")?;
        if named != self.instance().id {
            return Err(Refusal::no_instance(named));
        }
        let ready = self.instance().status == "RUNNING" && !self.not_ready;
        if !ready && action.name != "DescribeInstance" {
            let why = "the instance is not ready";
            return Err(Refusal::new("FailedOperation.InstanceNotReady", why));
        }
        (action.perform)(self, &fields)
    }

    /// The refusal of what is there already.
    fn exists(&self, what: &str) -> Refusal {
        Refusal::new(self.options.duplicate.code(), format!("{what} is registered already"))
    }

    /// The answer that names the instance and more.
    fn answer<const N: usize>(&self, fields: [(&str, Value); N]) -> Answer {
        let mut answer = Map::new();
        answer.insert("InstanceId".to_owned(), self.instance().id.clone().into());
        answer.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        Ok(answer)
    }
}

/// A random identifier in the form of a UUID.
pub(super) fn uuid() -> Result<String, Refusal> {
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
fn check_format(fields: &Fields) -> Result<(), Refusal> {
    match fields.text("Format")? {
        None | Some("PEM") => Ok(()),
        Some(_) => Err(Refusal::value("Format", "only PEM is supported")),
    }
}
