//! A P-256 private key as a PKCS #8 document with its public key, as every TLS stack reads it.
//!
//! An unencrypted PrivateKeyInfo (RFC 5208) around an ECPrivateKey (RFC 5915). Each part always
//! stands at the same place, so it is written and not encoded: into memory of the key's lender,
//! and nowhere else.

use crate::domain::ids::PublicKey;

/// Bytes of the document.
pub(super) const LENGTH: usize = HEAD.len() + SCALAR + BETWEEN.len() + POINT;

/// Where the scalar stands in it.
pub(super) const SCALAR_AT: usize = HEAD.len();

const SCALAR: usize = 32;
const POINT: usize = 65;

/// All up to the scalar: version 0, id-ecPublicKey on prime256v1, and in the OCTET STRING an
/// ECPrivateKey of version 1.
const HEAD: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02,
    0x01, 0x01, 0x04, 0x20,
];

/// Its public key: a BIT STRING under the tag 1.
const BETWEEN: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];

/// Writes the document to the front of the lent memory; none where that is too short.
pub(super) fn write<'a>(
    scalar: &[u8; SCALAR],
    public_key: &PublicKey,
    memory: &'a mut [u8],
) -> Option<&'a [u8]> {
    let document = memory.get_mut(..LENGTH)?;
    let (head, rest) = document.split_at_mut(SCALAR_AT);
    head.copy_from_slice(&HEAD);
    let (secret, rest) = rest.split_at_mut(SCALAR);
    secret.copy_from_slice(scalar);
    let (between, point) = rest.split_at_mut(BETWEEN.len());
    between.copy_from_slice(&BETWEEN);
    point.copy_from_slice(public_key.as_bytes());
    Some(document)
}

#[cfg(test)]
pub(super) mod samples {
    //! A key that OpenSSL made into a document: it protects nothing.

    /// The scalar.
    pub(crate) const SCALAR: [u8; 32] = [0x17; 32];

    /// Its public key.
    pub(crate) const POINT: [u8; 65] = [
        0x04, 0x9b, 0xec, 0xe2, 0xa0, 0x8e, 0x2c, 0xd0, 0x4c, 0xbb, 0x9b, 0xa5, 0x10, 0x2a, 0x51,
        0x87, 0x0f, 0x54, 0xb1, 0xe4, 0x50, 0xc2, 0xfd, 0x41, 0x7d, 0xa8, 0x3e, 0xfe, 0x16, 0x70,
        0x7a, 0x19, 0x06, 0xcd, 0xa1, 0x4b, 0x5e, 0xed, 0xda, 0xde, 0x58, 0xce, 0xf7, 0x52, 0x7f,
        0xf0, 0xc9, 0xb9, 0x8e, 0x7f, 0xe6, 0xfd, 0xdb, 0x16, 0x49, 0x61, 0x02, 0x87, 0x1c, 0xf6,
        0x2c, 0xea, 0x69, 0x4e, 0xc4,
    ];
}

#[cfg(test)]
mod tests {
    use super::samples::{POINT, SCALAR};
    use super::*;

    #[test]
    fn the_document_is_the_one_that_openssl_writes() {
        let public_key = PublicKey::from_bytes(&POINT).unwrap();
        let mut memory = [0; LENGTH + 10];
        let document = write(&SCALAR, &public_key, &mut memory).unwrap();
        // openssl pkcs8 -topk8 -nocrypt -outform der
        let theirs = [&THEIR_HEAD[..], &SCALAR, &[0xa1, 0x44, 0x03, 0x42, 0x00], &POINT].concat();
        assert_eq!((document, document.len()), (&theirs[..], 138));
        assert_eq!(document[SCALAR_AT..][..32], SCALAR);
        assert!(write(&SCALAR, &public_key, &mut memory[..LENGTH - 1]).is_none());
    }

    const THEIR_HEAD: [u8; 36] = [
        0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30,
        0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
    ];
}
