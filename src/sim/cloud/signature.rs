//! TC3-HMAC-SHA256 from the server's side: is this request signed by someone who has the key?
//!
//! Written from the published description, not from the client, so that each can contradict
//! the other; the published vectors are the tests.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::options::Credentials;
use super::refusal::Refusal;
use crate::domain::ids::to_hex;

/// How far a request's time may be from the server's: five minutes.
pub(super) const MAX_SKEW_SECONDS: i64 = 300;

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const SERVICE: &str = "mqtt";

/// A request's headers: names in lower case, values trimmed.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers(pub(super) BTreeMap<String, String>);

impl Headers {
    /// The value of a header; none where it is missing or empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// What stands in `Authorization`.
#[derive(Debug, PartialEq, Eq)]
struct Authorization<'a> {
    secret_id: &'a str,
    date: &'a str,
    service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let mut parts = rest.split(',').map(str::trim);
        let credential = parts.next()?.strip_prefix("Credential=")?;
        let signed = parts.next()?.strip_prefix("SignedHeaders=")?;
        let signature = parts.next()?.strip_prefix("Signature=")?;
        let mut scope = credential.split('/');
        let (secret_id, date, service) = (scope.next()?, scope.next()?, scope.next()?);
        let ends = scope.next() == Some("tc3_request") && scope.next().is_none();
        if !ends || parts.next().is_some() {
            return None;
        }
        Some(Self { secret_id, date, service, signed: signed.split(';').collect(), signature })
    }
}

/// Whose request this is: one of `keys`, by its signature; `now` is the server's Unix time.
pub(super) fn signer<'k>(
    headers: &Headers,
    body: &[u8],
    keys: &'k [Credentials],
    now: i64,
) -> Result<&'k Credentials, Refusal> {
    let invalid = |why: &str| Refusal::new("AuthFailure.InvalidAuthorization", why);
    let text = headers.value("authorization").ok_or_else(|| invalid("no Authorization"))?;
    let found = Authorization::parse(text).ok_or_else(|| invalid("not a TC3 authorization"))?;
    let sorted = found.signed.is_sorted();
    let covers = |name: &str| found.signed.contains(&name);
    if !sorted || !covers("content-type") || !covers("host") {
        return Err(invalid("SignedHeaders must be sorted, with content-type and host"));
    }
    let time = check_time(headers, now)?;
    if found.service != SERVICE || date_of(time).as_deref() != Some(found.date) {
        return Err(invalid("the credential scope is not of this service and day"));
    }
    let key = keys.iter().find(|key| key.secret_id == found.secret_id);
    let key = key.ok_or_else(|| {
        Refusal::new("AuthFailure.SecretIdNotFound", "there is no such secret id")
    })?;
    let canonical = canonical_request(headers, &found.signed, &payload_hash(headers, body))
        .ok_or_else(|| invalid("a signed header is missing"))?;
    let wanted = sign(&key.secret_key, found.date, found.service, time, &canonical);
    if wanted != found.signature {
        return Err(Refusal::new("AuthFailure.SignatureFailure", "the signature does not verify"));
    }
    if headers.value("x-tc-token") != key.token.as_deref() {
        return Err(Refusal::new("AuthFailure.TokenFailure", "the token is not this key's"));
    }
    Ok(key)
}

fn check_time(headers: &Headers, now: i64) -> Result<i64, Refusal> {
    let text = headers.value("x-tc-timestamp").ok_or_else(|| Refusal::missing("X-TC-Timestamp"))?;
    let time: i64 =
        text.parse().map_err(|_| Refusal::value("X-TC-Timestamp", "not seconds since 1970"))?;
    if time.abs_diff(now) > MAX_SKEW_SECONDS.unsigned_abs() {
        let why = "the timestamp and the server's time differ by more than five minutes";
        return Err(Refusal::new("AuthFailure.SignatureExpire", why));
    }
    Ok(time)
}

/// The UTC day of a Unix time.
fn date_of(time: i64) -> Option<String> {
    let time = Timestamp::from_second(time).ok()?;
    Some(time.strftime("%Y-%m-%d").to_string())
}

fn payload_hash(headers: &Headers, body: &[u8]) -> String {
    const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
    match headers.value("x-tc-content-sha256") {
        Some(UNSIGNED) => sha256(UNSIGNED.as_bytes()),
        _ => sha256(body),
    }
}

/// What is signed of a POST to `/`; none where a header that it names is missing.
fn canonical_request(headers: &Headers, signed: &[&str], payload_hash: &str) -> Option<String> {
    let mut lines = String::new();
    for name in signed {
        let value = headers.value(name)?.to_lowercase();
        lines.push_str(&format!("{name}:{value}\n"));
    }
    Some(format!("POST\n/\n\n{lines}\n{}\n{payload_hash}", signed.join(";")))
}

fn sign(key: &str, date: &str, service: &str, time: i64, canonical: &str) -> String {
    let scope = format!("{date}/{service}/tc3_request");
    let text = format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    to_hex(&hmac(&signing_key(key, date, service), text.as_bytes()))
}

fn signing_key(key: &str, date: &str, service: &str) -> [u8; 32] {
    let day = hmac(format!("TC3{key}").as_bytes(), date.as_bytes());
    hmac(&hmac(&day, service.as_bytes()), b"tc3_request")
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length: there is no other key to fall back to.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().into())
        .unwrap_or_default()
}

fn sha256(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// The header that a client with this key would send; for tests of the emulation.
#[cfg(test)]
pub(super) fn authorization(
    headers: &Headers,
    body: &[u8],
    key: &Credentials,
    time: i64,
) -> String {
    let names = ["content-type", "host"];
    let date = date_of(time).unwrap_or_default();
    let canonical = canonical_request(headers, &names, &sha256(body)).unwrap_or_default();
    let signature = sign(&key.secret_key, &date, SERVICE, time, &canonical);
    let (id, scope) = (&key.secret_id, format!("{date}/{SERVICE}/tc3_request"));
    let signed = names.join(";");
    format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}")
}

#[cfg(test)]
mod tests;
