//! What terminals send for keys that are no character, behind an Escape: those of xterm, of
//! the Linux console, of screen and tmux, and what all of them send for a mouse (SGR, 1006).

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::mouse::{Mouse, MouseKind};

/// What bytes are so far.
pub(super) enum Parsed {
    /// More must come.
    Partial,
    Key(KeyEvent),
    Mouse(Mouse),
    /// Text that is pasted begins.
    Paste,
    /// A whole sequence that means nothing here.
    Ignored,
    /// No sequence.
    Wrong,
}

/// Reads what stands behind an Escape.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] | [b'[' | b'O'] | [b'[', b'['] => Parsed::Partial,
        [b'O', letter] => named(ss3(*letter), KeyModifiers::NONE),
        [b'[', b'[', letter @ b'A'..=b'E'] => key(KeyCode::F(letter - b'A' + 1)),
        [b'[', b'[', ..] => Parsed::Wrong,
        [b'[', b'<', rest @ ..] => mouse(rest),
        [b'[', rest @ ..] => control(rest),
        // A letter with Alt; a control character would be a key of its own.
        [byte @ 0x20..=0x7e] => {
            let code = KeyCode::Char(char::from(*byte));
            Parsed::Key(KeyEvent::new(code, KeyModifiers::ALT))
        }
        _ => Parsed::Wrong,
    }
}

fn key(code: KeyCode) -> Parsed {
    Parsed::Key(code.into())
}

fn named(code: Option<KeyCode>, modifiers: KeyModifiers) -> Parsed {
    code.map_or(Parsed::Wrong, |code| Parsed::Key(KeyEvent::new(code, modifiers)))
}

/// Keys in the terminal's application mode.
const fn ss3(letter: u8) -> Option<KeyCode> {
    match letter {
        b'P'..=b'S' => Some(KeyCode::F(letter - b'P' + 1)),
        b'M' => Some(KeyCode::Enter),
        _ => arrow(letter),
    }
}

const fn arrow(letter: u8) -> Option<KeyCode> {
    match letter {
        b'A' => Some(KeyCode::Up),
        b'B' => Some(KeyCode::Down),
        b'C' => Some(KeyCode::Right),
        b'D' => Some(KeyCode::Left),
        b'F' => Some(KeyCode::End),
        b'H' => Some(KeyCode::Home),
        _ => None,
    }
}

/// A control sequence: numbers with semicolons between them, and a letter or a tilde.
fn control(bytes: &[u8]) -> Parsed {
    let Some((last, numbers)) = bytes.split_last() else { return Parsed::Partial };
    if !numbers.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';')) {
        return Parsed::Wrong;
    }
    let mut numbers = numbers.split(|byte| *byte == b';').map(number);
    let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
    let modifiers = modifiers(second);
    match last {
        b'0'..=b'9' | b';' => Parsed::Partial,
        b'~' => named(first.and_then(numbered), modifiers),
        b'Z' => Parsed::Key(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)),
        b'P'..=b'S' => named(Some(KeyCode::F(last - b'P' + 1)), modifiers),
        letter => named(arrow(*letter), modifiers),
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The keys that have a number.
const fn numbered(number: u16) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number as u8 - 10),
        17..=21 => KeyCode::F(number as u8 - 11),
        23 | 24 => KeyCode::F(number as u8 - 12),
        _ => return None,
    })
}

/// One more than the sum of what is held: 1 Shift, 2 Alt, 4 Ctrl.
fn modifiers(number: Option<u16>) -> KeyModifiers {
    let held = number.unwrap_or(1).saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in
        [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)]
    {
        modifiers.set(modifier, held & bit != 0);
    }
    modifiers
}

/// Button, column and line, counted from one; `M` where it went down, `m` where it went up.
fn mouse(bytes: &[u8]) -> Parsed {
    let Some((last, numbers)) = bytes.split_last() else { return Parsed::Partial };
    if !numbers.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';')) {
        return Parsed::Wrong;
    }
    match last {
        b'0'..=b'9' | b';' => return Parsed::Partial,
        b'm' => return Parsed::Ignored,
        b'M' => {}
        _ => return Parsed::Wrong,
    }
    let mut numbers = numbers.split(|byte| *byte == b';').map(number);
    let mut next = || numbers.next().flatten();
    let (Some(button), Some(column), Some(row)) = (next(), next(), next()) else {
        return Parsed::Wrong;
    };
    let kind = match button {
        0 => MouseKind::Press,
        64 => MouseKind::WheelUp,
        65 => MouseKind::WheelDown,
        _ => return Parsed::Ignored,
    };
    Parsed::Mouse(Mouse { kind, column: column.saturating_sub(1), row: row.saturating_sub(1) })
}
