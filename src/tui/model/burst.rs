//! Tells a scanner from a person, and a command from a character of a label: by what is
//! pressed between two silences.
//!
//! A key is a command where it was pressed alone. Six or more keys without a silence between
//! them are no person's. What they were is known when the silence after them comes, and not
//! before.

use std::time::Duration;

use super::before::Before;
use crate::keymap::Intent;

/// The fewest keys of a scan: fewer can be a person who rolls over the keys.
const SHORTEST: usize = 6;

/// The most that is kept of one burst; no label is longer.
const LONGEST: usize = 4096;

/// What a scanner sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// Every character of it, line ends and control characters too. Untrusted.
    pub(crate) text: String,
    /// The control and function keys in it, by name. Line ends and the separators of data
    /// (FS, GS, RS, US) are none.
    pub(crate) keys: Vec<String>,
}

/// What was pressed between two silences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Closed {
    /// It has had its effect already, or has none.
    Nothing,
    /// One key.
    Alone(Alone),
    /// One character.
    Character(char),
    /// A scan.
    Scan(Sent),
    /// A line end, close behind a character or a few.
    Line,
    /// As fast as a scanner's, without a line end.
    Unended,
    /// As fast as a scanner's, into a field whose text is kept from everybody.
    Secret,
}

/// A key with silence before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alone {
    pub(crate) intent: Intent,
    pub(crate) at: Duration,
    /// How long before it another key was pressed; none where none ever was.
    pub(crate) after: Option<Duration>,
}

/// How a command key stands to the others of its burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The first.
    First,
    /// The same again, and nothing else was pressed: it is held down.
    Again,
    /// Among others.
    Among,
}

/// Keys that follow each other without a silence.
#[derive(Debug, Clone, Default)]
pub(crate) struct Burst {
    count: usize,
    sent: Sent,
    line_ends: usize,
    /// The one key that was pressed, once or more often, where it is the only one.
    only: Option<(Alone, usize)>,
    /// It began in a field whose text is kept from everybody: nothing of it is kept here.
    secret: bool,
    /// What the keys so far did, and may have to be taken back.
    shown: bool,
    before: Option<Box<Before>>,
    /// When the last key was pressed, of this burst or the one before.
    last: Option<Duration>,
}

impl Burst {
    /// Whether a silence came since the last key.
    pub(crate) const fn is_over(&self) -> bool {
        self.count == 0
    }

    /// Whether it began in a field whose text is kept from everybody.
    pub(crate) const fn is_secret(&self) -> bool {
        self.secret
    }

    /// The first key after a silence is about to be taken.
    pub(crate) fn begin(&mut self, before: Before, secret: bool) {
        *self =
            Burst { secret, before: Some(Box::new(before)), last: self.last, ..Burst::default() };
    }

    /// Takes a character. What keys before it did must be taken back, where that is so.
    pub(crate) fn character(&mut self, c: char, at: Duration) -> Option<&Before> {
        self.keep(c);
        self.pressed(at);
        self.only = None;
        self.taken_back()
    }

    /// Takes a line end, which is a key as well.
    pub(crate) fn line_end(&mut self, c: char, at: Duration) -> Option<&Before> {
        self.keep(c);
        self.line_ends += 1;
        self.only = match (self.count, c) {
            (0, '\r') => Some((self.alone(Intent::Enter, at), 1)),
            // A terminal may send both for one key.
            (1, '\n') => self.only.filter(|(only, _)| only.intent == Intent::Enter),
            _ => None,
        };
        self.pressed(at);
        self.taken_back()
    }

    /// Takes a control or function key by its name, with its character where it has one.
    pub(crate) fn key(
        &mut self,
        intent: Option<Intent>,
        name: String,
        c: Option<char>,
        at: Duration,
    ) -> Position {
        if !self.secret {
            self.sent.text.extend(c.filter(|_| self.sent.text.len() < LONGEST));
            if !self.sent.keys.contains(&name) {
                self.sent.keys.push(name);
            }
        }
        let position = match (self.only, intent) {
            _ if self.count == 0 => Position::First,
            (Some((only, _)), Some(intent)) if only.intent == intent => Position::Again,
            _ => Position::Among,
        };
        self.only = match (position, intent) {
            (Position::First, Some(intent)) => Some((self.alone(intent, at), 1)),
            (Position::Again, _) => self.only.map(|(only, times)| (only, times + 1)),
            _ => None,
        };
        self.pressed(at);
        position
    }

    /// What the key did is on the screen already.
    pub(crate) const fn is_shown(&mut self) {
        self.shown = true;
    }

    /// The state to go back to, where keys have had an effect that was not meant.
    pub(crate) fn taken_back(&mut self) -> Option<&Before> {
        std::mem::take(&mut self.shown).then_some(self.before.as_deref()).flatten()
    }

    /// Takes pasted text, which counts as a key that is no command and is kept elsewhere.
    pub(crate) fn paste(&mut self, at: Duration) -> Option<&Before> {
        self.pressed(at);
        self.only = None;
        self.taken_back()
    }

    fn keep(&mut self, c: char) {
        if !self.secret && self.sent.text.len() < LONGEST {
            self.sent.text.push(c);
        }
    }

    fn pressed(&mut self, at: Duration) {
        self.count += 1;
        self.last = Some(at);
    }

    fn alone(&self, intent: Intent, at: Duration) -> Alone {
        Alone { intent, at, after: self.last.map(|last| at.saturating_sub(last)) }
    }

    /// A silence came: what it was, and how everything stood before it.
    pub(crate) fn close(&mut self) -> (Closed, Option<Box<Before>>) {
        let burst = std::mem::replace(self, Burst { last: self.last, ..Burst::default() });
        (burst.closed(), burst.before)
    }

    fn closed(&self) -> Closed {
        let carried_out = self.shown;
        match self.only {
            Some((alone, 1)) if !carried_out => return Closed::Alone(alone),
            Some(_) => return Closed::Nothing,
            None => {}
        }
        let mut characters = self.sent.text.chars();
        if let (1, Some(c), true) = (self.count, characters.next(), self.sent.keys.is_empty()) {
            return Closed::Character(c);
        }
        let line = self.sent.text.trim_end_matches(['\r', '\n']);
        let (others, several) = (self.count - self.line_ends, line.contains(['\r', '\n']));
        let long = others >= SHORTEST;
        match (self.line_ends > 0, self.sent.keys.is_empty()) {
            (true, _) if self.secret && long => Closed::Secret,
            (true, _) if self.secret => Closed::Line,
            _ if self.secret => Closed::Nothing,
            (true, true) if long || several => Closed::Scan(self.sent.clone()),
            (true, true) if others > 0 => Closed::Line,
            (true, false) if others > 1 => Closed::Scan(self.sent.clone()),
            (false, false) if long => Closed::Scan(self.sent.clone()),
            (false, true) if long => Closed::Unended,
            _ => Closed::Nothing,
        }
    }
}
