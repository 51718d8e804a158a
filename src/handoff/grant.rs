//! Grants as files on a stick: one JSON object that a person can read.
//!
//! What is signed are a grant's canonical bytes and not this text; so whatever reads back as the
//! same grant is the same grant.

use serde::{Deserialize, Serialize};

use super::error::HandoffError;
use crate::domain::cause::cause;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{
    GivenBack, GivenBackLine, Grant, GrantNumber, RawSignature, SignedGrant,
};
use crate::domain::ids::{ProfileDigest, StationId, WorkOrderId};
use crate::domain::label::SerialRange;
use crate::domain::say::Say;
use crate::pki::{certificate_pem, certificates_in};
use crate::say;

/// What a file of this form says it is.
const GRANT_FORM: &str = "provisioning-station grant 1";
const GIVEN_BACK_FORM: &str = "provisioning-station grant given back 1";

/// A time in a file, as people and JSON have it: RFC 3339, whole milliseconds.
#[derive(Debug, Clone, Copy)]
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let wrong = || serde::de::Error::custom(format!("{text:?} is no time of RFC 3339"));
        Timestamp::from_rfc3339(&text).map(Self).ok_or_else(wrong)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantFile {
    form: String,
    work_order: WorkOrderId,
    station: StationId,
    profile: ProfileDigest,
    number: GrantNumber,
    quantity: u32,
    order_quantity: u32,
    serials: Option<SerialRange>,
    valid_until: Time,
    made_at: Time,
    certificate: String,
    signature: RawSignature,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenBackFile {
    form: String,
    work_order: WorkOrderId,
    station: StationId,
    instance: String,
    seq: u64,
    made_at: Time,
    grants: Vec<GivenBackLine>,
    journal_certificate: Option<String>,
    signature: RawSignature,
}

/// What a station says it gives back, with its journal key's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedGivenBack {
    /// What it says.
    pub given_back: GivenBack,
    /// The journal key's certificate, DER, where the ledger has one.
    pub journal_certificate: Option<Vec<u8>>,
    /// The journal key's signature of [`GivenBack::signed_bytes`].
    pub signature: RawSignature,
}

/// A grant as a file's text.
pub fn grant_text(signed: &SignedGrant) -> Result<String, HandoffError> {
    let grant = signed.grant.clone();
    text(&GrantFile {
        form: GRANT_FORM.to_owned(),
        work_order: grant.work_order,
        station: grant.station,
        profile: grant.profile,
        number: grant.number,
        quantity: grant.quantity,
        order_quantity: grant.order_quantity,
        serials: grant.serials,
        valid_until: Time(grant.valid_until),
        made_at: Time(grant.made_at),
        certificate: certificate_pem(&signed.certificate).map_err(HandoffError::Pem)?,
        signature: signed.signature,
    })
}

/// The grant of a file's text. Untrusted: nothing of it is verified.
pub fn read_grant(bytes: &[u8]) -> Result<SignedGrant, HandoffError> {
    let file: GrantFile = parse(bytes, GRANT_FORM)?;
    let certificate = one_certificate(&file.certificate)?;
    let grant = Grant {
        work_order: file.work_order,
        station: file.station,
        profile: file.profile,
        number: file.number,
        quantity: file.quantity,
        order_quantity: file.order_quantity,
        serials: file.serials,
        valid_until: file.valid_until.0,
        made_at: file.made_at.0,
    };
    Ok(SignedGrant { grant, certificate, signature: file.signature })
}

/// What is given back as a file's text.
pub fn given_back_text(signed: &SignedGivenBack) -> Result<String, HandoffError> {
    let said = signed.given_back.clone();
    let certificate = signed.journal_certificate.as_deref().map(certificate_pem).transpose();
    let certificate = certificate.map_err(HandoffError::Pem)?;
    text(&GivenBackFile {
        form: GIVEN_BACK_FORM.to_owned(),
        work_order: said.work_order,
        station: said.station,
        instance: said.instance,
        seq: said.seq,
        made_at: Time(said.made_at),
        grants: said.grants,
        journal_certificate: certificate,
        signature: signed.signature,
    })
}

/// What a file's text says is given back. Untrusted: nothing of it is verified.
pub fn read_given_back(bytes: &[u8]) -> Result<SignedGivenBack, HandoffError> {
    let file: GivenBackFile = parse(bytes, GIVEN_BACK_FORM)?;
    let journal_certificate =
        file.journal_certificate.as_deref().map(one_certificate).transpose()?;
    let given_back = GivenBack {
        work_order: file.work_order,
        station: file.station,
        instance: file.instance,
        seq: file.seq,
        made_at: file.made_at.0,
        grants: file.grants,
    };
    Ok(SignedGivenBack { given_back, journal_certificate, signature: file.signature })
}

/// Whether a file says that it is something given back, and no grant.
pub fn is_given_back(bytes: &[u8]) -> bool {
    form_of(bytes).is_some_and(|form| form == GIVEN_BACK_FORM)
}

fn form_of(bytes: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value["form"].as_str().map(str::to_owned)
}

fn text(file: &impl Serialize) -> Result<String, HandoffError> {
    let text = serde_json::to_string_pretty(file);
    text.map(|text| text + "\n").map_err(|error| HandoffError::Grant(cause(&error)))
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], form: &str) -> Result<T, HandoffError> {
    match form_of(bytes) {
        Some(found) if found == form => {}
        Some(found) => {
            let what =
                say!("its form is {found:?}, not {form:?}", "格式是 {found:?}，不是 {form:?}");
            return Err(HandoffError::Grant(what));
        }
        None => {
            let what = say!("it is no JSON object with a form", "不是带有 form 的 JSON 对象");
            return Err(HandoffError::Grant(what));
        }
    }
    serde_json::from_slice(bytes).map_err(|error| HandoffError::Grant(cause(&error)))
}

fn one_certificate(pem: &str) -> Result<Vec<u8>, HandoffError> {
    let wrong = |Say { english, chinese }: Say| {
        HandoffError::Grant(say!("its certificate {english}", "它的证书{chinese}"))
    };
    let mut all = certificates_in(pem.as_bytes()).map_err(wrong)?;
    match all.len() {
        1 => Ok(all.remove(0)),
        count => Err(wrong(say!(
            "is {count} certificates, and one is expected",
            "有 {count} 张，应为一张"
        ))),
    }
}
