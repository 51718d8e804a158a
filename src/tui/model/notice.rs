//! What was refused, failed or warned of: shown until somebody has seen it, and kept for as
//! long as the screen runs.

use std::collections::VecDeque;

use crate::domain::clock::Timestamp;
use crate::domain::device::Fault;
use crate::domain::ids::SlotName;

/// How many wait to be seen; older ones are among those of the session.
const UNSEEN: usize = 50;

/// How many of a session are kept: far more than a shift has.
const KEPT: usize = 20_000;

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// A scan was not accepted.
    Refused,
    /// A unit was not done.
    Fail,
    /// A unit must not leave the line.
    Hold,
    /// Something that stops nothing.
    Warning,
}

/// One refusal, failure or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) at: Timestamp,
    /// The label, where it is about one; untrusted.
    pub(crate) serial: Option<String>,
    pub(crate) slot: Option<SlotName>,
    pub(crate) fault: Fault,
    pub(crate) kind: NoticeKind,
}

impl Notice {
    fn says_the_same(&self, other: &Notice) -> bool {
        let said = |notice: &Notice| Notice { at: self.at, ..notice.clone() };
        said(self) == said(other)
    }
}

/// Those of the session, and those that nobody has seen yet; the newest last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Notices {
    unseen: VecDeque<Notice>,
    all: VecDeque<Notice>,
}

impl Notices {
    /// Shows it until it is seen.
    pub(crate) fn push(&mut self, notice: Notice) {
        self.keep(notice.clone());
        if self.unseen.back().is_some_and(|last| last.says_the_same(&notice)) {
            return;
        }
        if self.unseen.len() == UNSEEN {
            self.unseen.pop_front();
        }
        self.unseen.push_back(notice);
    }

    /// Keeps it among those of the session; it is shown elsewhere.
    pub(crate) fn keep(&mut self, notice: Notice) {
        if self.all.len() == KEPT {
            self.all.pop_front();
        }
        self.all.push_back(notice);
    }

    /// The one to show: the newest.
    pub(crate) fn shown(&self) -> Option<&Notice> {
        self.unseen.back()
    }

    /// How many wait to be seen.
    pub(crate) fn len(&self) -> usize {
        self.unseen.len()
    }

    /// All of the session, the newest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Notice> {
        self.all.iter().rev()
    }

    /// How many scans were refused since then.
    pub(crate) fn refused_since(&self, from: Timestamp) -> u64 {
        let since = self.all().take_while(|notice| notice.at >= from);
        since.filter(|notice| notice.kind == NoticeKind::Refused).fold(0, |count, _| count + 1)
    }

    /// What is shown was seen: a unit to keep by itself, and refusals and warnings together.
    /// The unit that was to be kept, or false where nothing was shown.
    pub(crate) fn seen(&mut self) -> Option<Notice> {
        let shown = self.unseen.pop_back()?;
        if shown.kind != NoticeKind::Hold {
            self.unseen.retain(|notice| notice.kind == NoticeKind::Hold);
        }
        Some(shown)
    }

    /// A unit need not be kept any more.
    pub(crate) fn settle(&mut self, serial: &str) {
        let is_its = |notice: &Notice| notice.serial.as_deref() == Some(serial);
        self.unseen.retain(|notice| notice.kind != NoticeKind::Hold || !is_its(notice));
    }
}
