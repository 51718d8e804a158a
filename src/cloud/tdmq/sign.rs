//! Signs requests by TC3-HMAC-SHA256, the cloud's signature of version 3.
//!
//! The body is hashed as it is sent: whoever changes a byte afterwards breaks the
//! signature. Signed are `content-type` and `host`, as the vendor's own clients do it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::ids::to_hex;

const ALGORITHM: &str = "TC3-HMAC-SHA256";

/// What goes into a signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToSign<'a> {
    /// The product, for example `mqtt`.
    pub(super) service: &'a str,
    /// The `Host` header as it is sent, with the port where there is one.
    pub(super) host: &'a str,
    /// The `Content-Type` header as it is sent.
    pub(super) content_type: &'a str,
    /// The action, where it is signed too.
    pub(super) action: Option<&'a str>,
    /// Seconds since 1970, as in `X-TC-Timestamp`.
    pub(super) timestamp: i64,
    /// The body as it is sent.
    pub(super) body: &'a [u8],
}

/// The time is none that has a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoDate;

impl ToSign<'_> {
    /// The `Authorization` header.
    pub(super) fn authorization(
        &self,
        secret_id: &str,
        secret_key: &str,
    ) -> Result<Zeroizing<String>, NoDate> {
        let date = self.date()?;
        let key = signing_key(secret_key, &date, self.service);
        let signature = to_hex(&*mac(&*key, self.string_to_sign(&date).as_bytes()));
        let scope = self.scope(&date);
        let signed = self.signed_headers();
        Ok(Zeroizing::new(format!(
            "{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={signed}, \
             Signature={signature}"
        )))
    }

    /// The UTC date of the timestamp.
    fn date(&self) -> Result<String, NoDate> {
        let time = jiff::Timestamp::from_second(self.timestamp).map_err(|_| NoDate)?;
        Ok(time.strftime("%Y-%m-%d").to_string())
    }

    fn scope(&self, date: &str) -> String {
        format!("{date}/{}/tc3_request", self.service)
    }

    const fn signed_headers(&self) -> &'static str {
        match self.action {
            Some(_) => "content-type;host;x-tc-action",
            None => "content-type;host",
        }
    }

    fn canonical_request(&self) -> String {
        let Self { host, content_type, .. } = self;
        let action = self.action.map_or_else(String::new, |action| {
            format!("x-tc-action:{}\n", action.to_ascii_lowercase())
        });
        let body = to_hex(&Sha256::digest(self.body));
        let signed = self.signed_headers();
        let (content_type, host) = (content_type.to_ascii_lowercase(), host.to_ascii_lowercase());
        format!("POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n{action}\n{signed}\n{body}")
    }

    fn string_to_sign(&self, date: &str) -> String {
        let request = to_hex(&Sha256::digest(self.canonical_request()));
        format!("{ALGORITHM}\n{}\n{}\n{request}", self.timestamp, self.scope(date))
    }
}

/// The key of a day and a product, derived in three steps.
fn signing_key(secret_key: &str, date: &str, service: &str) -> Zeroizing<[u8; 32]> {
    let [_, _, signing] = derived_keys(secret_key, date, service);
    signing
}

fn derived_keys(secret_key: &str, date: &str, service: &str) -> [Zeroizing<[u8; 32]>; 3] {
    let first = Zeroizing::new(format!("TC3{secret_key}"));
    let of_date = mac(first.as_bytes(), date.as_bytes());
    let of_service = mac(&*of_date, service.as_bytes());
    let signing = mac(&*of_service, b"tc3_request");
    [of_date, of_service, signing]
}

fn mac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    // HMAC takes a key of any length, so that there is nothing to refuse.
    let mut sum = Zeroizing::new([0; 32]);
    if let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key) {
        hmac.update(message);
        sum.copy_from_slice(&hmac.finalize().into_bytes());
    }
    sum
}

#[cfg(test)]
mod vectors;
