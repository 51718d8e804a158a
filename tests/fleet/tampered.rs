//! A database administrator who changed a row or a segment is found by the segments alone.

use crate::database::Database;
use crate::program::run;
use crate::server::Server;
use crate::stations::Yard;

#[test]
fn each_changed_row_is_named() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let url = database.url();
    let (one, two) = (yard.station("line-1"), yard.station("line-2"));
    one.make(&["TH200-00000001", "TH200-00000002"]);
    two.make(&["TH200-00000002"]);
    for station in [&one, &two] {
        station.enrol(&database, &server);
        station.push().well();
        station.note(1);
        station.push().well();
    }
    let verify = || run(&["fleet", "verify", "--database", &url]);
    let before = verify().well().last();
    assert_eq!(before["valid"], true, "{before}");
    let dump = |table: &str| database.sql(&format!("SELECT json_agg(t) FROM {table} t"));
    for (table, sql) in [
        ("units", "UPDATE units SET state = 'void' WHERE serial = 'TH200-00000001'"),
        ("units", "UPDATE units SET story = replace(story, 'TH200\"', 'TH201\"')"),
        ("units", "DELETE FROM units WHERE station = 'line-2'"),
        ("names", "DELETE FROM names WHERE value = 'TH200-00000001'"),
        ("claims_client_id", "UPDATE claims_client_id SET others = '{}'"),
        ("claims_public_key", "DELETE FROM claims_public_key"),
        ("claims_hardware_id", "UPDATE claims_hardware_id SET value = value || '00'"),
        ("conflicts", "DELETE FROM conflicts"),
        ("standing", "UPDATE standing SET units = units + 1 WHERE state = 'proven'"),
        ("days", "UPDATE days SET failed = failed + 1"),
        ("work_orders", "UPDATE work_orders SET quantity = 9"),
        ("stations", "UPDATE stations SET head_seq = head_seq - 1"),
        ("segments", "UPDATE segments SET bytes = set_byte(bytes, 400, get_byte(bytes, 400) # 1)"),
        ("segments", "UPDATE segments SET last = last + 1"),
        ("segments", "DELETE FROM segments WHERE first = 1"),
    ] {
        let kept = dump(table);
        database.sql(&format!("CREATE TABLE kept AS SELECT * FROM {table}"));
        database.sql(sql);
        assert_ne!(dump(table), kept, "nothing was changed: {sql}");
        let found = verify().refused("E-FLEET-VERIFY", 4);
        let findings = found.json();
        let named =
            findings.iter().any(|line| line["event"] == "finding" && line["table"] == table);
        assert!(named, "{sql}: {findings:?}");
        assert_eq!(found.last()["valid"], false);
        database.sql(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept"));
        database.sql("DROP TABLE kept");
        verify().well();
    }
    // Taking the newest away everywhere leaves a store that holds; the station knows better.
    database.sql("DELETE FROM segments WHERE station = 'line-1' AND first > 1");
    database.sql(
        "UPDATE stations s SET head_seq = g.last, head_hash = g.hash FROM segments g
            WHERE g.station = s.station AND s.station = 'line-1'",
    );
    database.sql("DELETE FROM work_orders WHERE station = 'line-1'");
    verify().well();
    let again = one.push().well().last();
    assert!(again["lost"].as_u64().unwrap() > 0, "{again}");
    assert_eq!(again["confirmed"].as_u64(), Some(one.entries()), "{again}");
    verify().well();
}
