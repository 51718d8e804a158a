//! How a product's labels look, and one unit's label.

use crate::ids::{ClientId, Fingerprint, Serial, WorkOrderId};

use super::error::{PrintError, TemplateError};
use super::language::Language;
use super::layout::Template;
use super::pieces::Field;

/// How a product's labels look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Design {
    template: Template,
    code: Template,
}

/// What is known of a finished unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The unit.
    pub serial: Serial,
    /// Its client id.
    pub client_id: ClientId,
    /// The fingerprint of the certificate that it proved.
    pub fingerprint: Fingerprint,
    /// Its lot, where there is one.
    pub work_order: Option<WorkOrderId>,
    /// The day on which it was proven, in the factory's time: 2026-01-05.
    pub date: String,
}

/// A label, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The bytes for the printer.
    pub bytes: Vec<u8>,
    /// What a scanner reads from it.
    pub code: String,
}

impl Design {
    /// A design of a template and what its code says.
    pub fn new(template: Template, code: &str) -> Result<Self, TemplateError> {
        Ok(Self { template, code: Template::of_code(code)? })
    }

    /// What its labels are written in.
    pub const fn language(&self) -> Language {
        self.template.language()
    }

    /// One unit's label.
    pub fn label(&self, facts: &Facts) -> Result<Printed, PrintError> {
        let fingerprint = facts.fingerprint.to_string();
        let value = |field| match field {
            Field::Serial => facts.serial.as_str(),
            Field::ClientId => facts.client_id.as_str(),
            Field::Fingerprint => fingerprint.as_str(),
            Field::WorkOrder => facts.work_order.as_ref().map_or("", WorkOrderId::as_str),
            Field::Date => facts.date.as_str(),
            Field::Qr | Field::Title | Field::Note => "",
        };
        let code = self.code.fill(value)?;
        let with_code = |field| match field {
            Field::Qr => code.as_str(),
            field => value(field),
        };
        let bytes = self.template.fill(with_code)?.into_bytes();
        // A label without the code is read by its serial.
        let code = match self.template.has_code() {
            true => code,
            false => facts.serial.as_str().to_owned(),
        };
        Ok(Printed { bytes, code })
    }
}
