//! Modems that say OK and don't do it, and those that can't: never a PASS.

use super::bench::{ESP_AT, Kind, Modems, NRF91, QUECTEL, SIMCOM, factory, newest, outcome};
use super::support::{label, labels};

/// Runs one unit with that fault; it must end so, and no modem may hold what is proven.
#[track_caller]
fn never_passes(kind: Kind, fault: &str, code: &str) {
    let factory = factory(kind, 1);
    let _modems = Modems::plug(&factory, kind, "A", &["--fault", fault]);
    let (outcome, found) = outcome(&factory, &labels(1));
    assert_ne!(outcome, "pass", "{fault}");
    assert_eq!(found, code, "{fault}");
    assert!(factory.ledger().in_state("proven").is_empty(), "{fault}");
}

#[test]
fn an_ok_is_not_a_store() {
    for write in 1..=3 {
        for fault in ["lie-stored", "torn-write", "refuse-write"] {
            never_passes(NRF91, &format!("{fault}={write}"), "E-DEV-NOT-STORED");
        }
    }
}

#[test]
fn what_is_gone_or_changed_after_the_restart_is_found_out() {
    never_passes(NRF91, "lie-forget", "E-DEV-NOT-STORED");
    for item in 1..=3 {
        never_passes(NRF91, &format!("lie-flip={item}"), "E-DEV-NOT-STORED");
    }
    never_passes(NRF91, "lie-other-unit", "E-DEV-SWAPPED");
    never_passes(NRF91, "lie-restart", "E-DEV-NOT-RESTARTED");
}

#[test]
fn what_quectel_and_esp_at_keep_is_read_back() {
    for kind in [QUECTEL, ESP_AT] {
        for fault in ["lie-stored=1", "lie-stored=3", "torn-write=1", "torn-write=3"] {
            never_passes(kind, fault, "E-DEV-NOT-STORED");
        }
        for item in 1..=3 {
            never_passes(kind, &format!("lie-flip={item}"), "E-DEV-NOT-STORED");
        }
        never_passes(kind, "lie-forget", "E-DEV-NOT-STORED");
        never_passes(kind, "holds-unknown", "E-DEV-UNKNOWN-IDENTITY");
    }
}

#[test]
fn simcom_shows_nothing_and_passes_only_where_the_product_asks_for_nothing() {
    for fault in ["lie-stored=1", "lie-stored=4", "refuse-write=1", "refuse-write=4", "lie-forget"]
    {
        never_passes(SIMCOM, fault, "E-DEV-NOT-STORED");
    }
    let factory = factory(SIMCOM, 1);
    factory.change("required_proof = \"none\"", "required_proof = \"read-back\"");
    let modems = Modems::plug(&factory, SIMCOM, "A", &[]);
    let (outcome, code) = outcome(&factory, &labels(1));
    assert_eq!((outcome.as_str(), code.as_str()), ("fail", "E-PROOF-TOO-WEAK"));
    assert!(modems.flash()[0].text(SIMCOM.key).is_none(), "nothing was written");
}

#[test]
fn what_a_modem_cannot_take_is_said() {
    never_passes(NRF91, "full", "E-DEV-NOT-STORED");
    never_passes(NRF91, "busy", "E-DEV-REFUSED");
    never_passes(NRF91, "no-hash", "E-DEV-NOT-STORED");
    never_passes(NRF91, "holds-unknown", "E-DEV-UNKNOWN-IDENTITY");
    never_passes(NRF91, "mute", "E-DEV-TIMEOUT");
}

#[test]
fn a_modem_that_says_things_unasked_in_words_and_late_is_provisioned_all_the_same() {
    let factory = factory(NRF91, 1);
    let modems = Modems::plug(&factory, NRF91, "A", &["--fault", "urc,words,boot-noise,latency=5"]);
    factory.batch(&labels(1)).expect(0);
    assert!(modems.flash()[0].holds(NRF91, &newest(&factory, &label(1))));
}
