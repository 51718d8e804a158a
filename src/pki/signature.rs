//! Checks of raw P-256 signatures, and the public key of a scalar.

use p256::SecretKey;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use super::signer::public_point;
use crate::domain::certificate::{Certificate, Proof};
use crate::domain::device::Verified;
use crate::domain::evidence::{HeadVerifier, SignatureHolds};
use crate::domain::ids::PublicKey;

/// The public key of a scalar, none where it is zero or beyond the group's order.
///
/// It works on the stack of its caller; the vault, whose scalars these are, scrubs that.
pub fn public_key_of(scalar: &[u8; 32]) -> Option<PublicKey> {
    // p256's own copy of the scalar is wiped when `key` is dropped.
    let key = SecretKey::from_slice(scalar).ok()?;
    public_point(&key)
}

/// Judges a device's answer to a challenge under the certificate that it was issued.
pub fn check_possession(
    certificate: &Certificate,
    message: &[u8],
    signature: &[u8; 64],
) -> Verified {
    match Verifier.verify(&certificate.public_key, message, signature) {
        Some(SignatureHolds) => Verified::Yes(Proof::Possession),
        None => Verified::Wrong,
    }
}

/// Verifies ECDSA-P256-SHA256 signatures, raw `r ‖ s`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verifier;

impl HeadVerifier for Verifier {
    fn verify(
        &self,
        public_key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<SignatureHolds> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key.as_bytes());
        key.verify(message, signature).ok().map(|()| SignatureHolds)
    }
}
