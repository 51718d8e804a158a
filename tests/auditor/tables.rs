//! The tables against what the journal says, as far as the auditor knows them.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::Value;

use super::hex;
use super::model::Model;

/// Whether the ledger has its tables; the file is made before they are.
pub(crate) fn exist(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'journal'";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|count| count == 1)
}

/// Holds every row that follows from the replay against it.
pub(crate) fn compare(
    connection: &Connection,
    model: &Model,
    findings: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if sound != "ok" {
        findings.push(format!("SQLite finds: {sound}"));
    }
    same("certificate", &certificates(connection)?, &expected_certificates(model), findings);
    same("attempt", &attempts(connection)?, &expected_attempts(model), findings);
    same("unit", &units(connection)?, &expected_units(model), findings);
    same("grant", &grants(connection)?, &expected_grants(model), findings);
    outbox(connection, model, findings)
}

type Rows = BTreeMap<String, String>;

fn same(what: &str, found: &Rows, expected: &Rows, findings: &mut Vec<String>) {
    for name in found.keys().chain(expected.keys()) {
        let (row, wanted) = (found.get(name), expected.get(name));
        if row != wanted {
            findings
                .push(format!("{what} {name}: {row:?} in its table, {wanted:?} in the journal"));
        }
    }
}

fn rows(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<(String, String)>,
) -> rusqlite::Result<Rows> {
    connection.prepare(sql)?.query_map([], read)?.collect()
}

fn certificates(connection: &Connection) -> rusqlite::Result<Rows> {
    let sql = "SELECT sn, serial, attempt, state, entry, image, public_key
        FROM certificates LEFT JOIN journal ON seq = issued_seq";
    rows(connection, sql, |row| {
        let bytes = |index| row.get::<_, Vec<u8>>(index).map(|bytes| hex(&bytes));
        let (serial, attempt, state): (String, u32, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let der = der(&row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default());
        let text = format!("{serial} {attempt} {state} {der} {} {}", bytes(5)?, bytes(6)?);
        Ok((bytes(0)?, text))
    })
}

/// The certificate in an entry, lowercase hex; it stands nowhere else.
fn der(entry: &[u8]) -> String {
    let payload = entry.get(22..).unwrap_or_default();
    let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
    payload["record"]["der"].as_str().unwrap_or_default().to_owned()
}

fn expected_certificates(model: &Model) -> Rows {
    let text = |(sn, row): (&String, &super::model::Certificate)| {
        let (der, image, key) = (hex(&row.der), hex(&row.image), hex(&row.public_key));
        (sn.clone(), format!("{} {} {} {der} {image} {key}", row.serial, row.attempt, row.state))
    };
    model.certificates.iter().map(text).collect()
}

fn attempts(connection: &Connection) -> rusqlite::Result<Rows> {
    let sql = "SELECT serial, attempt, outcome, ended_us IS NULL, ended_seq IS NULL FROM attempts";
    rows(connection, sql, |row| {
        let (serial, attempt, outcome): (String, u32, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let (open, unsaid): (bool, bool) = (row.get(3)?, row.get(4)?);
        Ok((format!("{serial} {attempt}"), format!("{outcome} {open} {unsaid}")))
    })
}

fn expected_attempts(model: &Model) -> Rows {
    let of_unit = |(serial, unit): (&String, &super::model::Unit)| {
        let of_attempt = |(attempt, end): (&u32, &Option<String>)| {
            let outcome = end.as_deref().unwrap_or("running");
            let open = end.is_none();
            (format!("{serial} {attempt}"), format!("{outcome} {open} {open}"))
        };
        unit.attempts.iter().map(of_attempt).collect::<Vec<_>>()
    };
    model.units.iter().flat_map(of_unit).collect()
}

/// None in a ledger of before there were grants.
fn grants(connection: &Connection) -> rusqlite::Result<Rows> {
    if !connection.table_exists(None, "grants")? {
        return Ok(Rows::new());
    }
    let sql = "SELECT work_order, number, quantity, given_back, used, under_way FROM grants";
    rows(connection, sql, |row| {
        let name = format!("{} {}", row.get::<_, String>(0)?, row.get::<_, i64>(1)?);
        let count = |index| row.get::<_, i64>(index);
        Ok((name, format!("{} {} {} {}", count(2)?, count(3)?, count(4)?, count(5)?)))
    })
}

fn expected_grants(model: &Model) -> Rows {
    let text = |((order, number), grant): (&(String, u64), &super::model::Grant)| {
        let under_way = grant.under_way.difference(&grant.used).count();
        let used = grant.used.len();
        let counts = format!("{} {} {used} {under_way}", grant.quantity, grant.given_back);
        (format!("{order} {number}"), counts)
    };
    model.grants.iter().map(text).collect()
}

fn units(connection: &Connection) -> rusqlite::Result<Rows> {
    let sql = "SELECT serial, client_id, open_attempt, open_position, open_sn, proven_sn
        FROM units";
    rows(connection, sql, |row| {
        let sn = |index| row.get::<_, Option<Vec<u8>>>(index).map(|sn| sn.map(|sn| hex(&sn)));
        let (client_id, attempt, position): (String, Option<u32>, Option<String>) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let (open, proven) = (sn(4)?, sn(5)?);
        Ok((row.get(0)?, format!("{client_id} {attempt:?} {position:?} {open:?} {proven:?}")))
    })
}

fn expected_units(model: &Model) -> Rows {
    let text = |(serial, unit): (&String, &super::model::Unit)| {
        let open = unit.open.as_ref();
        let (attempt, position) = (open.map(|o| o.attempt), open.map(|o| o.position.word()));
        let (sn, proven) = (open.map(|o| o.sn.clone()), &unit.proven);
        let text = format!("{} {attempt:?} {position:?} {sn:?} {proven:?}", unit.client_id);
        (serial.clone(), text)
    };
    model.units.iter().map(text).collect()
}

/// Every proven certificate waits for the cloud or was taken there; no other one does, but to
/// be revoked.
fn outbox(
    connection: &Connection,
    model: &Model,
    findings: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let sql = "SELECT certificate_sn, operation, state FROM outbox ORDER BY id";
    let mut queued: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let sn: Vec<u8> = row.get(0)?;
        queued.entry(hex(&sn)).or_default().push((row.get(1)?, row.get(2)?));
    }
    for (sn, certificate) in &model.certificates {
        let rows = queued.remove(sn).unwrap_or_default();
        if !is_right(certificate.state, &rows) {
            findings.push(format!("{sn} is {}, its outbox says {rows:?}", certificate.state));
        }
    }
    for (sn, rows) in queued {
        findings.push(format!("{rows:?} of {sn}, which the journal does not know"));
    }
    Ok(())
}

fn is_right(state: &str, rows: &[(String, String)]) -> bool {
    let any = |wanted: &str, states: &[&str]| {
        rows.iter().any(|(operation, state)| operation == wanted && states.contains(&&**state))
    };
    // It was sent, perhaps: then only a revoke takes it back.
    let sent = any("register", &["claimed", "parked", "done"]);
    let waits = any("register", &["waiting"]);
    let revoked = any("revoke", &["waiting", "claimed", "parked", "done"]);
    match state {
        "proven" => (sent || waits) && !revoked,
        "issued" | "uncertain" => rows.is_empty(),
        _ => !waits && (revoked || !sent),
    }
}
