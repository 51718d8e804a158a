//! Where one pull of a trigger ends in the bytes of a serial scanner.
//!
//! A scan ends with what `[scanner] ends` names, and after that a moment of silence: one
//! symbol of several lines is one scan and not several. A scan without such an end is taken
//! after a longer silence, and says so, since two quick ones would become one.

use crate::cause::Told;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::content::LONGEST;

/// The silence that ends a scan for which no terminator came. Nobody pulls a trigger twice
/// in so short a time, and no scanner pauses so long within a label.
pub const SILENCE: Duration = Duration::from_millis(300);

/// The silence behind a terminator after which no further line of the same scan comes. A
/// scanner that is set for slow hosts sends a character every 10 to 20 ms.
const LINE_PAUSE: Duration = Duration::from_millis(60);

/// What ends a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// 0x0D.
    Cr,
    /// 0x0A.
    Lf,
    /// 0x09.
    Tab,
    /// 0x03.
    Etx,
    /// 0x04.
    Eot,
    /// Nothing: the silence does.
    Silence,
}

impl End {
    /// Every end.
    pub const ALL: &[End] = &[End::Cr, End::Lf, End::Tab, End::Etx, End::Eot, End::Silence];

    /// What scanners send as they come: CR, LF or both.
    pub const USUAL: &[End] = &[End::Cr, End::Lf];

    /// The word in station.toml.
    pub const fn as_str(self) -> &'static str {
        match self {
            End::Cr => "cr",
            End::Lf => "lf",
            End::Tab => "tab",
            End::Etx => "etx",
            End::Eot => "eot",
            End::Silence => "silence",
        }
    }

    /// The byte that a scanner sends.
    pub const fn byte(self) -> Option<u8> {
        match self {
            End::Cr => Some(b'\r'),
            End::Lf => Some(b'\n'),
            End::Tab => Some(b'\t'),
            End::Etx => Some(0x03),
            End::Eot => Some(0x04),
            End::Silence => None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no end of a scan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of cr, lf, tab, etx, eot, silence")]
pub struct UnknownEnd(String);

impl Told for UnknownEnd {
    fn chinese(&self) -> Option<String> {
        Some(format!("{:?} 不是 cr、lf、tab、etx、eot、silence 之一", self.0))
    }
}

impl FromStr for End {
    type Err = UnknownEnd;

    fn from_str(word: &str) -> Result<Self, UnknownEnd> {
        let is_it = |end: &&End| {
            let byte = end.byte().map(char::from);
            end.as_str().eq_ignore_ascii_case(word) || byte.is_some_and(|c| word == c.to_string())
        };
        End::ALL.iter().find(is_it).copied().ok_or_else(|| UnknownEnd(word.to_owned()))
    }
}

/// One scan as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    /// All that was sent, its end too.
    pub bytes: Vec<u8>,
    /// Whether it ended as `[scanner] ends` says.
    pub has_end: bool,
}

impl Framed {
    /// Its text.
    pub fn text(&self) -> String {
        text_of(&self.bytes)
    }
}

/// Bytes as they come, scans as they end. Time is a monotonic clock's.
#[derive(Debug, Clone)]
pub struct Framer {
    ends: Vec<End>,
    bytes: Vec<u8>,
    /// When the last byte came, while a scan is under way.
    last: Option<Duration>,
    /// What was given out already is too long; the rest of it is discarded.
    is_discarding: bool,
    ready: VecDeque<Framed>,
}

impl Framer {
    /// A framer whose scans end with one of these.
    pub fn new(ends: &[End]) -> Self {
        Self {
            ends: ends.to_vec(),
            bytes: Vec::new(),
            last: None,
            is_discarding: false,
            ready: VecDeque::new(),
        }
    }

    /// Takes what came at this time.
    pub fn take(&mut self, bytes: &[u8], now: Duration) {
        if bytes.is_empty() {
            return;
        }
        self.look(now);
        self.last = Some(now);
        if self.is_discarding {
            return;
        }
        let room = (LONGEST + 1).saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        if self.bytes.len() > LONGEST {
            self.give();
            self.is_discarding = true;
        }
    }

    /// The next scan that has ended.
    pub fn next(&mut self, now: Duration) -> Option<Framed> {
        self.look(now);
        self.ready.pop_front()
    }

    /// When the scan that is under way ends if nothing further comes.
    pub fn due(&self) -> Option<Duration> {
        Some(self.last? + if self.has_end() { LINE_PAUSE } else { SILENCE })
    }

    /// Forgets what came: the line was interrupted.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.last = None;
        self.is_discarding = false;
    }

    fn has_end(&self) -> bool {
        self.bytes.last().is_none_or(|last| self.is_end(*last))
    }

    fn is_end(&self, byte: u8) -> bool {
        self.ends.iter().any(|end| end.byte() == Some(byte))
    }

    fn look(&mut self, now: Duration) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        self.last = None;
        if !std::mem::take(&mut self.is_discarding) {
            self.give();
        }
    }

    fn give(&mut self) {
        let has_end = self.has_end() || self.ends.contains(&End::Silence);
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.iter().any(|byte| !self.is_end(*byte)) {
            let is_whole = bytes.len() > LONGEST || has_end;
            self.ready.push_back(Framed { bytes, has_end: is_whole });
        }
    }
}

/// Leaves seven bits of each byte: a port that was told so gives the eighth on all the same where
/// its driver, or what stands for it, does not take it off.
pub fn drop_parity(bytes: &mut [u8]) {
    for byte in bytes {
        *byte &= 0x7f;
    }
}

/// What was sent as a text; where it is no UTF-8, one character a byte.
pub fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// What comes of bytes at these times, with the end a second later.
    fn scans(ends: &[End], sent: &[(u64, &[u8])]) -> Vec<(String, bool)> {
        let mut framer = Framer::new(ends);
        let mut found = Vec::new();
        for (at, bytes) in sent {
            framer.take(bytes, ms(*at));
            found.extend(framer.next(ms(*at)));
        }
        let end = sent.last().map_or(0, |(at, _)| at + 1000);
        found.extend(std::iter::from_fn(|| framer.next(ms(end))));
        found.into_iter().map(|framed| (framed.text(), framed.has_end)).collect()
    }

    fn one(text: &str, has_end: bool) -> (String, bool) {
        (text.to_owned(), has_end)
    }

    #[test]
    fn a_scan_ends_with_cr_or_lf_or_both() {
        let sent: &[(u64, &[u8])] = &[(0, b"A1\r"), (200, b"B2\n"), (400, b"C3\r\n"), (600, b"\r")];
        let wanted = [one("A1\r", true), one("B2\n", true), one("C3\r\n", true)];
        assert_eq!(scans(End::USUAL, sent), wanted);
    }

    #[test]
    fn lines_that_follow_at_once_are_one_scan() {
        assert_eq!(scans(End::USUAL, &[(0, b"A\rB\rC\r")]), [one("A\rB\rC\r", true)]);
        assert_eq!(scans(End::USUAL, &[(0, b"A\r"), (50, b"B\r")]), [one("A\rB\r", true)]);
        assert_eq!(
            scans(End::USUAL, &[(0, b"A\r"), (60, b"B\r")]),
            [one("A\r", true), one("B\r", true)]
        );
    }

    #[test]
    fn silence_ends_a_scan_that_has_no_end() {
        let sent: &[(u64, &[u8])] = &[(0, b"TH200-1"), (300, b"TH200-2"), (500, b"X")];
        assert_eq!(scans(End::USUAL, sent), [one("TH200-1", false), one("TH200-2X", false)]);
        assert_eq!(scans(&[End::Silence], &[(0, b"TH200-1")]), [one("TH200-1", true)]);
    }

    #[test]
    fn another_end_is_one_where_it_is_named() {
        let sent: &[(u64, &[u8])] = &[(0, b"A\t"), (100, b"B\t")];
        assert_eq!(scans(&[End::Tab], sent), [one("A\t", true), one("B\t", true)]);
        assert_eq!(scans(End::USUAL, sent), [one("A\tB\t", false)]);
        assert_eq!("ETX".parse(), Ok(End::Etx));
        assert_eq!("\t".parse(), Ok(End::Tab));
        assert!("crlf".parse::<End>().unwrap_err().to_string().contains("cr, lf, tab"));
    }

    #[test]
    fn what_is_too_long_is_told_at_once_and_its_rest_is_no_scan() {
        let long = vec![b'x'; LONGEST + 100];
        let mut framer = Framer::new(End::USUAL);
        framer.take(&long, ms(0));
        assert_eq!(framer.next(ms(0)).unwrap().bytes.len(), LONGEST + 1);
        framer.take(b"rest\r", ms(10));
        framer.take(b"OK\r", ms(2000));
        assert_eq!(framer.next(ms(3000)).unwrap().text(), "OK\r");
        assert_eq!(framer.next(ms(9000)), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_they_are() {
        assert_eq!(scans(End::USUAL, &[(0, b"\xd4H\r")]), [one("\u{d4}H\r", true)]);
    }

    #[test]
    fn an_interruption_forgets_half_a_scan() {
        let mut framer = Framer::new(End::USUAL);
        framer.take(b"TH2", ms(0));
        framer.clear();
        framer.take(b"OK\r", ms(10));
        assert_eq!(framer.next(ms(100)).unwrap().text(), "OK\r");
    }
}
