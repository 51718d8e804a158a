//! Scans of every kind, by the rules that the pages show.

use super::*;
use crate::code::Code;
use crate::device::Fault;
use crate::label::{CheckCharacter, SerialPattern};

const GTIN: &str = "09506000134352";

fn label(pattern: &str) -> LabelRule {
    LabelRule {
        patterns: vec![SerialPattern::new(pattern).unwrap()],
        ranges: Vec::new(),
        check: CheckCharacter::None,
        check_part: None,
        client_id: "{serial}".parse().unwrap(),
    }
}

fn th200() -> LabelRule {
    label("TH200-[0-9]{8}")
}

fn text_rule(text: &str) -> Rule {
    let template: Template = text.parse().unwrap();
    let names_device = template.has("hardware_id");
    let rule = Rule::new(Form::Text(template), "serial").unwrap();
    if names_device { rule.with_hardware_id("hardware_id").unwrap() } else { rule }
}

/// The rules that the pages show.
fn rules() -> ScanRules {
    let gs1 = Rule::new(Form::Gs1, "21").unwrap().with_required("01", GTIN).unwrap();
    let link = Rule::new(Form::Link, "21").unwrap();
    let query = Rule::new(Form::Link, "sn").unwrap();
    let json = Rule::new(Form::Json, "SN").unwrap().with_hardware_id("MAC").unwrap();
    let text = text_rule("SN:{serial};MAC:{hardware_id}");
    ScanRules {
        rules: vec![gs1, link, query, json, text, text_rule("S/N: {serial}")],
        case: LetterCase::Keep,
    }
}

fn read(scan: &str) -> Verdict {
    rules().read(scan, &th200())
}

fn serial(scan: &str) -> String {
    read(scan).outcome.unwrap_or_else(|e| panic!("{scan:?}: {e:?}")).serial.to_string()
}

fn refusal(rules: &ScanRules, label: &LabelRule, scan: &str) -> (Code, String) {
    let fault = Fault::from(rules.read(scan, label).outcome.expect_err(scan));
    (fault.code, fault.detail)
}

#[test]
fn without_rules_a_label_is_a_serial_with_or_without_an_identifier() {
    for scan in ["TH200-00000706", "]C0TH200-00000706\r", "\u{2}]A0TH200-00000706\u{3}"] {
        let verdict = ScanRules::default().read(scan, &th200());
        assert_eq!(verdict.rule, None);
        assert_eq!(verdict.outcome.unwrap().serial.as_str(), "TH200-00000706");
    }
}

#[test]
fn each_form_gives_the_serial() {
    let scans = [
        format!("01{GTIN}21TH200-00000706"),
        format!("]C101{GTIN}10LOT1\u{1d}21TH200-00000706"),
        format!("(01){GTIN}(21)TH200-00000706"),
        format!("]d2\u{1d}01{GTIN}21TH200-00000706\r"),
        format!("https://id.example.com/01/{GTIN}/21/TH200-00000706"),
        "https://example.com/d?sn=TH200-00000706".to_owned(),
        r#"{"SN":"TH200-00000706","MAC":"00:15:5D:01:A2:B3"}"#.to_owned(),
        "]Q1SN:TH200-00000706;MAC:00155D01A2B3".to_owned(),
        "S/N: TH200-00000706".to_owned(),
    ];
    for scan in scans {
        assert_eq!(serial(&scan), "TH200-00000706", "{scan:?}");
    }
}

#[test]
fn the_verdict_names_rule_identifier_and_fields() {
    let verdict = read("]Q1SN:TH200-00000706;MAC:00:15:5D:01:A2:B3");
    assert_eq!(verdict.rule, Some(5));
    assert_eq!(verdict.aim.unwrap().to_string(), "]Q1");
    let fields: Vec<_> = verdict.fields.iter().collect();
    assert_eq!(fields, [("serial", "TH200-00000706"), ("hardware_id", "00:15:5D:01:A2:B3")]);
    let hardware = verdict.outcome.unwrap().hardware.unwrap();
    assert_eq!(hardware.to_string(), "00155d01a2b3");
}

#[test]
fn where_no_rule_fits_each_is_named_with_the_place_where_it_was_left() {
    let (code, message) = refusal(&rules(), &th200(), "TH200-00000706");
    assert_eq!(code, Code::ScanLabel);
    for wanted in [
        "no rule reads TH200-00000706; rule 1 (gs1): character 1:",
        "rule 2 (link): character 1: http:// or https:// is expected",
        "rule 4 (json): character 1: it is not JSON",
        "rule 5 (text): character 1: is 'T', \"SN:\" is expected",
    ] {
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn two_serials_are_none() {
    let twice = r#"{"SN":"TH200-00000001","SN":"TH200-00000002","MAC":"00155D01A2B3"}"#;
    for scan in ["(01)09506000134352(21)TH200-00000001(21)TH200-00000002", twice] {
        let (code, message) = refusal(&rules(), &th200(), scan);
        assert_eq!(code, Code::ScanAmbiguous, "{scan}");
        assert!(message.contains("TH200-00000001 or TH200-00000002"), "{message}");
    }
    // Two rules that disagree, and a pattern that does not tell.
    let rules = ScanRules {
        rules: vec![text_rule("{serial};{m}"), text_rule("{m};{serial}")],
        case: LetterCase::Keep,
    };
    assert_eq!(refusal(&rules, &label("[A-Z]+"), "A;B").0, Code::ScanAmbiguous);
    let verdict = rules.read("A;1", &label("[A-Z]+"));
    assert_eq!(verdict.outcome.unwrap().serial.as_str(), "A");
}

#[test]
fn another_products_label_is_told_from_a_wrong_one() {
    let (code, message) = refusal(&rules(), &th200(), "(01)09506000149301(21)TH200-00000706");
    assert_eq!(code, Code::ScanOtherProduct);
    assert_eq!(message, "rule 1: 01 is 09506000149301, this product's is 09506000134352");
}

#[test]
fn a_text_without_its_separators_is_not_split() {
    for scan in
        [format!("]C101{GTIN}10LOT121TH200-00000706"), format!("01{GTIN}21TH200-0000070610LOT1")]
    {
        let (code, message) = refusal(&rules(), &th200(), &scan);
        assert_eq!(code, Code::ScanSeparators, "{scan}: {message}");
        assert!(message.contains("TH200-00000706") && message.contains("0x1d"), "{message}");
    }
    // A pattern that takes both readings does not tell them apart.
    let loose = label("[A-Z0-9-]+");
    let scan = format!("01{GTIN}21TH200-0000070610LOT1");
    assert_eq!(refusal(&rules(), &loose, &scan).0, Code::ScanSeparators);
    // The serial alone, and last: nothing was dropped.
    assert_eq!(serial(&format!("01{GTIN}21TH200-00001012")), "TH200-00001012");
}

#[test]
fn a_check_character_stays_whatever_the_identifier_says() {
    let mut rule = th200();
    rule.check = CheckCharacter::None;
    for modifier in ["]A0", "]A1", "]A3", "]I1"] {
        let verdict = ScanRules::default().read(&format!("{modifier}TH200-00000706"), &rule);
        assert_eq!(verdict.outcome.unwrap().serial.as_str(), "TH200-00000706");
    }
}

#[test]
fn several_lines_are_one_scan_and_no_label() {
    for rules in [rules(), ScanRules::default()] {
        let scan = "TH200-00000001\rTH200-00000002\rTH200-00000003\r";
        let (code, message) = refusal(&rules, &th200(), scan);
        assert_eq!(code, Code::ScanLines);
        assert!(message.contains("3 lines"), "{message}");
    }
    let rules = ScanRules {
        rules: vec![text_rule("SN:{serial}\nMAC:{hardware_id}")],
        case: LetterCase::Keep,
    };
    let verdict = rules.read("SN:TH200-00000001\r\nMAC:00155D01A2B3\r\n", &th200());
    assert_eq!(verdict.outcome.unwrap().serial.as_str(), "TH200-00000001");
}

#[test]
fn what_a_scanner_says_without_a_label_is_refused_whatever_the_pattern_takes() {
    let loose = label("[A-Z0-9 -]+");
    for scan in ["NOREAD", "]C0NOREAD\r", "NO READ", "ERROR"] {
        assert_eq!(refusal(&ScanRules::default(), &loose, scan).0, Code::ScanNoRead, "{scan}");
    }
}

#[test]
fn a_refused_serial_says_what_to_change() {
    let hint = |scan: &str| refusal(&ScanRules::default(), &th200(), scan).1;
    assert!(hint("th200-00000706").contains("CapsLock"));
    assert!(hint("TH200-00000706TH200-00000707").contains("suffix to CR"));
    assert!(hint("TH200-00000706\u{3}TH200-00000707").contains("suffix to CR"));
    assert!(hint("TH200ß00000706").contains("layout"));
    assert!(hint("(01)09506000134352(21)TH200-00000706").contains("form = \"gs1\""));
    assert!(hint("https://x.example/?sn=1").contains("form = \"link\""));
    assert!(hint("{\"SN\":\"TH200-00000706\"}").contains("form = \"json\""));
    assert!(hint("SN:TH200-00000706").contains("form = \"text\""));
    assert_eq!(hint("TH300-00000706"), "TH300-00000706: character 3 is '3', '2' is expected");
}

#[test]
fn letters_have_the_case_that_the_product_has() {
    let mut rules = rules();
    rules.case = LetterCase::Upper;
    for scan in [
        "sn:th200-00000706;mac:00155d01a2b3",
        "{\"sn\":\"th200-00000706\",\"mac\":\"00155d01a2b3\"}",
    ] {
        let verdict = rules.read(scan, &th200());
        assert_eq!(verdict.outcome.unwrap().serial.as_str(), "TH200-00000706", "{scan}");
    }
}

#[test]
fn a_label_that_names_no_device_fits_no_rule_that_asks_for_one() {
    let (code, message) = refusal(&rules(), &th200(), r#"{"SN":"TH200-00000706"}"#);
    assert_eq!(code, Code::ScanLabel);
    assert!(message.contains("rule 4 (json): it has no MAC"), "{message}");
    let (_, message) = refusal(&rules(), &th200(), "SN:TH200-00000706;MAC:TH200");
    assert!(message.contains("rule 5 (text): hardware_id: "), "{message}");
}
