//! What a mouse did, and where.

/// A press or a turn of a mouse, at this column and line from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What it was.
    pub kind: MouseKind,
    /// Columns from the left.
    pub column: u16,
    /// Lines from the top.
    pub row: u16,
}

/// What a mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    /// The left button went down.
    Press,
    /// The wheel was turned away from its user.
    WheelUp,
    /// The wheel was turned towards its user.
    WheelDown,
}
