//! An identity that no ledger here knows: what a device holds that was provisioned
//! somewhere else.
//!
//! Its key follows from a seed, so it is worth nothing. The certificate is a minimal,
//! self-signed X.509 one, written by hand: the simulator issues no certificates.

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use sha2::{Digest, Sha256};

use super::dice::Dice;
use super::preloaded::Preloaded;

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const EXPLICIT_0: u8 = 0xa0;

pub(crate) const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
pub(crate) const ECDSA_WITH_SHA256: &[u8] =
    &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(crate) const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// The identity that follows from a seed.
pub(crate) fn identity(seed: u64) -> Preloaded {
    let key = key(seed, "foreign identity");
    let certificate = certificate(&key, seed);
    Preloaded { key: key.to_bytes().into(), certificate, chain: Vec::new() }
}

/// A key that follows from a seed and a purpose.
pub(crate) fn key(seed: u64, purpose: &str) -> SigningKey {
    let mut dice = Dice::new(seed, purpose);
    loop {
        let mut scalar = [0; 32];
        dice.fill(&mut scalar);
        // All but one in 2^32 scalars are keys.
        if let Ok(key) = SigningKey::from_slice(&scalar) {
            return key;
        }
    }
}

fn certificate(key: &SigningKey, seed: u64) -> Vec<u8> {
    let algorithm = element(SEQUENCE, &[ECDSA_WITH_SHA256]);
    let to_be_signed = to_be_signed(key, seed, &algorithm);
    let digest = Sha256::digest(&to_be_signed);
    // Signing a digest of 32 bytes with a sound key does not fail.
    let signature: Option<DerSignature> = key.sign_prehash(&digest).ok();
    let signature = signature.map(|signature| signature.as_bytes().to_vec()).unwrap_or_default();
    let signature = element(BIT_STRING, &[&[0], &signature]);
    element(SEQUENCE, &[&to_be_signed, &algorithm, &signature])
}

fn to_be_signed(key: &SigningKey, seed: u64, algorithm: &[u8]) -> Vec<u8> {
    let serial = [&[0x31][..], &seed.to_be_bytes()].concat();
    let name = element(UTF8_STRING, &[b"made elsewhere"]);
    let name = element(SEQUENCE, &[COMMON_NAME, &name]);
    let name = element(SEQUENCE, &[&element(SET, &[&name])]);
    let validity = [element(UTC_TIME, &[b"250101000000Z"]), element(UTC_TIME, &[b"491231235959Z"])];
    let point = key.verifying_key().to_sec1_point(false);
    let public_key =
        [element(SEQUENCE, &[EC_PUBLIC_KEY, P256]), element(BIT_STRING, &[&[0], point.as_bytes()])];
    element(
        SEQUENCE,
        &[
            &element(EXPLICIT_0, &[&element(INTEGER, &[&[2]])]),
            &element(INTEGER, &[&serial]),
            algorithm,
            &name,
            &element(SEQUENCE, &[&validity.concat()]),
            &name,
            &element(SEQUENCE, &[&public_key.concat()]),
        ],
    )
}

/// One DER element of these parts.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    match content.len() {
        // At most 127 bytes have their length in one byte; nothing here has 65536.
        length @ 0..128 => der.push(length as u8),
        length @ 128..256 => der.extend([0x81, length as u8]),
        length => der.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    der.extend(content);
    der
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::hazmat::PrehashVerifier;

    use super::*;

    #[test]
    fn the_foreign_certificate_is_signed_with_its_own_key() {
        let Preloaded { key, certificate, .. } = identity(7);
        let key = SigningKey::from_slice(&key).unwrap();
        assert_eq!(certificate[..2], [SEQUENCE, 0x82]);
        let signed = to_be_signed(&key, 7, &element(SEQUENCE, &[ECDSA_WITH_SHA256]));
        assert_eq!(certificate[4..4 + signed.len()], signed);
        let signature = &certificate[4 + signed.len() + 12 + 3..];
        let signature = DerSignature::try_from(signature).unwrap();
        VerifyingKey::from(&key).verify_prehash(&Sha256::digest(&signed), &signature).unwrap();
    }

    #[test]
    fn two_seeds_make_two_identities() {
        assert_ne!(identity(1).certificate, identity(2).certificate);
    }
}
