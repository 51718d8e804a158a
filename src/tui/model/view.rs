//! The pages of the screen.

/// Which page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The slots.
    Line,
    /// Attempts, searched and filtered.
    History,
    /// One unit's whole story.
    Unit,
    /// The units that must be kept.
    Kept,
    /// How the last units of one slot ended.
    Slot,
    /// Yield, codes, slots.
    Statistics,
    /// The registrations at the cloud.
    Sync,
    /// The checks before a shift.
    Checks,
    /// The last lines of the log.
    Log,
    /// station.toml.
    Settings,
    /// The keys.
    Help,
}
