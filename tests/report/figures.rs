//! Every figure of a report, computed a second time by SQL over the ledger's own rows.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::history::{History, ORDER};

/// The night that the clock is set back in: nine hours, in UTC.
const NIGHT: (&str, &str) = ("2025-10-25 20:00:00", "2025-10-26 05:00:00");

/// The Sunday: 25 hours.
const SUNDAY: (&str, &str) = ("2025-10-25 22:00:00", "2025-10-26 23:00:00");

/// That week, whose last day the Sunday is.
const WEEK: (&str, &str) = ("2025-10-19 22:00:00", "2025-10-26 23:00:00");

/// The attempts of a time, or of the work order, as a table `x` to compute from.
struct Second {
    ledger: Connection,
    scope: String,
}

impl Second {
    fn within(history: &History, (from, until): (&str, &str)) -> Self {
        let micros = |text: &str| format!("(unixepoch('{text}') * 1000000)");
        let scope = format!("started_us >= {} AND started_us < {}", micros(from), micros(until));
        Self { ledger: history.ledger(), scope }
    }

    fn of_order(history: &History) -> Self {
        Self { ledger: history.ledger(), scope: format!("work_order = '{ORDER}'") }
    }

    fn one<T: rusqlite::types::FromSql>(&self, select: &str) -> T {
        let sql =
            format!("WITH x AS (SELECT * FROM attempts WHERE {}) SELECT {select}", self.scope);
        self.ledger.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    fn count(&self, which: &str) -> i64 {
        self.one(&format!("count(*) FROM x WHERE {which}"))
    }

    /// How attempts ended, by the values of an expression.
    fn by(&self, expression: &str) -> Vec<(Value, [i64; 3])> {
        let sql = format!(
            "WITH x AS (SELECT * FROM attempts WHERE {} AND outcome <> 'running')
            SELECT {expression}, sum(outcome = 'pass'), sum(outcome = 'fail'),
                sum(outcome = 'interrupted') FROM x GROUP BY 1 ORDER BY 1",
            self.scope
        );
        let mut statement = self.ledger.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| {
            let name: Option<String> = row.get(0)?;
            Ok((json!(name), [row.get(1)?, row.get(2)?, row.get(3)?]))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn first_pass_yield(&self) -> f64 {
        self.one(
            "sum(outcome = 'pass') * 1.0 / sum(outcome IN ('pass', 'fail')) FROM x
            WHERE attempt = 1",
        )
    }

    /// The length of which so many of a hundred are no longer.
    fn percentile(&self, percent: u32) -> i64 {
        let length = "(ended_us - started_us) / 1000";
        let passed = "FROM x WHERE outcome = 'pass'";
        self.one(&format!(
            "{length} {passed} ORDER BY {length} LIMIT 1
            OFFSET (SELECT (count(*) * {percent} + 99) / 100 - 1 {passed})"
        ))
    }
}

/// The rows of a report's table as they are computed here.
fn rows(report: &Value, table: &str, key: &str) -> Vec<(Value, [i64; 3])> {
    let row = |row: &Value| {
        let of = |name: &str| row[name].as_i64().unwrap();
        (row[key].clone(), [of("passed"), of("failed"), of("interrupted")])
    };
    let mut rows: Vec<_> = report[table].as_array().unwrap().iter().map(row).collect();
    rows.retain(|(_, counts)| *counts != [0; 3]);
    rows
}

fn equals(report: &Value, second: &Second) {
    let passed = second.count("outcome = 'pass'");
    assert!(passed > 0, "a report of nothing shows nothing");
    assert_eq!(report["passed"], passed);
    assert_eq!(report["failed"], second.count("outcome = 'fail'"));
    assert_eq!(report["interrupted"], second.count("outcome = 'interrupted'"));
    let held =
        "(SELECT state FROM units u WHERE u.serial = x.serial AND u.open_attempt = x.attempt)";
    assert_eq!(report["uncertain"], second.count(&format!("{held} = 'uncertain'")));
    let yielded = report["first_pass_yield"].as_f64().unwrap();
    assert!((yielded - second.first_pass_yield()).abs() < 1e-12, "{yielded}");
    for (table, key, expression) in [
        ("by_slot", "slot", "slot"),
        ("by_operator", "operator", "operator"),
        ("by_firmware", "firmware", "firmware"),
        (
            "by_hour",
            "from",
            "strftime('%Y-%m-%dT%H:00:00.000Z', started_us / 1000000, 'unixepoch')",
        ),
    ] {
        let by_hour_is_left_out = table == "by_hour" && report["by_hour"] == json!([]);
        if !by_hour_is_left_out {
            assert_eq!(rows(report, table, key), second.by(expression), "{table}");
        }
    }
    for cause in report["by_code"].as_array().unwrap() {
        let code = cause["code"].as_str().unwrap();
        assert_eq!(cause["count"], second.count(&format!("code = '{code}'")), "{code}");
        let named: String = second.one(&format!(
            "group_concat(serial || attempt, ' ') FROM (SELECT * FROM x WHERE code = '{code}'
            ORDER BY started_us DESC, serial DESC)"
        ));
        let units = cause["units"].as_array().unwrap().iter();
        let units: Vec<String> = units
            .map(|unit| format!("{}{}", unit["serial"].as_str().unwrap(), unit["attempt"]))
            .collect();
        assert_eq!(units.join(" "), named, "{code}");
    }
    let causes = report["by_code"].as_array().unwrap().len() as i64;
    assert_eq!(causes, second.one::<i64>("count(DISTINCT code) FROM x"));
    assert_eq!(report["cycle_ms"]["median"], second.percentile(50));
    assert_eq!(report["cycle_ms"]["p95"], second.percentile(95));
    assert_eq!(report["cycle_ms"]["count"], passed);
}

#[test]
fn a_night_across_midnight_and_the_end_of_summer_time_is_counted_as_sql_counts_it() {
    let history = History::whole();
    let report = history.json("report shift --name night --date 2025-10-25 --format json");
    assert_eq!(report["from"], "2025-10-25T20:00:00.000Z");
    assert_eq!(report["until"], "2025-10-26T05:00:00.000Z");
    equals(&report, &Second::within(&history, NIGHT));
    let hours = report["by_hour"].as_array().unwrap();
    assert_eq!(hours.len(), 9, "the hour that comes twice is two");
    assert!(hours.iter().all(|hour| hour["plan"] == 6.0), "{hours:?}");
    assert_eq!(report["plan"], 54.0);
    // One number has one value everywhere.
    let stats = history.json("ledger stats --shift night --day 2025-10-25 --json");
    assert_eq!(stats["first_pass_yield"], report["first_pass_yield"]);
    assert_eq!(stats["attempts"]["passed"], report["passed"]);
    let page = history.says("report shift --name night --date 2025-10-25");
    let shown = format!("{:.1} %", report["first_pass_yield"].as_f64().unwrap() * 100.0);
    assert!(page.contains(&format!("<dd>{shown}")), "{shown}");
    assert!(page.contains(&format!("<dd>{}", report["passed"])));
}

#[test]
fn a_day_of_25_hours_and_its_week_are_counted_as_sql_counts_them() {
    let history = History::whole();
    let report = history.json("report day --date 2025-10-26 --format json");
    assert_eq!(report["by_hour"].as_array().unwrap().len(), 25);
    equals(&report, &Second::within(&history, SUNDAY));
    let week = history.json("report week --date 2025-10-22 --format json");
    assert_eq!((&week["date"], &week["by_hour"]), (&"2025-10-20".into(), &json!([])));
    equals(&week, &Second::within(&history, WEEK));
    let days: i64 =
        week["by_day"].as_array().unwrap().iter().map(|day| day["passed"].as_i64().unwrap()).sum();
    assert_eq!(week["passed"], days);
    let span = "--from 2025-10-25T22:00 --to 2025-10-26T06:00";
    let exact = history.json(&format!("report day {span} --format json"));
    equals(&exact, &Second::within(&history, NIGHT));
}

#[test]
fn a_work_order_is_counted_as_sql_counts_it() {
    let history = History::whole();
    let report = history.json(&format!("report work-order {ORDER} --format json"));
    let second = Second::of_order(&history);
    equals(&report, &second);
    let order = &report["work_order"];
    assert_eq!((&order["quantity"], &report["plan"]), (&60.into(), &60.0.into()));
    let proven: i64 = second
        .ledger
        .query_row("SELECT proven FROM work_orders WHERE id = ?1", params![ORDER], |row| row.get(0))
        .unwrap();
    assert_eq!(order["proven"], proven);
    let waiting: i64 = second.one(
        "count(*) FROM outbox o JOIN certificates c ON c.sn = o.certificate_sn
        JOIN x ON x.certificate_sn = c.sn WHERE o.state IN ('waiting', 'claimed', 'parked')",
    );
    assert_eq!(report["waiting_for_cloud"]["count"], waiting);
}

#[test]
fn a_report_as_a_table_has_the_same_figures() {
    let history = History::whole();
    let line = "report shift --name early --date 2025-10-26 --format";
    let (report, csv) =
        (history.json(&format!("{line} json")), history.says(&format!("{line} csv")));
    let cells: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(cells[0][..4], ["section", "name", "passed", "failed"]);
    let total = &cells[1];
    assert_eq!(report["passed"].to_string(), total[2]);
    assert_eq!(report["failed"].to_string(), total[3]);
    let hours = cells.iter().filter(|row| row[0] == "hour").count();
    assert_eq!(hours, 8);
    assert!(cells.iter().any(|row| row[..2] == ["hour", "2025-10-26 06:00"]), "{csv}");
}
