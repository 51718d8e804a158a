//! Templates filled in, and what can not be.

use super::*;
use crate::ids::Fingerprint;
use crate::scan::text_of;

/// All characters that a value may have.
fn all() -> String {
    (' '..='~').collect()
}

fn facts(serial: &str) -> Facts {
    Facts {
        serial: serial.parse().unwrap(),
        client_id: "dev-1".parse().unwrap(),
        fingerprint: Fingerprint::from_bytes(&[0xab; 32]).unwrap(),
        work_order: Some("WO-7".parse().unwrap()),
        date: "2026-01-05".to_owned(),
    }
}

fn printed(template: &str, code: &str, serial: &str) -> Printed {
    let template = Template::parse(template, Language::of(template)).unwrap();
    Design::new(template, code).unwrap().label(&facts(serial)).unwrap()
}

fn text(template: &str, serial: &str) -> String {
    text_of(&printed(template, "{serial}", serial).bytes)
}

fn refusal(template: &str) -> String {
    Template::parse(template, Language::of(template)).unwrap_err().to_string()
}

#[test]
fn places_are_filled_in() {
    let template = "{serial} {client_id} {fingerprint:8} {work_order} {date} {{{qr}}}";
    let label = printed(template, "https://e.example/{serial}", "TH200-1");
    let wanted = "TH200-1 dev-1 abababab WO-7 2026-01-05 {https://e.example/TH200-1}";
    assert_eq!(text_of(&label.bytes), wanted);
    assert_eq!(label.code, "https://e.example/TH200-1");
    assert_eq!(printed("{serial}", "x{serial}", "A").code, "A", "no code is on the label");
}

#[test]
fn a_language_shows_at_the_beginning() {
    let cases = [
        ("^XA^XZ", Language::Zpl),
        ("SIZE 50 mm,30 mm\nCLS\n", Language::Tspl),
        ("\nN\nA1,1,0,1,1,1,N,\"x\"\nP1\n", Language::Epl),
        ("<svg/>", Language::Svg),
        ("Serial {serial}", Language::Text),
    ];
    for (template, language) in cases {
        assert_eq!(Language::of(template), language, "{template}");
    }
}

#[test]
fn zpl_says_no_character_of_a_value_as_a_command() {
    assert_eq!(text("^XA^FO1,1^FD{serial}^FS^XZ", "A^B~_1"), "^XA^FO1,1^FH_^FDA_5EB_7E_5F1^FS^XZ");
    // The template's own indicator, and one that its own text does not have.
    assert_eq!(text("^XA^FH\\^FD{serial}^FS^XZ", "A\\_"), "^XA^FH\\^FDA\\5C\\5F^FS^XZ");
    assert_eq!(text("^XA^FDa_b {serial}^FS^XZ", "A_"), "^XA^FH\\^FDa_b A\\5F^FS^XZ");
    assert_eq!(text("^XA^FH^FD{serial}^FS^XZ", "_"), "^XA^FH^FD_5F^FS^XZ");
    // Fields without a place stay as they are.
    assert_eq!(text("^XA^FD_5E^FS^FD{serial}^FS", "A"), "^XA^FD_5E^FS^FH_^FDA^FS");
}

#[test]
fn symbols_of_zpl_take_their_own_characters_for_themselves() {
    assert_eq!(text("^XA^BCN,100^FD{serial}^FS", "A>1"), "^XA^BCN,100^FH_^FDA_3E01^FS");
    assert_eq!(
        text("^XA^BXN,5,200,,,,|^FD{serial}^FS", "A|1"),
        "^XA^BXN,5,200,,,,|^FH_^FDA_7C_7C1^FS"
    );
    assert_eq!(text("^XA^BQN,2,6^FDQA,{qr}^FS", "A>1"), "^XA^BQN,2,6^FH_^FDQA,A_3E1^FS");
    assert_eq!(text("^XA^FB200,2^FD{serial}^FS", "A\\&"), "^XA^FB200,2^FH_^FDA_5C_5C_26^FS");
}

#[test]
fn a_place_where_a_value_can_not_stand_is_refused_by_its_line() {
    let cases = [
        ("^XA\n^FO{serial}\n^XZ", "line 2 of the template: a value stands in a field alone"),
        ("^XA^FD{serial}^FS{date}^XZ", "a value stands in a field alone"),
        ("^XA^BQN,2,6^FD{qr}^FS^XZ", "begins with QA,"),
        ("^XA^BQN,2,6^FDQM,{qr}^FS^XZ", "begins with QA,"),
        ("^XA^BXN,5,200^FD{qr}^FS^XZ", "names its escape character"),
        ("^XA^BXN,5,140,,,,_^FD{qr}^FS^XZ", "quality 200 alone"),
        ("^XA^BCN,,,,,A^FD{serial}^FS^XZ", "in N alone"),
        ("^XA^BCN^FD>;{serial}^FS^XZ", "digits alone"),
        ("^XA^B7N,8^FD{serial}^FS^XZ", "not into ^B7"),
        ("^XA^FD{serial:qr}^FS^XZ", "that is for SVG"),
        ("CLS\nTEXT 1,1,\"3\",0,1,1,{serial}\n", "between quotation marks"),
        ("CLS\nQRCODE 1,1,M,6,M,0,\"{qr}\"\n", "mode A"),
        ("CLS\nDMATRIX 1,1,90,90,c126,\"{qr}\"\n", "without an escape character"),
        ("CLS\nBARCODE 1,1,\"39\",90,1,0,2,2,\"{serial}\"\n", "\"128\" alone"),
        ("N\nA1,1,0,1,1,1,N,{serial}\n", "between quotation marks"),
        ("<svg {serial}/>", "attribute's marks"),
        ("<svg id='{qr}'/>", "between elements"),
        ("{serail}", "is none of {serial}"),
        ("{serial", "without its }"),
        ("a}b", "without its {"),
        ("{fingerprint:0}", "no number of characters"),
    ];
    for (template, words) in cases {
        let refusal = refusal(template);
        assert!(refusal.contains(words), "{template}: {refusal}");
    }
    let plain = Template::parse("x", Language::Text).unwrap();
    assert!(Design::new(plain.clone(), "{qr}").unwrap_err().to_string().contains("is none of"));
    assert!(Design::new(plain, "ü").is_err());
}

#[test]
fn tspl_and_epl_say_quotation_marks_and_backslashes() {
    let tspl = "CLS\nTEXT 1,1,\"3\",0,1,1,\"{serial}\"\n";
    assert_eq!(text(tspl, "A\"B"), "CLS\nTEXT 1,1,\"3\",0,1,1,\"A\\[\"]B\"\n");
    let epl = "N\nA1,1,0,1,1,1,N,\"{serial}\"\n";
    assert_eq!(text(epl, "A\"\\B"), "N\nA1,1,0,1,1,1,N,\"A\\\"\\\\B\"\n");
    let template = Template::parse(tspl, Language::Tspl).unwrap();
    let error = Design::new(template, "{serial}").unwrap().label(&facts("A\\[R]")).unwrap_err();
    assert!(error.to_string().contains("TSPL"), "{error}");
}

#[test]
fn svg_has_values_as_text_and_codes_as_pictures() {
    let label = text("<svg><text>{serial}</text><g id=\"{serial}\">{qr}</g></svg>", "<&\"'>");
    assert!(label.contains("<text>&lt;&amp;&quot;&#39;&gt;</text>"), "{label}");
    assert!(label.contains("viewBox=\"0 0 29 29\""), "{label}");
    for form in ["qr", "datamatrix", "code128"] {
        let label = text(&format!("<svg>{{serial:{form}}}</svg>"), "TH200-00000001");
        assert!(label.contains("<path d=\"M"), "{form}: {label}");
    }
}

#[test]
fn a_template_of_more_places_than_a_sheet_of_labels_has_is_refused() {
    let sheet = |places: usize| format!("<svg>{}</svg>", "{qr}\n".repeat(places));
    assert!(Template::parse(&sheet(200), Language::Svg).is_ok());
    assert_eq!(refusal(&sheet(201)), "line 201 of the template: it has more than 200 places");
}

#[test]
fn what_no_symbol_holds_is_refused() {
    let template = Template::parse("<svg>{qr:code128}</svg>", Language::Svg).unwrap();
    let long = "x".repeat(81);
    let error = Design::new(template, &long).unwrap().label(&facts("A")).unwrap_err();
    assert!(error.to_string().contains("no code128 holds a text of 81 characters"), "{error}");
}

/// Undoes `^FH` as a printer does, and says what is left of commands in the data.
fn undone(zpl: &str, indicator: char) -> String {
    let data = zpl.split("^FD").nth(1).unwrap().strip_suffix("^FS").unwrap();
    assert!(!data.contains(['^', '~']), "{data}");
    let mut bytes = Vec::new();
    let mut rest = data;
    while let Some(c) = rest.chars().next() {
        if c == indicator {
            bytes.push(u8::from_str_radix(&rest[1..3], 16).unwrap());
            rest = &rest[3..];
        } else {
            bytes.push(c as u8);
            rest = &rest[1..];
        }
    }
    text_of(&bytes)
}

#[test]
fn every_printable_character_comes_back_from_a_field() {
    let all = all();
    let design = Design::new(
        Template::parse("^FH_^FD{qr}^FS", Language::Zpl).unwrap(),
        &all.replace('{', "{{").replace('}', "}}"),
    );
    let label = design.unwrap().label(&facts("A")).unwrap();
    assert_eq!(undone(&text_of(&label.bytes), '_'), all);
}

/// What a printer takes of a text between quotation marks, with what it says them by.
fn unquoted(line: &str, said: &[(&str, char)]) -> String {
    let mut rest = line.split_once(",\"").unwrap().1;
    let mut text = String::new();
    loop {
        if let Some((escape, c)) = said.iter().find(|(escape, _)| rest.starts_with(escape)) {
            text.push(*c);
            rest = &rest[escape.len()..];
        } else if rest.starts_with('"') {
            assert_eq!(rest, "\"\n", "the text ends where the line does");
            return text;
        } else {
            text.push(rest.chars().next().unwrap());
            rest = &rest[1..];
        }
    }
}

#[test]
fn every_printable_character_comes_back_from_quoted_texts() {
    let all = all();
    let code = all.replace('{', "{{").replace('}', "}}");
    let said = |template: &str| text_of(&printed(template, &code, "A").bytes);
    let tspl = said("CLS\nQRCODE 1,1,L,6,A,0,\"{qr}\"\n");
    assert_eq!(unquoted(&tspl, &[("\\[\"]", '"'), ("\\[R]", '\r'), ("\\[L]", '\n')]), all);
    let epl = said("N\nA1,1,0,1,1,1,N,\"{qr}\"\n");
    assert_eq!(unquoted(&epl, &[("\\\"", '"'), ("\\\\", '\\')]), all);
    assert_eq!(said("x {qr}"), format!("x {all}"));
}

#[test]
fn printers_are_named_by_where_they_are() {
    let place = |text: &str| PrinterPlace::parse(text, std::path::Path::new("/etc/station"));
    for text in ["tcp:10.0.0.9:9100", "tcp:[fe80::1]:9100", "cups:office", "/dev/usb/lp0"] {
        assert_eq!(place(text).unwrap().to_string(), text);
    }
    assert_eq!(place("labels").unwrap().to_string(), "/etc/station/labels");
    for text in ["", "tcp:10.0.0.9", "tcp::9100", "tcp:a b:9100", "tcp:a:0", "cups:", "cups:-o x"] {
        assert!(place(text).is_err(), "{text}");
    }
}
