//! A label is never a command: any bytes at any scanner's speed, on every page and over every
//! question. And what is typed into a secret field is nowhere else.
//!
//! Bytes go through the decoder, keys through `update`, as they do behind a real terminal; only
//! the clock is the test's.

use std::time::Duration;

use super::people::with_people;
use super::*;
use crate::View;
use crate::domain::pages::{Act, Question};
use crate::input::{Decoded, Decoder};
use crate::model::{Choice, Dialog, DialogKind, Field, Form, Menu, Purpose};
use crate::text::Word;

/// Bursts of each test.
const BURSTS: usize = 100_000;

/// Numbers that look random and are the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What scanners send for a key, besides characters.
const KEYS: [&[u8]; 24] = [
    b"\x1bOP",
    b"\x1bOQ",
    b"\x1b[[A",
    b"\x1b[15~",
    b"\x1b[17~",
    b"\x1b[18~",
    b"\x1b[19~",
    b"\x1b[20~",
    b"\x1b[21~",
    b"\x1b[A",
    b"\x1b[B",
    b"\x1b[5~",
    b"\x1b[Z",
    b"\x1b",
    b"\t",
    b"\x03",
    b"\x0f",
    b"\x10",
    b"\x15",
    b"\x18",
    b"\x7f",
    b"\r",
    b"\n",
    b"\x1b[<0;75;24M",
];

/// A label with keys in it, of which no person could have pressed two so quickly.
fn burst(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=random.below(18) {
        match random.below(10) {
            0..=4 => bytes.extend(b"TH200-;echo >x~[".get(random.below(16))),
            5 => bytes.push(u8::try_from(random.below(256)).unwrap()),
            6 => bytes.push(u8::try_from(random.below(32)).unwrap()),
            _ => bytes.extend_from_slice(KEYS[random.below(KEYS.len())]),
        }
    }
    if random.below(4) > 0 {
        bytes.push(b'\r');
    }
    bytes
}

/// Whether one key alone was pressed, or one that only moves was held: those are a person's.
fn is_a_person_s(keys: &[KeyEvent]) -> bool {
    keys.iter().all(|key| *key == keys[0])
        || *keys
            == [KeyCode::Enter.into(), KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL)]
}

/// Sends bytes with pauses of a scanner between them; the keys that they were.
fn send(walk: &mut Walk, decoder: &mut Decoder, bytes: &[u8], pause: u64) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut take = |walk: &mut Walk, decoded: Vec<Decoded>| {
        let at = walk.time;
        for one in decoded {
            let msg = match one {
                Decoded::Key(key) => {
                    keys.push(key);
                    Msg::Key(key, at)
                }
                Decoded::Mouse(mouse) => {
                    keys.push(KeyCode::Null.into());
                    Msg::Mouse(mouse, at)
                }
                Decoded::Paste(text) => {
                    keys.push(KeyCode::Null.into());
                    Msg::Paste(text, at)
                }
            };
            walk.tell(msg);
        }
    };
    for byte in bytes {
        let decoded = decoder.feed(&[*byte]);
        take(walk, decoded);
        walk.time += Duration::from_millis(pause);
    }
    let decoded = decoder.silence();
    take(walk, decoded);
    walk.tell(Msg::Silence);
    walk.time += Duration::from_millis(400);
    keys
}

const VIEWS: [View; 9] = [
    View::Line,
    View::History,
    View::Unit,
    View::Statistics,
    View::Sync,
    View::Checks,
    View::Log,
    View::Settings,
    View::Help,
];

/// Every dialog, and none.
fn dialogs() -> Vec<Option<DialogKind>> {
    let serial = || "TH200-00000002".parse().unwrap();
    let order = || "WO-1".parse().unwrap();
    let purposes = [
        Purpose::SignIn,
        Purpose::Rework { serial: serial(), new_device: true },
        Purpose::Void(serial()),
        Purpose::Scrap(serial()),
        Purpose::AcceptClock,
        Purpose::AcceptProfile(order()),
        Purpose::CloseOrder(order()),
    ];
    let items = [Choice::SignOut, Choice::StartSync, Choice::StopSync, Choice::Orders]
        .map(|choice| (Word::DoSignOut, String::new(), choice));
    let menu = DialogKind::Menu(Menu { items: items.into(), at: 1 });
    let mut all = vec![None, Some(DialogKind::Quit), Some(DialogKind::Stopped), Some(menu)];
    for purpose in purposes {
        let fields = Form::new(purpose.clone()).fields.len();
        for at in 0..fields {
            let mut form = Form::new(purpose.clone());
            form.at = at;
            all.push(Some(DialogKind::Form(form)));
        }
    }
    all
}

fn open(walk: &mut Walk, kind: Option<DialogKind>) {
    walk.model.dialog = kind.map(Dialog::new);
    if let Some(dialog) = &mut walk.model.dialog {
        dialog.drawn = Some(Duration::ZERO);
    }
}

/// Which dialog is open, without what stands in its fields.
fn kind(walk: &Walk) -> Option<(std::mem::Discriminant<DialogKind>, Option<Purpose>)> {
    let dialog = walk.model.dialog.as_ref()?;
    let purpose = match &dialog.kind {
        DialogKind::Form(form) => Some(form.purpose.clone()),
        _ => None,
    };
    Some((std::mem::discriminant(&dialog.kind), purpose))
}

/// What a label must never do.
fn is_a_deed(action: &Action) -> bool {
    match action {
        Action::Command(Command::Scan(_) | Command::ScanBack(_)) | Action::Bell => false,
        Action::Command(_) | Action::Redraw => true,
        Action::Ask(asked) => matches!(asked.question, Question::Act(_)),
        Action::Hand(..) => true,
    }
}

#[test]
fn no_label_at_any_speed_is_a_command_anywhere() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut decoder = Decoder::default();
    let dialogs = dialogs();
    let mut walk = with_people(true, (80, 24));
    let mut tried = 0;
    let mut refused = 0;
    while tried < BURSTS {
        let view = *random.one_of(&VIEWS);
        walk.model.view = view;
        open(&mut walk, random.one_of(&dialogs).clone());
        let (before, language, theme) = (kind(&walk), walk.model.language, walk.model.theme);
        let (bytes, pause) = (burst(&mut random), random.below(40) as u64);
        walk.model.notices = Default::default();
        walk.model.scan.reset();
        walk.model.wanted = 2;
        walk.actions.clear();
        let keys = send(&mut walk, &mut decoder, &bytes, pause);
        if keys.is_empty() || is_a_person_s(&keys) {
            walk.model.leaving = false;
            walk.model.phase = Phase::Running;
            continue;
        }
        tried += 1;
        let said =
            format!("{:?} {pause} ms, {view:?}, {before:?}", String::from_utf8_lossy(&bytes));
        assert_eq!(walk.model.view, view, "{said}");
        assert_eq!(kind(&walk), before, "{said}");
        assert_eq!((walk.model.language, walk.model.theme), (language, theme), "{said}");
        assert!(!walk.model.leaving && walk.model.phase == Phase::Running, "{said}");
        let deed = walk.actions.iter().find(|action| is_a_deed(action));
        assert_eq!(deed, None, "{said}");
        refused += usize::from(walk.model.notices.len() > 0);
    }
    // The test would show little if hardly a burst came to its end.
    assert!(refused > BURSTS / 10, "{refused}");
}

/// What can be read anywhere of what the screen knows, draws and wants done.
fn readable(walk: &Walk) -> String {
    let model = &walk.model;
    let messages: Vec<_> = model.notices.all().collect();
    format!("{:?} {:?} {:?} {messages:?} {:?}", model.burst, model.scan, model.dialog, walk.actions)
}

#[test]
fn what_comes_into_a_secret_field_is_nowhere_else() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut decoder = Decoder::default();
    let mut walk = with_people(true, (80, 24));
    let forms: Vec<_> = dialogs()
        .into_iter()
        .filter(|kind| matches!(kind, Some(DialogKind::Form(form)) if form.is_at_a_secret()))
        .collect();
    for index in 0..BURSTS {
        walk.model.view = *random.one_of(&VIEWS);
        open(&mut walk, random.one_of(&forms).clone());
        // It may come before the form takes keys at all.
        if random.below(8) == 0 {
            open(&mut walk, random.one_of(&forms).clone());
            walk.model.dialog.as_mut().unwrap().drawn = None;
        }
        walk.actions.clear();
        // Digits alone stand in times too.
        let digits = 10_usize.pow(2 + random.below(7) as u32);
        let pin = format!("zQ{}", digits + random.below(digits));
        let mut bytes = match random.below(6) {
            0 => format!("\x1b[200~{pin}\r\n\x1b[201~"),
            1 => format!("\x02{pin}\x03"),
            _ => pin.clone(),
        }
        .into_bytes();
        bytes.extend([&b"\r"[..], b"", b"\t", b"\r\n", b"\r\r"][random.below(5)]);
        match random.below(6) {
            // From a scanner at a port of its own.
            0 => walk.tell(Msg::Scanned(pin.clone())),
            _ => drop(send(&mut walk, &mut decoder, &bytes, random.below(40) as u64)),
        }
        // Nor while it still comes.
        walk.writes(&pin, 5);
        assert!(!readable(&walk).contains(&pin));
        walk.tell(Msg::Silence);
        // The form may go while somebody still types.
        if random.below(4) == 0 {
            walk.press(KeyCode::Char('1'), KeyModifiers::NONE);
            walk.model.dialog = None;
            drop(send(&mut walk, &mut decoder, format!("{pin}\r").as_bytes(), 5));
        }
        let all = readable(&walk);
        assert!(!all.contains(&pin), "{pin} in {all}");
        assert!(walk.scanned().is_empty());
        if index % 500 == 0 {
            assert!(!walk.screen().contains(&pin));
        }
        walk.model.notices = Default::default();
    }
}

#[test]
fn a_pin_that_comes_at_scanner_speed_is_taken_and_waits_for_a_person() {
    let mut walk = with_people(true, (80, 24));
    let mut form = Form::new(Purpose::CloseOrder("WO-1".parse().unwrap()));
    form.at = 1;
    open(&mut walk, Some(DialogKind::Form(form)));
    walk.scans("493817");
    let Some(DialogKind::Form(form)) = walk.model.dialog.as_ref().map(|dialog| &dialog.kind) else {
        panic!("the form is gone");
    };
    assert!(form.text(Field::Pin) == "493817" && form.sent.is_none());
    let screen = walk.screen();
    assert!(screen.contains("••••••") && !screen.contains("493817"), "{screen}");
    walk.confirm();
    let sent = walk.question().1;
    assert!(matches!(sent, Question::Act(Act::CloseWorkOrder { .. })), "{sent:?}");
}
