//! What stands over a page and wants an answer.

use std::time::Duration;

use super::form::{Form, Menu};

/// A dialog takes keys only so long after it was drawn: whoever was typing when it came up
/// did not mean it.
const DIALOG_DELAY: Duration = Duration::from_millis(300);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DialogKind {
    /// Whether to leave although units are being worked on.
    Quit,
    /// The line stopped by itself; the reason is in the model.
    Stopped,
    /// Something that a person decides.
    Form(Form),
    /// What can be done here.
    Menu(Menu),
}

/// One dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialog {
    pub(crate) kind: DialogKind,
    /// When it was first drawn.
    pub(crate) drawn: Option<Duration>,
}

impl Dialog {
    pub(crate) const fn new(kind: DialogKind) -> Self {
        Self { kind, drawn: None }
    }

    /// Whether a key at this time was meant for it.
    pub(crate) fn takes_keys(&self, at: Duration) -> bool {
        self.drawn.is_some_and(|drawn| at >= drawn + DIALOG_DELAY)
    }
}
