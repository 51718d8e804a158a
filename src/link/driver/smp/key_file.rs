//! The private key as a file: an ECPrivateKey or a PKCS #8 document, in DER or in PEM.
//!
//! It is made in memory of the key's lender, each time anew, and nowhere else.

use crate::domain::identity::{Identity, KeyFormat};
use crate::domain::ids::PublicKey;
use crate::driver::{key_document, pem};

/// An ECPrivateKey (RFC 5915) up to its scalar, and the curve behind it; the public key,
/// which it may leave out, is worked out by whoever reads it.
const HEAD: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
const TAIL: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Length of an ECPrivateKey.
const SEC1_LENGTH: usize = HEAD.len() + 32 + TAIL.len();

/// In which form a key becomes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyForm {
    format: KeyFormat,
    public_key: PublicKey,
    is_pem: bool,
}

impl KeyForm {
    pub(super) const fn of(identity: &Identity, is_pem: bool) -> Self {
        Self { format: identity.key_format, public_key: identity.public_key, is_pem }
    }

    /// Bytes of the file.
    pub(super) const fn length(&self) -> usize {
        let der = self.der_length();
        if !self.is_pem {
            return der;
        }
        let text = der.div_ceil(3) * 4;
        let (begin, end) = self.frame();
        begin.len() + text + text.div_ceil(pem::LINE) + end.len()
    }

    /// Writes the file into the lent memory; none where that is too short.
    pub(super) fn write<'a>(&self, scalar: &[u8; 32], memory: &'a mut [u8]) -> Option<&'a [u8]> {
        let (der, rest) = memory.split_at_mut_checked(self.der_length())?;
        match self.format {
            KeyFormat::Scalar => sec1(scalar, der)?,
            KeyFormat::Pkcs8 => {
                key_document::write(scalar, &self.public_key, der)?;
            }
        }
        if !self.is_pem {
            return Some(der);
        }
        self.write_pem(der, rest.get_mut(..self.length())?)
    }

    const fn der_length(&self) -> usize {
        match self.format {
            KeyFormat::Scalar => SEC1_LENGTH,
            KeyFormat::Pkcs8 => key_document::LENGTH,
        }
    }

    const fn frame(&self) -> (&'static [u8], &'static [u8]) {
        match self.format {
            KeyFormat::Scalar => {
                (b"-----BEGIN EC PRIVATE KEY-----\n", b"-----END EC PRIVATE KEY-----\n")
            }
            KeyFormat::Pkcs8 => (b"-----BEGIN PRIVATE KEY-----\n", b"-----END PRIVATE KEY-----\n"),
        }
    }

    fn write_pem<'a>(&self, der: &[u8], file: &'a mut [u8]) -> Option<&'a [u8]> {
        pem::write_between(self.frame(), der, file)?;
        Some(file)
    }
}

fn sec1(scalar: &[u8; 32], der: &mut [u8]) -> Option<()> {
    let (head, rest) = der.split_at_mut_checked(HEAD.len())?;
    let (middle, tail) = rest.split_at_mut_checked(scalar.len())?;
    head.copy_from_slice(&HEAD);
    middle.copy_from_slice(scalar);
    tail.get_mut(..TAIL.len())?.copy_from_slice(&TAIL);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::key_document::samples::{POINT, SCALAR};

    fn form(format: KeyFormat, is_pem: bool) -> KeyForm {
        KeyForm { format, public_key: PublicKey::from_bytes(&POINT).unwrap(), is_pem }
    }

    #[test]
    fn a_file_is_as_long_as_it_says_and_needs_its_room() {
        for format in [KeyFormat::Scalar, KeyFormat::Pkcs8] {
            for is_pem in [false, true] {
                let form = form(format, is_pem);
                let mut memory = [0; 512];
                let length = form.write(&SCALAR, &mut memory).unwrap().len();
                assert_eq!(length, form.length());
                let room = length + if is_pem { form.der_length() } else { 0 };
                assert!(form.write(&SCALAR, &mut memory[..room]).is_some());
                assert!(form.write(&SCALAR, &mut memory[..room - 1]).is_none());
            }
        }
    }

    #[test]
    fn a_document_as_pem_is_the_one_that_openssl_writes() {
        let mut memory = [0; 512];
        let file = form(KeyFormat::Pkcs8, true).write(&SCALAR, &mut memory).unwrap();
        let lines = [
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFxcXFxcXFxcXFxcX",
            "FxcXFxcXFxcXFxcXFxcXFxcXFxehRANCAASb7OKgjizQTLubpRAqUYcPVLHkUML9",
            "QX2oPv4WcHoZBs2hS17t2t5YzvdSf/DJuY5/5v3bFklhAocc9izqaU7E",
        ];
        let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
        let theirs = format!("{begin}\n{}\n{end}\n", lines.join("\n"));
        assert_eq!(std::str::from_utf8(file).unwrap(), theirs);
    }

    #[test]
    fn an_ec_private_key_has_its_length_inside() {
        let mut memory = [0; 64];
        let file = form(KeyFormat::Scalar, false).write(&SCALAR, &mut memory).unwrap();
        assert_eq!((file.len(), file[1]), (51, 49));
    }
}
