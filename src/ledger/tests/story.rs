//! What people and other programs are told.

use super::testing::*;
use crate::Ledger;
use crate::domain::local::Zone;
use crate::domain::record::{Begun, FailedEarly, LineStarted, Record};
use crate::states::UnitState;
use crate::views::UnitFilter;

fn in_slot(number: u32, slot: &str) -> Begun {
    Begun { slot: slot.parse().unwrap(), ..begun(number) }
}

fn bench() -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = fresh(dir.path());
    (dir, ledger)
}

#[test]
fn statistics_count_units_once_and_attempts_by_slot_code_and_hour() {
    let (_dir, ledger) = bench();
    for number in 1..=3 {
        take(&ledger, in_slot(number, "A"), number, Until::Passed);
    }
    take(&ledger, in_slot(4, "B"), 4, Until::Issued);
    ledger.writer().record(ended(attempt(4, 1), failure(), true)).unwrap();
    take(&ledger, in_slot(4, "A"), 14, Until::Passed);
    take(&ledger, in_slot(5, "B"), 5, Until::Asked);
    let stats = ledger.reader().unwrap().stats(&Zone::UTC).unwrap();
    assert_eq!(
        serde_json::to_string(&stats).unwrap(),
        concat!(
            r#"{"units":{"proven":4,"uncertain":1},"#,
            r#""attempts":{"passed":4,"failed":1,"interrupted":0},"#,
            r#""first_pass_yield":0.75,"by_code":{"E-DEV-TIMEOUT":1},"#,
            r#""by_slot":{"A":{"passed":4,"failed":0,"interrupted":0},"#,
            r#""B":{"passed":0,"failed":1,"interrupted":0}},"#,
            r#""by_hour":{"2026-09-21T14:00:00.000Z":{"passed":4,"failed":1,"interrupted":0}}}"#
        )
    );
}

#[test]
fn an_uncertain_unit_is_listed_until_its_device_has_spoken() {
    let (_dir, ledger) = bench();
    take(&ledger, in_slot(1, "A"), 1, Until::Passed);
    take(&ledger, in_slot(2, "B"), 2, Until::Asked);
    take(&ledger, in_slot(3, "A"), 3, Until::Asked);
    let reader = ledger.reader().unwrap();
    let found = reader.uncertain(1).unwrap();
    assert_eq!((found.count, found.units.len()), (2, 1), "the others are counted");
    let unit = &reader.uncertain(9).unwrap().units[0];
    assert_eq!((unit.serial.clone(), unit.slot.as_str()), (serial(2), "B"));
    assert!(unit.hardware.is_some() && unit.since.0 > 0);
    ledger.writer().record(proven(attempt(2, 1))).unwrap();
    assert_eq!(reader.uncertain(9).unwrap().count, 1);
}

#[test]
fn an_empty_ledger_has_no_yield() {
    let (_dir, ledger) = bench();
    assert_eq!(ledger.reader().unwrap().stats(&Zone::UTC).unwrap().first_pass_yield, None);
}

#[test]
fn one_units_story_has_the_fields_of_the_contract() {
    let (_dir, ledger) = bench();
    take(&ledger, begun(1), 1, Until::Passed);
    let story = ledger.reader().unwrap().unit_story(&serial(1)).unwrap().unwrap();
    let json = serde_json::to_value(&story).unwrap();
    let pem = json["certificates"][0]["pem"].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    let fingerprint = certificate(1).fingerprint.to_string();
    let at = "2026-09-21T14:13:20.000Z";
    assert_eq!(
        json,
        serde_json::json!({
            "serial": "TH-00000001",
            "state": "proven",
            "work_order": null,
            "client_id": "TH-00000001",
            "created_at": at,
            "certificates": [{
                "certificate_sn": "10101010101010101010101000000001",
                "fingerprint_sha256": fingerprint,
                "state": "proven",
                "proof": "possession",
                "origin": "issued",
                "not_before": "2026-09-20T14:13:20.000Z",
                "not_after": "9999-12-31T23:59:59.000Z",
                "pem": pem,
                "registration": {
                    "state": "waiting",
                    "status": null,
                    "tries": 0,
                    "last_error": null,
                    "registered_at": null
                }
            }],
            "attempts": [{
                "attempt": 1,
                "slot": "A",
                "operator": null,
                "label": null,
                "hardware": hardware(1).to_string(),
                "started_at": at,
                "ended_at": at,
                "outcome": "pass",
                "step": null,
                "code": null,
                "message": null,
                "proof": "possession"
            }],
            "acts": []
        })
    );
    assert_eq!(ledger.reader().unwrap().unit_story(&serial(2)).unwrap(), None);
}

#[test]
fn units_are_listed_by_page_and_state() {
    let (_dir, ledger) = bench();
    for number in 1..=5 {
        take(&ledger, begun(number), number, Until::Passed);
    }
    take(&ledger, begun(6), 6, Until::Asked);
    let reader = ledger.reader().unwrap();
    let page = |filter: &UnitFilter, after: Option<u32>| -> Vec<String> {
        let after = after.map(serial);
        let lines = reader.units(filter, after.as_ref(), 4).unwrap();
        lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect()
    };
    let first = page(&UnitFilter::default(), None);
    assert_eq!(first.len(), 4);
    assert_eq!(
        first[0],
        concat!(
            r#"{"serial":"TH-00000001","state":"proven","client_id":"TH-00000001","#,
            r#""certificate_sn":"10101010101010101010101000000001"}"#
        )
    );
    assert_eq!(page(&UnitFilter::default(), Some(4)).len(), 2);
    let uncertain = UnitFilter { state: Some(UnitState::Uncertain), ..UnitFilter::default() };
    assert!(page(&uncertain, None)[0].contains("TH-00000006"));
    let order = UnitFilter { work_order: Some("WO".parse().unwrap()), ..UnitFilter::default() };
    assert!(page(&order, None).is_empty());
}

#[test]
fn only_proven_certificates_are_exported() {
    let (_dir, ledger) = bench();
    take(&ledger, begun(1), 1, Until::Passed);
    take(&ledger, begun(2), 2, Until::Asked);
    take(&ledger, begun(3), 3, Until::Passed);
    ledger.writer().record(Record::UnitVoided(act(3))).unwrap();
    take(&ledger, begun(4), 4, Until::Passed);
    let reader = ledger.reader().unwrap();
    let page = |after: Option<u32>| -> Vec<_> {
        let after = after.map(serial);
        let rows = reader.export_page(None, false, after.as_ref(), 1).unwrap();
        rows.into_iter().map(|row| row.row.serial).collect()
    };
    assert_eq!(
        (page(None), page(Some(1)), page(Some(4))),
        (vec![serial(1)], vec![serial(4)], vec![])
    );
}

#[test]
fn the_journal_keys_certificates_are_told_newest_first() {
    let (_dir, ledger) = bench();
    for certificate in [Some("3001"), None, Some("3002"), Some("3001")] {
        let line = LineStarted {
            version: "0".to_owned(),
            config: crate::domain::ids::ProfileDigest::new([0; 32]),
            authority: ca(),
            work_order: None,
            operator: None,
            journal_certificate: certificate.map(str::to_owned),
        };
        ledger.writer().record(Record::LineStarted(line)).unwrap();
    }
    let told = ledger.reader().unwrap().journal_certificates().unwrap();
    assert_eq!(told, ["3001", "3002"]);
}

#[test]
fn what_the_line_asks_is_found_by_an_index() {
    let (_dir, ledger) = bench();
    let early = FailedEarly {
        serial: serial(1),
        client_id: begun(1).client_id,
        slot: "A".parse().unwrap(),
        label: None,
        work_order: None,
        operator: None,
        end: failure(),
    };
    ledger.writer().record(Record::FailedEarly(early)).unwrap();
    let reader = ledger.reader().unwrap();
    for sql in [
        "SELECT * FROM units WHERE serial = ?1",
        "SELECT serial FROM units WHERE proven_hardware = ?1 AND serial <> ?2
            UNION ALL SELECT serial FROM units WHERE open_hardware = ?1 AND serial <> ?2 LIMIT 1",
        "SELECT serial FROM units WHERE open_hardware = ?1 AND open_position = 'asked'",
        "SELECT serial FROM certificates WHERE public_key = ?1 OR fingerprint = ?2",
        "SELECT serial FROM units WHERE client_id = ?1 AND serial <> ?2
            UNION ALL SELECT serial FROM certificates WHERE client_id = ?1 AND serial <> ?2 LIMIT 1",
        "SELECT serial FROM attempts WHERE certificate_sn = ?1",
        "SELECT serial FROM units WHERE open_position IS NOT NULL ORDER BY serial",
        "SELECT serial FROM units WHERE serial > ?1 AND state = ?2 ORDER BY serial LIMIT 9",
        "SELECT state FROM outbox WHERE certificate_sn = ?1 AND operation = 'register'
            ORDER BY id DESC LIMIT 1",
        "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1",
    ] {
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = reader.connection.prepare(&explained).unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            let scans = step.starts_with("SCAN")
                && !step.contains("USING INDEX")
                && !step.contains("COVERING INDEX")
                && !step.contains("CONSTANT ROW")
                && step != "SCAN journal";
            assert!(!scans && !step.contains("TEMP B-TREE"), "{sql}: {step}");
        }
    }
}
