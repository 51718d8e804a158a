//! A label on its way, and what became of it.

use crate::domain::labelling::Delivery;
use crate::domain::print::Language;

use super::error::PrinterError;

/// A label on its way.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// What it is called, where somebody sees it: in a queue, or as a file.
    pub name: &'a str,
    /// What its bytes are written in.
    pub language: Language,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What came of sending.
#[derive(Debug)]
pub struct Sent {
    /// What became of the bytes.
    pub delivery: Delivery,
    /// What was in the way.
    pub trouble: Option<PrinterError>,
}

impl Sent {
    pub(super) fn all() -> Self {
        Self { delivery: Delivery::Sent, trouble: None }
    }

    pub(super) fn none(trouble: PrinterError) -> Self {
        Self { delivery: Delivery::NotSent, trouble: Some(trouble) }
    }

    pub(super) fn unclear(trouble: PrinterError) -> Self {
        Self { delivery: Delivery::Unclear, trouble: Some(trouble) }
    }

    /// After a write that failed: nobody can tell once the first byte has left.
    pub(super) fn after(taken: usize, trouble: PrinterError) -> Self {
        match taken {
            0 => Self::none(trouble),
            _ => Self::unclear(trouble),
        }
    }
}
