//! What a person searches for and what the screen counts.

use std::collections::BTreeMap;

use super::testing::*;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::{HardwareId, SlotName};
use crate::domain::local::{Shift, Zone, day_from_text};
use crate::domain::pages::HistoryQuery;
use crate::domain::record::{Begun, ClockAccepted, Record};
use crate::domain::state::AttemptOutcome;
use crate::{Ledger, Reader};

const MINUTE: i64 = 60_000_000;

fn slot(name: &str) -> SlotName {
    name.parse().unwrap()
}

/// 30 units, a minute apart; each third fails in slot B, the others pass in slot A.
fn shift(dir: &std::path::Path) -> (Ledger, Reader) {
    let clock = SetClock::new();
    let ledger = Ledger::open(settings(dir), KEY.clone(), clock.clone()).unwrap();
    let writer = ledger.writer();
    writer.record(authority_seen()).unwrap();
    writer.record(super::rules::order("WO-1", 100, Vec::new())).unwrap();
    for number in 1..=30 {
        clock.advance(MINUTE);
        let fails = number % 3 == 0;
        let place = slot(if fails { "B" } else { "A" });
        let work_order = Some("WO-1".parse().unwrap());
        let begun = Begun { slot: place, work_order, ..begun(number) };
        let until = if fails { Until::Begun } else { Until::Passed };
        let of = take(&ledger, begun, number, until);
        if fails {
            writer.record(ended(of, failure(), false)).unwrap();
        }
    }
    let reader = ledger.reader().unwrap();
    (ledger, reader)
}

fn query(text: &str) -> HistoryQuery {
    HistoryQuery { text: text.to_owned(), limit: 7, ..HistoryQuery::default() }
}

/// Every page's lines, by the number of their unit.
fn pages(reader: &Reader, mut query: HistoryQuery) -> Vec<Vec<u32>> {
    let mut pages = Vec::new();
    loop {
        let page = reader.history(&query).unwrap();
        let number = |serial: &str| serial.trim_start_matches("TH-").parse().unwrap();
        pages.push(page.lines.iter().map(|line| number(line.serial.as_str())).collect());
        match page.next {
            Some(next) => query.after = Some(next),
            None => return pages,
        }
    }
}

#[test]
fn the_newest_come_first_and_no_page_has_one_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (_ledger, reader) = shift(dir.path());
    let pages = pages(&reader, query(""));
    assert!(pages.iter().all(|page| page.len() <= 7));
    assert_eq!(pages.concat(), (1..=30).rev().collect::<Vec<u32>>());
}

#[test]
fn filters_hold_together() {
    let dir = tempfile::tempdir().unwrap();
    let (_ledger, reader) = shift(dir.path());
    let failed: Vec<u32> = (1..=30).rev().filter(|number| number % 3 == 0).collect();
    let all = |query| pages(&reader, query).concat();
    assert_eq!(all(HistoryQuery { outcome: Some(AttemptOutcome::Fail), ..query("") }), failed);
    assert_eq!(all(HistoryQuery { slot: Some(slot("B")), ..query("") }), failed);
    assert_eq!(all(HistoryQuery { code: Some(Code::DevTimeout), ..query("") }), failed);
    let both = HistoryQuery { code: Some(Code::DevTimeout), slot: Some(slot("A")), ..query("") };
    assert_eq!(all(both), [] as [u32; 0]);
    let today = Zone::UTC.day_of(Timestamp(START));
    let on = |day| HistoryQuery { within: Some(Zone::UTC.day(day)), ..query("") };
    assert_eq!([all(on(today)).len(), all(on(today - 1)).len()], [30, 0]);
    let searched = HistoryQuery { outcome: Some(AttemptOutcome::Fail), ..query("TH-0000001") };
    assert_eq!(all(searched), [12, 15, 18]);
}

#[test]
fn a_unit_is_found_by_whatever_it_is_known_by() {
    let dir = tempfile::tempdir().unwrap();
    let (_ledger, reader) = shift(dir.path());
    let found = |text: &str| pages(&reader, query(text)).concat();
    assert_eq!(found("TH-00000007"), [7]);
    assert_eq!(found("TH-0000000"), (1..=9).collect::<Vec<u32>>());
    assert_eq!(found(&sn(8).to_string()), [8]);
    assert_eq!(found(&certificate(11).fingerprint.to_string()), [11]);
    assert_eq!(found(&certificate(11).fingerprint.to_string()[..9]), [11]);
    assert_eq!(found(&hardware(5).to_string()), [5]);
    assert_eq!(found("a0646576").len(), 30, "the beginning of every device's id");
    assert_eq!(found("nothing"), [] as [u32; 0]);
    assert_eq!(found("'; DROP TABLE units"), [] as [u32; 0]);
}

#[test]
fn the_sums_of_a_day_and_of_a_work_order() {
    let dir = tempfile::tempdir().unwrap();
    let (_ledger, reader) = shift(dir.path());
    let utc = Zone::UTC;
    let day = utc.day_of(Timestamp(START));
    let of_day = reader.stats_within(utc.day(day), &utc).unwrap();
    for stats in [reader.recent_stats(&utc).unwrap(), reader.stats(&utc).unwrap(), of_day] {
        assert_eq!((stats.attempts.passed, stats.attempts.failed), (20, 10));
        assert_eq!(stats.by_slot["B"].failed, 10);
        assert_eq!(stats.by_slot["A"].failed, 0);
        assert_eq!(stats.by_code["E-DEV-TIMEOUT"], 10);
        assert_eq!(stats.by_hour.values().map(|hour| hour.passed).sum::<u64>(), 20);
        assert!((stats.first_pass_yield.unwrap() - 2.0 / 3.0).abs() < 1e-9);
    }
    let other = reader.stats_within(utc.day(day - 1), &utc).unwrap();
    assert_eq!((other.attempts.passed, other.by_slot.len(), other.by_hour.len()), (0, 0, 0));
    let order = reader.order_yield(&"WO-1".parse().unwrap()).unwrap();
    assert!((order.unwrap() - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(reader.order_yield(&"WO-2".parse().unwrap()).unwrap(), None);
    let now = Timestamp(START + 30 * MINUTE);
    assert!((reader.yield_within(utc.day(day)).unwrap().unwrap() - 2.0 / 3.0).abs() < 1e-9);
    // 20 in 29 minutes; nothing in the hour after.
    assert!(reader.pace(now, None).unwrap().is_some());
    let other = "WO-OTHER".parse().unwrap();
    assert_eq!(reader.pace(now, Some(&other)).unwrap(), None, "a work order begins anew");
    assert_eq!(reader.pace(Timestamp(now.0 + 100 * MINUTE), None).unwrap(), None);
}

#[test]
fn the_work_order_at_work_is_that_of_the_newest_attempt_or_the_only_open_one() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, reader) = shift(dir.path());
    let at_work = || reader.order_at_work().unwrap().map(|id| id.to_string());
    assert_eq!(at_work().as_deref(), Some("WO-1"));
    let writer = ledger.writer();
    writer.record(super::rules::order("WO-2", 100, Vec::new())).unwrap();
    assert_eq!(at_work().as_deref(), Some("WO-1"), "nothing of the other was made yet");
    let begun = Begun { work_order: Some("WO-2".parse().unwrap()), ..begun(31) };
    take(&ledger, begun, 31, Until::Begun);
    assert_eq!(at_work().as_deref(), Some("WO-2"));
}

/// After a clock that ran 20 days ahead was set right, for those days too: which attempt is newer,
/// and which waits longer, its entry tells.
#[test]
fn a_clock_that_ran_ahead_does_not_make_an_old_attempt_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let clock = SetClock::new();
    let ledger = Ledger::open(settings(dir.path()), KEY.clone(), clock.clone()).unwrap();
    let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
    writer.record(authority_seen()).unwrap();
    for order in ["WO-1", "WO-2"] {
        writer.record(super::rules::order(order, 100, Vec::new())).unwrap();
    }
    let begin = |number: u32, place: &str, order: &str, until| {
        let work_order = Some(order.parse().unwrap());
        take(&ledger, Begun { slot: slot(place), work_order, ..begun(number) }, number, until)
    };
    let days = 20 * 24 * 60 * MINUTE;
    clock.advance(days);
    begin(1, "A", "WO-1", Until::Passed);
    begin(2, "B", "WO-1", Until::Asked);
    clock.advance(-days);
    let accepted = ClockAccepted { reason: "it ran ahead".into(), by: person() };
    writer.record(Record::ClockAccepted(accepted)).unwrap();
    begin(3, "A", "WO-2", Until::Asked);

    let newest = |place: &str| reader.newest_by_slot().unwrap()[&slot(place)].serial.clone();
    let seen = |when: &str| {
        assert_eq!(newest("A"), serial(3), "{when}");
        assert_eq!(newest("B"), serial(2), "{when}");
        let at_work = reader.order_at_work().unwrap().unwrap();
        assert_eq!(at_work.as_str(), "WO-2", "{when}");
        let waiting = reader.uncertain(9).unwrap().units;
        let serials: Vec<_> = waiting.into_iter().map(|unit| unit.serial).collect();
        assert_eq!(serials, [serial(2), serial(3)], "{when}");
    };
    seen("right after it");
    clock.advance(2 * days);
    writer.record(authority_seen()).unwrap();
    seen("when its days have come");
}

/// A ledger whose clock begins at this instant, and one unit every half hour from then on: each
/// third fails.
fn every_half_hour(dir: &std::path::Path, start: Timestamp, units: u32) -> (Ledger, Reader) {
    let clock = SetClock::at(start);
    let ledger = Ledger::open(settings(dir), KEY.clone(), clock.clone()).unwrap();
    ledger.writer().record(authority_seen()).unwrap();
    for number in 1..=units {
        let fails = number % 3 == 0;
        let until = if fails { Until::Begun } else { Until::Passed };
        let of = take(&ledger, begun(number), number, until);
        if fails {
            ledger.writer().record(ended(of, failure(), false)).unwrap();
        }
        clock.advance(30 * MINUTE);
    }
    let reader = ledger.reader().unwrap();
    (ledger, reader)
}

/// The same figures by SQL alone: passed, failed, passed at the first attempt.
fn by_sql(dir: &std::path::Path, from: &str, until: &str) -> (u64, u64) {
    let connection = rusqlite::Connection::open(dir.join("data").join(crate::LEDGER_FILE)).unwrap();
    let sql = "SELECT count(*) FILTER (WHERE outcome = 'pass'),
            count(*) FILTER (WHERE outcome = 'fail') FROM attempts
        WHERE datetime(started_us / 1000000, 'unixepoch') >= ?1
            AND datetime(started_us / 1000000, 'unixepoch') < ?2";
    let count = |row: &rusqlite::Row<'_>, index| row.get::<_, u32>(index).map(u64::from);
    connection.query_row(sql, [from, until], |row| Ok((count(row, 0)?, count(row, 1)?))).unwrap()
}

#[test]
fn a_night_over_midnight_and_a_change_of_the_clock_is_one_shift() {
    let night = Shift {
        name: "night".to_owned(),
        from: "22:00".parse().unwrap(),
        to: "06:00".parse().unwrap(),
        plan: None,
    };
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    // The shift, its hours, and the same in UTC, by hand.
    let cases = [
        ("2026-03-28", 7, "2026-03-28 21:00:00", "2026-03-29 04:00:00"),
        ("2026-10-24", 9, "2026-10-24 20:00:00", "2026-10-25 05:00:00"),
        ("2026-11-23", 8, "2026-11-23 21:00:00", "2026-11-24 05:00:00"),
    ];
    for (date, hours, from, until) in cases {
        let dir = tempfile::tempdir().unwrap();
        let day = day_from_text(date).unwrap();
        let noon = Timestamp(berlin.day(day).from.0 + 12 * 60 * MINUTE);
        let (_ledger, reader) = every_half_hour(dir.path(), noon, 48);
        let stats = reader.stats_within(night.on(day, &berlin), &berlin).unwrap();
        let found = (stats.attempts.passed, stats.attempts.failed);
        assert_eq!(found, by_sql(dir.path(), from, until), "{date}");
        assert_eq!(found.0 + found.1, 2 * hours, "{date}: two units an hour");
        assert_eq!(stats.by_hour.len() as u64, hours, "{date}: {:?}", stats.by_hour.keys());
        let of_night = stats.first_pass_yield.unwrap();
        assert!((of_night - found.0 as f64 / (found.0 + found.1) as f64).abs() < 1e-9);
    }
}

#[test]
fn an_attempt_belongs_to_the_hour_in_which_it_began_in_every_sum() {
    let dir = tempfile::tempdir().unwrap();
    let kolkata: Zone = "Asia/Kolkata".parse().unwrap();
    // A minute before a day of theirs ends; each unit takes three, so that it ends in the next.
    let day = day_from_text("2026-11-24").unwrap();
    let clock = SetClock::at(Timestamp(kolkata.day(day).until.0 - MINUTE));
    let ledger = Ledger::open(settings(dir.path()), KEY.clone(), clock.clone()).unwrap();
    ledger.writer().record(authority_seen()).unwrap();
    for number in 1..=2 {
        let of = take(&ledger, begun(number), number, Until::Begun);
        clock.advance(3 * MINUTE);
        ledger.writer().record(ended(of, failure(), false)).unwrap();
    }
    let reader = ledger.reader().unwrap();
    for (zone, hours) in [
        (&kolkata, ["2026-11-24T17:30:00.000Z", "2026-11-24T18:30:00.000Z"]),
        (&Zone::UTC, ["2026-11-24T18:00:00.000Z"; 2]),
    ] {
        let within = |day: i64| reader.stats_within(zone.day(day), zone).unwrap().by_hour;
        let of_days: BTreeMap<_, _> = within(day).into_iter().chain(within(day + 1)).collect();
        for by_hour in [
            of_days,
            reader.stats(zone).unwrap().by_hour,
            reader.recent_stats(zone).unwrap().by_hour,
        ] {
            for (hour, begun) in hours.iter().zip([1, 1]) {
                let both = if hours[0] == hours[1] { 2 } else { begun };
                assert_eq!(by_hour[*hour].failed, both, "{zone} {by_hour:?}");
            }
        }
    }
}

#[test]
fn a_day_is_the_factory_s_and_so_are_its_hours() {
    let dir = tempfile::tempdir().unwrap();
    let kolkata: Zone = "Asia/Kolkata".parse().unwrap();
    let day = day_from_text("2026-11-24").unwrap();
    let (_ledger, reader) = every_half_hour(dir.path(), kolkata.day(day - 1).from, 96);
    let stats = reader.stats_within(kolkata.day(day), &kolkata).unwrap();
    let found = (stats.attempts.passed, stats.attempts.failed);
    assert_eq!(found, by_sql(dir.path(), "2026-11-23 18:30:00", "2026-11-24 18:30:00"));
    assert_eq!(found.0 + found.1, 48);
    let first = stats.by_hour.keys().next().unwrap();
    assert_eq!((stats.by_hour.len(), first.as_str()), (24, "2026-11-23T18:30:00.000Z"));
    // Ten past five: four whole hours, and what there is of the fifth.
    let now = Timestamp(kolkata.day(day).from.0 + 310 * MINUTE);
    let by_hour = reader.passed_by_hour(now, 5, &kolkata).unwrap();
    let whole = by_sql(dir.path(), "2026-11-23 19:30:00", "2026-11-23 23:30:00").0;
    let last = by_sql(dir.path(), "2026-11-23 23:30:00", "2026-11-23 23:40:01").0;
    let sum: u64 = by_hour[..4].iter().copied().map(u64::from).sum();
    assert_eq!((by_hour.len(), sum, u64::from(by_hour[4])), (5, whole, last), "{by_hour:?}");
    let listed = HistoryQuery { within: Some(kolkata.day(day)), ..query("") };
    assert_eq!(pages(&reader, listed).concat().len(), 48);
}

fn sums(connection: &rusqlite::Connection) -> BTreeMap<(String, String), i64> {
    let sql = "SELECT what, name, value FROM counts WHERE value <> 0
        AND (what LIKE '%@%' OR what LIKE 'order-%' OR what LIKE 'quarter-%')";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn an_upgraded_ledger_has_the_sums_that_its_transactions_would_have_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, reader) = shift(dir.path());
    let of = take(&ledger, Begun { hardware: other_hardware(), ..begun(3) }, 103, Until::Asked);
    let stopped = Record::UnitVoided(act(3));
    ledger.writer().record(stopped).unwrap();
    assert_eq!(of.attempt, 2);
    drop((ledger, reader));
    let connection = rusqlite::Connection::open(dir.path().join("data/ledger.db")).unwrap();
    let kept = sums(&connection);
    assert!(kept.len() > 6, "{kept:?}");
    // As older programs left them: an hour's sums were those of what ended in it.
    let older = "DELETE FROM counts WHERE what LIKE 'order-%' OR what LIKE 'quarter-%';
        INSERT INTO counts VALUES ('hour-pass', '497222', 7)";
    connection.execute_batch(older).unwrap();
    let (_, inserts) = include_str!("../tables/history.sql").split_once("-- The sums").unwrap();
    connection.execute_batch(&format!("--{inserts}")).unwrap();
    assert!(sums(&connection).keys().any(|(what, _)| what.contains('@')));
    connection.execute_batch(include_str!("../tables/begun.sql")).unwrap();
    let hours = "SELECT count(*) FROM counts WHERE what LIKE 'hour-%'";
    assert_eq!(connection.query_row(hours, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(sums(&connection), kept);
}

fn other_hardware() -> HardwareId {
    hardware(103)
}

#[test]
fn a_unit_is_found_by_what_is_whole_before_what_begins_so() {
    use crate::domain::story::NamedBy;

    let dir = tempfile::tempdir().unwrap();
    let (_ledger, reader) = shift(dir.path());
    let found = |text: &str| -> Vec<(String, NamedBy, bool)> {
        let units = reader.find(text, 5).unwrap();
        units.into_iter().map(|unit| (unit.serial.to_string(), unit.by, unit.whole)).collect()
    };
    let one = |number: u32, by, whole| vec![(format!("TH-{number:08}"), by, whole)];
    assert_eq!(found("TH-00000007"), one(7, NamedBy::Serial, true));
    assert_eq!(found(&sn(8).to_string()), one(8, NamedBy::CertificateSn, true));
    let print = certificate(11).fingerprint.to_string();
    assert_eq!(found(&print), one(11, NamedBy::Fingerprint, true));
    assert_eq!(found(&print[..9]), one(11, NamedBy::Fingerprint, false));
    assert_eq!(found(&hardware(5).to_string()), one(5, NamedBy::Hardware, true));
    let begins = found("TH-000000");
    assert_eq!((begins.len(), begins[0].2), (6, false), "one more than asked for");
    assert_eq!(found("a0646576").len(), 6, "the beginning of every device's id");
    assert_eq!(found("'; DROP TABLE units"), []);
}

#[test]
fn one_attempt_passes_all_filters_of_a_list() {
    use crate::domain::story::{AttemptFilter, UnitFilter};

    let dir = tempfile::tempdir().unwrap();
    let (_ledger, reader) = shift(dir.path());
    let count = |attempt: AttemptFilter| {
        let filter = UnitFilter { attempt, ..UnitFilter::default() };
        reader.units(&filter, None, 100).unwrap().len()
    };
    let all = AttemptFilter::default;
    let timeout = Some(Code::DevTimeout);
    assert_eq!(count(AttemptFilter { code: timeout, ..all() }), 10);
    assert_eq!(count(AttemptFilter { code: timeout, slot: Some(slot("B")), ..all() }), 10);
    assert_eq!(count(AttemptFilter { code: timeout, slot: Some(slot("A")), ..all() }), 0);
    let at = |minutes: i64| Some(Timestamp(START + minutes * MINUTE));
    assert_eq!(count(AttemptFilter { from: at(4), until: at(7), ..all() }), 3);
    assert_eq!(count(AttemptFilter { from: at(4), until: at(7), code: timeout, ..all() }), 1);
    let device = Some(hardware(5).to_string());
    assert_eq!(count(AttemptFilter { device, ..all() }), 1);
    let every = Some("a0646576".to_owned());
    assert_eq!(count(AttemptFilter { device: every, slot: Some(slot("B")), ..all() }), 10);
}
