//! One rule of the page, and how it is tried.

use firmware_interface::ids::Capabilities;

use super::bench::Bench;
use super::verdict::Checked;
use crate::domain::say::Phrase;

/// One rule of the page, and how it is tried.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) section: &'static str,
    pub(super) rule: Phrase,
    /// What the device must claim for it.
    pub(super) needs: Capabilities,
    pub(super) try_it: fn(&mut Bench<'_>) -> Checked,
}

/// A rule in English and Chinese, for every device.
pub(super) const fn check(
    name: &'static str,
    section: &'static str,
    rule: (&'static str, &'static str),
    try_it: fn(&mut Bench<'_>) -> Checked,
) -> Check {
    Check { name, section, rule: Phrase::of(rule), needs: Capabilities::NONE, try_it }
}

impl Check {
    /// The same, for devices that claim something optional.
    pub(super) const fn needs(self, needs: Capabilities) -> Self {
        Self { needs, ..self }
    }
}
