//! A device's key as it is made, and the checks of raw P-256 signatures.

use p256::SecretKey;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};

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

/// Where ring's PKCS#8 for P-256 has the scalar: behind its OCTET STRING's tag and length.
const SCALAR_AT: usize = 36;
/// Where it has the public point: at the very end, behind its BIT STRING's head.
const POINT_AT: usize = 73;
const POINT_END: usize = 138;

/// Makes a device's key: writes a random scalar and tells its public key. Five times as
/// fast as drawing bytes and asking [`public_key_of`], because ring does both.
///
/// Like that, it works on the stack of its caller and leaves no other copy.
pub fn make_key(scalar: &mut [u8; 32]) -> Option<PublicKey> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let made = made.ok()?;
    let document = made.as_ref();
    let as_known = document.len() == POINT_END
        && document[SCALAR_AT - 2..SCALAR_AT] == [0x04, 32]
        && document[POINT_AT - 3..POINT_AT] == [0x03, 66, 0];
    if !as_known {
        return None;
    }
    scalar.copy_from_slice(&document[SCALAR_AT..SCALAR_AT + 32]);
    PublicKey::from_bytes(&document[POINT_AT..]).ok()
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
