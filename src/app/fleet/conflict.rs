//! A conflict as the page shows it.

use crate::fleet::Conflict;
use crate::report::FleetConflict;

/// A fork is told by its station: the hash says nothing to a person.
pub(super) fn shown(conflict: Conflict) -> FleetConflict {
    let (kind, detail) = (conflict.kind_said(), conflict.said());
    let value = match conflict.kind.as_str() {
        "fork" => conflict.holder.split('/').next().unwrap_or_default().to_owned(),
        _ => conflict.value,
    };
    let (id, noticed, settled) = (conflict.id, conflict.noticed, conflict.settled);
    FleetConflict { id, kind, value, detail, noticed, settled }
}
