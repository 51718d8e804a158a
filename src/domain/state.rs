//! The words for states as people, JSON, the screen and the ledger have them.

use super::cause::Told;

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of this program")]
pub struct UnknownWord(pub String);

impl Told for UnknownWord {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是本程序的状态", self.0))
    }
}

macro_rules! states {
    ($($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$state_doc:meta])* $state:ident = $word:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$state_doc])* $state,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[$name] = &[$($name::$state,)*];

            /// The word in JSON and the ledger.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$state => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::state::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = $name::ALL.iter().find(|value| value.as_str() == text);
                found.copied().ok_or_else(|| $crate::state::UnknownWord(text.to_owned()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
    )*};
}

pub(super) use states;

states! {
    /// How a certificate came into the ledger.
    pub enum Origin {
        /// It was issued here.
        Issued = "issued",
        /// It was read from the device that holds it, and proven there.
        Adopted = "adopted",
    }

    /// A unit's state for people: the furthest point that holds.
    pub enum UnitState {
        /// An attempt began; nothing was signed.
        Reserved = "reserved",
        /// A certificate was signed, its commit never asked.
        Issued = "issued",
        /// A device may hold its certificate; only that device can tell.
        Uncertain = "uncertain",
        /// No identity, and nothing under way.
        Failed = "failed",
        /// A device proved its identity.
        Proven = "proven",
        /// Proven, and its certificate stands in the cloud.
        Registered = "registered",
        /// It left the factory.
        Shipped = "shipped",
        /// Proven, and may be burned again.
        Rework = "rework",
        /// A person voided its certificate.
        Void = "void",
        /// A person scrapped it.
        Scrapped = "scrapped",
    }

    /// How an attempt ended, or that it did not.
    pub enum AttemptOutcome {
        /// It has no end yet.
        Running = "running",
        /// Proven and finished.
        Pass = "pass",
        /// Something was wrong.
        Fail = "fail",
        /// It was cut off.
        Interrupted = "interrupted",
    }

    /// Where a certificate's registration in the cloud stands.
    pub enum RegistrationState {
        /// It is not to be registered.
        None = "none",
        /// It waits for its turn.
        Waiting = "waiting",
        /// A call was sent and its answer is not known.
        Unclear = "unclear",
        /// It stands in the cloud.
        Registered = "registered",
        /// To be tried later.
        Deferred = "deferred",
        /// Another certificate stands there.
        Conflict = "conflict",
        /// The cloud will never take it.
        Rejected = "rejected",
        /// It was taken back before it was sent.
        Withdrawn = "withdrawn",
        /// It was revoked in the cloud.
        Revoked = "revoked",
    }
}
