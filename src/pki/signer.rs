//! The key that signs: in this process, or in a token.

use std::time::Duration;

use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm,
};

use super::error::PkiError;
use super::signature::Verifier;
use super::token::TokenSigner;
use crate::domain::cause::cause;
use crate::domain::evidence::{HeadVerifier, SignatureHolds};
use crate::domain::ids::PublicKey;

/// The key could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SigningFailed;

/// A P-256 private key in this process, or the way to one elsewhere.
pub(super) enum SigningKey {
    /// Decrypted from a file. ring signs four times as fast as p256.
    File {
        /// The key; ring offers no way to its bytes.
        pair: EcdsaKeyPair,
        /// Where ring gets its nonces' random part.
        random: SystemRandom,
        /// The public point.
        public_key: PublicKey,
    },
    /// In a token; for certificates alone.
    Token {
        /// The way to it.
        signer: TokenSigner,
        /// The public point.
        public_key: PublicKey,
    },
}

impl SigningKey {
    /// For certificates, whose signatures are DER.
    pub(super) fn for_certificates(key: &SecretKey) -> Result<Self, SigningFailed> {
        Self::of_file(key, &ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    /// For messages, whose signatures are raw `r ‖ s`.
    pub(super) fn for_messages(key: &SecretKey) -> Result<Self, SigningFailed> {
        Self::of_file(key, &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    /// Whether it is in a token that was away when it was last asked, and is still.
    pub(super) fn is_away(&self) -> bool {
        match self {
            SigningKey::File { .. } => false,
            SigningKey::Token { signer, .. } => signer.is_away(),
        }
    }

    /// How long the library of its token has not come back from what it was asked.
    pub(super) fn silent_for(&self) -> Option<Duration> {
        match self {
            SigningKey::File { .. } => None,
            SigningKey::Token { signer, .. } => signer.silent_for(),
        }
    }

    /// One in a token, which is found to be the one that belongs to `public_key`: not every
    /// token keeps the public key beside the private one.
    pub(super) fn in_token(signer: TokenSigner, public_key: PublicKey) -> Result<Self, PkiError> {
        let mut challenge = [0; 32];
        getrandom::fill(&mut challenge).map_err(PkiError::Random)?;
        let signature = signer.sign(&challenge)?;
        match Verifier.verify(&public_key, &challenge, &signature) {
            Some(SignatureHolds) => Ok(SigningKey::Token { signer, public_key }),
            None => Err(PkiError::Mismatch),
        }
    }

    fn of_file(
        key: &SecretKey,
        algorithm: &'static EcdsaSigningAlgorithm,
    ) -> Result<Self, SigningFailed> {
        let random = SystemRandom::new();
        let public_key = public_point(key).ok_or(SigningFailed)?;
        let scalar = zeroize::Zeroizing::new(<[u8; 32]>::from(key.to_bytes()));
        let point = public_key.as_bytes();
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &*scalar, point, &random)
            .map(|pair| SigningKey::File { pair, random, public_key })
            .map_err(|_| SigningFailed)
    }

    /// The public point.
    pub(super) fn public_key(&self) -> &PublicKey {
        match self {
            SigningKey::File { public_key, .. } | SigningKey::Token { public_key, .. } => {
                public_key
            }
        }
    }

    /// ECDSA over the SHA-256 of `message`, in the form that the key was made for.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        match self {
            SigningKey::File { pair, random, .. } => pair
                .sign(random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SigningFailed),
            SigningKey::Token { signer, .. } => {
                let raw = signer.sign(message).map_err(|_| SigningFailed)?;
                let signature =
                    p256::ecdsa::Signature::from_slice(&raw).map_err(|_| SigningFailed)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }

    /// Why rcgen got no signature.
    pub(super) fn cannot_sign(&self, error: &rcgen::Error) -> PkiError {
        let failure = match self {
            SigningKey::Token { signer, .. } if *error == rcgen::Error::RemoteKeyError => {
                signer.last_failure()
            }
            _ => None,
        };
        failure.map_or_else(|| PkiError::Sign { problem: cause(error) }, PkiError::from)
    }

    /// Where the key is kept, as `authority show` says it.
    pub(super) const fn kept_in(&self) -> &'static str {
        match self {
            SigningKey::File { .. } => "file",
            SigningKey::Token { .. } => "pkcs11",
        }
    }
}

/// The uncompressed public point of a private key.
pub(super) fn public_point(key: &SecretKey) -> Option<PublicKey> {
    PublicKey::from_bytes(key.public_key().to_sec1_point(false).as_bytes()).ok()
}

impl rcgen::PublicKeyData for SigningKey {
    fn der_bytes(&self) -> &[u8] {
        self.public_key().as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for SigningKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        SigningKey::sign(self, message).map_err(|SigningFailed| rcgen::Error::RemoteKeyError)
    }
}

/// A subject's public key, for rcgen.
pub(super) struct Subject<'a>(pub(super) &'a PublicKey);

impl rcgen::PublicKeyData for Subject<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}
