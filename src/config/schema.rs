//! The JSON Schema of station.toml, for editors and for what an error says was wanted.
//!
//! It is made of the structs in [`raw`](super::raw). It says what each key alone may be; what
//! hangs on two keys, or on a pattern that has to compile, only the checks know.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;
use toml::de::DeTable;

use super::place::{KeyPath, Step};
use super::raw;

/// The schema of the whole file, draft 7, which the editors' TOML plugins know.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(without_null));
    settings.into_generator().into_root_schema_for::<raw::File>().to_value()
}

/// TOML has no null: what may be left out is left out.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
}

/// What may stand at one place.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a>(pub(super) &'a Value);

impl<'a> Wanted<'a> {
    /// What may stand at the end of a way from here.
    pub(super) fn at(self, path: &KeyPath) -> Option<Self> {
        path.0.iter().try_fold(self, |wanted, step| match step {
            Step::Key(key) => wanted.key(key),
            Step::Item(_) => wanted.item(),
        })
    }

    /// The value of a key of this table.
    pub(super) fn key(self, key: &str) -> Option<Self> {
        self.0.get("properties")?.get(key).map(Self)
    }

    /// An item of this list.
    pub(super) fn item(self) -> Option<Self> {
        self.0.get("items").map(Self)
    }

    /// Its type as JSON Schema calls it.
    pub(super) fn kind(self) -> &'a str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// The least and the greatest number that this one may be.
    pub(super) fn bounds(self) -> Option<(i64, i64)> {
        Some((self.0.get("minimum")?.as_i64()?, self.0.get("maximum")?.as_i64()?))
    }

    /// The keys that this table may have.
    pub(super) fn keys(self) -> Vec<&'a str> {
        let properties = self.0.get("properties").and_then(Value::as_object);
        properties.into_iter().flat_map(|keys| keys.keys().map(String::as_str)).collect()
    }

    /// The keys that this table must have.
    pub(super) fn required(self) -> impl Iterator<Item = &'a str> {
        let required = self.0.get("required").and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The first key that `table` must have and has not.
    pub(super) fn missing_in(self, table: &DeTable<'_>) -> Option<&'a str> {
        self.required().find(|wanted| table.keys().all(|key| key.get_ref() != wanted))
    }

    /// A line that sets a key of this table.
    pub(super) fn line(self, key: &str) -> String {
        let example = self.key(key).and_then(|wanted| wanted.0.get("examples")?.get(0));
        example.map_or_else(|| key.to_owned(), |example| format!("{key} = {example}"))
    }
}
