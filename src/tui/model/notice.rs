//! What was refused or warned of, kept until somebody has seen it.

use std::collections::VecDeque;

use crate::domain::device::Fault;
use crate::domain::ids::SlotName;

/// How many are kept; older ones go, since they are in the log and the ledger.
const KEPT: usize = 50;

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum NoticeKind {
    /// A scan was not accepted.
    Refused,
    /// A unit must not leave the line.
    Hold,
    /// Something that stops nothing.
    Warning,
}

/// One refusal or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Notice {
    /// The label, where it is about one; untrusted.
    pub(in crate::tui) serial: Option<String>,
    pub(in crate::tui) slot: Option<SlotName>,
    pub(in crate::tui) fault: Fault,
    pub(in crate::tui) kind: NoticeKind,
}

/// Those that nobody has seen yet, the newest last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Notices {
    unseen: VecDeque<Notice>,
}

impl Notices {
    pub(in crate::tui) fn push(&mut self, notice: Notice) {
        if self.unseen.back() == Some(&notice) {
            return;
        }
        if self.unseen.len() == KEPT {
            self.unseen.pop_front();
        }
        self.unseen.push_back(notice);
    }

    /// The one to show: the newest.
    pub(in crate::tui) fn shown(&self) -> Option<&Notice> {
        self.unseen.back()
    }

    pub(in crate::tui) fn len(&self) -> usize {
        self.unseen.len()
    }

    /// The one that is shown was seen. False where there was none.
    pub(in crate::tui) fn seen(&mut self) -> bool {
        self.unseen.pop_back().is_some()
    }
}
