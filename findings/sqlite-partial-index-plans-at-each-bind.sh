#!/usr/bin/env bash
# SQLite 3.54.1 (rusqlite 0.43.0, feature `bundled`): a statement that was prepared once is compiled
# again each time another value is bound to it, as soon as its table has a partial index over a
# column that the statement compares with a bound value. The planner asks whether the value is
# the one of the index's WHERE, so the plan holds for that value alone. It costs several times
# what the statement itself does, and a cache of prepared statements does not help.
# SQLITE_DBCONFIG_ENABLE_QPSG, off by default, takes it away; LIKE with a bound pattern then uses
# no index any more.
#
# Seen, 1,000 executions with 1,000 values:
#   no index: compiled again 0 times
#   partial index: compiled again 1000 times
#   partial index, QPSG: compiled again 0 times
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
rusqlite = { version = "=0.43.0", features = ["bundled"] }
TOML
cat >src/main.rs <<'RUST'
use rusqlite::{config::DbConfig, Connection, StatementStatus};

fn again(what: &str, index: bool, qpsg: bool) {
    let base = Connection::open_in_memory().unwrap();
    base.execute_batch("CREATE TABLE jobs (id INTEGER PRIMARY KEY, state INTEGER)").unwrap();
    if index {
        base.execute_batch("CREATE INDEX jobs_open ON jobs (id) WHERE state = 1").unwrap();
    }
    base.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, qpsg).unwrap();
    let mut asked = base.prepare("SELECT count(*) FROM jobs WHERE state = ?1").unwrap();
    for value in 0..1000 {
        let found: i64 = asked.query_row([value], |row| row.get(0)).unwrap();
        assert_eq!(found, 0);
    }
    println!("{what}: compiled again {} times", asked.get_status(StatementStatus::RePrepare));
}

fn main() {
    eprintln!("SQLite {}", rusqlite::version());
    again("no index", false, false);
    again("partial index", true, false);
    again("partial index, QPSG", true, true);
}
RUST

CARGO_TARGET_DIR="$folder/target" cargo run -q >seen
cat seen
diff - seen <<'SEEN'
no index: compiled again 0 times
partial index: compiled again 1000 times
partial index, QPSG: compiled again 0 times
SEEN
