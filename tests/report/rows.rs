//! Every row of the tables, joined a second time by SQL; and a line's page, which shows what the
//! reports say.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::history::{History, ORDER};
use crate::view::View;

/// The rows that a statement gives, each as its texts in a line; what is nothing is a dash.
fn joined(history: &History, sql: &str) -> Vec<String> {
    let ledger = history.ledger();
    let mut statement = ledger.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let text = |index| {
            Ok(match row.get_ref(index)? {
                ValueRef::Null => "-".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                value => String::from_utf8_lossy(value.as_bytes()?).into_owned(),
            })
        };
        Ok((0..columns).map(text).collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The same of what the program exports.
fn exported(history: &History, line: &str, names: &[&str]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let lines = history.says(&format!("export {line} --format ndjson"));
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let cells = |row: Value| names.iter().map(|name| text(&row[*name])).collect::<Vec<_>>();
    lines.map(|row| cells(row).join(" ")).collect()
}

#[test]
fn each_attempt_stands_with_its_own_certificate() {
    let history = History::whole();
    let names = [
        "serial",
        "attempt",
        "slot",
        "operator",
        "firmware",
        "outcome",
        "code",
        "work_order",
        "duration_ms",
        "certificate_sn",
        "certificate_state",
        "proof",
    ];
    let sql = "SELECT a.serial, a.attempt, a.slot, a.operator, a.firmware, a.outcome, a.code,
            a.work_order, (a.ended_us - a.started_us) / 1000, iif(a.certificate_sn IS NULL, NULL, lower(hex(a.certificate_sn))),
            (SELECT state FROM certificates c WHERE c.sn = a.certificate_sn), a.proof
        FROM attempts a {} ORDER BY a.started_us, a.serial, a.attempt";
    let wanted = |which: &str| joined(&history, &sql.replace("{}", which));
    assert_eq!(exported(&history, "attempts", &names), wanted(""));
    for (filter, which) in [
        ("--operator p2", "WHERE operator = 'p2'"),
        ("--slot B --code E-DEV-TIMEOUT", "WHERE slot = 'B' AND code = 'E-DEV-TIMEOUT'"),
        ("--state rework", "WHERE serial IN (SELECT serial FROM units WHERE state = 'rework')"),
        (
            "--work-order WO-1042 --state failed",
            "WHERE work_order = 'WO-1042' AND serial IN
            (SELECT serial FROM units WHERE state = 'failed')",
        ),
    ] {
        assert_eq!(
            exported(&history, &format!("attempts {filter}"), &names),
            wanted(which),
            "{filter}"
        );
    }
}

#[test]
fn each_unit_stands_with_its_last_attempt_and_the_certificate_that_counts() {
    let history = History::whole();
    let names = [
        "serial",
        "state",
        "attempts",
        "slot",
        "operator",
        "outcome",
        "certificate_sn",
        "certificate_state",
    ];
    // The certificate that was asked for and may be there, else the proven one.
    let sql = "SELECT u.serial, u.state, u.attempts, a.slot, a.operator, a.outcome,
            iif(c.sn IS NULL, NULL, lower(hex(c.sn))), c.state
        FROM units u
        LEFT JOIN attempts a ON a.serial = u.serial AND a.attempt =
            (SELECT max(l.attempt) FROM attempts l WHERE l.serial = u.serial)
        LEFT JOIN certificates c ON c.sn = (SELECT sn FROM certificates l
            WHERE l.serial = u.serial AND l.state IN ('uncertain', 'proven', 'issued')
            ORDER BY l.attempt DESC LIMIT 1)
        {} ORDER BY u.serial";
    let wanted = |which: &str| joined(&history, &sql.replace("{}", which));
    let all = exported(&history, "units", &names);
    assert_eq!(all, wanted(""));
    assert!(all.iter().any(|row| row.contains(" 2 ")), "a unit was tried twice: {all:?}");
    // One attempt must be both, not one each.
    let both = "WHERE EXISTS (SELECT 1 FROM attempts b WHERE b.serial = u.serial
        AND b.slot = 'A' AND b.code = 'E-DEV-TIMEOUT')";
    assert_eq!(exported(&history, "units --slot A --code E-DEV-TIMEOUT", &names), wanted(both));
}

#[test]
fn the_line_s_page_and_the_figures_for_monitoring_are_those_of_the_reports() {
    let history = History::whole();
    let page = View::of(&history).get("/");
    let order = history.json(&format!("report work-order {ORDER} --format json"));
    let percent = (order["first_pass_yield"].as_f64().unwrap() * 1000.0).floor() / 10.0;
    assert!(page.contains(&format!("<dd>{percent:.1} %</dd>")), "{percent} in {page}");
    let day = history.json("report day --date 2025-10-26 --format json");
    let waiting = day["waiting_for_cloud"]["count"].as_u64().unwrap();
    assert!(page.contains(&format!("<dd>{waiting}</dd>")), "{page}");
    // No line runs: what has begun and not ended is on HOLD where a commit was asked, and cut off
    // where none was.
    let newest = joined(
        &history,
        "SELECT slot, serial FROM attempts a WHERE started_us =
            (SELECT max(started_us) FROM attempts b WHERE b.slot = a.slot) AND slot = 'A'",
    );
    for slot in &newest {
        let (name, serial) = slot.split_once(' ').unwrap();
        let card = page.split("<article").find(|card| card.contains(&format!("<bdi>{name}</bdi>")));
        assert!(card.unwrap().contains(serial), "{slot} in {card:?}");
    }
    assert_eq!(newest.len(), 1, "station.toml has one slot");
    let text = history.says("metrics");
    let states =
        joined(&history, "SELECT state, count(*) FROM units GROUP BY state ORDER BY state");
    let told: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("station_units{station=\"demo\",state=\""))
        .filter_map(|line| line.split_once("\"} "))
        .filter(|(_, count)| *count != "0")
        .collect();
    let told: Vec<String> = told.iter().map(|(state, count)| format!("{state} {count}")).collect();
    assert_eq!(told, states);
}
