//! Devices whose answers are sound frames that deny what must follow, field by field.
//!
//! Each row: what the device says, and what becomes of its unit. Offsets are those of
//! `docs/protocol.md`. A field that the page calls one that the station does not compare is
//! here too, with a pass.

use super::support::{Factory, Plan, label, named};

/// What becomes of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// The field is one that is not compared.
    Pass,
    /// Known: no certificate is left open.
    Fail,
    /// Kept for a person.
    Hold,
}

use Verdict::{Fail, Hold, Pass};

struct Row {
    says: &'static str,
    fault: &'static str,
    verdict: Verdict,
    code: &'static str,
}

const fn row(says: &'static str, fault: &'static str, verdict: Verdict, code: &'static str) -> Row {
    Row { says, fault, verdict, code }
}

/// 32 zeros: a digest of nothing.
macro_rules! nothing {
    () => {
        "0000000000000000000000000000000000000000000000000000000000000000"
    };
}

const AT_FINISH: &[Row] = &[
    row("blank", "say=finish:0:00", Hold, "E-DEV-CONTRADICTION"),
    row("staged", "say=finish:0:01", Hold, "E-DEV-CONTRADICTION"),
    row("locked, which nobody asked for", "say=finish:0:03", Hold, "E-DEV-CONTRADICTION"),
    row("no lifecycle", "say=finish:0:09", Hold, "E-DEV-MALFORMED"),
    row("more than a lifecycle", "say=finish:0:0200", Hold, "E-DEV-MALFORMED"),
];

const AFTER_FINISH: &[Row] = &[
    row(
        "nothing at all",
        concat!(
            "say=identify:1:00:finish:1,say=identify:28:",
            nothing!(),
            ":finish:1,say=identify:60:",
            nothing!(),
            ":finish:1"
        ),
        Hold,
        "E-DEV-CONTRADICTION",
    ),
    row("blank, and an image", "say=identify:1:00:finish:1", Hold, "E-DEV-MALFORMED"),
    row("staged", "say=identify:1:01:finish:1", Hold, "E-DEV-CONTRADICTION"),
    row("locked", "say=identify:1:03:finish:1", Hold, "E-DEV-CONTRADICTION"),
    row("another image", "say=identify:28:a1a2a3a4:finish:1", Hold, "E-DEV-CONTRADICTION"),
    row("another certificate", "say=identify:60:a1a2a3a4:finish:1", Hold, "E-DEV-CONTRADICTION"),
    row("another model", "say=identify:93:58:finish:1", Hold, "E-DEV-CONTRADICTION"),
    row("another hardware id", "say=identify:99:52:finish:1", Hold, "E-DEV-SWAPPED"),
    row("another session before it", "say=identify:8:01020304:finish:1", Hold, "E-DEV-MALFORMED"),
    row("a window of none", "say=identify:3:00:finish:1", Hold, "E-DEV-MALFORMED"),
    row(
        "that secure boot is off again",
        "say=identify:2:01,say=identify:2:00:finish:1",
        Hold,
        "E-DEV-CONTRADICTION",
    ),
    row("another firmware", "say=identify:108:39:finish:1", Pass, ""),
    row("other busy times", "say=identify:18:0100:finish:1", Pass, ""),
];

const AFTER_RESTART: &[Row] = &[
    row(
        "nothing at all",
        concat!(
            "say=identify:1:00:restart:1,say=identify:28:",
            nothing!(),
            ":restart:1,say=identify:60:",
            nothing!(),
            ":restart:1"
        ),
        Fail,
        "E-DEV-NOT-STORED",
    ),
    row("another image", "say=identify:28:a1a2a3a4:restart:1", Fail, "E-DEV-NOT-STORED"),
    row("another certificate", "say=identify:60:a1a2a3a4:restart:1", Hold, "E-DEV-NOT-STORED"),
    row("blank, and an image", "say=identify:1:00:restart:1", Hold, "E-DEV-MALFORMED"),
    row("staged", "say=identify:1:01:restart:1", Hold, "E-DEV-MALFORMED"),
    row("locked", "say=identify:1:03:restart:1", Hold, "E-DEV-CONTRADICTION"),
    row("another model", "say=identify:93:58:restart:1", Hold, "E-DEV-CONTRADICTION"),
    row("another hardware id", "say=identify:99:52:restart:1", Hold, "E-DEV-SWAPPED"),
    row("the session before", "say=identify:8:01020304:restart:1", Hold, "E-DEV-NOT-RESTARTED"),
    row("that it can't sign", "say=identify:4:06000000:restart:1", Fail, "E-PROOF-TOO-WEAK"),
    row("another firmware", "say=identify:108:39:restart:1", Pass, ""),
];

const AT_FIRST: &[Row] = &[
    row("a lifecycle of no kind", "say=identify:1:09", Fail, "E-DEV-MALFORMED"),
    row("staged in a new session", "say=identify:1:01", Fail, "E-DEV-MALFORMED"),
    row("provisioned with nothing", "say=identify:1:02", Fail, "E-DEV-MALFORMED"),
    row("an image and no certificate", "say=identify:28:a1", Fail, "E-DEV-MALFORMED"),
    row("a certificate and no image", "say=identify:60:a1", Fail, "E-DEV-MALFORMED"),
    row("a window of none", "say=identify:3:00", Fail, "E-DEV-MALFORMED"),
    row("a window of nine", "say=identify:3:09", Fail, "E-DEV-MALFORMED"),
    row("no chunk at all", "say=identify:16:0000", Fail, "E-DEV-MALFORMED"),
    row("a chunk beyond a frame", "say=identify:16:ea03", Fail, "E-DEV-MALFORMED"),
    row("no capacity", "say=identify:12:00000000", Fail, "E-DEV-CAPACITY"),
    row("version 2", "say=identify:0:02", Fail, "E-DEV-VERSION"),
    row("a firmware of no letters", "say=identify:108:07", Fail, "E-DEV-MALFORMED"),
    row("one byte more", "say=identify:112:0100", Fail, "E-DEV-MALFORMED"),
];

const WHILE_WRITING: &[Row] = &[
    row("that it has 100 bytes already", "say=begin:0:64000000", Fail, "E-DEV-MALFORMED"),
    row("that it has the key already", "say=begin:0:20000000", Fail, "E-DEV-MALFORMED"),
    row("more than was sent", "say=chunk:0:ffff0000", Fail, "E-DEV-MALFORMED"),
    row("another check sum", "say=chunk:4:a1a2a3a4", Fail, "E-DEV-NOT-STORED"),
    row("another image at its commit", "say=commit:0:a1a2a3a4", Fail, "E-DEV-NOT-STORED"),
    row("another count of commits", "say=commit:32:00000000", Pass, ""),
    row("another signature", "say=prove:0:a1a2a3a4", Fail, "E-DEV-PROOF"),
];

const AROUND: &[Row] = &[
    row("another sequence number", "wrong-seq", Fail, "E-DEV-MALFORMED"),
    row("another session", "wrong-session", Fail, "E-DEV-MALFORMED"),
    row("what the station says", "echo", Fail, "E-DEV-ECHO"),
    row("frames that nobody asked for", "flood", Fail, "E-DEV-NOISE"),
    row("nothing", "mute", Fail, "E-DEV-TIMEOUT"),
];

/// Runs each row in a slot of its own.
#[track_caller]
fn assert_judged(product: &'static str, besides: &str, rows: &[Row]) {
    let plan = Plan { slots: rows.len(), product, ..Plan::default() };
    let factory = Factory::with(&plan);
    let slots: Vec<_> = (b'A'..).take(rows.len()).map(|c| char::from(c).to_string()).collect();
    let fault = |row: &Row| format!("{}{besides}", row.fault);
    let _devices: Vec<_> =
        slots.iter().zip(rows).map(|(slot, row)| factory.faulty(slot, 1, &fault(row))).collect();
    let scans: String =
        slots.iter().enumerate().map(|(index, slot)| named(slot, index + 1)).collect();
    let finished = factory.batch(&scans);
    let mut wrong = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let unit = finished.unit(&label(index + 1));
        let verdict = match (unit["outcome"].as_str(), unit["uncertain"].as_bool()) {
            (Some("pass"), _) => Pass,
            (_, Some(true)) => Hold,
            _ => Fail,
        };
        let code = unit["code"].as_str().unwrap_or_default();
        if (verdict, code) != (row.verdict, row.code) {
            wrong.push(format!("{}: {unit}", row.says));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    factory.verify();
}

#[test]
fn what_a_device_says_at_the_end_is_held_against_what_it_proved() {
    assert_judged("", "", AT_FINISH);
}

#[test]
fn a_device_is_looked_at_once_more_before_it_is_pass() {
    assert_judged("", "", AFTER_FINISH);
}

#[test]
fn what_a_device_says_after_its_restart_is_held_against_what_it_was() {
    assert_judged("", "", AFTER_RESTART);
}

#[test]
fn a_device_that_denies_its_pass_while_it_still_stands_there_is_kept() {
    // Arrival, the unit's own, the restart and the look behind the end, each at most once.
    let after = ":identify:4";
    let nothing = nothing!();
    let holds_nothing = format!(
        "say=identify:1:00{after},say=identify:28:{nothing}{after},\
         say=identify:60:{nothing}{after}"
    );
    assert_kept(&holds_nothing, "it holds nothing", ONE_FAMILY);
    assert_kept(&format!("say=identify:28:a1a2a3a4{after}"), "within another image", ONE_FAMILY);
    assert_kept(&format!("say=identify:93:58{after}"), "it is a X", ONE_FAMILY);
    let senseless = format!("say=identify:1:00{after}");
    assert_kept(&senseless, "it is blank and names an image", ONE_FAMILY);
    // Who it is is known where any family may come, too: it is no new device.
    assert_kept(&senseless, "it is blank and names an image", "driver = \"auto\"");
}

/// A slot's devices are of the family that station.toml names by itself.
const ONE_FAMILY: &str = "";

#[test]
fn what_a_new_device_says_that_makes_no_sense_is_told_where_any_family_may_come() {
    let factory = Factory::usual();
    factory.change("[[slots]]", "[[slots]]\ndriver = \"auto\"");
    let _device = factory.faulty("A", 1, "say=identify:16:0000");
    let finished = factory.batch(&(label(1) + "\n")).expect(1);
    let unit = finished.unit(&label(1));
    assert_eq!(unit["code"], "E-DEV-MALFORMED", "{unit}");
    let message = unit["message"].to_string();
    assert!(message.contains("max chunk is 0, allowed are 65 to 1001"), "{message}");
}

/// A device that stays after its pass and says this then: its unit is kept, nobody else's label
/// goes to it, and the message says so.
#[track_caller]
fn assert_kept(fault: &str, says: &str, driver: &str) {
    let station = "device_wait = \"4s\"";
    let factory = Factory::with(&Plan { slots: 2, station, ..Plan::default() });
    factory.change("[[slots]]", &format!("[[slots]]\n{driver}"));
    let fault = format!("stays,{fault}");
    let _device = factory.faulty("A", 1, &fault);
    // The other label waits for a device that never comes, so the line goes on meanwhile.
    let finished = factory.batch(&(named("A", 1) + &named("B", 2))).expect(1);
    assert_eq!(finished.unit(&label(1))["outcome"], "pass");
    let denied = finished.events().into_iter().find(|line| line["event"] == "denied").unwrap();
    assert_eq!((&denied["serial"], &denied["uncertain"]), (&label(1).into(), &true.into()));
    assert_eq!(denied["code"], "E-DEV-CONTRADICTION", "{denied}");
    assert!(denied["message"].as_str().unwrap().contains(says), "{denied}");
    let summary = finished.summary();
    let counts = ["passed", "failed", "uncertain"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [0, 1, 1], "{summary}");
    let story = factory.show(&label(1));
    assert_eq!(story["state"], "proven", "{story}");
    let ship = factory.run(&["unit", "ship", &label(1)]).expect(1);
    assert!(ship.story().contains("E-SHIP-NOT-ACTIVE"), "{}", ship.story());
    factory.verify();
}

#[test]
fn what_came_instead_of_an_answer_is_told() {
    assert_judged("", "", AROUND);
}

#[test]
fn a_field_that_is_not_allowed_is_named_with_what_it_is() {
    let factory = Factory::usual();
    let _device = factory.faulty("A", 1, "say=identify:16:0000");
    let finished = factory.batch(&(label(1) + "\n")).expect(1);
    let message = finished.unit(&label(1))["message"].to_string();
    assert!(message.contains("max chunk is 0, allowed are 65 to 1001"), "{message}");
}

#[test]
fn a_device_that_was_reset_is_told_as_the_units_own_and_a_rework_brings_it_back() {
    let factory = Factory::usual();
    drop(factory.devices("A", 1));
    let device = factory.devices("A", 1);
    let flash = device.flash_file(1).unwrap();
    let line = label(1) + "\n";
    factory.batch(&line).expect(0);
    drop(device);
    std::fs::remove_file(flash).unwrap();
    let _reset = factory.put_back("A", 1);
    let refused = factory.batch(&line).expect(1);
    let unit = refused.unit(&label(1));
    assert_eq!(unit["code"], "E-DEV-LOST-IDENTITY", "{unit}");
    factory.run(&["unit", "rework", &label(1), "--reason", "it was reset"]).expect(0);
    assert_eq!(factory.batch(&line).expect(0).unit(&label(1))["outcome"], "pass");
    factory.verify();
}

#[test]
fn a_unit_that_is_reworked_is_not_put_on_another_device_unless_a_person_says_so() {
    let factory = Factory::usual();
    // The second stands there when the first has passed and gone.
    let _devices = factory.devices("A", 2);
    let line = label(1) + "\n";
    factory.batch(&line).expect(0);
    let rework = ["unit", "rework", &label(1), "--reason", "returned"];
    factory.run(&rework).expect(0);
    let refused = factory.batch(&line).expect(1);
    assert_eq!(refused.unit(&label(1))["code"], "E-UNIT-OTHER-DEVICE", "{}", refused.story());
    factory.run(&[&rework[..], &["--new-device"]].concat()).expect(0);
    assert_eq!(factory.batch(&line).expect(0).unit(&label(1))["attempt"], 2);
    factory.verify();
}

#[test]
fn what_a_device_says_first_agrees_with_itself() {
    assert_judged("", "", AT_FIRST);
}

#[test]
fn what_a_device_says_while_it_is_written_is_held_against_what_was_sent() {
    assert_judged("", "", WHILE_WRITING);
}

#[test]
fn without_a_proof_the_words_of_a_device_are_held_against_each_other_all_the_more() {
    let none = "required_proof = \"none\"";
    // It can neither sign nor be read: it offers the lock alone.
    let mute = ",say=identify:4:04000000";
    let rows = [
        row("the truth", "say=identify:4:04000000", Pass, ""),
        row("another image at its commit", "say=commit:0:a1a2a3a4", Fail, "E-DEV-NOT-STORED"),
        row(
            "another image after its restart",
            "say=identify:28:a1a2a3a4:restart:1",
            Fail,
            "E-DEV-NOT-STORED",
        ),
        row(
            "another image after its end",
            "say=identify:28:a1a2a3a4:finish:1",
            Hold,
            "E-DEV-CONTRADICTION",
        ),
    ];
    assert_judged(none, mute, &rows);
}
