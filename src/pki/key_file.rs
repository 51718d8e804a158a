//! Private keys at rest: encrypted PKCS#8 in PEM, as OpenSSL reads and writes it.
//!
//! The decrypted bytes live in buffers that wipe themselves.

use crate::domain::bounds;
use crate::domain::say::Phrase;
use p256::SecretKey;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::PemLabel;
use pkcs8::der::{Decode, SecretDocument};
use pkcs8::pkcs5::{self, pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef, LineEnding};
use zeroize::Zeroizing;

use super::passphrase::Passphrase;

/// How hard it is to try passphrases on a stolen key file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hardness {
    /// For what a person chose and types: scrypt with N = 2^14, r = 8, p = 5, which needs
    /// 16 MiB and some 0.1 s a try. OpenSSL refuses larger N unless it is told not to.
    Passphrase,
    /// For 256 random bits out of a file, which nobody can guess anyway: a few
    /// milliseconds, because every command that writes to the ledger waits for it.
    RandomSecret,
}

const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 5;
const PBKDF2_ROUNDS: u32 = 10_000;

/// What a key's derivation may take that a file asks for: 1 GiB of memory, and steps for some
/// seconds. OpenSSL goes up to 32 MiB unless it is told otherwise.
const MOST_MEMORY: u64 = 1 << 30;
const MOST_STEPS: u64 = 1 << 25;
const MOST_ROUNDS: u64 = 10_000_000;

/// A file made to keep the station busy, or somebody's idea of a vault.
const TOO_COSTLY: Phrase = Phrase {
    english: "takes too long to try a passphrase on; at most 1 GiB of memory and 2^25 steps of \
              scrypt, or 10,000,000 rounds of PBKDF2, are taken: encrypt it anew with \
              `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc`",
    chinese: "试一次口令要太久；最多接受 1 GiB 内存、2^25 步的 scrypt，或一千万轮的 PBKDF2：\
              用 `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc` 重新加密",
};

/// OpenSSL's `req`, for one, still takes 3DES, and older programs derive keys with HMAC-SHA-1.
const UNSUPPORTED: Phrase = Phrase {
    english: "is encrypted in a way that is not taken; taken is PKCS#8 with AES, its \
              key derived by scrypt or by PBKDF2 with HMAC-SHA-256 or better, not HMAC-SHA-1: \
              encrypt it anew with `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc`",
    chinese: "的加密方式不接受；接受 PKCS#8 加 AES，密钥由 scrypt 或 HMAC-SHA-256 以上的 PBKDF2 \
              导出，不能是 HMAC-SHA-1：用 `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc` 重新加密",
};

/// As `openssl ec -aes256` writes it: the cipher stands in lines before the base64.
const TRADITIONAL: Phrase = Phrase {
    english: "is encrypted in the traditional form, not as PKCS#8: encrypt it anew with \
              `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc`",
    chinese: "用的是旧的加密格式，不是 PKCS#8：用 `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc` \
              重新加密",
};
const NOT_PEM: Phrase = Phrase { english: "is not PEM", chinese: "不是 PEM" };
const NOT_ENCODED: Phrase = Phrase { english: "can't be encoded", chinese: "无法编码" };
const NOT_ENCRYPTED: Phrase = Phrase { english: "can't be encrypted", chinese: "无法加密" };
const NO_RANDOM: Phrase = Phrase {
    english: "needs random bytes, and the system gives none",
    chinese: "需要随机数，而系统不给",
};
const OTHER_CURVE: Phrase = Phrase {
    english: "is no P-256 key; the station issues with P-256 alone",
    chinese: "不是 P-256 密钥；本站只用 P-256 签发",
};
const NO_KEY: Phrase =
    Phrase { english: "holds something else than a private key", chinese: "里面不是私钥" };

/// Why a key file gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The passphrase is another one.
    Passphrase,
    /// The file is not what it must be; the text says how.
    Content(Phrase),
    /// The system has not the memory that it takes to try a passphrase, in MiB.
    Memory(u64),
}

/// A key as an encrypted PEM text.
pub(super) fn encrypt(
    key: &SecretKey,
    secret: &Passphrase,
    hardness: Hardness,
) -> Result<Zeroizing<String>, Phrase> {
    let plain = key.to_pkcs8_der().map_err(|_| NOT_ENCODED)?;
    let parameters = parameters(hardness)?;
    let sealed =
        parameters.encrypt(secret.as_bytes(), plain.as_bytes()).map_err(|_| NOT_ENCRYPTED)?;
    let info = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: parameters.into(),
        encrypted_data: OctetStringRef::new(&sealed).map_err(|_| NOT_ENCODED)?,
    };
    let document = SecretDocument::encode_msg(&info).map_err(|_| NOT_ENCODED)?;
    let label = EncryptedPrivateKeyInfoOwned::PEM_LABEL;
    document.to_pem(label, LineEnding::LF).map_err(|_| NOT_ENCODED)
}

fn parameters(hardness: Hardness) -> Result<pbes2::Parameters, Phrase> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    getrandom::fill(&mut salt).map_err(|_| NO_RANDOM)?;
    getrandom::fill(&mut iv).map_err(|_| NO_RANDOM)?;
    let made = match hardness {
        Hardness::Passphrase => {
            let cost =
                scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).map_err(|_| NOT_ENCRYPTED)?;
            pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv)
        }
        Hardness::RandomSecret => {
            pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(PBKDF2_ROUNDS, &salt, iv)
        }
    };
    made.map_err(|_| NOT_ENCRYPTED)
}

/// The key out of an encrypted file's bytes. A file in clear would lie here in the open: it is
/// wiped like any other secret.
pub(super) fn decrypt_file(bytes: Vec<u8>, secret: &Passphrase) -> Result<SecretKey, Unreadable> {
    let bytes = Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes).map_err(|_| Unreadable::Content(NOT_PEM))?;
    decrypt(text, secret)
}

/// The key out of an encrypted PEM text.
pub(super) fn decrypt(pem: &str, secret: &Passphrase) -> Result<SecretKey, Unreadable> {
    if pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(Unreadable::Content(TRADITIONAL));
    }
    let (label, sealed) =
        SecretDocument::from_pem(pem.trim()).map_err(|_| Unreadable::Content(NOT_PEM))?;
    check_label(label)?;
    let info = EncryptedPrivateKeyInfoRef::from_der(sealed.as_bytes())
        .map_err(|_| Unreadable::Content(UNSUPPORTED))?;
    check_cost(&info.encryption_algorithm)?;
    let plain =
        info.encryption_algorithm.decrypt(secret.as_bytes(), info.encrypted_data.as_bytes());
    let plain = Zeroizing::new(plain.map_err(why_not_decrypted)?);
    // CBC tells a wrong passphrase by its padding, which fits by chance once in 256 times;
    // then what comes out is not even the beginning of PKCS#8.
    pkcs8::PrivateKeyInfoRef::from_der(&plain).map_err(|_| Unreadable::Passphrase)?;
    SecretKey::from_pkcs8_der(&plain).map_err(|_| Unreadable::Content(OTHER_CURVE))
}

/// The file says what trying a passphrase costs.
fn check_cost(scheme: &pkcs5::EncryptionScheme) -> Result<(), Unreadable> {
    let pkcs5::EncryptionScheme::Pbes2(parameters) = scheme else { return Ok(()) };
    let (is_bounded, memory) = match &parameters.kdf {
        pbes2::Kdf::Scrypt(cost) => {
            let block = u64::from(cost.block_size);
            let steps = cost.cost_parameter.saturating_mul(block);
            let all = steps.saturating_mul(u64::from(cost.parallelization));
            let memory = steps.saturating_mul(128);
            (memory <= MOST_MEMORY && all <= MOST_STEPS, memory)
        }
        pbes2::Kdf::Pbkdf2(cost) => (u64::from(cost.iteration_count) <= MOST_ROUNDS, 0),
        _ => (true, 0),
    };
    match (is_bounded, bounds::is_memory_at_hand(memory)) {
        (false, _) => Err(Unreadable::Content(TOO_COSTLY)),
        (true, false) => Err(Unreadable::Memory(memory >> 20)),
        (true, true) => Ok(()),
    }
}

fn check_label(label: &str) -> Result<(), Unreadable> {
    const IN_CLEAR: Phrase = Phrase {
        english: "is not encrypted: a private key in clear is refused; encrypt it with \
                  `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc` and destroy the clear one",
        chinese: "没有加密：不接受明文私钥；用 `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc` \
                  加密，并销毁明文",
    };
    match label {
        EncryptedPrivateKeyInfoOwned::PEM_LABEL => Ok(()),
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => Err(Unreadable::Content(IN_CLEAR)),
        _ => Err(Unreadable::Content(NO_KEY)),
    }
}

fn why_not_decrypted(error: pkcs5::Error) -> Unreadable {
    match error {
        pkcs5::Error::UnsupportedAlgorithm { .. }
        | pkcs5::Error::NoPbes1CryptSupport
        | pkcs5::Error::AlgorithmParametersInvalid { .. } => Unreadable::Content(UNSUPPORTED),
        _ => Unreadable::Passphrase,
    }
}
