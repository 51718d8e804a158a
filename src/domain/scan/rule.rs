//! One rule of `[[scanner.label]]`: how a label is written, and which of its fields matter.

use std::fmt;

use crate::cause::Told;
use crate::ids::HardwareId;

use super::case::LetterCase;
use super::fields::{Fields, Misfit};
use super::template::Template;
use super::{gs1, gs1_table, json, link};

/// How a label is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A GS1 element string.
    Gs1,
    /// A URL: a GS1 Digital Link, or one with the serial among its parameters.
    Link,
    /// A JSON object.
    Json,
    /// A text with places for values.
    Text(Template),
}

impl Form {
    /// The word in station.toml.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Form::Gs1 => "gs1",
            Form::Link => "link",
            Form::Json => "json",
            Form::Text(_) => "text",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Text(template) => write!(f, "text {:?}", template.to_string()),
            other => f.write_str(other.as_str()),
        }
    }
}

/// A rule that can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A name that is no application identifier.
    #[error("{0:?} is no application identifier of GS1, such as \"01\" or \"21\"")]
    Identifier(String),
    /// A name for which a text has no place.
    #[error("{0:?} has no place {{{0}}} in the text")]
    Place(String),
    /// An empty name.
    #[error("the name of a field is empty")]
    Empty,
}

impl Told for RuleError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Identifier(text) => {
                format!("{text:?} 不是 GS1 应用标识符，例如 \"01\" 或 \"21\"")
            }
            Self::Place(name) => format!("text 中没有 {name:?} 的位置 {{{name}}}"),
            Self::Empty => "字段名是空的".to_owned(),
        })
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    form: Form,
    serial: String,
    hardware_id: Option<String>,
    require: Vec<(String, String)>,
}

/// What a text says by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fit {
    pub(super) fields: Fields,
    /// What stands where the serial is to be; two where the label says two.
    pub(super) serials: Vec<String>,
    /// Serials of other readings, where separators are missing.
    pub(super) hidden: Vec<String>,
    /// The device that the label is for.
    pub(super) hardware: Option<HardwareId>,
    /// A required field with another value: its name, what is required, what was found.
    pub(super) other: Option<(String, String, String)>,
}

impl Rule {
    /// A rule of this form whose serial stands in the field `serial`.
    pub fn new(form: Form, serial: &str) -> Result<Self, RuleError> {
        let rule = Self { form, serial: serial.to_owned(), hardware_id: None, require: Vec::new() };
        rule.knows(serial)?;
        Ok(rule)
    }

    /// The same, with the field that names the device.
    pub fn with_hardware_id(mut self, field: &str) -> Result<Self, RuleError> {
        self.knows(field)?;
        self.hardware_id = Some(field.to_owned());
        Ok(self)
    }

    /// The same, for labels whose field has this value alone.
    pub fn with_required(mut self, field: &str, value: &str) -> Result<Self, RuleError> {
        self.knows(field)?;
        self.require.push((field.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// How its labels are written.
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// Whether its labels name their device.
    pub fn names_device(&self) -> bool {
        self.hardware_id.is_some()
    }

    /// Whether a label by this rule may have several lines.
    pub(super) fn reads_lines(&self) -> bool {
        match &self.form {
            Form::Json => true,
            Form::Text(template) => template.has_lines(),
            Form::Gs1 | Form::Link => false,
        }
    }

    fn knows(&self, field: &str) -> Result<(), RuleError> {
        match &self.form {
            _ if field.is_empty() => Err(RuleError::Empty),
            Form::Gs1 if !gs1_table::is_identifier(field) => {
                Err(RuleError::Identifier(field.to_owned()))
            }
            Form::Text(template) if !template.has(field) => Err(RuleError::Place(field.to_owned())),
            _ => Ok(()),
        }
    }

    /// What a text says by this rule; several where its form has several readings of it.
    pub(super) fn read(&self, text: &str, case: LetterCase) -> Result<Vec<Fit>, Misfit> {
        let one = |fields| vec![(fields, Vec::new())];
        let readings = match &self.form {
            Form::Gs1 => {
                let elements = gs1::read(text, &self.serial)?;
                vec![(elements.fields, elements.hidden)]
            }
            Form::Link => one(link::read(text)?),
            Form::Json => one(json::read(text)?),
            Form::Text(template) => {
                let readings = template.read(text, case)?;
                readings.into_iter().map(|fields| (fields, Vec::new())).collect()
            }
        };
        readings.into_iter().map(|(fields, hidden)| self.fit(fields, hidden, case)).collect()
    }

    fn fit(&self, fields: Fields, hidden: Vec<String>, case: LetterCase) -> Result<Fit, Misfit> {
        let values = |name: &str| distinct(case.values(&fields, name).map(str::to_owned));
        let serials: Vec<String> = distinct(values(&self.serial).iter().map(|s| case.of(s)));
        let hidden: Vec<String> = hidden.iter().map(|serial| case.of(serial)).collect();
        let other = self.require.iter().find_map(|(name, wanted)| {
            let found = values(name);
            let differs = found.iter().find(|value| !is_same(name, value, wanted));
            differs.map(|value| (name.clone(), wanted.clone(), value.clone()))
        });
        let absent = |name: &String| values(name).is_empty();
        // Where separators are missing, nobody knows what else the text has.
        if hidden.is_empty() {
            let mut wanted = self.require.iter().map(|(name, _)| name).chain(&self.hardware_id);
            if absent(&self.serial) {
                return Err(Misfit::whole(format!("it has no {}, the serial", self.serial)));
            }
            if let Some(name) = wanted.find(|name| absent(name)) {
                return Err(Misfit::whole(format!("it has no {name}")));
            }
        }
        let hardware = match self.hardware_id.as_ref().map(|name| (name, values(name))) {
            Some((name, found)) if !found.is_empty() => Some(one_device(name, &found)?),
            _ => None,
        };
        Ok(Fit { fields, serials, hidden, hardware, other })
    }
}

pub(super) fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    values.for_each(|value| {
        if !all.contains(&value) {
            all.push(value);
        }
    });
    all
}

/// Trade item numbers are one number with 8, 12, 13 or 14 digits; everything else is a text.
fn is_same(name: &str, found: &str, wanted: &str) -> bool {
    let is_item = matches!(name, "01" | "02" | "03");
    let padded = |number: &str| format!("{number:0>14}");
    found == wanted || is_item && padded(found) == padded(wanted)
}

fn one_device(name: &str, found: &[String]) -> Result<HardwareId, Misfit> {
    let devices: Result<Vec<_>, _> =
        found.iter().map(|text| HardwareId::from_label(text)).collect();
    let mut devices = devices.map_err(|error| Misfit::whole(format!("{name}: {error}")))?;
    devices.dedup();
    match devices.pop() {
        Some(device) if devices.is_empty() => Ok(device),
        _ => Err(Misfit::whole(format!("it has two devices as {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serials(rule: &Rule, text: &str) -> Vec<String> {
        rule.read(text, LetterCase::Keep).unwrap().remove(0).serials
    }

    #[test]
    fn a_rule_names_fields_that_its_form_can_have() {
        assert!(Rule::new(Form::Gs1, "21").is_ok());
        assert_eq!(Rule::new(Form::Gs1, "SN"), Err(RuleError::Identifier("SN".to_owned())));
        let text = || Form::Text("SN:{serial}".parse().unwrap());
        assert!(Rule::new(text(), "serial").is_ok());
        assert_eq!(
            Rule::new(text(), "serial").unwrap().with_hardware_id("MAC").unwrap_err().to_string(),
            "\"MAC\" has no place {MAC} in the text"
        );
    }

    #[test]
    fn a_trade_item_is_the_same_with_leading_zeros() {
        let rule = Rule::new(Form::Gs1, "21").unwrap();
        let rule = rule.with_required("01", "9506000134352").unwrap();
        let fit = rule.read("(01)09506000134352(21)A", LetterCase::Keep).unwrap().remove(0);
        assert_eq!(fit.other, None);
        let fit = rule.read("(01)09506000149301(21)A", LetterCase::Keep).unwrap().remove(0);
        assert_eq!(fit.other.unwrap().2, "09506000149301");
    }

    #[test]
    fn a_device_is_read_with_and_without_separators() {
        let wanted: HardwareId = "00155d01a2b3".parse().unwrap();
        for text in ["00:15:5D:01:A2:B3", "00-15-5d-01-a2-b3", "0015.5d01.a2b3", "00155D01A2B3"] {
            assert_eq!(HardwareId::from_label(text).unwrap(), wanted, "{text}");
        }
        assert!(HardwareId::from_label("00:00:00:00:00:00").is_err());
        assert!(HardwareId::from_label("TH200").is_err());
    }

    #[test]
    fn two_values_of_one_name_are_two_serials() {
        let rule = Rule::new(Form::Gs1, "21").unwrap();
        assert_eq!(serials(&rule, "(21)A(10)L(21)B"), ["A", "B"]);
        assert_eq!(serials(&rule, "(21)A(10)L(21)A"), ["A"]);
    }
}
