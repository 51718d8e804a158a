//! What is read of JSON that comes back: of each row the few texts that count, so that a file
//! of anything else takes little more memory than it has bytes.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The names under which a table may have a certificate's fingerprint.
pub(super) const FINGERPRINT: [&str; 3] =
    ["fingerprint_sha256", "fingerprint", "sha256_fingerprint"];

/// What is read of a row.
pub(super) const COLUMNS: [&str; 6] =
    [FINGERPRINT[0], FINGERPRINT[1], FINGERPRINT[2], "certificate_sn", "serial", "client_id"];

/// A manifest that comes back.
#[derive(Debug, Deserialize)]
pub(super) struct Returned<'a, const MOST: usize> {
    pub(super) manifest: u32,
    #[serde(borrow)]
    pub(super) certificates: Rows<'a, MOST>,
}

/// Its rows as they stand there, and one more than are taken where there are too many.
#[derive(Debug)]
pub(super) struct Rows<'a, const MOST: usize>(pub(super) Vec<&'a str>);

/// What counts of a row, as it stands there.
#[derive(Debug, Deserialize)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    fingerprint_sha256: Option<&'a RawValue>,
    #[serde(borrow)]
    fingerprint: Option<&'a RawValue>,
    #[serde(borrow)]
    sha256_fingerprint: Option<&'a RawValue>,
    #[serde(borrow)]
    certificate_sn: Option<&'a RawValue>,
    #[serde(borrow)]
    serial: Option<&'a RawValue>,
    #[serde(borrow)]
    client_id: Option<&'a RawValue>,
}

impl Row<'_> {
    /// Its texts in the order of [`COLUMNS`]; what is no text counts for nothing.
    pub(super) fn texts(&self) -> [Option<String>; COLUMNS.len()] {
        [
            self.fingerprint_sha256,
            self.fingerprint,
            self.sha256_fingerprint,
            self.certificate_sn,
            self.serial,
            self.client_id,
        ]
        .map(|value| serde_json::from_str(value?.get()).ok())
    }
}

impl<'de: 'a, 'a, const MOST: usize> Deserialize<'de> for Rows<'a, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List<const MOST: usize>;

        impl<'de, const MOST: usize> Visitor<'de> for List<MOST> {
            type Value = Vec<&'de str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of certificates")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while rows.len() <= MOST {
                    match list.next_element::<&RawValue>()? {
                        Some(row) => rows.push(row.get()),
                        None => return Ok(rows),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(rows)
            }
        }

        from.deserialize_seq(List::<MOST>).map(Rows)
    }
}
