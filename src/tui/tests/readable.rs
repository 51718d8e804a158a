//! What a person must read can be read: every code in both languages at every width, whole, on
//! the page or a key away.

use super::*;
use crate::text::{self, remedy};

const WIDTHS: [u16; 3] = [60, 80, 120];

/// What must be told of a fault in this language.
fn told(fault: &Fault, language: Language) -> [String; 2] {
    [text::what(fault, language).into_owned(), remedy(fault.code, language).to_owned()]
}

/// A text without what lines do to it: neither spaces nor ends of lines count.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase()
}

#[track_caller]
fn holds(screen: &str, fault: &Fault, language: Language) {
    let found = squeezed(screen);
    for text in told(fault, language) {
        assert!(found.contains(&squeezed(&text)), "{}: {text}\n{screen}", fault.code);
    }
}

fn fault(code: Code) -> Fault {
    let detail = "no answer to CHUNK 17 of 64 within 300 ms, after the device had taken all of \
                  those before it and said nothing since";
    Fault::new(code, detail)
}

/// One with its sentence in both languages.
fn said(code: Code) -> Fault {
    let fault = fault(code);
    let chinese = "设备收下了前面所有的数据块，此后什么都没有再说；第 17 块（共 64 块）在 300 毫秒内没有应答，\
                   与它一起发送的其他内容也没有应答";
    Fault { chinese: Some(chinese.to_owned()), ..fault }
}

/// A walk in one language at each width.
fn each(check: impl Fn(&mut Walk, Language, Code)) {
    for width in WIDTHS {
        for language in Language::ALL {
            let mut walk = Walk::with(2, (width, 24), |setup| setup.language = *language);
            for code in Code::ALL {
                check(&mut walk, *language, *code);
            }
        }
    }
}

#[test]
fn a_refusal_of_every_code_can_be_read_whole() {
    each(|walk, language, code| {
        walk.unit(UnitReport::refused("TH200-00000009", None, fault(code)));
        holds(&walk.screen(), &fault(code), language);
        walk.key(KeyCode::F(7));
        holds(&walk.screen(), &fault(code), language);
        walk.key(KeyCode::F(2));
        walk.key(KeyCode::Esc);
    });
}

#[test]
fn a_failure_of_every_code_can_be_read_whole() {
    each(|walk, language, code| {
        let mut failed = report("TH200-00000002", "A", Outcome::Fail);
        failed.fault = Some(said(code));
        walk.ends(failed);
        holds(&walk.screen(), &said(code), language);
        walk.ctrl('v');
        holds(&walk.screen(), &said(code), language);
        walk.key(KeyCode::F(2));
    });
}

#[test]
fn a_line_that_stopped_says_all_of_it() {
    each(|walk, language, code| {
        walk.line(Event::Stopping(Some(said(code))));
        walk.line(Event::Ended);
        let screen = walk.screen().replace('║', " ");
        holds(&screen, &said(code), language);
        (walk.model.stopped, walk.model.dialog) = (None, None);
    });
}

#[test]
fn a_label_is_refused_in_chinese_with_its_values() {
    let rule = crate::domain::label::SerialPattern::new("TH200-[0-9]{8}").unwrap();
    let wrong =
        crate::domain::label::LabelError::Pattern(rule.check("TH2O0-00000001").unwrap_err());
    let mut walk = Walk::with(2, (80, 24), |setup| setup.language = Language::Chinese);
    walk.unit(UnitReport::refused("TH2O0-00000001", None, wrong.into()));
    let screen = squeezed(&walk.screen());
    assert!(screen.contains("第4个字符是'o'，应为'0'"), "{screen}");
}

#[test]
fn a_message_without_room_says_which_key_shows_all_of_it() {
    let mut walk = Walk::new(2, (60, 15));
    let long = "word ".repeat(100);
    walk.unit(UnitReport::refused("TH200-00000009", None, Fault::new(Code::ScanKeys, long)));
    assert!(walk.screen().contains("F7: all of it"), "{}", walk.screen());
}

#[test]
fn no_page_cuts_a_word_of_its_frame_at_the_narrowest_width() {
    for language in Language::ALL {
        let mut walk = Walk::with(2, (60, 24), |setup| setup.language = *language);
        for key in 1..=8 {
            walk.key(KeyCode::F(key));
            let screen = walk.screen();
            let frame = screen.lines().take(3).chain(screen.lines().skip(19));
            let cut: Vec<_> = frame.filter(|line| line.contains('…')).collect();
            assert!(cut.is_empty(), "F{key}: {cut:?}");
        }
    }
}

/// What the help page says, column by column.
fn help(language: Language, size: (u16, u16), columns: usize) -> String {
    let mut walk = Walk::with(2, size, |setup| setup.language = language);
    walk.key(KeyCode::F(1));
    let (screen, wide) = (walk.screen(), usize::from(size.0) / columns);
    let part = |line: &str, column: usize| -> String {
        match columns {
            1 => line.to_owned(),
            _ => line.chars().skip(column * wide).take(wide).collect(),
        }
    };
    let parts = (0..columns).flat_map(|column| screen.lines().map(move |line| part(line, column)));
    squeezed(&parts.collect::<String>())
}

#[test]
fn what_a_key_does_stands_on_the_help_page_whole_at_every_width() {
    let one =
        Language::ALL.iter().flat_map(|language| [60, 80].map(|wide| (*language, (wide, 60), 1)));
    // Two columns, where one is too long for the screen.
    for (language, size, columns) in one.chain([(Language::English, (120, 30), 2)]) {
        let shown = help(language, size, columns);
        for help in crate::keymap::KEYS.iter().filter_map(|row| row.help) {
            assert!(shown.contains(&squeezed(help.text(language))), "{size:?} {help:?}: {shown}");
        }
    }
}
