//! The checks of raw P-256 signatures.

use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use crate::domain::certificate::{Certificate, Proof};
use crate::domain::device::Verified;
use crate::domain::evidence::{HeadVerifier, SignatureHolds};
use crate::domain::ids::PublicKey;

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
