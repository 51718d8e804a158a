//! Two stores beside each other, a small and a large one: what a unit costs to find by each of
//! its ids, and what the wall costs.
//!
//! Their rows are made by PostgreSQL itself, after the pattern of one unit that a station sent,
//! with ids of their own, and the indices behind them; nothing was verified there, so such a store
//! would pass no audit. Its tables are not logged, since nobody wants them after a crash.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use provisioning_station::app::fleet::{Opened, pages, server, wait};
use provisioning_station::fleet::Store;

use crate::clock;

/// Units of the small store.
const SMALL: u64 = 50_000;

/// Stations of each store: their units are spread over them.
const STATIONS: u64 = 20;

/// Units that are asked for by each kind of id.
const ASKED: u64 = 100;

/// How often the wall's page is fetched.
const LOOKS: u32 = 20;

/// The ids that a unit is found by, as the row has them.
const IDS: [&str; 6] =
    ["serial", "client", "certificate_sn", "fingerprint", "public_key", "hardware"];

/// Rows of units that are made at a time, so that no transaction is of all of them.
const AT_ONCE: u64 = 500_000;

/// Measures a store of so many units beside the small one. `pattern` has one unit that was sent.
pub(crate) fn measure(pattern: &str, units: u64) {
    let story = sql(pattern, "SELECT story FROM units WHERE state = 'proven' LIMIT 1");
    let small = fill(pattern, "small", SMALL, &story);
    let large = fill(pattern, "large", units, &story);
    wait(async {
        let open = async |url: &str| Opened { url, ca: None }.open().await.unwrap();
        let stores = [open(&small).await, open(&large).await];
        let mut sums = [Vec::new(), Vec::new()];
        for kind in IDS {
            let asked = [&small, &large].map(|url| some(url, kind));
            let mut of_kind = [Vec::new(), Vec::new()];
            for (round, (small, large)) in asked[0].iter().zip(&asked[1]).enumerate() {
                // In turn, so that what else the machine does meets both.
                for (which, id) in [small, large].into_iter().enumerate() {
                    let took = one(&stores[which], id).await;
                    // The first of each kind has its statement prepared.
                    if round > 0 {
                        of_kind[which].push(took);
                    }
                }
            }
            let [of_small, of_large] = of_kind.each_ref().map(|times| median(times));
            println!("found by {kind}: {of_small:.2?} of {SMALL}, {of_large:.2?} of {units}");
            for (sum, times) in sums.iter_mut().zip(of_kind) {
                sum.extend(times);
            }
        }
        let [of_small, of_large] = sums.each_ref().map(|times| median(times));
        let longest = sums[1].iter().max().unwrap();
        let ratio = of_large.as_secs_f64() / of_small.as_secs_f64();
        println!(
            "found by any: {of_small:.2?} of {SMALL}, {of_large:.2?} of {units} \
             (at most {longest:.2?}): {ratio:.2} times"
        );
    })
    .unwrap();
    for (url, of) in [(&small, SMALL), (&large, units)] {
        println!("the wall's page of {of} units in {:.2?}", wall(url));
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

async fn one(store: &Store, id: &str) -> Duration {
    let started = Instant::now();
    let found = store.find(id).await.unwrap();
    let took = started.elapsed();
    assert_eq!(found.len(), 1, "{id}");
    took
}

/// How long the page takes to be there, as a browser fetches it.
fn wall(url: &str) -> Duration {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let opened = Opened { url, ca: None };
    let shown = pages(opened, listen, None, clock()).unwrap();
    let server = server(opened.settings(0, 8).unwrap(), listen, None, 15, shown, clock()).unwrap();
    let address = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let look = || {
        let started = Instant::now();
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("wide-00"), "{page}");
        started.elapsed()
    };
    let times: Vec<Duration> = (0..LOOKS).map(|_| look()).collect();
    median(&times)
}

/// What a database says.
fn sql(url: &str, statements: &str) -> String {
    let mut psql = Command::new("psql");
    psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statements]);
    let out = psql.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Ids of one kind, of units that lie all over the store.
fn some(url: &str, kind: &str) -> Vec<String> {
    let ids = sql(url, &format!("SELECT {kind} FROM asked ORDER BY md5(serial || '{kind}')"));
    ids.lines().map(str::to_owned).collect()
}

/// The ids of unit `i`, as columns.
const UNIT: &str = "'WIDE-' || lpad(i::text, 9, '0') AS serial,
    'wide-' || lpad(i::text, 9, '0') AS client,
    '1f' || substr(md5('sn' || i), 3) AS certificate_sn,
    md5('fingerprint' || i) || md5('of' || i) AS fingerprint,
    '04' || md5('a' || i) || md5('b' || i) || md5('c' || i) || md5('d' || i) AS public_key,
    encode(convert_to('wide' || lpad(i::text, 9, '0'), 'UTF8'), 'hex') AS hardware,
    'wide-' || lpad((i % 20)::text, 2, '0') AS station,
    md5('ledger' || i % 20) AS instance";

/// The tables that grow with units, each with its key and how its rows are made of a unit.
const TABLES: [(&str, &str, &str); 6] = [
    (
        "units",
        "client_id, station, instance, serial",
        "SELECT client, station, instance, u.serial, 'proven', 'WO-' || station, 1, replace(replace(
            replace(replace(replace(replace(t.story, t.public_key, u.public_key),
                t.fingerprint, u.fingerprint), t.certificate_sn, u.certificate_sn),
                t.hardware, u.hardware), '\"client_id\":\"' || t.serial,
                '\"client_id\":\"' || u.client), '\"serial\":\"' || t.serial,
                '\"serial\":\"' || u.serial) FROM u, pattern t",
    ),
    (
        "names",
        "value, kind, station, instance, serial",
        "SELECT serial, 'serial', station, instance, serial, client FROM u UNION ALL
            SELECT fingerprint, 'fingerprint', station, instance, serial, client FROM u",
    ),
    ("claims_client_id", "value", "client"),
    ("claims_certificate_sn", "value", "certificate_sn"),
    ("claims_public_key", "value", "public_key"),
    ("claims_hardware_id", "value", "hardware"),
];

/// Makes a database with a store of so many units, and says where it is.
fn fill(pattern: &str, name: &str, units: u64, story: &str) -> String {
    let started = Instant::now();
    sql(pattern, &format!("CREATE DATABASE {name}"));
    let url = pattern.replacen("/postgres?", &format!("/{name}?"), 1);
    // It makes its tables.
    wait(async { drop(Opened { url: &url, ca: None }.open().await.unwrap()) }).unwrap();
    let story = story.replace('\'', "''");
    sql(
        &url,
        &format!(
            "CREATE TABLE pattern AS SELECT story, story::json ->> 'serial' AS serial,
                story::json -> 'proven' ->> 'certificate_sn' AS certificate_sn,
                story::json -> 'proven' ->> 'fingerprint_sha256' AS fingerprint,
                story::json -> 'proven' ->> 'public_key' AS public_key,
                story::json -> 'proven' ->> 'hardware_id' AS hardware
            FROM (SELECT '{story}'::text AS story) s"
        ),
    );
    sql(&url, "DROP INDEX units_newest");
    for (table, ..) in TABLES {
        sql(&url, &format!("ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, SET UNLOGGED"));
    }
    for first in (0..units).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let last = (first + AT_ONCE).min(units) - 1;
        for (table, _, rows) in TABLES {
            let rows = match rows.contains(' ') {
                true => rows.to_owned(),
                false => format!(
                    "SELECT {rows}, station || '/' || instance || '/' || serial, '{{}}', 1 FROM u"
                ),
            };
            let made = format!("WITH u AS (SELECT {UNIT} FROM generate_series({first}, {last}) i)");
            sql(&url, &format!("INSERT INTO {table} {made} {rows}"));
        }
    }
    for (table, key, _) in TABLES {
        sql(
            &url,
            &format!(
                "SET maintenance_work_mem = '1GB'; ALTER TABLE {table} ADD PRIMARY KEY ({key})"
            ),
        );
    }
    sql(&url, "CREATE INDEX units_newest ON units (station, last_us)");
    let step = (units / (ASKED + 1)).max(1);
    let sums = format!(
        "CREATE TABLE asked AS SELECT {UNIT} FROM generate_series(0, {units} - 1, {step}) i
            LIMIT {ASKED} + 1;
        INSERT INTO stations SELECT DISTINCT ON (1, 2) station, instance, 'active', '{{}}'::bytea[],
            '{{}}'::bytea[], {units} * 5 / {STATIONS}, '', 0, 0, 1
            FROM (SELECT {UNIT} FROM generate_series(0, {STATIONS} - 1) i) u;
        INSERT INTO standing SELECT station, instance, 'WO-' || station, 'proven',
            {units} / {STATIONS} FROM stations;
        INSERT INTO work_orders SELECT 'WO-' || station, station, instance, {units} / {STATIONS},
            false FROM stations;
        INSERT INTO days SELECT station, instance, day, 100, 3, 1 FROM stations,
            generate_series(20000, 20000 + 730) day;
        INSERT INTO conflicts SELECT day, md5(day::text), 'client_id', 'wide', 'a/b/c', 'd/e/f',
            'one says what the other says', day, NULL, NULL, NULL, NULL
            FROM generate_series(1, 200) day"
    );
    sql(&url, &sums);
    sql(&url, "VACUUM ANALYZE");
    sql(&url, "CHECKPOINT");
    println!("a store of {units} units filled in {:.1?}", started.elapsed());
    url
}
