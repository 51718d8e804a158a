//! The text that a device signs to show that it holds its key.
//!
//! Both sides make it, each from what it knows itself: the device from what it reads
//! back from its storage, the station from its own records, never from a reply. The
//! context at its front keeps an open UART from being a signing oracle for TLS, whose
//! signed texts begin otherwise.

use sha2::{Digest, Sha256};

use crate::image::DIGEST_LENGTH;
use crate::message::{HardwareId, NONCE_LENGTH, Sink};

/// What every prove text begins with, its final zero included.
pub const CONTEXT: &[u8] = b"provisioning-station prove v1\0";

/// What a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProveText {
    /// The challenge.
    pub nonce: [u8; NONCE_LENGTH],
    /// Which device.
    pub hardware_id: HardwareId,
    /// SHA-256 of the whole active image.
    pub image: [u8; DIGEST_LENGTH],
    /// SHA-256 of the client certificate's DER.
    pub certificate: [u8; DIGEST_LENGTH],
}

impl ProveText {
    /// Bytes of the longest text.
    pub const MAX_LENGTH: usize =
        CONTEXT.len() + NONCE_LENGTH + 1 + HardwareId::MAX + 2 * DIGEST_LENGTH;

    /// Writes the text.
    pub fn write(&self, sink: &mut impl Sink) {
        sink.put(CONTEXT);
        sink.put(&self.nonce);
        self.hardware_id.write(sink);
        sink.put(&self.image);
        sink.put(&self.certificate);
    }

    /// SHA-256 of the text: what ECDSA signs.
    pub fn digest(&self) -> [u8; DIGEST_LENGTH] {
        let mut hash = Hash(Sha256::new());
        self.write(&mut hash);
        hash.0.finalize().into()
    }
}

struct Hash(Sha256);

impl Sink for Hash {
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_text_is_context_nonce_id_image_and_certificate() {
        let hardware_id = HardwareId::new(&[1, 2, 3, 4]).unwrap();
        let text = ProveText { nonce: [5; 32], hardware_id, image: [6; 32], certificate: [7; 32] };
        let mut expected = b"provisioning-station prove v1\0".to_vec();
        expected.extend([5; 32]);
        expected.extend([4, 1, 2, 3, 4]);
        expected.extend([6; 32]);
        expected.extend([7; 32]);
        let mut written = Vec::new();
        text.write(&mut written);
        assert_eq!(written, expected);
        assert_eq!(text.digest(), <[u8; 32]>::from(Sha256::digest(&expected)));
    }
}
