//! Words and numbers in SQLite's columns. How the domain's types stand there, the domain says itself.

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

pub(crate) use word_columns;

/// A sequence number or count as SQLite stores it.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A sequence number or count as it was stored; a negative one is damage.
pub(crate) fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
