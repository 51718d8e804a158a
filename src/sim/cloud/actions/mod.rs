//! The actions of the API: which there are, what each takes, and who does it.

mod action;
mod authorities;
mod certificates;
mod instance;
mod query;

pub(super) use action::{Action, Caller, Work, uuid};

use super::fields::Fields;
use super::refusal::Answer;

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
