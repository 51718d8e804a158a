//! `[[scanner.label]]`: the rules by which labels are read.

use crate::domain::cause::Told;
use crate::say;

use super::kinds::{Placed, Section};
use super::raw;
use super::refusal::Refusal;
use super::words::LabelForm;
use crate::domain::scan::{Form, Rule, Template};

/// The place of a text that names the device.
const DEVICE: &str = "hardware_id";

/// The application identifier of a serial.
const SERIAL: &str = "21";

/// Checks the rules, in the order of the file.
pub(super) fn rules(raw: Vec<Section<raw::Label>>) -> Result<Vec<Rule>, Refusal> {
    raw.into_iter().map(rule).collect()
}

fn rule(raw: Section<raw::Label>) -> Result<Rule, Refusal> {
    let (form, serial) = match raw.keys().form.0 {
        LabelForm::Gs1 => (Form::Gs1, named(&raw.keys().serial).unwrap_or(SERIAL)),
        LabelForm::Link => (Form::Link, link_serial(raw.keys())?),
        LabelForm::Json => {
            let serial = named(&raw.keys().serial).ok_or_else(|| raw.lacks("serial"))?;
            (Form::Json, serial)
        }
        LabelForm::Text => (Form::Text(template(&raw)?), "serial"),
    };
    refuse_foreign(raw.keys())?;
    let has_device = matches!(&form, Form::Text(template) if template.has(DEVICE));
    let rule =
        Rule::new(form, serial).map_err(|error| at(&raw, raw.keys().serial.as_ref(), error))?;
    let device = named(&raw.keys().hardware_id).or(has_device.then_some(DEVICE));
    let rule = match device {
        Some(device) => rule
            .with_hardware_id(device)
            .map_err(|error| at(&raw, raw.keys().hardware_id.as_ref(), error))?,
        None => rule,
    };
    require(rule, raw.keys())
}

fn named(key: &Option<Placed<String>>) -> Option<&str> {
    key.as_ref().map(|name| name.value().as_str())
}

fn link_serial(raw: &raw::Label) -> Result<&str, Refusal> {
    match (&raw.serial, &raw.query) {
        (Some(_), Some(query)) => Err(query.refuse(say!(
            "the serial has a place already, `serial`",
            "序列号的位置已由 `serial` 指定"
        ))),
        (serial, query) => Ok(named(query).or_else(|| named(serial)).unwrap_or(SERIAL)),
    }
}

fn template(raw: &Section<raw::Label>) -> Result<Template, Refusal> {
    let text = raw.keys().text.as_ref().ok_or_else(|| raw.lacks("text"))?;
    text.value().parse().map_err(|error| text.refuse_as(&error))
}

/// Keys that another form has.
fn refuse_foreign(raw: &raw::Label) -> Result<(), Refusal> {
    let form = raw.form.0;
    let foreign = [
        (
            &raw.text,
            form != LabelForm::Text,
            say!("only form = \"text\" has a text", "只有 form = \"text\" 有 text"),
        ),
        (
            &raw.query,
            form != LabelForm::Link,
            say!("only form = \"link\" has a query", "只有 form = \"link\" 有 query"),
        ),
        (
            &raw.serial,
            form == LabelForm::Text,
            say!(
                "a text names the serial by its place {{serial}}",
                "text 用 {{serial}} 标出序列号的位置"
            ),
        ),
    ];
    let found = foreign.iter().find_map(|(key, is_foreign, why)| {
        key.as_ref().filter(|_| *is_foreign).map(|key| key.refuse(why.clone()))
    });
    found.map_or(Ok(()), Err)
}

fn require(rule: Rule, raw: &raw::Label) -> Result<Rule, Refusal> {
    let Some(required) = &raw.require else { return Ok(rule) };
    required.value().iter().try_fold(rule, |rule, (name, value)| {
        rule.with_required(name, value).map_err(|error| required.refuse_as(&error))
    })
}

/// An error at the key that caused it, otherwise at the rule.
fn at(raw: &Section<raw::Label>, key: Option<&Placed<String>>, error: impl Told) -> Refusal {
    key.map_or_else(|| raw.refuse_as(&error), |key| key.refuse_as(&error))
}
