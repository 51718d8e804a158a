//! How long a person waits for the history and the statistics of a large ledger.
//!
//! `cargo bench --bench history` makes a ledger with a million units by SQL, which takes some
//! minutes, and asks what the screen asks; another number of units after `--`.
//! `docs/performance.md` says what was reached.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't run has nothing to report")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use provisioning_station::app::clock::SystemClock;
use provisioning_station::domain::code::Code;
use provisioning_station::domain::local::Zone;
use provisioning_station::domain::pages::{HistoryKey, HistoryQuery};
use provisioning_station::domain::state::AttemptOutcome;
use provisioning_station::ledger::{Ledger, Reader, Settings};
use provisioning_station::pki::{JournalKey, Passphrase};

/// Units, where nobody names a number.
const UNITS: u32 = 1_000_000;

/// How often each question is asked.
const ROUNDS: u32 = 20;

/// Rows of a page on a screen of 40 lines.
const PAGE: u32 = 30;

/// 2026-09-21T14:13:20Z, in microseconds; a unit follows each four seconds.
const FIRST: i64 = 1_790_000_000_000_000;
const PACE: i64 = 4_000_000;

fn main() {
    let named = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let units: u32 = named.unwrap_or(UNITS);
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        data_dir: dir.path().to_owned(),
        station: "bench".parse().unwrap(),
        anchor: None,
        reserve_bytes: 0,
        max_clock_gap: Duration::from_secs(3600),
        require_grant: false,
    };
    let secret = Passphrase::new("a secret of this run alone".to_owned()).unwrap();
    let key = JournalKey::load_or_create(&dir.path().join("journal.key"), &secret).unwrap();
    let clock = Arc::new(SystemClock::start());
    drop(Ledger::open(settings, Arc::new(key), clock).unwrap());
    let started = Instant::now();
    fill(&dir.path().join("ledger.db"), units);
    let size = dir.path().join("ledger.db").metadata().unwrap().len() >> 20;
    println!("{units} units in {} s, {size} MiB", started.elapsed().as_secs());
    let reader = Reader::open(dir.path(), None).unwrap();
    for (name, query) in queries(units) {
        measure(name, || reader.history(&query).unwrap().lines.len());
    }
    let day = (FIRST + i64::from(units / 2) * PACE).div_euclid(86_400_000_000);
    let utc = Zone::UTC;
    measure("statistics, all", || reader.recent_stats(&utc).unwrap().by_slot.len());
    measure("statistics, a day", || reader.stats_within(utc.day(day), &utc).unwrap().by_slot.len());
    let now = provisioning_station::domain::clock::Timestamp(FIRST + i64::from(units) * PACE);
    measure("pace", || usize::from(reader.pace(now, None).unwrap().is_some()));
    measure("backlog", || usize::try_from(reader.backlog().unwrap().count).unwrap());
    measure("registrations", || reader.registrations().unwrap().counts.len());
    let serial = format!("TH200-{:08}", units / 2).parse().unwrap();
    measure("one unit's story", || reader.unit_story(&serial).unwrap().unwrap().attempts.len());
}

fn queries(units: u32) -> Vec<(&'static str, HistoryQuery)> {
    let query =
        |text: &str| HistoryQuery { text: text.to_owned(), limit: PAGE, ..HistoryQuery::default() };
    let middle = format!("TH200-{:08}", units / 2);
    let deep = HistoryKey {
        started_at: provisioning_station::domain::clock::Timestamp(
            FIRST + i64::from(units / 2) * PACE,
        ),
        serial: middle.parse().unwrap(),
        attempt: 1,
    };
    let sn = format!("10{:030x}", units / 2);
    let day = (FIRST + i64::from(units / 2) * PACE).div_euclid(86_400_000_000);
    vec![
        ("the newest", query("")),
        ("a page in the middle", HistoryQuery { after: Some(deep), ..query("") }),
        ("one serial", query(&middle)),
        ("a serial's beginning", query("TH200-0")),
        ("one certificate", query(&sn)),
        ("a fingerprint's beginning", query("a5a5a5a5")),
        ("one device", query(&format!("d0{:014x}", units / 2))),
        ("nothing", query("XYZ")),
        ("failed", HistoryQuery { outcome: Some(AttemptOutcome::Fail), ..query("") }),
        ("a rare code", HistoryQuery { code: Some(Code::DevProof), ..query("") }),
        (
            "a slot and a day",
            HistoryQuery {
                slot: Some("C".parse().unwrap()),
                within: Some(Zone::UTC.day(day)),
                ..query("")
            },
        ),
        (
            "a slot that is not there",
            HistoryQuery { slot: Some("Z".parse().unwrap()), ..query("") },
        ),
        (
            "a beginning and a rare code",
            HistoryQuery { code: Some(Code::DevProof), ..query("TH200-0") },
        ),
    ]
}

fn measure(name: &str, ask: impl Fn() -> usize) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            std::hint::black_box(ask());
            started.elapsed()
        })
        .collect();
    let (first, found) = (times[0], ask());
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{name:<28} first {:7.2} ms, median {:7.2} ms, most {:7.2} ms, found {found}",
        ms(first),
        ms(median),
        ms(most)
    );
}

/// A unit each four seconds over four slots; one in fifty fails once and passes then, one in
/// a hundred thousand fails its proof. The newest tenth waits for the cloud.
fn fill(path: &std::path::Path, units: u32) {
    let database = rusqlite::Connection::open(path).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    database.pragma_update(None, "synchronous", "OFF").unwrap();
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {units})"
    );
    let serial = "printf('TH200-%08d', i)";
    let sn = "unhex(printf('10%030x', i))";
    let hardware = "unhex(printf('d0%014x', i))";
    let at = format!("{FIRST} + i * {PACE}");
    let slot = "substr('ABCD', 1 + i % 4, 1)";
    let attempts = "INSERT INTO attempts (serial, attempt, station, slot, hardware, certificate_sn,
        started_us, started_seq, ended_us, ended_seq, outcome, step, code, message, proof)";
    let sql = format!(
        "BEGIN;
        {numbers} INSERT INTO units (serial, station, client_id, state, created_us, changed_us,
            attempts, proven_hardware, proven_sn, finished, rework, registered, shipped, voided,
            scrapped)
            SELECT {serial}, 'bench', {serial}, 'proven', {at}, {at}, 1, {hardware}, {sn}, 1,
            'no', 0, 0, 0, 0 FROM n;
        {numbers} {attempts} SELECT {serial}, iif(i % 50 = 0, 2, 1), 'bench', {slot}, {hardware},
            {sn}, {at}, 4 * i, {at} + 900000, 4 * i + 3, 'pass', NULL, NULL, NULL, 'possession'
            FROM n;
        {numbers} {attempts} SELECT {serial}, 1, 'bench', {slot}, {hardware}, NULL,
            {at} - 1000000, 4 * i - 2, {at} - 500000, 4 * i - 1, 'fail', 'write',
            iif(i % 100000 = 0, 'E-DEV-PROOF', 'E-DEV-TIMEOUT'), 'no answer', NULL
            FROM n WHERE i % 50 = 0;
        {numbers} INSERT INTO certificates (sn, station, serial, attempt, client_id, fingerprint,
            public_key, issuer, not_before, not_after, image, state, issued_seq, issued_us,
            proof, proven_us, origin)
            SELECT {sn}, 'bench', {serial}, iif(i % 50 = 0, 2, 1), {serial}, randomblob(32),
            randomblob(65), x'00', {at}, {at}, zeroblob(32), 'proven', 4 * i,
            {at}, 'possession', {at}, 'issued' FROM n;
        {numbers} INSERT INTO outbox (station, certificate_sn, client_id, operation, state,
            queued_us, queued_seq)
            SELECT 'bench', {sn}, {serial}, 'register', iif(i > {units} * 9 / 10, 'waiting',
            'done'), {at}, 4 * i + 2 FROM n;
        UPDATE ledger SET newest_us = {FIRST} + {units} * {PACE};
        INSERT INTO counts SELECT 'attempts', outcome, count(*) FROM attempts GROUP BY outcome;
        INSERT INTO counts SELECT 'units', state, count(*) FROM units GROUP BY state;
        INSERT INTO counts SELECT 'first', outcome, count(*) FROM attempts WHERE attempt = 1
            GROUP BY outcome;
        INSERT INTO counts SELECT 'codes', code, count(*) FROM attempts WHERE code IS NOT NULL
            GROUP BY code;
        INSERT INTO counts SELECT 'slot-' || outcome, slot, count(*) FROM attempts GROUP BY 1, 2;
        INSERT INTO counts SELECT 'quarter-' || outcome, started_us / 900000000, count(*)
            FROM attempts GROUP BY 1, 2;
        INSERT INTO counts SELECT 'order-first-' || outcome, work_order, count(*) FROM attempts
            WHERE attempt = 1 AND work_order IS NOT NULL GROUP BY 1, 2;"
    );
    database.execute_batch(&sql).unwrap();
    database.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}
