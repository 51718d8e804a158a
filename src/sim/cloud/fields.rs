//! The body of a request, read strictly: what an action does not define is refused, and so is
//! what it demands and does not get.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// A request's fields.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body; `known` are all the fields that the action has.
    pub(super) fn read(body: &[u8], known: &[&str]) -> Result<Self, Refusal> {
        let parsed: Value = serde_json::from_slice(body)
            .map_err(|error| Refusal::new("InvalidParameter", format!("no JSON: {error}")))?;
        let Value::Object(fields) = parsed else {
            return Err(Refusal::new("InvalidParameter", "the body is no JSON object"));
        };
        match fields.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let why = format!("the parameter {name} is not recognized");
                Err(Refusal::new("UnknownParameter", why))
            }
            None => Ok(Self(fields)),
        }
    }

    /// A text that may be left out; an empty one counts as left out.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(wrong_type(name, "a string")),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?.ok_or_else(|| Refusal::missing(name))
    }

    /// A whole number that may be left out.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => {
                value.as_i64().map(Some).ok_or_else(|| wrong_type(name, "a whole number"))
            }
        }
    }

    /// A truth value that may be left out.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| wrong_type(name, "a boolean")),
        }
    }

    /// A list of objects that may be left out.
    pub(super) fn list(&self, name: &str) -> Result<&[Value], Refusal> {
        match self.0.get(name) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(wrong_type(name, "a list")),
        }
    }
}

pub(super) fn wrong_type(name: &str, wanted: &str) -> Refusal {
    Refusal::new("InvalidParameter", format!("{name} must be {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["InstanceId", "Limit", "Filters"];

    fn code(body: &str) -> &'static str {
        Fields::read(body.as_bytes(), KNOWN).map_or_else(|refusal| refusal.code, |_| "")
    }

    #[test]
    fn what_an_action_does_not_define_is_refused() {
        assert_eq!(code(r#"{"InstanceId":"x"}"#), "");
        assert_eq!(code(r#"{"InstanceId":"x","ClientToken":"y"}"#), "UnknownParameter");
        assert_eq!(code("[]"), "InvalidParameter");
        assert_eq!(code("InstanceId=x"), "InvalidParameter");
    }

    #[test]
    fn a_field_of_the_wrong_type_is_refused() {
        let body = r#"{"InstanceId":7,"Limit":"7","Filters":{}}"#;
        let fields = Fields::read(body.as_bytes(), KNOWN).unwrap();
        assert_eq!(fields.text("InstanceId").unwrap_err().code, "InvalidParameter");
        assert_eq!(fields.number("Limit").unwrap_err().code, "InvalidParameter");
        assert_eq!(fields.list("Filters").unwrap_err().code, "InvalidParameter");
    }

    #[test]
    fn an_empty_text_counts_as_left_out() {
        let fields = Fields::read(br#"{"InstanceId":""}"#, KNOWN).unwrap();
        assert_eq!(fields.required("InstanceId").unwrap_err().code, "MissingParameter");
        assert_eq!(fields.number("Limit"), Ok(None));
    }
}
