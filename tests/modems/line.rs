//! Whole runs: many modems over four slots, some of them faulty.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bench::{
    ESP_AT, Flash, Kind, Modems, NRF91, QUECTEL, SIMCOM, assert_held, factory, flash_of,
};
use super::support::{Factory, LONG, label, labels};

/// Provisions so many units, and takes out by hand what does not pass. What each unit's line says.
fn run(factory: &Factory, slots: &[(&str, &Modems)], count: usize) -> BTreeMap<String, Value> {
    let mut batch = factory.start_batch(&labels(count));
    let mut units = BTreeMap::new();
    while let Some(event) = batch.event(LONG) {
        if event["event"] != "unit" {
            continue;
        }
        let serial = event["serial"].as_str().unwrap().to_owned();
        let slot = slots.iter().find(|(name, _)| event["slot"] == *name);
        // One that lost its power comes back by itself, and the next label may be on it.
        let stays = event["outcome"] == "pass" || event["code"] == "E-DEV-UNPLUGGED";
        if let Some((_, modems)) = slot.filter(|_| !stays) {
            modems.hand("pull");
            modems.hand("next");
        }
        units.insert(serial, event);
    }
    units
}

fn all_flash(factory: &Factory, slots: &[&str]) -> Vec<Flash> {
    slots.iter().flat_map(|slot| flash_of(factory, slot)).collect()
}

/// Twenty units, and what was wrong with some of their modems; each slot has more modems than
/// units, so that a bad one can be laid aside.
fn twenty(kind: Kind, faults: [&str; 4]) {
    let factory = factory(kind, 4);
    let names = ["A", "B", "C", "D"];
    let plug = |(slot, fault): (&&'static str, &str)| {
        (*slot, Modems::plug(&factory, kind, slot, &["--units", "9", "--fault", fault]))
    };
    let modems: Vec<_> = names.iter().zip(faults).map(plug).collect();
    let slots: Vec<_> = modems.iter().map(|(name, modems)| (*name, modems)).collect();
    let units = run(&factory, &slots, 20);
    assert_eq!(units.len(), 20);
    let (passed, failed): (Vec<_>, Vec<_>) =
        units.values().partition(|unit| unit["outcome"] == "pass");
    assert!(failed.len() >= 3, "the faults were met: {failed:?}");
    assert!(passed.len() >= 10, "and most units passed: {failed:?}");
    let flash = all_flash(&factory, &names);
    for unit in &passed {
        assert_eq!(unit["proof"], kind.proof);
        assert_held(&factory, kind, unit["serial"].as_str().unwrap(), &flash);
    }
    let codes: Vec<_> = failed.iter().map(|unit| unit["code"].as_str().unwrap()).collect();
    assert!(codes.iter().all(|code| code.starts_with("E-DEV-")), "{codes:?}");
    assert_eq!(factory.ledger().in_state("proven").len(), passed.len());
    factory.verify();
}

#[test]
fn twenty_nrf91s_over_four_slots_with_faults() {
    twenty(
        NRF91,
        [
            "lie-stored=1@2,urc@1,words@3",
            "refuse-write=3@1,boot-noise@2,latency=10@3",
            "lie-forget@2,torn-write=2@3",
            "power=2@1,restart-at=14@2,lie-flip=2@4",
        ],
    );
}

/// Six units over two slots, two of whose modems are faulty.
fn six(kind: Kind, faults: [&str; 2]) {
    let factory = factory(kind, 2);
    let names = ["A", "B"];
    let plug = |(slot, fault): (&&'static str, &str)| {
        (*slot, Modems::plug(&factory, kind, slot, &["--units", "5", "--fault", fault]))
    };
    let modems: Vec<_> = names.iter().zip(faults).map(plug).collect();
    let slots: Vec<_> = modems.iter().map(|(name, modems)| (*name, modems)).collect();
    let units = run(&factory, &slots, 6);
    let (passed, failed): (Vec<_>, Vec<_>) =
        units.values().partition(|unit| unit["outcome"] == "pass");
    assert_eq!(units.len(), 6);
    // One whose modem lost its power is tried again when that is back.
    assert!(passed.len() >= 3 && !failed.is_empty(), "{units:?}");
    let flash = all_flash(&factory, &names);
    for unit in &passed {
        assert_eq!(unit["proof"], kind.proof);
        assert_held(&factory, kind, unit["serial"].as_str().unwrap(), &flash);
    }
    factory.verify();
}

#[test]
fn six_quectels_over_two_slots_with_faults() {
    six(QUECTEL, ["torn-write=1@1,urc@2,words@3", "power=3@1,boot-noise@2"]);
}

#[test]
fn six_simcoms_over_two_slots_with_faults() {
    six(SIMCOM, ["lie-stored=3@1,urc@2,words@3", "power=3@1,boot-noise@2"]);
}

#[test]
fn six_esp_ats_over_two_slots_with_faults() {
    six(ESP_AT, ["refuse-write=2@1,urc@2,latency=10@3", "power=2@1,boot-noise@2"]);
}

#[test]
fn the_hardware_id_is_the_imei_and_the_record_says_how_it_was_proven() {
    let factory = factory(NRF91, 1);
    let modems = Modems::plug(&factory, NRF91, "A", &[]);
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    let flash = modems.flash().remove(0);
    assert_eq!(unit["hardware_id"], format!("0{}", flash.imei));
    let shown = factory.show(&label(1));
    assert_eq!(shown["attempts"][0]["proof"], "read-back");
    assert!(flash.text(NRF91.roots).unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"));
}

#[test]
fn a_key_that_the_modem_made_never_leaves_it() {
    let factory = factory(NRF91, 1);
    factory.change("required_proof", "key_origin = \"device\"\nrequired_proof");
    let modems = Modems::plug(&factory, NRF91, "A", &["--units", "2"]);
    let finished = factory.batch(&labels(2)).expect(0);
    assert_eq!(finished.summary()["passed"], 2);
    for number in 1..=2 {
        assert_held(&factory, NRF91, &label(number), &modems.flash());
    }
    factory.verify();
}
