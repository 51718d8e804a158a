//! What is printed is read again, by decoders that share nothing with the station: a serial
//! becomes a label, a picture, a text, and by the scanner's rules the same serial.
//!
//! The pictures are those of SVG, drawn here module by module. ZPL is drawn by another
//! renderer and read by another decoder: `tests/printed/run` does that, with the labels that
//! [`write_labels`] leaves.

#![expect(clippy::unwrap_used, reason = "a test that fails here is right to")]

mod picture;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use provisioning_station::domain::ids::Fingerprint;
use provisioning_station::domain::label::{CheckCharacter, LabelRule, SerialPattern};
use provisioning_station::domain::print::{Design, Facts, Language, Template};
use provisioning_station::domain::scan::{Form, LetterCase, NO_READ, Rule, ScanRules};
use rxing::BarcodeFormat;

use picture::Picture;

/// Each symbol by its place's word, what decoders call it, and what a scanner sends before it.
const SYMBOLS: &[(&str, BarcodeFormat, &str)] = &[
    ("qr", BarcodeFormat::QR_CODE, "]Q1"),
    ("datamatrix", BarcodeFormat::DATA_MATRIX, "]d1"),
    ("code128", BarcodeFormat::CODE_128, "]C0"),
];

/// Enough text in one that every printable character is in one of them.
const SERIALS: &[&str] = &[
    "TH200-00000001",
    "!\"#$%&'()*+,-./0123456789:;<=>?@",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`",
    "abcdefghijklmnopqrstuvwxyz{|}~",
    "^FS^XZ~JA_5E>;>:>0\\&\\[R]\"{}",
    "123456789012",
    "AB-1",
];

fn facts(serial: &str) -> Facts {
    Facts {
        serial: serial.parse().unwrap(),
        client_id: "dev-1".parse().unwrap(),
        fingerprint: Fingerprint::new([0xab; 32]),
        work_order: None,
        date: "2026-01-05".to_owned(),
    }
}

fn label(template: &str, code: &str, serial: &str) -> String {
    let template = Template::parse(template, Language::of(template)).unwrap();
    let label = Design::new(template, code).unwrap().label(&facts(serial)).unwrap();
    String::from_utf8(label.bytes).unwrap()
}

/// What a decoder reads from a symbol that is drawn of `{qr}`.
fn decoded(symbol: &str, format: BarcodeFormat, code: &str, serial: &str) -> String {
    let svg = label(&format!("<svg>{{qr:{symbol}}}</svg>"), code, serial);
    Picture::of(&svg).read(format).unwrap_or_else(|error| panic!("{symbol} of {serial}: {error}"))
}

fn rule() -> LabelRule {
    LabelRule {
        patterns: vec![SerialPattern::new("[!-~]{1,64}").unwrap()],
        ranges: Vec::new(),
        check: CheckCharacter::None,
        check_part: None,
        client_id: "{serial}".parse().unwrap(),
    }
}

/// The serial that the rules find in a scan.
fn found(rules: &ScanRules, scan: &str) -> Option<String> {
    rules.read(scan, &rule()).serial
}

fn by(form: Form, serial: &str) -> ScanRules {
    ScanRules { rules: vec![Rule::new(form, serial).unwrap()], case: LetterCase::Keep }
}

fn is_read(serial: &str) -> bool {
    !NO_READ.iter().any(|word| serial.eq_ignore_ascii_case(word))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_serial_comes_back_from_each_symbol(serial in "[!-~]{1,64}") {
        prop_assume!(is_read(&serial));
        for (symbol, format, identifier) in SYMBOLS {
            let text = decoded(symbol, *format, "{serial}", &serial);
            prop_assert_eq!(text.as_bytes(), serial.as_bytes(), "{}", symbol);
            let scan = format!("{identifier}{text}\r");
            let read = found(&ScanRules::default(), &scan);
            prop_assert_eq!(read.as_deref(), Some(serial.as_str()), "{}", symbol);
        }
    }

    #[test]
    fn any_serial_comes_back_from_a_text_around_it(serial in "[!-:<-~]{1,40}") {
        let rules = by(Form::Text("SN:{serial};FP:{_}".parse().unwrap()), "serial");
        for (symbol, format, identifier) in SYMBOLS {
            let text = decoded(symbol, *format, "SN:{serial};FP:{fingerprint:8}", &serial);
            let read = found(&rules, &format!("{identifier}{text}\r"));
            prop_assert_eq!(read.as_deref(), Some(serial.as_str()), "{}", symbol);
        }
    }
}

#[test]
fn every_printable_character_comes_back_from_each_symbol() {
    for serial in SERIALS {
        for (symbol, format, _) in SYMBOLS {
            assert_eq!(decoded(symbol, *format, "{serial}", serial), *serial, "{symbol}");
        }
    }
    // A space too, which a serial has not.
    for (symbol, format, _) in SYMBOLS {
        assert_eq!(decoded(symbol, *format, "{serial} of {date}", "A"), "A of 2026-01-05");
    }
}

/// A GS1 element string goes through a Data Matrix whose separators are characters.
#[test]
fn a_gs1_text_is_split_as_it_was_joined() {
    let rules = by(Form::Gs1, "21");
    let text = decoded(
        "datamatrix",
        BarcodeFormat::DATA_MATRIX,
        "010950600013435210L7\u{1d}21{serial}",
        "TH200-1",
    );
    assert_eq!(found(&rules, &format!("]d1{text}\r")).as_deref(), Some("TH200-1"));
}

/// Each of these serials in each symbol of ZPL, with the text that must come back, for
/// `tests/printed/run`: in the folder that it names, or in one that is gone with the test.
#[test]
fn write_labels() {
    let own = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("LABELS_OUT").map_or(own.path().to_owned(), PathBuf::from);
    let symbols = [
        ("qr", "^XA^FO60,60^BQN,2,8^FDQA,{serial}^FS^XZ"),
        ("datamatrix", "^XA^FO60,60^BXN,8,200,,,,_^FD{serial}^FS^XZ"),
        ("code128", "^XA^BY2^FO60,60^BCN,120,N,N,N,N^FD{serial}^FS^XZ"),
    ];
    for (number, serial) in SERIALS.iter().enumerate() {
        // That renderer prints a doubled escape character as two.
        let escape = if serial.contains('_') { '|' } else { '_' };
        for (symbol, template) in symbols {
            let template = &template.replace(",_^", &format!(",{escape}^"));
            let name = format!("{symbol}-{number}");
            fs::write(
                folder.join(&name).with_extension("zpl"),
                label(template, "{serial}", serial),
            )
            .unwrap();
            fs::write(folder.join(&name).with_extension("txt"), serial).unwrap();
        }
    }
    let written = fs::read_dir(folder).unwrap().count();
    assert_eq!(written, 2 * symbols.len() * SERIALS.len());
}
