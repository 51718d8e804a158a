//! Tells a scanner from a person: by speed alone, wherever the focus is.

use std::time::Duration;

use tui_input::Input;

/// The longest pause between two characters of a scanner. People type more slowly, and
/// scanners that are set for slow hosts still send one every 10 to 20 ms.
const PAUSE: Duration = Duration::from_millis(30);

/// The fewest characters of a scan: fewer can be a person who rolls over the keys.
const SHORTEST: usize = 6;

/// The most that is kept of one burst; no label is longer.
const LONGEST: usize = 1024;

/// What an Enter means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum BurstEnd {
    /// It ends a scan of this text.
    Scan(String),
    /// It came as fast as a scanner's, behind too little for a scan: it answers nothing.
    TooShort,
    /// A person pressed it.
    Person,
}

/// Characters that follow each other as fast as a scanner sends them.
#[derive(Debug, Clone, Default)]
pub(in crate::tui) struct Burst {
    text: String,
    last: Option<Duration>,
    /// The field that is being typed into, as it was before the burst.
    before: Option<Input>,
}

impl Burst {
    fn continues(&self, at: Duration) -> bool {
        self.last.is_some_and(|last| at.saturating_sub(last) < PAUSE)
    }

    /// Takes one character; `field` is where it will go, before it goes there.
    pub(in crate::tui) fn push(&mut self, c: char, at: Duration, field: Option<&Input>) {
        if !self.continues(at) {
            self.text.clear();
            self.before = field.cloned();
        }
        if self.text.len() < LONGEST {
            self.text.push(c);
        }
        self.last = Some(at);
    }

    /// Whether the character that was pushed last may be the first of a scan.
    pub(in crate::tui) fn has_just_begun(&self) -> bool {
        self.text.chars().count() <= 1
    }

    /// Whether a key that is no character came in the middle of a scan: a label can hold
    /// control characters, and none of them is a command.
    pub(in crate::tui) fn swallows(&mut self, stand_in: char, at: Duration) -> bool {
        let inside = self.continues(at) && self.text.chars().count() >= SHORTEST;
        if inside {
            self.push(stand_in, at, None);
        }
        inside
    }

    /// What an Enter at this time means, and how the field was before the burst.
    pub(in crate::tui) fn enter(&mut self, at: Duration) -> (BurstEnd, Option<Input>) {
        let fast = self.continues(at);
        self.last = None;
        let (text, before) = (std::mem::take(&mut self.text), self.before.take());
        match fast {
            true if text.chars().count() >= SHORTEST => (BurstEnd::Scan(text), before),
            true => (BurstEnd::TooShort, None),
            false => (BurstEnd::Person, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, pause: u64) -> (Burst, Duration) {
        let (mut burst, mut at) = (Burst::default(), Duration::from_secs(1));
        for c in text.chars() {
            at += Duration::from_millis(pause);
            burst.push(c, at, Some(&Input::new("before".to_owned())));
        }
        (burst, at)
    }

    #[test]
    fn six_fast_characters_and_an_enter_are_a_scan() {
        let (mut burst, at) = typed("TH2001", 5);
        let (end, before) = burst.enter(at + Duration::from_millis(5));
        assert_eq!(end, BurstEnd::Scan("TH2001".to_owned()));
        assert_eq!(before.unwrap().value(), "before");
    }

    #[test]
    fn five_are_none_and_their_enter_answers_nothing() {
        let (mut burst, at) = typed("TH200", 5);
        assert_eq!(burst.enter(at + Duration::from_millis(5)).0, BurstEnd::TooShort);
    }

    #[test]
    fn a_person_is_slower_than_a_scanner() {
        let (mut burst, at) = typed("TH2001", 30);
        assert_eq!(burst.enter(at + Duration::from_millis(5)).0, BurstEnd::TooShort);
        let (mut burst, at) = typed("TH2001", 5);
        assert_eq!(burst.enter(at + Duration::from_millis(30)).0, BurstEnd::Person);
    }

    #[test]
    fn a_scan_begins_behind_what_a_person_typed() {
        let (mut burst, at) = typed("ab", 100);
        let mut at = at + Duration::from_millis(100);
        for c in "TH2001".chars() {
            burst.push(c, at, None);
            at += Duration::from_millis(5);
        }
        assert_eq!(burst.enter(at).0, BurstEnd::Scan("TH2001".to_owned()));
    }

    #[test]
    fn a_control_key_in_the_middle_of_a_scan_is_part_of_it() {
        let (mut burst, at) = typed("TH2001", 5);
        assert!(burst.swallows('\u{3}', at + Duration::from_millis(5)));
        let end = burst.enter(at + Duration::from_millis(10)).0;
        assert_eq!(end, BurstEnd::Scan("TH2001\u{3}".to_owned()));
        let (mut burst, at) = typed("a", 5);
        assert!(!burst.swallows('\u{3}', at + Duration::from_millis(5)));
    }
}
