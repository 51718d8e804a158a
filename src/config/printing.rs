//! `[label]`: what is printed for a finished unit, and where.

use crate::domain::cause::cause;
use crate::say;
use std::path::Path;

use super::kinds::Placed;
use super::raw;
use super::refusal::Refusal;
use super::words::{PrintVerify, PrintWhen};
use crate::domain::bounds;
use crate::domain::print::{Design, Language, PrinterPlace, Template};

/// What the code on a label says where nothing is set.
const SERIAL: &str = "{serial}";

/// `[label]`
#[derive(Debug, Clone)]
pub struct LabelSettings {
    /// Where labels are sent.
    pub printer: PrinterPlace,
    /// How they look.
    pub design: Design,
    /// When they are sent.
    pub when: PrintWhen,
    /// How it is found out whether they are right.
    pub verify: PrintVerify,
}

pub(super) fn printing(raw: raw::Printing, dir: &Path) -> Result<LabelSettings, Refusal> {
    let printer = PrinterPlace::parse(raw.printer.value(), dir);
    let (text, of_name) = text(&raw.template, dir)?;
    let named = raw.language.map(|word| word.0);
    let language = named.or(of_name).unwrap_or_else(|| Language::of(&text));
    let template =
        Template::parse(&text, language).map_err(|error| raw.template.refuse_as(&error))?;
    let qr = raw.qr.as_ref().map_or(SERIAL, |qr| qr.value().as_str());
    let design = Design::new(template, qr)
        .map_err(|error| raw.qr.as_ref().unwrap_or(&raw.template).refuse_as(&error))?;
    Ok(LabelSettings {
        printer: printer.map_err(|error| raw.printer.refuse_as(&error))?,
        design,
        when: raw.when.map_or(PrintWhen::Never, |word| word.0),
        verify: raw.verify.map_or(PrintVerify::None, |word| word.0),
    })
}

/// The template's text, and the language that its file's name tells. A text with a place or
/// a line end is the template itself; no file is called so.
fn text(template: &Placed<String>, dir: &Path) -> Result<(String, Option<Language>), Refusal> {
    let found = template.value();
    if found.contains(['{', '\n']) {
        return Ok((found.clone(), None));
    }
    if found.is_empty() {
        return Err(template.refuse(say!("the template is empty", "模板是空的")));
    }
    let path = dir.join(found);
    let text = bounds::read_text_file(&path, bounds::SETTINGS);
    let text = text.map_err(|error| {
        template.refuse(
            say!("the template {} can't be read", "模板 {} 无法读取", path.display())
                .then(&cause(&error)),
        )
    })?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let of_ending = |language: &&Language| language.as_str().eq_ignore_ascii_case(ending);
    let language = Language::ALL.iter().find(of_ending).copied();
    let is_text = ending.eq_ignore_ascii_case("txt");
    Ok((text, language.or(is_text.then_some(Language::Text))))
}
