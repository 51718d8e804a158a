//! Which codes these tests provoke, and why the others are not among them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use provisioning_station::domain::code::Code;

/// Codes that nothing outside the program can provoke; their tests stand beside the code
/// that gives them.
const NOT_HERE: &[(&str, &str)] = &[
    ("E-OPERATOR-ABSENT", "a person at the screen; the walks through it provoke it"),
    ("E-PORT-MODEM", "a machine with a modem manager; decided by checks::surroundings"),
    ("E-PORT-LATENCY", "an adapter with a timer; decided by checks::surroundings"),
    ("E-CLOCK-UNSYNCED", "a machine with systemd and no time server; checks::surroundings"),
    ("E-RUN-AS-ROOT", "root on a machine of another user's; checks::surroundings"),
    ("E-FLEET-SEGMENT", "the station makes right segments; tests/fleet sends wrong ones"),
    ("E-CA-ISSUE", "a machine that signs wrongly, or gives no random bytes"),
];

#[test]
fn every_code_is_provoked_or_says_why_not() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut text = String::new();
    for folder in fs::read_dir(tests).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(files) = fs::read_dir(folder) else { continue };
        for file in files.map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|kind| kind == "rs") && !file.ends_with("codes.rs") {
                text.push_str(&fs::read_to_string(file).unwrap());
            }
        }
    }
    let missing: BTreeSet<&str> =
        Code::ALL.iter().map(|code| code.as_str()).filter(|code| !text.contains(code)).collect();
    let excused: BTreeSet<&str> = NOT_HERE.iter().map(|(code, _)| *code).collect();
    assert_eq!(missing, excused);
}
