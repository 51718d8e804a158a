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

/// The factory's day: its clock is two hours ahead until summer time ends, and then one.
const DAY: &str = "date(started_us / 1000000 + iif(
    started_us < unixepoch('2025-10-26 01:00:00') * 1000000, 7200, 3600), 'unixepoch')";

/// The attempts of a time, or of the work order, as a table `x` to compute from.
struct Second {
    ledger: Connection,
    scope: String,
    /// The attempts of the trend: those before too.
    trend: String,
}

impl Second {
    fn within(history: &History, (from, until): (&str, &str)) -> Self {
        let micros = |text: &str| format!("(unixepoch('{text}') * 1000000)");
        let scope = format!("started_us >= {} AND started_us < {}", micros(from), micros(until));
        let trend = format!("started_us < {}", micros(until));
        Self { ledger: history.ledger(), scope, trend }
    }

    fn of_order(history: &History) -> Self {
        let scope = format!("work_order = '{ORDER}'");
        Self { ledger: history.ledger(), trend: scope.clone(), scope }
    }

    /// How first attempts ended by the factory's days.
    fn first_by_day(&self) -> Vec<(Value, [i64; 2])> {
        let sql = format!(
            "SELECT {DAY}, sum(outcome = 'pass'), sum(outcome = 'fail') FROM attempts
            WHERE {} AND attempt = 1 AND outcome <> 'running' GROUP BY 1 ORDER BY 1",
            self.trend
        );
        let mut statement = self.ledger.prepare(&sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((json!(row.get::<_, String>(0)?), [row.get(1)?, row.get(2)?])));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The units on HOLD, each with its slot and its person, the oldest first.
    fn on_hold(&self) -> String {
        self.one(
            "coalesce(group_concat(serial || slot || coalesce(operator, ''), ' '), '') FROM
            (SELECT x.* FROM x JOIN units u ON u.serial = x.serial AND u.open_attempt = x.attempt
                WHERE u.state = 'uncertain' ORDER BY started_us)",
        )
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
        ("by_day", "day", DAY),
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
    // The most frequent first.
    let codes: String = second.one(
        "coalesce(group_concat(code, ' '), '') FROM (SELECT code FROM x WHERE code IS NOT NULL
            GROUP BY code ORDER BY count(*) DESC, code)",
    );
    let causes = report["by_code"].as_array().unwrap().iter();
    let causes: Vec<&str> = causes.map(|cause| cause["code"].as_str().unwrap()).collect();
    assert_eq!(causes.join(" "), codes);
    let trend = report["trend"].as_array().unwrap().iter().map(|day| {
        (day["day"].clone(), ["passed", "failed"].map(|name| day[name].as_i64().unwrap()))
    });
    assert_eq!(trend.collect::<Vec<_>>(), second.first_by_day(), "trend");
    let on_hold = report["on_hold"].as_array().unwrap().iter().map(|unit| {
        let of = |name: &str| unit[name].as_str().unwrap_or_default().to_owned();
        of("serial") + &of("slot") + &of("operator")
    });
    assert_eq!(on_hold.collect::<Vec<_>>().join(" "), second.on_hold(), "on HOLD");
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
    let words = history.says("ledger stats --shift night --day 2025-10-25");
    let line = words.lines().find_map(|line| line.strip_prefix("first pass yield "));
    let shown = line.unwrap();
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
fn a_time_holds_what_begins_with_it_and_not_what_begins_with_its_end() {
    let history = History::whole();
    let begins = |place: u32| -> String {
        let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', started_us / 1000000.0, 'unixepoch')
            FROM attempts WHERE started_us % 1000 = 0 ORDER BY started_us LIMIT 1 OFFSET ?1";
        history.ledger().query_row(sql, [place], |row| row.get(0)).unwrap()
    };
    let span = format!("--from {} --to {}", begins(3), begins(15));
    let report = history.json(&format!("report day {span} --format json"));
    let sum = |of: &Value| {
        ["passed", "failed", "interrupted"].map(|name| of[name].as_u64().unwrap()).iter().sum()
    };
    let all: u64 = sum(&report);
    assert_eq!(all, 12, "{span}");
    let first_attempts: u64 =
        report["trend"].as_array().unwrap().iter().map(|day| day["passed"].as_u64().unwrap()).sum();
    assert!(first_attempts > 0);
    let rows = history.says(&format!("export attempts --format ndjson {span}"));
    assert_eq!(rows.lines().count(), 12);
}

#[test]
fn what_waits_for_the_cloud_is_what_is_open_there() {
    let history = History::whole();
    let ledger = history.books();
    // A sync took some of them: three ways to be open, and one to be done.
    for (state, place) in [("claimed", 3), ("parked", 5), ("done", 7), ("withdrawn", 9)] {
        let sql = "UPDATE outbox SET state = ?1 WHERE id =
            (SELECT o.id FROM outbox o JOIN attempts a ON a.certificate_sn = o.certificate_sn
                WHERE a.work_order = ?3 ORDER BY o.id LIMIT 1 OFFSET ?2)";
        assert_eq!(ledger.execute(sql, params![state, place, ORDER]).unwrap(), 1);
    }
    let open = "o.state IN ('waiting', 'claimed', 'parked')";
    let count = |sql: String| -> i64 { ledger.query_row(&sql, [], |row| row.get(0)).unwrap() };
    let all = count(format!("SELECT count(*) FROM outbox o WHERE {open}"));
    let of_order = count(format!(
        "SELECT count(*) FROM outbox o WHERE {open} AND o.certificate_sn IN
            (SELECT certificate_sn FROM attempts WHERE work_order = '{ORDER}')"
    ));
    assert!(0 < of_order && of_order < all);
    let waiting = |line: &str| history.json(line)["waiting_for_cloud"]["count"].clone();
    assert_eq!(waiting("report day --date 2025-10-26 --format json"), all);
    assert_eq!(waiting(&format!("report work-order {ORDER} --format json")), of_order);
    // Since when: the oldest of these units' own, and not the station's.
    let first: String = ledger
        .query_row(
            &format!(
                "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', min(o.queued_us) / 1000000.0, 'unixepoch')
                FROM outbox o JOIN attempts a ON a.certificate_sn = o.certificate_sn
                WHERE {open} AND a.work_order = '{ORDER}'"
            ),
            [],
            |row| row.get(0),
        )
        .unwrap();
    let report = history.json(&format!("report work-order {ORDER} --format json"));
    assert_eq!(report["waiting_for_cloud"]["oldest"], first);
    assert!(
        history.says("metrics").contains(&format!("station_backlog{{station=\"demo\"}} {all}\n"))
    );
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
    for (table, key, section) in [
        ("by_slot", "slot", "slot"),
        ("by_operator", "operator", "operator"),
        ("trend", "day", "first_attempts_of_day"),
    ] {
        let of = |row: &Value| {
            let name = row[key].as_str().unwrap_or_default().to_owned();
            [name, row["passed"].to_string(), row["failed"].to_string()]
        };
        let wanted: Vec<[String; 3]> = report[table].as_array().unwrap().iter().map(of).collect();
        let rows = cells.iter().filter(|row| row[0] == section);
        let found: Vec<[String; 3]> =
            rows.map(|row| [row[1], row[2], row[3]].map(str::to_owned)).collect();
        assert_eq!(found, wanted, "{section}");
    }
    let night = history.says("report shift --name night --date 2025-10-25 --format csv");
    let hours: Vec<&str> =
        night.lines().filter_map(|line| line.strip_prefix("hour,")?.split(',').next()).collect();
    assert_eq!(hours[4..6], ["2025-10-26 02:00 UTC+2", "2025-10-26 02:00 UTC+1"], "{hours:?}");
    assert!(cells.iter().any(|row| row[..2] == ["hour", "2025-10-26 06:00"]), "{csv}");
}

/// The cells of each row of a page's tables, as they are read.
fn cells_of(page: &str) -> Vec<Vec<String>> {
    let text = |cell: &str| {
        let pieces =
            cell.split('<').map(|piece| piece.split_once('>').map_or("", |(_, text)| text));
        pieces.collect::<String>()
    };
    let row = |row: &str| {
        let row = row.split("</tr>").next().unwrap();
        let cells = row.split("</th>").flat_map(|piece| piece.split("</td>"));
        cells.map(text).collect::<Vec<_>>()
    };
    page.split("<tr>").skip(1).map(row).collect()
}

#[test]
fn a_page_shows_what_its_json_says() {
    let history = History::whole();
    let line = "report shift --name night --date 2025-10-25";
    let (report, page) = (history.json(&format!("{line} --format json")), history.says(line));
    let rows = cells_of(&page);
    let shown = |wanted: &[String]| {
        rows.iter().any(|row| {
            row.starts_with(wanted) || {
                // The second cell is a bar.
                let without: Vec<String> = row
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at != 1)
                    .map(|(_, cell)| cell.clone())
                    .collect();
                without.starts_with(wanted)
            }
        })
    };
    let tables = [("by_slot", "slot"), ("by_operator", "operator"), ("by_firmware", "firmware")];
    for (table, key) in tables {
        for row in report[table].as_array().unwrap() {
            let Some(name) = row[key].as_str() else { continue };
            let wanted = [name.to_owned(), row["passed"].to_string(), row["failed"].to_string()];
            assert!(shown(&wanted), "{table}: {wanted:?} in {rows:?}");
        }
    }
    for hour in report["by_hour"].as_array().unwrap() {
        let counts = ["passed", "failed", "interrupted"].map(|name| hour[name].to_string());
        let plan = format!("{:.0}", hour["plan"].as_f64().unwrap());
        let wanted: Vec<String> = counts.into_iter().chain([plan]).collect();
        assert!(rows.iter().any(|row| row[1..].starts_with(&wanted)), "{wanted:?} in {rows:?}");
    }
    for day in report["trend"].as_array().unwrap() {
        let row = rows.iter().find(|row| row[0] == day["day"].as_str().unwrap()).unwrap();
        assert_eq!(row[2..4], [day["passed"].to_string(), day["failed"].to_string()]);
    }
    // The Pareto of causes has the order of the JSON, and ends with all of them.
    let places = report["by_code"].as_array().unwrap().iter().map(|cause| {
        let code = cause["code"].as_str().unwrap();
        rows.iter().position(|row| row[0].ends_with(code)).unwrap_or_else(|| panic!("{code}"))
    });
    assert!(places.is_sorted(), "{rows:?}");
    let last = rows.iter().rfind(|row| row.len() == 5 && row[3].ends_with(" %"));
    assert!(last.is_some_and(|row| row[3] == "100.0 %"), "{last:?}");
}
