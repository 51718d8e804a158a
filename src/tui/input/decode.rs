//! Bytes from a terminal to keys, without losing one: whatever is no key is its bytes.
//!
//! A library reads what terminals send for keys. What scanners send is wider: every control
//! character, sequences that are torn, bytes that are no UTF-8. Here nothing vanishes, nothing
//! waits for an end that never comes, and no byte changes into another.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::sequence::{self, Parsed};
use crate::mouse::Mouse;

/// The most that is kept of one paste; no field is longer.
const LONGEST_PASTE: usize = 64 * 1024;

/// No sequence of a key is longer.
const LONGEST_SEQUENCE: usize = 24;

const ESCAPE: u8 = 0x1b;

/// How a terminal marks pasted text.
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What bytes meant.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Decoded {
    Key(KeyEvent),
    Mouse(Mouse),
    Paste(String),
}

/// Takes bytes as they come.
#[derive(Default)]
pub(crate) struct Decoder {
    /// The beginning of a sequence or of a character.
    begun: Vec<u8>,
    /// What was pasted so far, while its end has not come.
    paste: Option<Vec<u8>>,
}

impl Decoder {
    /// Whether pasted text has begun and not ended.
    pub(crate) const fn is_in_paste(&self) -> bool {
        self.paste.is_some()
    }

    /// Takes what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Decoded> {
        let mut found = Vec::new();
        for byte in bytes {
            self.take(*byte, &mut found);
        }
        found
    }

    /// Nothing came for a while: what was begun is all there is.
    pub(crate) fn silence(&mut self) -> Vec<Decoded> {
        let mut found = Vec::new();
        if let Some(text) = self.paste.take() {
            found.push(pasted(&text));
        }
        self.give_up(&mut found);
        found
    }

    fn take(&mut self, byte: u8, found: &mut Vec<Decoded>) {
        if let Some(paste) = &mut self.paste {
            paste.push(byte);
            if paste.ends_with(PASTE_ENDS) {
                paste.truncate(paste.len() - PASTE_ENDS.len());
                let text = self.paste.take().unwrap_or_default();
                found.push(pasted(&text));
            } else if paste.len() > LONGEST_PASTE + PASTE_ENDS.len() {
                // The end may still come; the middle of so much is worth nothing.
                paste.drain(LONGEST_PASTE..paste.len() - PASTE_ENDS.len());
            }
            return;
        }
        self.begun.push(byte);
        match parse(&self.begun) {
            Parsed::Partial if self.begun.len() < LONGEST_SEQUENCE => {}
            Parsed::Key(key) => self.is(Decoded::Key(key), found),
            Parsed::Mouse(mouse) => self.is(Decoded::Mouse(mouse), found),
            Parsed::Ignored => self.begun.clear(),
            Parsed::Paste => {
                self.begun.clear();
                self.paste = Some(Vec::new());
            }
            Parsed::Partial | Parsed::Wrong => self.first_alone(found),
        }
    }

    fn is(&mut self, what: Decoded, found: &mut Vec<Decoded>) {
        self.begun.clear();
        found.push(what);
    }

    /// Nothing more comes to complete what was begun.
    fn give_up(&mut self, found: &mut Vec<Decoded>) {
        // Shorter by a byte each time, so that this ends.
        while !self.begun.is_empty() {
            self.first_alone(found);
        }
    }

    /// What was begun is no sequence: its first byte stands for itself, and the rest is read anew.
    fn first_alone(&mut self, found: &mut Vec<Decoded>) {
        let Some((first, rest)) = self.begun.split_first() else { return };
        let (first, rest) = (alone(*first), rest.to_vec());
        found.push(Decoded::Key(first));
        self.begun.clear();
        for byte in rest {
            self.take(byte, found);
        }
    }
}

fn pasted(text: &[u8]) -> Decoded {
    let text = &text[..text.len().min(LONGEST_PASTE)];
    Decoded::Paste(String::from_utf8_lossy(text).into_owned())
}

fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] => Parsed::Partial,
        [ESCAPE, ..] if bytes == PASTE_BEGINS => Parsed::Paste,
        // Nobody asked for the end of what has not begun.
        [ESCAPE, ..] if bytes == PASTE_ENDS => Parsed::Ignored,
        [ESCAPE, rest @ ..] => sequence::parse(rest),
        [byte] if byte.is_ascii() => Parsed::Key(alone(*byte)),
        _ => character(bytes),
    }
}

/// A character of several bytes.
fn character(bytes: &[u8]) -> Parsed {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().next().map_or(Parsed::Wrong, |c| Parsed::Key(plain(c))),
        Err(error) if error.error_len().is_none() => Parsed::Partial,
        Err(_) => Parsed::Wrong,
    }
}

fn plain(c: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
}

/// The key that one byte is. FS, GS, RS and US separate data in labels: they are characters.
fn alone(byte: u8) -> KeyEvent {
    let control = |c: u8| KeyEvent::new(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    match byte {
        b'\r' => KeyCode::Enter.into(),
        b'\t' => KeyCode::Tab.into(),
        0x08 | 0x7f => KeyCode::Backspace.into(),
        ESCAPE => KeyCode::Esc.into(),
        0 => control(b' '),
        0x01..=0x1a => control(byte - 1 + b'a'),
        0x1c..=0x7e => plain(char::from(byte)),
        0x80.. => plain(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mouse::MouseKind;

    fn keys(bytes: &[u8]) -> Vec<KeyEvent> {
        let mut decoder = Decoder::default();
        let mut found = decoder.feed(bytes);
        found.extend(decoder.silence());
        let key = |decoded| match decoded {
            Decoded::Key(key) => key,
            Decoded::Mouse(mouse) => panic!("{mouse:?}"),
            Decoded::Paste(text) => panic!("pasted {text}"),
        };
        found.into_iter().map(key).collect()
    }

    fn pressed(code: KeyCode) -> KeyEvent {
        code.into()
    }

    #[test]
    fn what_terminals_send_for_a_key_is_that_key() {
        for (bytes, code) in [
            (&b"\x1bOP"[..], KeyCode::F(1)),
            (b"\x1bOQ", KeyCode::F(2)),
            (b"\x1b[[A", KeyCode::F(1)),
            (b"\x1b[11~", KeyCode::F(1)),
            (b"\x1b[15~", KeyCode::F(5)),
            (b"\x1b[17~", KeyCode::F(6)),
            (b"\x1b[21~", KeyCode::F(10)),
            (b"\x1b[24~", KeyCode::F(12)),
            (b"\x1b[A", KeyCode::Up),
            (b"\x1bOB", KeyCode::Down),
            (b"\x1b[H", KeyCode::Home),
            (b"\x1b[1~", KeyCode::Home),
            (b"\x1b[4~", KeyCode::End),
            (b"\x1b[5~", KeyCode::PageUp),
            (b"\x1b[3~", KeyCode::Delete),
            (b"\x1bOM", KeyCode::Enter),
            (b"\x7f", KeyCode::Backspace),
            (b"\x08", KeyCode::Backspace),
            (b"\x1b", KeyCode::Esc),
        ] {
            assert_eq!(keys(bytes), [pressed(code)], "{bytes:?}");
        }
        let shift_tab = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(keys(b"\x1b[Z"), [shift_tab]);
        assert_eq!(keys(b"\x1b[1;5A"), [KeyEvent::new(KeyCode::Up, KeyModifiers::CONTROL)]);
        assert_eq!(keys(b"\x03"), [KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)]);
    }

    #[test]
    fn separators_of_data_are_characters_and_none_changes_into_another() {
        for byte in 0x1c..=0x7e_u8 {
            assert_eq!(keys(&[byte]), [plain(char::from(byte))]);
        }
    }

    #[test]
    fn a_torn_sequence_is_its_bytes() {
        assert_eq!(keys(b"\x1b[2"), [pressed(KeyCode::Esc), plain('['), plain('2')]);
        let found = keys(b"\x1b[9999zTH");
        assert_eq!(found.len(), "\x1b[9999zTH".len());
        assert_eq!(keys(b"\x1b\x1b[A"), [pressed(KeyCode::Esc), pressed(KeyCode::Up)]);
        let long = [b"\x1b[".as_slice(), &[b'1'; 200]].concat();
        assert_eq!(keys(&long).len(), long.len());
    }

    #[test]
    fn a_sequence_may_come_byte_by_byte() {
        let mut decoder = Decoder::default();
        let found: Vec<_> = b"\x1b[21~".iter().flat_map(|byte| decoder.feed(&[*byte])).collect();
        assert!(found == [Decoded::Key(pressed(KeyCode::F(10)))]);
    }

    #[test]
    fn what_is_no_utf_8_does_not_vanish() {
        let wrong = plain(char::REPLACEMENT_CHARACTER);
        assert_eq!(keys("测".as_bytes()), [plain('测')]);
        assert_eq!(keys(b"a\xe9b"), [plain('a'), wrong, plain('b')]);
        assert_eq!(keys(b"\xff\xe6\xb5"), [wrong, wrong, wrong]);
    }

    #[test]
    fn a_paste_is_text_and_one_without_an_end_ends_all_the_same() {
        let mut decoder = Decoder::default();
        let found = decoder.feed(b"\x1b[200~a\r\x1b[21~b\x1b[201~c");
        let text = "a\r\x1b[21~b".to_owned();
        assert!(found == [Decoded::Paste(text), Decoded::Key(plain('c'))]);
        assert!(decoder.feed(b"\x1b[200~TH200").is_empty() && decoder.is_in_paste());
        assert!(decoder.silence() == [Decoded::Paste("TH200".to_owned())]);
        assert!(!decoder.is_in_paste());
        assert!(keys(b"\x1b[201~").is_empty());
    }

    #[test]
    fn a_paste_without_bounds_is_kept_within_some() {
        let mut decoder = Decoder::default();
        decoder.feed(PASTE_BEGINS);
        decoder.feed(&vec![b'x'; 3 * LONGEST_PASTE]);
        let found = decoder.feed(PASTE_ENDS);
        assert!(matches!(&found[..], [Decoded::Paste(text)] if text.len() == LONGEST_PASTE));
    }

    #[test]
    fn a_mouse_says_what_and_where() {
        let mut decoder = Decoder::default();
        let found = decoder.feed(b"\x1b[<0;5;3M\x1b[<0;5;3m\x1b[<64;1;1M\x1b[<2;1;1M");
        let press = Mouse { kind: MouseKind::Press, column: 4, row: 2 };
        let wheel = Mouse { kind: MouseKind::WheelUp, column: 0, row: 0 };
        assert!(found == [Decoded::Mouse(press), Decoded::Mouse(wheel)]);
    }

    #[test]
    fn any_bytes_give_as_much_as_they_are() {
        proptest::proptest!(|(bytes: Vec<u8>)| {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            decoder.silence();
            assert!(decoder.begun.is_empty() && decoder.paste.is_none());
        });
    }
}
