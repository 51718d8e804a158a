//! The prove text under a real P-256 key: another implementation verifies it.

use firmware_interface::codec::{self, Frame, Header};
use firmware_interface::dispatch::{Device, REPLY_ROOM, Random, Signer, SignerError};
use firmware_interface::ids::{ObjectKind, RequestType};
use firmware_interface::image::{Object, ObjectTable};
use firmware_interface::message::{Begin, HardwareId, Reply};
use firmware_interface::prove::ProveText;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate;
use sha2::{Digest, Sha256};

use super::support::{CountingClock, HARDWARE_ID, Identity, NoRandom, facts, provisioned};

struct P256Signer;

impl Signer for P256Signer {
    fn sign(
        &mut self,
        scalar: &[u8; 32],
        digest: &[u8; 32],
        _random: &mut dyn Random,
    ) -> Result<[u8; 64], SignerError> {
        let key = SigningKey::from_slice(scalar).map_err(|_| SignerError(1))?;
        let signature: Signature = key.sign_prehash(digest).map_err(|_| SignerError(2))?;
        Ok(signature.to_bytes().into())
    }
}

fn with_key(key: &SigningKey) -> Identity {
    let objects = [(ObjectKind::Key, 32), (ObjectKind::ClientCertificate, 200)];
    let objects = ObjectTable::new(&objects.map(|(kind, length)| Object { kind, length })).unwrap();
    let image = [key.to_bytes().as_slice(), &[0x30; 200]].concat();
    let digest = Sha256::digest(&image).into();
    Identity { image, begin: Begin { digest, objects } }
}

#[test]
fn another_implementation_verifies_a_proof_over_the_text() {
    let key = SigningKey::generate();
    let identity = with_key(&key);
    let flash = provisioned(&identity);
    let mut device = Device::boot(facts(), flash, P256Signer, NoRandom, CountingClock::default());
    let mut out = [0; REPLY_ROOM];
    let mut ask = |request: RequestType, body: &[u8]| {
        let message_type = request.to_wire();
        let header = Header { version: 1, message_type, seq: 1, session: 9 };
        let length = device.handle(&Frame { header, body }, &mut out).reply.unwrap();
        let frame = codec::decode(&mut out[1..length - 1]).unwrap();
        match Reply::from_frame(&frame).unwrap() {
            Reply::Prove(reply) => Some(reply.signature),
            _ => None,
        }
    };
    ask(RequestType::Identify, &[1, 1]);
    let signature = ask(RequestType::Prove, &[0xc3; 32]).expect("a signature");
    let text = ProveText {
        nonce: [0xc3; 32],
        hardware_id: HardwareId::new(&HARDWARE_ID).unwrap(),
        image: identity.digest(),
        certificate: identity.certificate_digest(),
    };
    let mut bytes = Vec::new();
    text.write(&mut Bytes(&mut bytes));
    let signature = Signature::from_slice(&signature).unwrap();
    assert!(key.verifying_key().verify(&bytes, &signature).is_ok());
    bytes[40] ^= 1;
    assert!(key.verifying_key().verify(&bytes, &signature).is_err());
}

struct Bytes<'b>(&'b mut Vec<u8>);

impl firmware_interface::message::Sink for Bytes<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}
