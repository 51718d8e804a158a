//! The kinds of values in station.toml: each says how it is read and what a schema says of it.
//!
//! Serde reads a value straight into its type, so that what is not allowed is refused at its
//! place. [`Placed`] keeps that place for what only another key can judge.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::refusal::Refusal;
use super::values;
use super::words::Choice;
use crate::domain::cause::{Told, library};
use crate::domain::say::Say;
use crate::domain::scan::End;
use crate::say;

/// A schema that stands where it is used, under no name of its own.
macro_rules! inline_schema {
    () => {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            Cow::Borrowed("value")
        }
    };
}

/// A value and where it stands.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Placed<T>(Spanned<T>);

impl<T> Placed<T> {
    /// The value.
    pub(super) fn value(&self) -> &T {
        self.0.get_ref()
    }

    /// The value alone.
    pub(super) fn into_value(self) -> T {
        self.0.into_inner()
    }

    /// Its bytes in the file.
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }

    /// Refuses the value.
    pub(super) fn refuse(&self, why: Say) -> Refusal {
        Refusal::Value { span: self.span(), why }
    }

    /// Refuses the value for what its reader says.
    pub(super) fn refuse_as(&self, why: &impl Told) -> Refusal {
        let english = why.to_string();
        let chinese = why.chinese().unwrap_or_else(|| english.clone());
        self.refuse(Say { english, chinese })
    }
}

impl<T: JsonSchema> JsonSchema for Placed<T> {
    inline_schema!();

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A table of keys and where it stands.
///
/// Serde would also take a list for a struct, its items for the keys in their order. A
/// section is a table and nothing else.
#[derive(Debug)]
pub(super) struct Section<T>(Placed<Keys<T>>);

#[derive(Debug)]
struct Keys<T>(T);

impl<T> Section<T> {
    /// Its keys.
    pub(super) fn keys(&self) -> &T {
        &self.0.value().0
    }

    /// Its keys alone.
    pub(super) fn into_keys(self) -> T {
        self.0.into_value().0
    }

    /// Refuses it as a whole.
    pub(super) fn refuse(&self, why: Say) -> Refusal {
        self.0.refuse(why)
    }

    /// Refuses it for what a reader says.
    pub(super) fn refuse_as(&self, why: &impl Told) -> Refusal {
        self.0.refuse_as(why)
    }

    /// Refuses it for want of this key.
    pub(super) fn lacks(&self, key: &'static str) -> Refusal {
        Refusal::Absent { section: self.0.span(), key }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Section<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Placed::deserialize(d).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keys<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Table<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Table<T> {
            type Value = Keys<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<Keys<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(keys)).map(Keys)
            }
        }

        d.deserialize_map(Table(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Section<T> {
    inline_schema!();

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Between the languages in what serde carries: it knows one text.
const APART: char = '\u{1f}';

/// A sentence in each language, as one text.
fn both(said: &Say) -> String {
    format!("{}{APART}{}", said.english, said.chinese)
}

/// What serde says of a value: a sentence of ours, or its own.
pub(super) fn of_serde(message: &str) -> Say {
    match message.split_once(APART) {
        Some((english, chinese)) => Say { english: english.into(), chinese: chinese.into() },
        None => library(message.to_owned()),
    }
}

/// Reads a text with `parse`; the error stands at the text, also within a list.
fn text<'de, D, T, E>(d: D, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: Told,
{
    struct Text<T, F>(F, PhantomData<T>);

    impl<'de, T, E: Told, F: FnOnce(&str) -> Result<T, E>> Visitor<'de> for Text<T, F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
            let text = String::deserialize(d)?;
            (self.0)(&text).map_err(|error| D::Error::custom(both(&error.sentence())))
        }
    }

    // For a newtype alone, the deserializer adds the value's own place to an error.
    d.deserialize_newtype_struct("Text", Text(parse, PhantomData))
}

/// A text that is read into a type of its own.
#[derive(Debug)]
pub(super) struct Parsed<T>(pub(super) T);

impl<'de, T: FromStr<Err: Told>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text(d, |text| text.parse().map(Self))
    }
}

impl<T> JsonSchema for Parsed<T> {
    inline_schema!();

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// What ends a scan: one word, or several.
#[derive(Debug)]
pub(super) struct Ends(pub(super) Vec<End>);

impl<'de> Deserialize<'de> for Ends {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Ends;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Ends, E> {
                let end = text.parse::<End>();
                end.map(|end| Ends(vec![end])).map_err(|error| E::custom(both(&error.sentence())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ends, A::Error> {
                let mut ends = Vec::new();
                while let Some(Parsed(end)) = items.next_element()? {
                    ends.push(end);
                }
                Ok(Ends(ends))
            }
        }

        d.deserialize_any(OneOrMore)
    }
}

impl JsonSchema for Ends {
    inline_schema!();

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = End::ALL.iter().map(|end| end.as_str()).collect();
        let word = serde_json::json!({ "type": "string", "enum": words });
        json_schema!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] })
    }
}

/// One of the words of a [`Choice`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<T>(pub(super) T);

impl<'de, T: Choice> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text(d, |text| T::of_word(text).map(Self))
    }
}

impl<T: Choice> JsonSchema for Word<T> {
    inline_schema!();

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

/// A whole number within bounds, both of them allowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<const MIN: u32, const MAX: u32>(pub(super) u32);

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(d)?;
        let within = u32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        within
            .map(Self)
            .ok_or_else(|| D::Error::custom(both(&outside(number, MIN.into(), MAX.into()))))
    }
}

/// What is said of a number that is not allowed.
pub(super) fn outside(number: impl Display, min: i64, max: i64) -> Say {
    say!("{number} is not within {min} to {max}", "{number} 不在 {min} 到 {max} 之间")
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Whole<MIN, MAX> {
    inline_schema!();

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A length of time: "90s", "10m", "24h", "30d".
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(pub(super) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text(d, |text| values::duration(text).map(Self))
    }
}

impl JsonSchema for Time {
    inline_schema!();

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+[smhd]$" })
    }
}

/// A size: "64KiB", "256MiB", "1GiB".
#[derive(Debug, Clone, Copy)]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text(d, |text| values::size(text).map(Self))
    }
}

impl JsonSchema for Size {
    inline_schema!();

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+[KMG]iB$" })
    }
}

/// A path; a relative one starts at the directory of station.toml.
#[derive(Debug)]
pub(super) struct FilePath(String);

impl FilePath {
    /// The path, absolute where `dir` is.
    pub(super) fn under(&self, dir: &Path) -> PathBuf {
        dir.join(&self.0)
    }
}

/// A path of nothing.
#[derive(Debug, thiserror::Error)]
#[error("the path is empty")]
struct EmptyPath;

impl Told for EmptyPath {
    fn chinese(&self) -> Option<String> {
        Some("路径是空的".to_owned())
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text(d, |text| match text {
            "" => Err(EmptyPath),
            text => Ok(Self(text.to_owned())),
        })
    }
}

impl JsonSchema for FilePath {
    inline_schema!();

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// Where a path may be given and is.
pub(super) fn under(path: Option<FilePath>, dir: &Path) -> Option<PathBuf> {
    path.map(|path| path.under(dir))
}

/// A length of time, or its default.
pub(super) fn time_or(time: Option<Time>, default: Duration) -> Duration {
    time.map_or(default, |time| time.0)
}
