//! The parts of a template that was read.

use super::error::TemplateError;
use super::pieces::{Form, Spot};
use super::writing::Writing;

/// One part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// It is sent as it is.
    Literal(String),
    /// A value, and how it is written here.
    Value(Spot, Writing),
}

/// Refuses a place that is to be drawn where the printer draws its symbols itself.
pub(super) fn no_picture(spot: Spot, what: &str) -> Result<Spot, TemplateError> {
    match spot.form {
        Form::Drawn(symbol) => Err(spot.refuse(format!(
            "{what} has no pictures, so no place is drawn as {symbol}: that is for SVG"
        ))),
        Form::Whole | Form::First(_) => Ok(spot),
    }
}
