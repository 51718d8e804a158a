//! The tables, and how they come about.
//!
//! A migration is only ever appended: stores that were made by an older program are brought
//! forward, those of a newer one are refused.

use std::fmt::Write;

use tokio_postgres::Transaction;

use super::super::error::FleetError;
use crate::say;

/// One table.
struct Table {
    name: &'static str,
    columns: &'static str,
    /// The primary key; its first column is what the table is spread by.
    key: &'static [&'static str],
}

/// What one migration makes.
struct Migration {
    tables: &'static [Table],
    /// Indices; never unique ones.
    further: &'static [&'static str],
}

const CLAIM: &str = "value TEXT NOT NULL, holder TEXT NOT NULL, others TEXT[] NOT NULL, \
    since_us BIGINT NOT NULL";

const FIRST: Migration = Migration {
    tables: &[
        Table {
            name: "stations",
            columns: "station TEXT NOT NULL, instance TEXT NOT NULL, state TEXT NOT NULL,
                authorities BYTEA[] NOT NULL, keys BYTEA[] NOT NULL, head_seq BIGINT NOT NULL,
                head_hash BYTEA NOT NULL, branch INT NOT NULL, enrolled_us BIGINT NOT NULL,
                seen_us BIGINT NOT NULL",
            key: &["station", "instance"],
        },
        Table {
            name: "codes",
            columns: "digest BYTEA NOT NULL, station TEXT NOT NULL, authority BYTEA,
                expires_us BIGINT NOT NULL, used_by TEXT",
            key: &["digest"],
        },
        Table {
            name: "segments",
            columns: "station TEXT NOT NULL, instance TEXT NOT NULL, branch INT NOT NULL,
                first BIGINT NOT NULL, last BIGINT NOT NULL, before BYTEA NOT NULL,
                hash BYTEA NOT NULL, digest BYTEA NOT NULL, bytes BYTEA NOT NULL,
                arrived_us BIGINT NOT NULL",
            key: &["station", "instance", "branch", "first"],
        },
        Table {
            name: "forks",
            columns: "station TEXT NOT NULL, instance TEXT NOT NULL, digest BYTEA NOT NULL,
                first BIGINT NOT NULL, last BIGINT NOT NULL, before BYTEA NOT NULL,
                hash BYTEA NOT NULL, bytes BYTEA NOT NULL, noticed_us BIGINT NOT NULL",
            key: &["station", "instance", "digest"],
        },
        Table {
            name: "units",
            columns: "client_id TEXT NOT NULL, station TEXT NOT NULL, instance TEXT NOT NULL,
                serial TEXT NOT NULL, state TEXT NOT NULL, work_order TEXT NOT NULL,
                last_us BIGINT NOT NULL, story TEXT NOT NULL",
            key: &["client_id", "station", "instance", "serial"],
        },
        Table {
            name: "names",
            columns: "value TEXT NOT NULL, kind TEXT NOT NULL, station TEXT NOT NULL,
                instance TEXT NOT NULL, serial TEXT NOT NULL, client_id TEXT NOT NULL",
            key: &["value", "kind", "station", "instance", "serial"],
        },
        Table { name: "claims_client_id", columns: CLAIM, key: &["value"] },
        Table { name: "claims_certificate_sn", columns: CLAIM, key: &["value"] },
        Table { name: "claims_public_key", columns: CLAIM, key: &["value"] },
        Table { name: "claims_hardware_id", columns: CLAIM, key: &["value"] },
        Table {
            name: "claimed",
            columns: "station TEXT NOT NULL, instance TEXT NOT NULL, client_id TEXT NOT NULL,
                serial TEXT NOT NULL, holder TEXT NOT NULL, day INT NOT NULL, id TEXT NOT NULL",
            key: &["station", "instance", "client_id", "serial"],
        },
        Table {
            name: "conflicts",
            columns: "day INT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
                holder TEXT NOT NULL, other TEXT NOT NULL, detail TEXT NOT NULL,
                noticed_us BIGINT NOT NULL, settled_us BIGINT, settled_by TEXT, settled_for TEXT,
                settled_why TEXT",
            key: &["day", "id"],
        },
        Table {
            name: "standing",
            columns: "station TEXT NOT NULL, instance TEXT NOT NULL, work_order TEXT NOT NULL,
                state TEXT NOT NULL, units BIGINT NOT NULL",
            key: &["station", "instance", "work_order", "state"],
        },
        Table {
            name: "days",
            columns: "station TEXT NOT NULL, instance TEXT NOT NULL, day INT NOT NULL,
                passed BIGINT NOT NULL, failed BIGINT NOT NULL, interrupted BIGINT NOT NULL",
            key: &["station", "instance", "day"],
        },
        Table {
            name: "work_orders",
            columns: "work_order TEXT NOT NULL, station TEXT NOT NULL, instance TEXT NOT NULL,
                quantity BIGINT NOT NULL, closed BOOLEAN NOT NULL",
            key: &["work_order", "station", "instance"],
        },
        Table {
            name: "grants",
            columns: "work_order TEXT NOT NULL, station TEXT NOT NULL, id TEXT NOT NULL,
                file BYTEA NOT NULL, given_us BIGINT NOT NULL, fetched_us BIGINT",
            key: &["work_order", "station", "id"],
        },
        // As the stations' own journals say it. A row of no ledger is the turn: whoever counts
        // what was used of a grant holds it.
        Table {
            name: "grants_taken",
            columns: "work_order TEXT NOT NULL, station TEXT NOT NULL, number BIGINT NOT NULL,
                instance TEXT NOT NULL, quantity BIGINT NOT NULL, given_back BIGINT NOT NULL,
                used BIGINT NOT NULL",
            key: &["work_order", "station", "number", "instance"],
        },
        Table {
            name: "grant_uses",
            columns: "work_order TEXT NOT NULL, station TEXT NOT NULL, number BIGINT NOT NULL,
                instance TEXT NOT NULL, serial TEXT NOT NULL, proven_us BIGINT NOT NULL",
            key: &["work_order", "station", "number", "instance", "serial"],
        },
        Table {
            name: "shares",
            columns: "cloud TEXT NOT NULL, station TEXT NOT NULL, want INT NOT NULL,
                rate INT NOT NULL, until_us BIGINT NOT NULL",
            key: &["cloud", "station"],
        },
    ],
    further: &[
        // They are packed already.
        "ALTER TABLE segments ALTER COLUMN bytes SET STORAGE EXTERNAL",
        "CREATE INDEX conflicts_open ON conflicts (noticed_us) WHERE settled_us IS NULL",
        "CREATE INDEX units_newest ON units (station, last_us)",
        "CREATE INDEX grants_of ON grants (station)",
    ],
};

/// What a station was given before its newest share, and may still have in use.
const EARLIER_SHARES: Migration = Migration {
    tables: &[],
    further: &["ALTER TABLE shares ADD COLUMN earlier_rates INT[] NOT NULL DEFAULT '{}',
        ADD COLUMN earlier_until_us BIGINT[] NOT NULL DEFAULT '{}'"],
};

const MIGRATIONS: &[&Migration] = &[&FIRST, &EARLIER_SHARES];

/// Keeps two servers that start at once from making the tables both.
const TURN: i64 = 0x0073_7461_7469_6f6e;

/// Brings the schema to this program's version. `partitions` counts when a table is made.
pub(super) async fn migrate(
    transaction: &Transaction<'_>,
    partitions: u16,
) -> Result<(), FleetError> {
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&TURN]).await?;
    let sql = "CREATE TABLE IF NOT EXISTS fleet_schema (version INT PRIMARY KEY)";
    transaction.batch_execute(sql).await?;
    let sql = "SELECT coalesce(max(version), 0) FROM fleet_schema";
    let version: i32 = transaction.query_one(sql, &[]).await?.get(0);
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        let what = say!(
            "its schema is of version {version}, which a newer program made",
            "它的结构版本是 {version}，由更新的程序建立"
        );
        return Err(FleetError::Database(what));
    }
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        for table in migration.tables {
            transaction.batch_execute(&table.sql(partitions)).await?;
        }
        for sql in migration.further {
            transaction.batch_execute(sql).await?;
        }
        let number = i32::try_from(number + 1).unwrap_or(i32::MAX);
        transaction.execute("INSERT INTO fleet_schema VALUES ($1)", &[&number]).await?;
    }
    Ok(())
}

impl Table {
    fn sql(&self, partitions: u16) -> String {
        let Table { name, columns, key } = self;
        let mut sql = format!("CREATE TABLE {name} ({columns}, PRIMARY KEY ({}))", key.join(", "));
        if partitions == 0 {
            return sql;
        }
        let spread = key.first().copied().unwrap_or_default();
        // Writing to a text can't fail.
        let _ = write!(sql, " PARTITION BY HASH ({spread});");
        for part in 0..partitions {
            let _ = write!(
                sql,
                "CREATE TABLE {name}_{part} PARTITION OF {name}
                    FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part});"
            );
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_spread_by_the_first_column_of_its_key() {
        for table in MIGRATIONS.iter().flat_map(|migration| migration.tables) {
            let sql = table.sql(4);
            assert!(sql.contains(&format!("PARTITION BY HASH ({})", table.key[0])), "{sql}");
            assert_eq!(sql.matches("PARTITION OF").count(), 4);
        }
    }

    #[test]
    fn nothing_is_demanded_that_an_engine_that_shards_forbids() {
        let tables = MIGRATIONS.iter().flat_map(|migration| migration.tables);
        let tables = tables.map(|table| table.sql(0));
        let further = MIGRATIONS.iter().flat_map(|migration| migration.further);
        for sql in tables.chain(further.map(|sql| (*sql).to_owned())) {
            let sql = sql.to_uppercase();
            for forbidden in ["UNIQUE", "SERIAL PRIMARY", "REFERENCES", "SEQUENCE", "TRIGGER"] {
                assert!(!sql.contains(forbidden), "{forbidden} in {sql}");
            }
        }
    }
}
