//! Client certificates: registered under their CA, described, moved and deleted.

use serde_json::{Map, Value, json};

use super::action::{Work, check_format};
use super::authorities::{find as find_authority, new_status, status as status_of};
use crate::cloud::book::{CertificateRow, Change, Status, Times};
use crate::cloud::certificate::Certificate;
use crate::cloud::fields::Fields;
use crate::cloud::instance::{Duplicate, SerialForm};
use crate::cloud::refusal::{Answer, Refusal};

/// What a client id may have at most.
const MAX_CLIENT_ID: usize = 128;

pub(super) fn register(work: &mut Work<'_>, fields: &Fields) -> Answer {
    check_format(fields)?;
    let status = new_status(fields)?;
    let pem = fields.required("DeviceCertificate")?;
    let ca_text = fields.required("CaSn")?;
    let client_id = fields.text("ClientId")?.unwrap_or_default();
    if client_id.len() > MAX_CLIENT_ID {
        return Err(Refusal::value("ClientId", "longer than 128 bytes"));
    }
    let certificate =
        Certificate::read(pem).map_err(|why| Refusal::value("DeviceCertificate", why))?;
    let ca = check_issuer(work, &certificate, ca_text)?;
    match same_sn(work, &certificate) {
        None => {}
        Some(true) if work.duplicate == Duplicate::Success => {
            return registered(work, ca_text, &certificate.sn);
        }
        Some(_) => return Err(work.exists("a certificate with this serial number")),
    }
    let row = CertificateRow {
        sn: certificate.sn.clone(),
        ca,
        pem: pem.to_owned(),
        client_id: client_id.to_owned(),
        cn: certificate.cn,
        ou: certificate.ou,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        status,
        source: "API".to_owned(),
        times: Times::born(status, work.now),
    };
    work.record(Change::Certificate(Box::new(row)))?;
    registered(work, ca_text, &certificate.sn)
}

fn registered(work: &Work<'_>, ca: &str, sn: &str) -> Answer {
    let sn = work.serial_form.print(sn);
    work.answer([("CaSn", json!(ca)), ("DeviceCertificateSn", json!(sn))])
}

/// The serial number of the CA, which is registered and active and did issue it.
fn check_issuer(
    work: &Work<'_>,
    certificate: &Certificate,
    ca_text: &str,
) -> Result<String, Refusal> {
    let row = find_authority(work, ca_text)?;
    let failed = |why: &str| Refusal::new("FailedOperation.CertificateVerificationFailed", why);
    let ca = Certificate::read(&row.pem).map_err(failed)?;
    if status_of(work, row) != Status::Active {
        return Err(failed("the CA is not active"));
    }
    if certificate.is_ca || !certificate.is_issued_by(&ca) {
        return Err(failed("the CA did not issue this client certificate"));
    }
    if certificate.not_after < work.now {
        return Err(failed("the certificate has expired"));
    }
    Ok(row.sn.clone())
}

/// Whether the one registered under this serial number is this certificate, where one is.
/// A serial number is unique over the whole instance, whoever issued it.
fn same_sn(work: &Work<'_>, certificate: &Certificate) -> Option<bool> {
    let row = work.book.certificate(&certificate.sn)?;
    Some(Certificate::read(&row.pem).is_ok_and(|found| found.der == certificate.der))
}

pub(super) fn describe(work: &mut Work<'_>, fields: &Fields) -> Answer {
    Ok(item(named(work, fields)?, work.serial_form))
}

/// A client certificate as lists and descriptions have it.
pub(super) fn item(row: &CertificateRow, form: SerialForm) -> Map<String, Value> {
    let fields = json!({
        "ClientId": row.client_id,
        "DeviceCertificate": row.pem,
        "DeviceCertificateSn": form.print(&row.sn),
        "DeviceCertificateCn": row.cn,
        "CaSn": form.print(&row.ca),
        "Format": "PEM",
        "Status": row.status.as_str(),
        "OrganizationalUnit": row.ou,
        "LastActivationTime": row.times.activated,
        "LastInactivationTime": row.times.deactivated,
        "CreatedTime": row.times.created,
        "UpdateTime": row.times.updated,
        "CertificateSource": row.source,
        "NotAfterTime": row.not_after,
        "NotBeforeTime": row.not_before,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn named<'w>(work: &'w Work<'_>, fields: &Fields) -> Result<&'w CertificateRow, Refusal> {
    let text = fields.required("DeviceCertificateSn")?;
    let sn = work.serial_form.parse(text);
    sn.and_then(|sn| work.book.certificate(&sn)).ok_or_else(|| {
        let why = format!("there is no client certificate {text:?}");
        Refusal::new("ResourceNotFound.Certificate", why)
    })
}

pub(super) fn activate(work: &mut Work<'_>, fields: &Fields) -> Answer {
    move_to(work, fields, Status::Active)
}

pub(super) fn deactivate(work: &mut Work<'_>, fields: &Fields) -> Answer {
    move_to(work, fields, Status::Inactive)
}

pub(super) fn revoke(work: &mut Work<'_>, fields: &Fields) -> Answer {
    move_to(work, fields, Status::Revoked)
}

/// Whether a client certificate may go from one status to another. To stay is allowed.
fn may_move(from: Status, to: Status) -> bool {
    match (from, to) {
        (Status::Revoked, to) => to == Status::Revoked,
        (Status::PendingActivation, to) => to != Status::Inactive,
        _ => true,
    }
}

fn move_to(work: &mut Work<'_>, fields: &Fields, status: Status) -> Answer {
    let row = named(work, fields)?;
    let (sn, from) = (row.sn.clone(), row.status);
    if !may_move(from, status) {
        let why = format!("{} can't become {}", from.as_str(), status.as_str());
        return Err(Refusal::new("FailedOperation", why));
    }
    if from != status {
        let at = work.now;
        work.record(Change::CertificateStatus { sn, status, at })?;
    }
    Ok(Map::new())
}

pub(super) fn delete(work: &mut Work<'_>, fields: &Fields) -> Answer {
    let row = named(work, fields)?;
    let (sn, status) = (row.sn.clone(), row.status);
    if status != Status::Inactive {
        let why = "only an inactive client certificate can be deleted";
        return Err(Refusal::new("OperationDenied", why));
    }
    work.record(Change::CertificateGone { sn })?;
    Ok(Map::new())
}

/// What was copied to another cluster: nothing, for there is no other one.
pub(super) fn backup_history(_: &mut Work<'_>, fields: &Fields) -> Answer {
    const MOST: i64 = 1024;
    fields.required("Destination")?;
    for text in ["CaSn", "DeviceCertificateSn"] {
        fields.text(text)?;
    }
    for time in ["ModificationTimeStart", "ModificationTimeEnd"] {
        fields.number(time)?;
    }
    match fields.number("Limit")?.unwrap_or(20) {
        1..=MOST => Ok(Map::from_iter([("Data".to_owned(), json!([]))])),
        _ => Err(Refusal::value("Limit", "1 to 1024 is expected")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_certificate_stays_so_and_the_others_move() {
        use Status::{Active, Inactive, PendingActivation, Revoked};
        for (from, to, may) in [
            (Active, Inactive, true),
            (Inactive, Active, true),
            (Active, Active, true),
            (Active, Revoked, true),
            (Inactive, Revoked, true),
            (PendingActivation, Active, true),
            (PendingActivation, Revoked, true),
            (PendingActivation, Inactive, false),
            (Revoked, Active, false),
            (Revoked, Inactive, false),
            (Revoked, Revoked, true),
        ] {
            assert_eq!(may_move(from, to), may, "{from:?} to {to:?}");
        }
    }
}
