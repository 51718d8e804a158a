//! CAs: registered against the code, listed, moved and deleted.

use serde_json::{Map, Value, json};

use super::action::{Work, check_format};
use crate::cloud::book::{AuthorityRow, Change, Status, Times};
use crate::cloud::certificate::Certificate;
use crate::cloud::fields::Fields;
use crate::cloud::refusal::{Answer, Refusal};

pub(super) fn register(work: &mut Work<'_>, fields: &Fields) -> Answer {
    check_format(fields)?;
    let status = new_status(fields)?;
    let pem = fields.required("CaCertificate")?;
    let verification_pem = fields.required("VerificationCertificate")?;
    let ca = Certificate::read(pem).map_err(|why| Refusal::value("CaCertificate", why))?;
    let verification = Certificate::read(verification_pem)
        .map_err(|why| Refusal::value("VerificationCertificate", why))?;
    check_proof(work, &ca, &verification)?;
    if work.book.authority(&ca.sn).is_some() {
        return Err(work.exists("the CA"));
    }
    let limit = work.instance.max_authorities;
    if work.book.authorities().len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(Refusal::new("LimitExceeded", format!("the instance takes {limit} CAs")));
    }
    let row = AuthorityRow {
        sn: ca.sn.clone(),
        pem: pem.to_owned(),
        verification_pem: verification_pem.to_owned(),
        cn: ca.cn,
        issuer_cn: ca.issuer_cn,
        not_before: ca.not_before,
        not_after: ca.not_after,
        status,
        times: Times::born(status, work.now),
    };
    work.record(Change::Authority(Box::new(row)))?;
    work.answer([("CaSn", json!(work.serial_form.print(&ca.sn)))])
}

/// Whether the verification certificate shows that the caller has the CA's key.
fn check_proof(
    work: &Work<'_>,
    ca: &Certificate,
    verification: &Certificate,
) -> Result<(), Refusal> {
    let code = work.book.code.as_deref().ok_or_else(|| {
        let why = "no registration code was applied for";
        Refusal::new("FailedOperation.InstanceRegistrationCodeEmpty", why)
    })?;
    let failed = |why: &str| Refusal::new("FailedOperation.CertificateVerificationFailed", why);
    if !ca.is_ca || !ca.is_valid_at(work.now) {
        return Err(failed("the CA certificate may not issue, or not at this time"));
    }
    if verification.cn != code {
        let why = "the verification certificate's common name is not the registration code";
        return Err(Refusal::new("FailedOperation.RegistrationCodeVerifyFailed", why));
    }
    if !verification.is_issued_by(ca) || !verification.is_valid_at(work.now) {
        return Err(failed("the CA did not issue the verification certificate, or not for now"));
    }
    Ok(())
}

/// The status that something is registered with.
pub(super) fn new_status(fields: &Fields) -> Result<Status, Refusal> {
    match fields.text("Status")? {
        None | Some("ACTIVE") => Ok(Status::Active),
        Some("INACTIVE") => Ok(Status::Inactive),
        Some(_) => Err(Refusal::value("Status", "ACTIVE or INACTIVE is expected")),
    }
}

pub(super) fn describe(work: &mut Work<'_>, fields: &Fields) -> Answer {
    let mut item = item(work, named(work, fields)?);
    item.remove("VerificationCertificate");
    Ok(item)
}

pub(super) fn list(work: &mut Work<'_>, _: &Fields) -> Answer {
    let mut rows: Vec<_> = work.book.authorities().collect();
    rows.sort_by_key(|row| row.times.created);
    let data: Vec<Value> = rows.into_iter().map(|row| item(work, row).into()).collect();
    Ok(Map::from_iter([("Data".to_owned(), data.into())]))
}

/// A CA's status at this time: a new one may take a while to become active.
pub(super) fn status(work: &Work<'_>, row: &AuthorityRow) -> Status {
    let pending = i64::try_from(work.instance.authority_pending.as_millis()).unwrap_or(i64::MAX);
    match row.status {
        Status::Active if work.now < row.times.created.saturating_add(pending) => {
            Status::PendingActivation
        }
        status => status,
    }
}

fn item(work: &Work<'_>, row: &AuthorityRow) -> Map<String, Value> {
    let fields = json!({
        "CaCn": row.cn,
        "CaIssuerCn": row.issuer_cn,
        "CaCertificate": row.pem,
        "CaSn": work.serial_form.print(&row.sn),
        "Format": "PEM",
        "VerificationCertificate": row.verification_pem,
        "Status": status(work, row).as_str(),
        "CreatedTime": row.times.created,
        "UpdateTime": row.times.updated,
        "LastActivationTime": row.times.activated,
        "LastInactivationTime": row.times.deactivated,
        "NotBeforeTime": row.not_before,
        "NotAfterTime": row.not_after,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn named<'w>(work: &'w Work<'_>, fields: &Fields) -> Result<&'w AuthorityRow, Refusal> {
    find(work, fields.required("CaSn")?)
}

/// The CA of a serial number as the cloud prints it, and in no other spelling.
pub(super) fn find<'w>(work: &'w Work<'_>, text: &str) -> Result<&'w AuthorityRow, Refusal> {
    let sn = work.serial_form.parse(text);
    sn.and_then(|sn| work.book.authority(&sn))
        .ok_or_else(|| Refusal::new("ResourceNotFound.Ca", format!("there is no CA {text:?}")))
}

pub(super) fn activate(work: &mut Work<'_>, fields: &Fields) -> Answer {
    move_to(work, fields, Status::Active)
}

pub(super) fn deactivate(work: &mut Work<'_>, fields: &Fields) -> Answer {
    move_to(work, fields, Status::Inactive)
}

fn move_to(work: &mut Work<'_>, fields: &Fields, status: Status) -> Answer {
    let sn = named(work, fields)?.sn.clone();
    let at = work.now;
    work.record(Change::AuthorityStatus { sn, status, at })?;
    Ok(Map::new())
}

pub(super) fn delete(work: &mut Work<'_>, fields: &Fields) -> Answer {
    let row = named(work, fields)?;
    let (sn, status) = (row.sn.clone(), row.status);
    if status != Status::Inactive {
        return Err(Refusal::new("OperationDenied", "only an inactive CA can be deleted"));
    }
    if work.book.certificates().any(|row| row.ca == sn) {
        let why = "client certificates of this CA are registered";
        return Err(Refusal::new("FailedOperation.RelatedDeviceCertificateExists", why));
    }
    work.record(Change::AuthorityGone { sn })?;
    Ok(Map::new())
}
