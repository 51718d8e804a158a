//! What the vault holds, wipes and hides, looked at from outside where that is possible.
