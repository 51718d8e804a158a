//! What a device of any family can be asked, and what it says.
//!
//! Frames, chunks, windows and resends belong to the driver and do not appear here.

use serde::{Deserialize, Serialize};

use super::cause::Told;
use super::certificate::Proof;
use super::code::Code;
use super::identity::IdentityKey;
use super::ids::{CertificateSn, Fingerprint, HardwareId, ImageDigest, PublicKey};
use super::say::Say;

/// By what a device is told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum ToldBy {
    /// By a hardware id of its own.
    #[default]
    HardwareId,
    /// By the identity that it holds: its family has no hardware id. While it holds one,
    /// it is the device on which that certificate was burned; while it holds none, it has
    /// a name for as long as it is watched.
    Identity,
}

/// What a device said when it was identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its hardware id, or what it is called in the place of one.
    pub hardware: HardwareId,
    /// Which of the two that is.
    pub told_by: ToldBy,
    /// Its model name, printable ASCII.
    pub model: String,
    /// Its firmware version, printable ASCII.
    pub firmware: String,
    /// The serial its maker gave it, where the family has one.
    pub factory_serial: Option<String>,
    /// The identity it holds, as it describes it.
    pub holds: Option<Held>,
    /// Whether it accepts no further identity.
    pub locked: bool,
    /// Protections that it reports.
    pub security: Security,
    /// The strongest proof that it can give.
    pub best_proof: Proof,
    /// Whether it can make a key itself.
    pub makes_keys: bool,
    /// Whether it can be locked for ever.
    pub can_lock: bool,
}

/// An identity that a device says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Held {
    /// SHA-256 of its client certificate's DER.
    pub certificate: Fingerprint,
    /// SHA-256 of the whole image.
    pub image: ImageDigest,
}

/// Protections that a device reports and `[product] require` may demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct Security {
    /// Only signed firmware boots.
    pub secure_boot: bool,
    /// A debugger can't read the flash.
    pub readout_protection: bool,
    /// The flash is encrypted at rest.
    pub flash_encryption: bool,
}

/// One thing to ask of a device. Every family has all of them, or says that it can't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Who are you, and what do you hold?
    Identify,
    /// Make a key, keep its private half, and hand in a signing request for it.
    MakeKey,
    /// Take this identity aside; nothing of what is active changes.
    Stage {
        /// The certificate that the image carries.
        cert: CertificateSn,
        /// Its key.
        key: IdentityKey,
    },
    /// Make what was staged the active identity, whole or not at all.
    // IRREVERSIBLE: the record `CommitAsked` is durable before this is sent.
    Commit {
        /// The certificate that becomes active.
        cert: CertificateSn,
    },
    /// Restart and identify again. Answered only where the restart really happened.
    Restart,
    /// Sign a fresh challenge with the key as it stands in storage.
    Prove {
        /// The certificate under which the signature must verify.
        cert: CertificateSn,
    },
    /// Give the stored public objects, or their hashes.
    ReadBack {
        /// The certificate that must be found there.
        cert: CertificateSn,
    },
    /// Connect to the station's own broker. The device does so by itself after its restart;
    /// it is the broker that says whether it did.
    Connect {
        /// The certificate that it must show.
        cert: CertificateSn,
    },
    /// The attempt is over and passed: wipe the spare slot, lock where the product says so,
    /// and identify once more.
    Finish,
    /// The attempt is over and failed: drop what was staged. What is active stays.
    Release,
}

/// What came of an [`Op`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Op::Identify`].
    Seen(Seen),
    /// To [`Op::MakeKey`]: the signing request verified, and is this device's.
    KeyMade(PublicKey),
    /// To [`Op::Stage`]: the last byte was acknowledged.
    Staged,
    /// To [`Op::Commit`].
    Committed,
    /// To [`Op::Restart`]: what the device says after it.
    Restarted(Seen),
    /// To [`Op::Prove`], [`Op::ReadBack`] and [`Op::Connect`].
    Proof(Verified),
    /// To [`Op::Finish`]: what the device says after it.
    Finished(Seen),
    /// To [`Op::Release`].
    Released,
}

/// The result of a check that came to a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It holds.
    Yes(Proof),
    /// The answer is well-formed and wrong: another key, another image, an old challenge.
    Wrong,
    /// The device says that it holds no key.
    NoKey,
}

/// Why an operation came to no result. The code decides what people are told; the flow
/// only looks at how far the attempt had come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Fault {
    /// The stable code.
    pub code: Code,
    /// One sentence with the values, without secrets.
    pub detail: String,
    /// The same in Chinese, where it was said in both languages; empty where its code says all.
    pub chinese: Option<String>,
}

impl Fault {
    /// A fault with its sentence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), chinese: None }
    }

    /// A fault made of an error that says itself in each language; without words of its own in
    /// Chinese where its code says all.
    pub fn told(code: Code, error: &impl Told) -> Self {
        Self { code, detail: error.to_string(), chinese: Some(error.chinese().unwrap_or_default()) }
    }

    /// Its sentence in each language; in English where it was said in that alone.
    pub fn sentence(&self) -> Say {
        let own = self.chinese.clone().filter(|own| !own.is_empty());
        let chinese = own.unwrap_or_else(|| self.detail.clone());
        Say { english: self.detail.clone(), chinese }
    }

    /// A fault with its sentence in each language.
    pub fn said(code: Code, said: Say) -> Self {
        Self { code, detail: said.english, chinese: Some(said.chinese) }
    }
}
