//! How far long work is, as a line on a terminal that the next one overwrites.
//!
//! It goes to standard error, is drawn a few times a second at most, and is taken away before
//! anything else is printed and when the work ends.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::domain::say::Say;
use crate::say;
use crate::text;

use super::language::language;

/// How often it is drawn anew.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// Before that much time went by, nobody can say how long the rest takes.
const FIRST_GUESS: Duration = Duration::from_secs(2);

/// Whether a person watches standard error, and nothing else draws there.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Says whether progress may be drawn from here on: not for programs, and not under a screen.
pub fn watch(wanted: bool) {
    WATCHED.store(wanted, Ordering::Relaxed);
}

/// Whether it may.
pub fn is_watched() -> bool {
    WATCHED.load(Ordering::Relaxed)
}

/// A line that says how far something is.
pub struct Progress {
    /// None where nobody watches.
    out: Option<Box<dyn Write>>,
    begun: Instant,
    drawn: Option<Instant>,
    /// What stands on the terminal now ends in mid-line.
    stands: bool,
}

impl Progress {
    /// One on standard error, where that is a terminal and it is wanted.
    pub fn on_terminal(wanted: bool) -> Self {
        let shown = wanted && io::stderr().is_terminal();
        Self::to(shown.then(|| Box::new(io::stderr()) as Box<dyn Write>))
    }

    fn to(out: Option<Box<dyn Write>>) -> Self {
        Self { out, begun: Instant::now(), drawn: None, stands: false }
    }

    /// So much is done, of so much where that is known; `note` is said behind it.
    pub fn at(&mut self, done: u64, total: Option<u64>, note: &str) {
        let now = Instant::now();
        if self.drawn.is_some_and(|drawn| now < drawn + DRAWN_EVERY) {
            return;
        }
        self.drawn = Some(now);
        let said = line(done, total, note, now - self.begun);
        let text = text::said(&said, language());
        if let Some(out) = &mut self.out {
            // A terminal that is gone needs no progress.
            let _ = write!(out, "\r\u{1b}[K{text}").and_then(|()| out.flush());
            self.stands = true;
        }
    }

    /// Takes the line away, so that something else can be printed.
    pub fn clear(&mut self) {
        if let Some(out) = self.out.as_mut().filter(|_| self.stands) {
            // As above.
            let _ = write!(out, "\r\u{1b}[K").and_then(|()| out.flush());
            self.stands = false;
            self.drawn = None;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn line(done: u64, total: Option<u64>, note: &str, elapsed: Duration) -> Say {
    let mut parts = vec![match total {
        Some(total) => say!("{done} of {total}", "{done}/{total}"),
        None => Say::same(done.to_string()),
    }];
    if !note.is_empty() {
        parts.push(Say::same(note));
    }
    if let Some(left) = total.and_then(|total| time_left(done, total, elapsed)) {
        let Say { english, chinese } = in_words(left);
        parts.push(say!("{english} left", "还剩 {chinese}"));
    }
    let joined =
        |each: fn(&Say) -> &str, between| parts.iter().map(each).collect::<Vec<_>>().join(between);
    Say {
        english: joined(|part| &part.english, ", "), chinese: joined(|part| &part.chinese, "，")
    }
}

/// At the pace so far.
fn time_left(done: u64, total: u64, elapsed: Duration) -> Option<Duration> {
    if done == 0 || elapsed < FIRST_GUESS {
        return None;
    }
    let rest = total.checked_sub(done).filter(|rest| *rest > 0)?;
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest as f64 / done as f64).ok()
}

fn in_words(time: Duration) -> Say {
    match time.as_secs() {
        seconds @ 0..100 => say!("{} s", "{} 秒", seconds.max(1)),
        seconds @ 100..5_400 => say!("{} min", "{} 分钟", seconds.div_ceil(60)),
        seconds => {
            say!("{} h {} min", "{} 小时 {} 分钟", seconds / 3_600, seconds % 3_600 / 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_left_is_that_of_the_pace_so_far() {
        assert_eq!(line(10, Some(40), "", 10 * SECOND).english, "10 of 40, 30 s left");
        assert_eq!(
            line(1, Some(401), "2 not done", 3 * SECOND).english,
            "1 of 401, 2 not done, 20 min left"
        );
        assert_eq!(line(1, Some(9_001), "", 2 * SECOND).english, "1 of 9001, 5 h 0 min left");
    }

    #[test]
    fn it_reads_in_chinese_too() {
        let said = line(1, Some(401), "未完成 2", 3 * SECOND);
        assert_eq!(said.chinese, "1/401，未完成 2，还剩 20 分钟");
    }

    #[test]
    fn nothing_is_said_of_the_time_before_it_is_known_or_when_none_is_left() {
        assert_eq!(line(0, Some(40), "", 9 * SECOND).english, "0 of 40");
        assert_eq!(line(10, Some(40), "", SECOND).english, "10 of 40");
        assert_eq!(line(40, Some(40), "", 9 * SECOND).english, "40 of 40");
        assert_eq!(line(7, None, "", 9 * SECOND).english, "7");
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_is_gone_before_anything_else_is_printed() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut progress = Progress::to(Some(Box::new(Shared(Arc::clone(&seen)))));
        progress.at(1, Some(2), "");
        // Drawn a moment ago: not again.
        progress.at(2, Some(2), "");
        drop(progress);
        let seen = String::from_utf8(seen.lock().unwrap().clone()).unwrap();
        assert_eq!(seen, "\r\u{1b}[K1 of 2\r\u{1b}[K");
    }
}
