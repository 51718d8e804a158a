//! Whether a grant is one: its order key's certificate, who certified that, and its signature.

use x509_parser::certificate::X509Certificate;

use super::algorithm::check_signed;
use super::ca_certificate::{check_is_ca, p256_key_of, parse, validity_of};
use super::check::{Purpose, serves};
use super::error::PkiError;
use super::signature::Verifier;
use crate::domain::clock::Timestamp;
use crate::domain::evidence::{HeadVerifier, SignatureHolds};
use crate::domain::grant::{SignedGrant, Signer};
use crate::domain::say::Say;
use crate::say;

/// What the CN begins with. The space keeps it apart from every client id, and the word from a
/// journal key's.
pub(super) const COMMON_NAME_PREFIX: &str = "station-orders ";

/// Checks that a trusted CA or root itself certified the order key, and that the order key
/// signed this grant. `trusted` are DER.
///
/// There is no CA in between: one that a station holds below the same root would grant itself
/// what it likes.
pub fn check_grant(
    signed: &SignedGrant,
    trusted: &[Vec<u8>],
    now: Timestamp,
) -> Result<Signer, PkiError> {
    let foreign = |problem: Say| PkiError::ForeignGrant { problem };
    let signer = signer_of(&signed.certificate).map_err(foreign)?;
    let found = parse(&signed.certificate).ok_or_else(|| foreign(no_certificate()))?;
    let certified = trusted.iter().filter_map(|der| parse(der));
    if !certified.into_iter().any(|root| certifies(&root, &found, now)) {
        let issuer = found.issuer();
        let problem = say!(
            "was issued by {issuer}, which this station does not trust for it",
            "由 {issuer} 签发，本站不信任它签发订货密钥"
        );
        return Err(foreign(problem));
    }
    check_valid_at(&signed.certificate, now).map_err(foreign)?;
    let message = signed.grant.signed_bytes();
    match Verifier.verify(&signer.public_key, &message, &signed.signature.0) {
        Some(SignatureHolds) => Ok(signer),
        None => Err(PkiError::ChangedGrant { signer: signer.name }),
    }
}

fn certifies(root: &X509Certificate<'_>, found: &X509Certificate<'_>, now: Timestamp) -> bool {
    let may_sign = root.key_usage().ok().flatten();
    let (not_before, not_after) = validity_of(root);
    found.issuer().as_raw() == root.subject().as_raw()
        && check_is_ca(root).is_ok()
        && may_sign.is_none_or(|usage| usage.value.key_cert_sign())
        && (not_before..=not_after).contains(&now)
        && check_signed(found, root).is_ok()
}

/// Who signs, by a certificate that is one for an order key.
pub(super) fn signer_of(der: &[u8]) -> Result<Signer, Say> {
    let found = parse(der).ok_or_else(no_certificate)?;
    if !is_leaf(&found) {
        return Err(say!("is a CA's, or may sign certificates", "是 CA 的证书，或可以签发证书"));
    }
    if !serves(&found, Purpose::Journal) {
        return Err(say!(
            "is not for signing documents alone (extended key usage 1.3.6.1.5.5.7.3.36): have the \
             root copy the extensions of the request",
            "不是只用于签署文件（扩展密钥用途 1.3.6.1.5.5.7.3.36）：请让根 CA 照抄请求中的扩展"
        ));
    }
    let mut names = found.subject().iter_common_name();
    let name = names.next().and_then(|name| name.as_str().ok());
    let name = name.and_then(|name| name.strip_prefix(COMMON_NAME_PREFIX));
    let name = name.filter(|name| !name.is_empty() && !name.chars().any(char::is_control));
    let no_name = || {
        say!(
            "names no order key: its CN does not begin with {COMMON_NAME_PREFIX:?}",
            "不是订货密钥的名字：CN 不以 {COMMON_NAME_PREFIX:?} 开头"
        )
    };
    let name = name.ok_or_else(no_name)?.to_owned();
    let public_key = p256_key_of(&found)
        .ok_or_else(|| say!("has a key that is not P-256", "其密钥不是 P-256"))?;
    let (_, not_after) = validity_of(&found);
    Ok(Signer { name, public_key, not_after })
}

fn no_certificate() -> Say {
    say!("is not an X.509 certificate", "不是 X.509 证书")
}

fn is_leaf(found: &X509Certificate<'_>) -> bool {
    let no_ca = match found.basic_constraints() {
        Ok(None) => true,
        Ok(Some(constraints)) => !constraints.value.ca,
        Err(_) => false,
    };
    let signs = found.key_usage().ok().flatten().is_some_and(|usage| {
        usage.value.digital_signature() && !usage.value.key_cert_sign() && !usage.value.crl_sign()
    });
    no_ca && signs
}

/// Refuses a time at which the certificate is not valid.
pub(super) fn check_valid_at(der: &[u8], now: Timestamp) -> Result<(), Say> {
    let found = parse(der).ok_or_else(no_certificate)?;
    let (not_before, not_after) = validity_of(&found);
    match (not_before.seconds()..=not_after.seconds()).contains(&now.seconds()) {
        true => Ok(()),
        false => Err(say!(
            "is valid from {not_before} to {not_after}, and now it is {now}",
            "有效期是 {not_before} 到 {not_after}，现在是 {now}"
        )),
    }
}
