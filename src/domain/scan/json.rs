//! JSON objects: `{"SN":"TH200-1","MAC":"00155D01A2B3"}`. Members of inner objects are named
//! with dots, `device.sn`. Nothing is lost of a name that stands there twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::fields::{Fields, Misfit};

/// A value with all of its members.
enum Value {
    Object(Vec<(String, Value)>),
    Text(String),
    /// Nothing that could name anything.
    Other,
}

/// The members of an object that are texts or whole numbers.
pub(super) fn read(text: &str) -> Result<Fields, Misfit> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let at = byte_of(text, error.line(), error.column());
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        Misfit::at(text, at, format!("it is not JSON: {what}"))
    })?;
    let Value::Object(members) = value else {
        return Err(Misfit::at(text, 0, "a JSON object is expected"));
    };
    let mut fields = Fields::default();
    flatten("", members, &mut fields);
    Ok(fields)
}

fn flatten(before: &str, members: Vec<(String, Value)>, fields: &mut Fields) {
    for (name, value) in members {
        let name = format!("{before}{name}");
        match value {
            Value::Text(text) => fields.push(&name, &text),
            Value::Object(inner) => flatten(&format!("{name}."), inner, fields),
            Value::Other => {}
        }
    }
}

fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column.saturating_sub(1)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    // A number that was rounded is nobody's serial.
    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<Value>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, name: &str) -> Vec<String> {
        read(text).unwrap().values(name).map(str::to_owned).collect()
    }

    #[test]
    fn members_are_fields_and_inner_ones_have_dots() {
        let text =
            r#"{ "SN" : "TH200-1", "n": 42, "device": {"mac": "00155D"}, "x": [1], "y": null }"#;
        assert_eq!(values(text, "SN"), ["TH200-1"]);
        assert_eq!(values(text, "n"), ["42"]);
        assert_eq!(values(text, "device.mac"), ["00155D"]);
        assert!(values(text, "x").is_empty());
    }

    #[test]
    fn a_name_that_stands_twice_gives_two_values() {
        assert_eq!(values(r#"{"SN":"A","SN":"B"}"#, "SN"), ["A", "B"]);
    }

    #[test]
    fn a_number_that_would_be_rounded_is_no_value() {
        assert!(values(r#"{"SN":123456789012345678901234567890}"#, "SN").is_empty());
        assert!(values(r#"{"SN":1.5,"T":-1}"#, "T").is_empty());
    }

    #[test]
    fn what_is_not_json_says_where() {
        let misfit = |text| read(text).unwrap_err().to_string();
        assert_eq!(misfit("TH200-1"), "character 1: it is not JSON: expected value");
        assert!(misfit(r#"{"SN":"A"} x"#).starts_with("character 12: it is not JSON: trailing"));
        assert_eq!(misfit("[1]"), "character 1: a JSON object is expected");
        assert!(misfit("").contains("EOF"));
    }
}
