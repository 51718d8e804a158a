//! The last lines of the log, for a screen that stands where they would be printed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::pages::LogLine;

/// The most lines that are kept for a reader; of more, the oldest go.
const KEPT: usize = 500;

/// Lines that nobody has read yet. Every handle is the same book.
#[derive(Debug, Clone, Default)]
pub struct LogBook(Arc<Mutex<VecDeque<LogLine>>>);

impl LogBook {
    /// Adds a line.
    pub fn write(&self, line: LogLine) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Takes what has come since the last call.
    pub fn take(&self) -> Vec<LogLine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_book_that_nobody_reads_keeps_the_last_lines() {
        let book = LogBook::default();
        for number in 0..KEPT + 2 {
            let text = number.to_string();
            book.write(LogLine { at: Timestamp(0), level: "WARN", text });
        }
        let lines = book.take();
        assert_eq!((lines.len(), lines[0].text.as_str()), (KEPT, "2"));
        assert!(book.take().is_empty());
    }
}
