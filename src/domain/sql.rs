//! How these types stand in SQLite's columns: texts as TEXT, bytes as BLOB. What is read is
//! parsed again, so that an edited row is found and not believed. For the ledger alone, which
//! asks for it by the feature `sql`: it can't give others' types a trait of SQLite's itself.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::clock::Timestamp;
use crate::grant::GrantNumber;
use crate::ids::{
    CertificateSn, ClientId, Fingerprint, HardwareId, ImageDigest, LabelDigest, OperatorId,
    ProfileDigest, PublicKey, Serial, SlotName, StationId, WorkOrderId,
};
use crate::labelling::LabelState;
use crate::operators::Role;
use crate::outbox::Operation;
use crate::registration::CloudStatus;
use crate::state::{AttemptOutcome, Origin, RegistrationState, UnitState, UnknownWord};

fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> FromSqlError {
    FromSqlError::Other(Box::new(error))
}

/// What has a text, as that text.
macro_rules! to_text {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }
    )*};
}

macro_rules! text_columns {
    ($($name:ident)*) => {$(
        to_text! { $name }

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

text_columns! {
    ClientId OperatorId Serial SlotName StationId WorkOrderId
    AttemptOutcome LabelState Origin RegistrationState Role UnitState
}
blob_columns! { CertificateSn Fingerprint HardwareId ImageDigest LabelDigest ProfileDigest PublicKey }

/// A word of the domain in a TEXT column.
macro_rules! domain_words {
    ($($name:ident)*) => {$(
        to_text! { $name }

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

impl ToSql for GrantNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::try_from(self.get()).unwrap_or(i64::MAX)))
    }
}

/// A negative number is damage, as zero is.
impl FromSql for GrantNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = u64::try_from(value.as_i64()?).unwrap_or(0);
        GrantNumber::new(number).map_err(wrong)
    }
}
