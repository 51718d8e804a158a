//! The parts of a template that was read.

use super::error::TemplateError;
use super::pieces::{Form, Spot};
use super::writing::Writing;
use crate::say;
use crate::say::Say;

/// One part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// It is sent as it is.
    Literal(String),
    /// A value, and how it is written here.
    Value(Spot, Writing),
}

/// Refuses a place that is to be drawn where the printer draws its symbols itself.
pub(super) fn no_picture(spot: Spot, what: &Say) -> Result<Spot, TemplateError> {
    match spot.form {
        Form::Drawn(symbol) => {
            let Say { english, chinese } = what;
            Err(spot.refuse(say!(
                "{english} has no pictures, so no place is drawn as {symbol}: that is for SVG",
                "{chinese}没有图形，{symbol} 不能画在这里：那是 SVG 的"
            )))
        }
        Form::Whole | Form::First(_) => Ok(spot),
    }
}
