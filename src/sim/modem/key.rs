//! Keys that a simulated nRF91 makes, and what it says of them: a PKCS #10 request and a
//! COSE_Sign1 over it, in the forms of Nordic's `%KEYGEN`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ciborium::Value;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use sha2::{Digest, Sha256};

use crate::foreign::{
    self, BIT_STRING, COMMON_NAME, EC_PUBLIC_KEY, ECDSA_WITH_SHA256, INTEGER, P256, SEQUENCE, SET,
    UTF8_STRING, element,
};

/// The attributes of a request: key usage as Nordic's modems ask for it. The bytes are those of
/// the request that nRFCloud's utilities show in their README.
const KEY_USAGE: &[u8] = &[
    0xa0, 0x1e, 0x30, 0x1c, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e, 0x31,
    0x0f, 0x30, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x04, 0x04, 0x03, 0x02, 0x03, 0xe8,
];

/// A PKCS #8 head of P-256, up to the scalar of a key without its public half.
const KEY_HEAD: &[u8] = &[
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01,
    0x01, 0x04, 0x20,
];

/// A key that nobody has seen before.
pub(super) fn fresh() -> Option<SigningKey> {
    let mut scalar = [0; 32];
    getrandom::fill(&mut scalar).ok()?;
    SigningKey::from_slice(&scalar).ok()
}

/// A key as it is stored.
pub(super) fn to_pem(key: &SigningKey) -> String {
    let der = [KEY_HEAD, &key.to_bytes()[..]].concat();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

/// A certificate of somebody else's, as text.
pub(super) fn foreign_certificate(seed: u64) -> String {
    let der = STANDARD.encode(foreign::identity(seed).certificate);
    let lines: Vec<&str> =
        der.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or("")).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn sign_der(key: &SigningKey, bytes: &[u8]) -> Vec<u8> {
    // Signing a digest of 32 bytes with a sound key does not fail.
    let signature: Option<DerSignature> = key.sign_prehash(&Sha256::digest(bytes)).ok();
    signature.map(|signature| signature.as_bytes().to_vec()).unwrap_or_default()
}

/// A signing request for a key under this name.
fn request(key: &SigningKey, name: &str) -> Vec<u8> {
    let name = element(UTF8_STRING, &[name.as_bytes()]);
    let name = element(SEQUENCE, &[COMMON_NAME, &name]);
    let name = element(SEQUENCE, &[&element(SET, &[&name])]);
    let point = key.verifying_key().to_sec1_point(false);
    let public_key =
        [element(SEQUENCE, &[EC_PUBLIC_KEY, P256]), element(BIT_STRING, &[&[0], point.as_bytes()])];
    let public_key = element(SEQUENCE, &[&public_key.concat()]);
    let version = element(INTEGER, &[&[0]]);
    let info = element(SEQUENCE, &[&version, &name, &public_key, KEY_USAGE]);
    let signature = element(BIT_STRING, &[&[0], &sign_der(key, &info)]);
    element(SEQUENCE, &[&info, &element(SEQUENCE, &[ECDSA_WITH_SHA256]), &signature])
}

fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a Vec does not fail.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

/// The device's own number, which it has besides its IMEI.
pub(super) fn uuid_of(imei: &str) -> [u8; 16] {
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&Sha256::digest(format!("uuid of {imei}"))[..16]);
    uuid
}

/// A uuid as text.
pub(super) fn uuid_text(uuid: &[u8; 16]) -> String {
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The modem's seal over a message: COSE_Sign1 whose payload names it, under the identity key
/// that the modem came with.
fn seal(message: &[u8], imei: &str, tag: u32) -> Vec<u8> {
    let payload = cbor(&Value::Array(vec![
        // A signing request, as Nordic's parser names it.
        9.into(),
        Value::Bytes(uuid_of(imei).to_vec()),
        Value::Bytes(cbor(&tag.into())),
        Value::Bytes(Sha256::digest(message).to_vec()),
        Value::Bytes(Sha256::digest(imei)[..16].to_vec()),
    ]));
    // ECDSA with SHA-256; the identity key.
    let protected = cbor(&Value::Map(vec![(1.into(), (-7).into())]));
    let unprotected = Value::Map(vec![(4.into(), Value::Bytes(cbor(&(-2).into())))]);
    let signed = cbor(&Value::Array(vec![
        Value::Text("Signature1".to_owned()),
        Value::Bytes(protected.clone()),
        Value::Bytes(Vec::new()),
        Value::Bytes(payload.clone()),
    ]));
    let identity = foreign::key(0, &format!("identity key of {imei}"));
    let signature: Option<Signature> = identity.sign_prehash(&Sha256::digest(signed)).ok();
    let signature = signature.map(|signature| signature.to_bytes().to_vec()).unwrap_or_default();
    let parts =
        vec![Value::Bytes(protected), unprotected, Value::Bytes(payload), Value::Bytes(signature)];
    cbor(&Value::Tag(18, Box::new(Value::Array(parts))))
}

/// What `%KEYGEN` says of a key.
pub(super) fn announced(key: &SigningKey, name: &str, imei: &str, tag: u32) -> String {
    let request = request(key, name);
    let seal = seal(&request, imei, tag);
    format!("{}.{}", URL_SAFE_NO_PAD.encode(request), URL_SAFE_NO_PAD.encode(seal))
}
