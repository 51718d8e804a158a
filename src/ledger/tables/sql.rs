//! How the domain's types stand in SQLite's columns: texts as TEXT, bytes as BLOB.
//! What is read is parsed again, so that an edited row is found and not believed.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, ImageDigest, LabelDigest, OperatorId,
    ProfileDigest, PublicKey, Serial, SlotName, StationId, WorkOrderId,
};
use crate::domain::outbox::Operation;
use crate::domain::registration::CloudStatus;
use crate::domain::state::UnknownWord;

fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> FromSqlError {
    FromSqlError::Other(Box::new(error))
}

macro_rules! text_columns {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(wrong)
            }
        }
    )*};
}

macro_rules! blob_columns {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(&self.as_bytes()[..]))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                $name::from_bytes(value.as_blob()?).map_err(wrong)
            }
        }
    )*};
}

text_columns! { ClientId OperatorId Serial SlotName StationId WorkOrderId }
blob_columns! { CertificateSn Fingerprint HardwareId ImageDigest LabelDigest ProfileDigest PublicKey }

/// A word of the domain in a TEXT column.
macro_rules! domain_words {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let word = value.as_str()?;
                let unknown = || wrong(UnknownWord(word.to_owned()));
                $name::from_word(word).ok_or_else(unknown)
            }
        }
    )*};
}

domain_words! { CloudStatus Operation }

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Timestamp)
    }
}

/// Enums with words of their own, as words in a TEXT column.
macro_rules! known_words {
    ($($name:ident)*) => {$(
        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(rusqlite::types::ToSqlOutput::from(self.as_str()))
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                let word = value.as_str()?.parse::<$name>();
                word.map_err(|error| rusqlite::types::FromSqlError::Other(Box::new(error)))
            }
        }
    )*};
}

/// An enum whose values are words in a TEXT column.
macro_rules! word_columns {
    ($($(#[$doc:meta])* $visibility:vis enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every value.
            $visibility const ALL: &[$name] = &[$($name::$variant,)*];

            /// The word in JSON and the ledger.
            $visibility const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::state::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = $name::ALL.iter().find(|value| value.as_str() == text);
                found.copied().ok_or_else(|| $crate::domain::state::UnknownWord(text.to_owned()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        $crate::ledger::tables::sql::known_words! { $name }
    )*};
}

pub(in crate::ledger) use {known_words, word_columns};

/// A sequence number or count as SQLite stores it.
pub(in crate::ledger) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A sequence number or count as it was stored; a negative one is damage.
pub(in crate::ledger) fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
