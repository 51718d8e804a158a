//! Which key means what: one table, of which the help and the footer are made.
//!
//! No printable character stands in it: those are for the scan line and text fields alone,
//! whatever a scanner types.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::text::Word;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Intent {
    Help,
    Line,
    History,
    Statistics,
    Sync,
    Checks,
    Log,
    Settings,
    Language,
    Quit,
    Unit,
    Menu,
    SignIn,
    NextNeed,
    PreviousSlot,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Withdraw,
    Bell,
    Theme,
    AutoScan,
    Redraw,
    Backspace,
    Delete,
}

/// One row: a key, with or without Ctrl, what it asks for, how it is named and explained.
pub(super) struct Row {
    code: KeyCode,
    ctrl: bool,
    pub(super) intent: Intent,
    pub(super) name: &'static str,
    /// What the help says of it; nothing where it goes without saying.
    pub(super) help: Option<Word>,
    /// What the footer says of it.
    pub(super) short: Option<Word>,
}

const fn row(code: KeyCode, name: &'static str, intent: Intent, help: Word) -> Row {
    Row { code, ctrl: false, intent, name, help: Some(help), short: None }
}

const fn page(number: u8, name: &'static str, intent: Intent, help: Word, short: Word) -> Row {
    let code = KeyCode::F(number);
    Row { code, ctrl: false, intent, name, help: Some(help), short: Some(short) }
}

const fn ctrl(letter: char, name: &'static str, intent: Intent, help: Word) -> Row {
    Row { code: KeyCode::Char(letter), ctrl: true, intent, name, help: Some(help), short: None }
}

const fn silent(code: KeyCode, intent: Intent) -> Row {
    Row { code, ctrl: false, intent, name: "", help: None, short: None }
}

/// Every key.
pub(super) const KEYS: &[Row] = &[
    page(1, "F1", Intent::Help, Word::HelpHelp, Word::Help),
    page(2, "F2", Intent::Line, Word::HelpLine, Word::Line),
    page(3, "F3", Intent::History, Word::HelpHistory, Word::History),
    page(4, "F4", Intent::Statistics, Word::HelpStatistics, Word::Statistics),
    page(5, "F5", Intent::Sync, Word::HelpSync, Word::Sync),
    page(6, "F6", Intent::Checks, Word::HelpChecks, Word::Checks),
    page(7, "F7", Intent::Log, Word::HelpLog, Word::Log),
    page(8, "F8", Intent::Settings, Word::HelpSettings, Word::Settings),
    page(9, "F9", Intent::Language, Word::HelpLanguage, Word::OtherLanguage),
    page(10, "F10", Intent::Quit, Word::HelpQuit, Word::Quit),
    row(KeyCode::Tab, "Tab", Intent::NextNeed, Word::HelpTab),
    row(KeyCode::BackTab, "Shift-Tab", Intent::PreviousSlot, Word::HelpBackTab),
    row(KeyCode::Up, "↑ ↓ ← →", Intent::Up, Word::HelpArrows),
    silent(KeyCode::Down, Intent::Down),
    silent(KeyCode::Left, Intent::Left),
    silent(KeyCode::Right, Intent::Right),
    row(KeyCode::PageUp, "PgUp PgDn", Intent::PageUp, Word::HelpPages),
    silent(KeyCode::PageDown, Intent::PageDown),
    silent(KeyCode::Home, Intent::Home),
    silent(KeyCode::End, Intent::End),
    row(KeyCode::Enter, "Enter", Intent::Enter, Word::HelpEnter),
    row(KeyCode::Esc, "Esc", Intent::Escape, Word::HelpEscape),
    silent(KeyCode::Backspace, Intent::Backspace),
    silent(KeyCode::Delete, Intent::Delete),
    ctrl('u', "Ctrl-U", Intent::Unit, Word::HelpUnit),
    ctrl('o', "Ctrl-O", Intent::Menu, Word::HelpMenu),
    ctrl('p', "Ctrl-P", Intent::SignIn, Word::HelpSignIn),
    ctrl('x', "Ctrl-X", Intent::Withdraw, Word::HelpWithdraw),
    ctrl('g', "Ctrl-G", Intent::Bell, Word::HelpBell),
    ctrl('t', "Ctrl-T", Intent::Theme, Word::HelpTheme),
    ctrl('d', "Ctrl-D", Intent::AutoScan, Word::HelpAutoScan),
    ctrl('l', "Ctrl-L", Intent::Redraw, Word::HelpRedraw),
    ctrl('c', "Ctrl-C", Intent::Quit, Word::HelpQuit),
];

/// What a key press is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    /// A character for a field.
    Character(char),
    /// A command.
    Intent(Intent),
    /// Nothing that is known; the character with which it would stand in a label.
    Unknown(char),
}

/// Reads one key press.
pub(super) fn read(key: KeyEvent) -> Press {
    let modified = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    if let (KeyCode::Char(c), false) = (key.code, modified) {
        return Press::Character(c);
    }
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let found = KEYS.iter().find(|row| row.code == key.code && row.ctrl == ctrl);
    match found {
        Some(row) => Press::Intent(row.intent),
        None => Press::Unknown(stand_in(key)),
    }
}

/// The character with which a key stands in a label that holds it.
pub(super) fn stand_in(key: KeyEvent) -> char {
    match key.code {
        KeyCode::Char(c) if c.is_ascii() => char::from(c as u8 & 0x1f),
        KeyCode::Tab => '\t',
        KeyCode::Backspace => '\u{8}',
        _ => '\u{1b}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_printable_character_is_a_command() {
        for c in (' '..='~').chain(['ä', '测', '\u{a0}']) {
            for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
                assert_eq!(read(KeyEvent::new(KeyCode::Char(c), modifiers)), Press::Character(c));
            }
        }
    }

    #[test]
    fn every_key_has_one_meaning() {
        for (index, row) in KEYS.iter().enumerate() {
            let twin = KEYS[..index].iter().find(|x| x.code == row.code && x.ctrl == row.ctrl);
            assert!(twin.is_none(), "{} stands twice", row.name);
        }
    }

    #[test]
    fn a_key_of_flow_control_or_of_a_multiplexer_is_none_of_ours() {
        for letter in ['s', 'q', 'z', 'b', 'a'] {
            assert!(!KEYS.iter().any(|row| row.ctrl && row.code == KeyCode::Char(letter)));
        }
    }
}
