//! What names a certificate.

use sha2::{Digest, Sha256};

use crate::domain::ids::Fingerprint;

/// SHA-256 of a certificate's DER.
pub fn fingerprint_of(der: &[u8]) -> Fingerprint {
    Fingerprint::new(Sha256::digest(der).into())
}
