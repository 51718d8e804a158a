//! An identity for a test: a real key, and bytes for the rest.

use firmware_interface::ids::ObjectKind;
use firmware_interface::image::{Object, ObjectTable};
use firmware_interface::message::{Begin, HardwareId};
use firmware_interface::prove::ProveText;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::Generate;
use sha2::{Digest, Sha256};

pub(crate) struct Identity {
    public: VerifyingKey,
    pub(crate) image: Vec<u8>,
    pub(crate) begin: Begin,
}

impl Identity {
    /// With a key made here, and a certificate of so many bytes.
    pub(crate) fn new(certificate: u16) -> Self {
        let key = SigningKey::generate();
        let public = *key.verifying_key();
        Self::with(ObjectKind::Key, &key.to_bytes(), public, certificate)
    }

    /// With a key that the device made.
    pub(crate) fn of_made_key(public: &[u8; 65], certificate: u16) -> Self {
        let key = VerifyingKey::from_sec1_bytes(public).unwrap();
        Self::with(ObjectKind::MadeKey, public, key, certificate)
    }

    fn with(kind: ObjectKind, key: &[u8], public: VerifyingKey, certificate: u16) -> Self {
        let length = u16::try_from(key.len()).unwrap();
        let objects = [
            Object { kind, length },
            Object { kind: ObjectKind::ClientCertificate, length: certificate },
            Object { kind: ObjectKind::Settings, length: 28 },
        ];
        let objects = ObjectTable::new(&objects).unwrap();
        let rest = usize::from(certificate) + 28;
        let image = [key, &(0..rest).map(|i| i as u8).collect::<Vec<_>>()].concat();
        let digest = Sha256::digest(&image).into();
        Self { public, image, begin: Begin { digest, objects } }
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.begin.digest
    }

    /// The first object alone, then pieces of the largest chunk.
    pub(crate) fn chunks(&self, max_chunk: usize) -> impl Iterator<Item = (u32, &[u8])> {
        let (key, rest) = self.image.split_at(self.begin.objects.key_length() as usize);
        let rest = rest.chunks(max_chunk).enumerate();
        let rest = rest.map(move |(i, data)| ((key.len() + i * max_chunk) as u32, data));
        std::iter::once((0, key)).chain(rest)
    }

    /// Whether this device's answer to the nonce was made with this identity's key.
    pub(crate) fn is_proven(&self, hardware_id: &[u8], nonce: [u8; 32], proof: &[u8; 64]) -> bool {
        let certificate = self.begin.objects.slice(ObjectKind::ClientCertificate, &self.image);
        let text = ProveText {
            nonce,
            hardware_id: HardwareId::new(hardware_id).unwrap(),
            image: self.digest(),
            certificate: Sha256::digest(certificate.unwrap()).into(),
        };
        let signature = Signature::from_slice(proof).unwrap();
        self.public.verify_prehash(&text.digest(), &signature).is_ok()
    }
}
