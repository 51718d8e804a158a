//! What is printed: a template, the values that go into it, and the bytes for a printer.
//!
//! A template belongs to the factory and stays as it is; a value belongs to a unit, and is
//! written so that the printer takes each of its characters for itself ([`Template`]). A
//! place at which no value can be written safely is refused when station.toml is read.
//!
//! All of it is pure: the same unit gives the same bytes, today and in a year, so that a
//! reprint can be held against the first print. Sending is the module `printer`'s.

mod card;
mod code128;
mod design;
mod error;
mod language;
mod layout;
mod parts;
mod pieces;
mod place;
mod quoted;
mod svg;
mod symbol;
mod writing;
mod zpl;

pub use card::{Card, card};
pub use design::{Design, Facts, Printed};
pub use error::{PrintError, TemplateError};
pub use language::Language;
pub use layout::Template;
pub use place::{PlaceError, PrinterPlace};

#[cfg(test)]
mod tests;
