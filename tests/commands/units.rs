//! Units, on the ledger that a demo left: shown, listed, voided, reworked, scrapped.

use crate::station::{Run, Station};

const FIRST: &str = "TH200-00000001";
const SECOND: &str = "TH200-00000002";

/// A station whose ledger holds two proven units.
fn station() -> Station {
    let station = Station::new();
    let mut demo =
        station.command("demo --headless --no-sync --units 2 --slots 2 --dir demo --json");
    let run = Run::of(&mut demo);
    assert_eq!(run.status, 0, "{run:?}");
    station.settle("demo/station.toml");
    station
}

#[test]
fn a_unit_s_story_has_the_fields_of_the_contract() {
    let station = station();
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    assert_eq!(story["serial"], FIRST);
    assert_eq!(story["state"], "proven");
    assert!(story["work_order"].is_null());
    let certificate = &story["certificates"][0];
    assert_eq!(certificate["state"], "proven");
    assert_eq!(certificate["registration"]["state"], "waiting");
    assert!(certificate["pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let attempt = &story["attempts"][0];
    assert_eq!((&attempt["outcome"], &attempt["proof"]), (&"pass".into(), &"possession".into()));
    for name in ["slot", "operator", "started_at", "ended_at", "step", "code"] {
        assert!(attempt.get(name).is_some(), "{name}");
    }
    assert!(station.ok(&format!("unit show {FIRST}")).stdout.contains("proven"));
}

#[test]
fn units_are_listed_by_state() {
    let station = station();
    let all = station.ok("unit list --json").json();
    let serials: Vec<_> = all.iter().map(|unit| unit["serial"].as_str().unwrap()).collect();
    assert_eq!(serials, [FIRST, SECOND]);
    for name in ["serial", "state", "client_id", "certificate_sn"] {
        assert!(all[0][name].is_string(), "{name}");
    }
    station.ok(&format!("unit scrap {SECOND} --reason 'cracked housing'"));
    let scrapped = station.ok("unit list --state scrapped --json").json_line();
    assert_eq!(scrapped["serial"], SECOND);
    assert!(station.ok("unit list --work-order WO-1").stdout.is_empty());
}

#[test]
fn a_person_s_act_is_recorded_with_its_reason() {
    let station = station();
    let line = format!("unit rework {FIRST} --reason 'flash replaced' --by s1 --json");
    let story = station.ok(&line).json_line();
    assert_eq!(story["state"], "rework");
    let act = &story["acts"][0];
    assert_eq!((&act["reason"], &act["operator"]), (&"flash replaced".into(), &"s1".into()));
    assert!(act["uid"].is_u64());
    let story = station.ok(&format!("unit void {SECOND} --reason lost --json")).json_line();
    assert_eq!(story["certificates"][0]["state"], "void");
    assert_eq!(story["certificates"][0]["registration"]["state"], "withdrawn");
    station.ok("ledger verify");
}

#[test]
fn acts_that_make_no_sense_are_refused() {
    let station = station();
    for act in ["show", "void --reason r", "rework --reason r", "scrap --reason r"] {
        station.fails(&format!("unit {act} TH200-00000099"), "E-UNIT-UNKNOWN", 1);
    }
    station.ok(&format!("unit scrap {FIRST} --reason r"));
    station.fails(&format!("unit scrap {FIRST} --reason r"), "E-UNIT-SCRAPPED", 1);
    station.fails(&format!("unit rework {FIRST} --reason r"), "E-UNIT-STATE", 1);
    for reason in ["''", "'a\u{1b}[2J'"] {
        station.fails(&format!("unit void {SECOND} --reason {reason}"), "E-USAGE", 2);
    }
}

#[test]
fn a_label_that_is_none_is_wrong_usage() {
    let station = Station::new();
    let run = station.fails("unit show 'TH200 1'", "E-USAGE", 2);
    run.says("character 6 is ' '");
}

#[test]
fn the_ledger_of_a_line_is_held_against_the_ca() {
    let station = station();
    let summary = station.ok("ledger verify --json").json_line();
    assert!(summary.get("remarks").is_none(), "{summary}");
    let stats = station.ok("ledger stats --json").json_line();
    assert_eq!(stats["units"]["proven"], 2);
    assert_eq!(stats["attempts"]["passed"], 2);
    assert_eq!(stats["first_pass_yield"], 1.0);
}

/// The demo's ledger under a factory's own time zone and shifts.
fn in_shanghai() -> Station {
    let station = station();
    let path = station.path("demo/station.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let zone = text.replacen("[station]\n", "[station]\ntimezone = \"Asia/Shanghai\"\n", 1);
    let shifts = [("day", "06:00", "18:00"), ("night", "18:00", "06:00")];
    let shifts = shifts.map(|(name, from, to)| {
        format!("\n[[shifts]]\nname = \"{name}\"\nfrom = \"{from}\"\nto = \"{to}\"\n")
    });
    std::fs::write(path, zone + &shifts.concat()).unwrap();
    station
}

#[test]
fn people_read_the_factory_s_time_and_programs_utc() {
    let station = in_shanghai();
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    assert!(story["created_at"].as_str().unwrap().ends_with('Z'), "{story}");
    let text = station.ok(&format!("unit show {FIRST}")).stdout;
    let utc = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('Z');
    assert!(text.contains("+08:00") && !text.split_whitespace().any(utc), "{text}");
    station.ok("config check").says_out("time zone Asia/Shanghai, shifts day 06:00 to 18:00");
}

#[test]
fn a_day_and_a_shift_are_counted_in_the_factory_s_time() {
    let station = in_shanghai();
    let passed = |line: &str| station.ok(line).json_line()["attempts"]["passed"].clone();
    // A demo may have run across a midnight or the end of a shift.
    let days =
        ["today", "yesterday"].map(|day| passed(&format!("ledger stats --day {day} --json")));
    assert_eq!(days[0].as_u64().unwrap() + days[1].as_u64().unwrap(), 2, "{days:?}");
    let shifts =
        ["day", "night"].map(|name| passed(&format!("ledger stats --shift {name} --json")));
    assert_eq!(shifts[0].as_u64().unwrap() + shifts[1].as_u64().unwrap(), 2, "{shifts:?}");
    assert_eq!(passed("ledger stats --day 2020-01-01 --json"), 0);
    let of = station.ok("ledger stats --shift night --day 2026-01-05 --json").json_line();
    assert_eq!(
        (&of["from"], &of["until"]),
        (&"2026-01-05T10:00:00.000Z".into(), &"2026-01-05T22:00:00.000Z".into(),)
    );
    let text = station.ok("ledger stats --shift night --day 2026-01-05");
    text.says_out("night of 2026-01-05, 2026-01-05 18:00:00+08:00 to 2026-01-06 06:00:00+08:00");
    station.fails("ledger stats --shift noon", "E-USAGE", 2).says("known are: day, night");
    station.fails("ledger stats --day 2026-02-30", "E-USAGE", 2).says("today or yesterday");
}

#[test]
fn a_unit_is_found_by_whatever_is_at_hand() {
    let station = station();
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    assert_eq!(story["found_by"], "serial");
    let of_certificate = |name: &str| story["certificates"][0][name].as_str().unwrap().to_owned();
    let (number, print) = (of_certificate("certificate_sn"), of_certificate("fingerprint_sha256"));
    let pairs: Vec<&str> = (0..64).step_by(2).map(|at| &print[at..at + 2]).collect();
    let as_openssl = pairs.join(":").to_uppercase();
    for (name, by) in [
        (number.as_str(), "certificate_sn"),
        (&number[..12], "certificate_sn"),
        (print.as_str(), "fingerprint"),
        (as_openssl.as_str(), "fingerprint"),
        (&as_openssl[..11], "fingerprint"),
    ] {
        let found = station.ok(&format!("unit show {name} --json")).json_line();
        assert_eq!((&found["serial"], &found["found_by"]), (&FIRST.into(), &by.into()), "{name}");
    }
    let text = station.ok(&format!("unit show {}", &number[..12])).stdout;
    assert!(text.starts_with("found by the beginning of its certificate number\n"), "{text}");
    let run = station.fails("unit show TH200-0", "E-USAGE", 2);
    run.says(FIRST).says(SECOND).says("station unit list TH200-0");
    let both = station.ok("unit list TH200-0 --json").json();
    assert_eq!(both.len(), 2);
    assert_eq!((&both[1]["serial"], &both[1]["found_by"]), (&SECOND.into(), &"serial".into()));
    station.fails("unit show ffffffff", "E-UNIT-UNKNOWN", 1);
}

#[test]
fn a_list_is_narrowed_by_what_its_attempts_were() {
    let station = in_shanghai();
    let story = station.ok(&format!("unit show {FIRST} --json")).json_line();
    let slot = story["attempts"][0]["slot"].as_str().unwrap().to_owned();
    let serials = |filters: &str| -> Vec<String> {
        let lines = station.ok(&format!("unit list {filters} --json")).json();
        lines.iter().map(|unit| unit["serial"].as_str().unwrap().to_owned()).collect()
    };
    assert!(serials(&format!("--slot {slot}")).contains(&FIRST.to_owned()));
    assert_eq!(serials("--slot Z"), [""; 0]);
    assert_eq!(serials("--from 2020-01-01"), [FIRST, SECOND]);
    assert_eq!(serials("--to 2020-01-01"), [""; 0]);
    assert_eq!(serials("--from 2020-01-01T08:00 --state proven"), [FIRST, SECOND]);
    assert_eq!(serials("--code E-DEV-TIMEOUT"), [""; 0]);
    assert_eq!(serials("--operator p1"), [""; 0]);
    assert_eq!(serials(&format!("{FIRST} --slot Z")), [""; 0]);
    for wrong in ["--from soon", "--code E-NONSENSE", "--device xyz", "--device a0"] {
        station.fails(&format!("unit list {wrong}"), "E-USAGE", 2);
    }
}
