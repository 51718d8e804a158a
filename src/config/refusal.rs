//! Why a value that reads well is refused, by its bytes in the file.
//!
//! Whoever checks a value knows neither its line nor the path of its key;
//! [`explain`](super::explain) finds both from the bytes.

use std::ops::Range;

use crate::domain::label::PatternError;
use crate::domain::say::Say;

/// A refusal without its place in words.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A value that is not allowed.
    Value {
        /// Where it stands.
        span: Range<usize>,
        /// What is wrong with it.
        why: Say,
    },
    /// A key that another one makes necessary.
    Absent {
        /// The section that lacks it.
        section: Range<usize>,
        /// The key.
        key: &'static str,
    },
    /// A pattern that does not compile.
    Pattern {
        /// Where it stands.
        span: Range<usize>,
        /// Why it does not.
        source: PatternError,
    },
    /// What stands there already.
    Twice {
        /// Where it stands the second time.
        span: Range<usize>,
        /// Where it stood first.
        first: Range<usize>,
        /// The port or name.
        what: String,
    },
}
