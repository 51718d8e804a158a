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
    Slot,
    Kept,
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
    TakeOut,
    PutIn,
    Redraw,
    Backspace,
    Delete,
    /// What a mouse points at: a slot, or a row of the page, by its number.
    Point(usize),
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
    ctrl('v', "Ctrl-V", Intent::Slot, Word::HelpSlot),
    ctrl('k', "Ctrl-K", Intent::Kept, Word::HelpKept),
    ctrl('o', "Ctrl-O", Intent::Menu, Word::HelpMenu),
    ctrl('p', "Ctrl-P", Intent::SignIn, Word::HelpSignIn),
    ctrl('x', "Ctrl-X", Intent::Withdraw, Word::HelpWithdraw),
    ctrl('g', "Ctrl-G", Intent::Bell, Word::HelpBell),
    ctrl('t', "Ctrl-T", Intent::Theme, Word::HelpTheme),
    ctrl('d', "Ctrl-D", Intent::AutoScan, Word::HelpAutoScan),
    ctrl('e', "Ctrl-E", Intent::TakeOut, Word::HelpTakeOut),
    ctrl('r', "Ctrl-R", Intent::PutIn, Word::HelpPutIn),
    ctrl('l', "Ctrl-L", Intent::Redraw, Word::HelpRedraw),
    ctrl('c', "Ctrl-C", Intent::Quit, Word::HelpQuit),
];

impl Intent {
    /// Whether it changes nothing but what is shown and where the marker stands. Such a key
    /// has its effect at once, and again while it is held; it is taken back where it was a
    /// scanner's.
    pub(super) const fn is_shown_at_once(self) -> bool {
        use Intent::*;
        match self {
            Help | Line | Slot | Kept | History | Statistics | Sync | Checks | Log | Settings
            | Language | Theme | NextNeed | PreviousSlot | Up | Down | Left | Right | PageUp
            | PageDown | Home | End | Backspace | Delete | Point(_) => true,
            Quit | Unit | Menu | SignIn | Enter | Escape | Withdraw | Bell | AutoScan | TakeOut
            | PutIn | Redraw => false,
        }
    }
}

/// What a key press is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Press {
    /// A character for a field.
    Character(char),
    /// Enter, or the line feed that scanners may end a line with.
    LineEnd(char),
    /// A control or function key: what it asks for where it stands in the table, its name,
    /// and the character that it is in a label.
    Key(Option<Intent>, String, Option<char>),
}

/// Reads one key press.
pub(super) fn read(key: KeyEvent) -> Press {
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Enter => return Press::LineEnd('\r'),
        KeyCode::Char('j') if ctrl => return Press::LineEnd('\n'),
        KeyCode::Char(c) if !ctrl && !key.modifiers.contains(KeyModifiers::ALT) => {
            return Press::Character(c);
        }
        _ => {}
    }
    let found = KEYS.iter().find(|row| row.code == key.code && row.ctrl == ctrl);
    Press::Key(found.map(|row| row.intent), name(key), stand_in(key, ctrl))
}

/// The character that a key is in a label that holds it.
fn stand_in(key: KeyEvent, ctrl: bool) -> Option<char> {
    match key.code {
        KeyCode::Char(c) if ctrl && c.is_ascii() => Some(char::from(c as u8 & 0x1f)),
        KeyCode::Char(c) => Some(c),
        KeyCode::Tab => Some('\t'),
        KeyCode::Backspace => Some('\u{8}'),
        KeyCode::Esc => Some('\u{1b}'),
        _ => None,
    }
}

/// What is printed on a key.
fn name(key: KeyEvent) -> String {
    let plain = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) => c.to_uppercase().to_string(),
        KeyCode::F(number) => format!("F{number}"),
        KeyCode::BackTab => "Tab".to_owned(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        other => format!("{other:?}"),
    };
    let held = [
        (KeyModifiers::CONTROL, "Ctrl-"),
        (KeyModifiers::ALT, "Alt-"),
        (KeyModifiers::SHIFT, "Shift-"),
    ];
    let held = held.iter().filter(|(modifier, _)| key.modifiers.contains(*modifier));
    held.map(|(_, name)| *name).chain([plain.as_str()]).collect()
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
    fn a_key_is_told_by_what_is_printed_on_it() {
        for (code, modifiers, wanted) in [
            (KeyCode::F(10), KeyModifiers::NONE, "F10"),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, "Ctrl-C"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "Shift-Tab"),
            (KeyCode::Char('x'), KeyModifiers::ALT, "Alt-X"),
            (KeyCode::PageUp, KeyModifiers::NONE, "PgUp"),
            (KeyCode::Esc, KeyModifiers::NONE, "Esc"),
        ] {
            assert_eq!(name(KeyEvent::new(code, modifiers)), wanted);
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
