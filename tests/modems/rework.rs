//! A unit that is done again, the wrong modem, and another unit's identity.

use super::bench::{Modems, NRF91, assert_held, factory, newest, outcome};
use super::support::{LONG, label, labels, named};

#[test]
fn a_rework_gives_the_same_modem_another_identity() {
    let factory = factory(NRF91, 1);
    let modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    factory.batch(&labels(1)).expect(0);
    let first = newest(&factory, &label(1));
    let (refused, code) = outcome(&factory, &named("A", 2));
    assert_eq!((refused.as_str(), code.as_str()), ("refused", "E-DEV-OTHER-LABEL"));
    let again = factory.batch(&labels(1)).expect(0);
    assert_eq!(again.summary()["already_proven"], 1);
    let rework = ["unit", "rework", &label(1), "--reason", "returned", "--by", "s04"];
    factory.run(&rework).expect(0);
    let unit = factory.batch(&named("A", 1)).expect(0).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["attempt"]), (&"pass".into(), &2.into()));
    assert_held(&factory, NRF91, &label(1), &modems.flash());
    assert!(!modems.flash()[0].holds(NRF91, &first));
    factory.verify();
}

#[test]
fn a_rework_does_not_take_another_modem() {
    let factory = factory(NRF91, 1);
    let modems = Modems::plug(&factory, NRF91, "A", &["--units", "2", "--stay"]);
    factory.batch(&labels(1)).expect(0);
    let rework = ["unit", "rework", &label(1), "--reason", "returned", "--by", "s04"];
    factory.run(&rework).expect(0);
    assert!(modems.hand("pull") && modems.hand("next"));
    assert_eq!(outcome(&factory, &named("A", 1)).0, "refused");
    let flash = modems.flash();
    assert_eq!(flash.iter().filter(|flash| flash.text(NRF91.certificate).is_some()).count(), 1);
}

#[test]
fn another_makers_modem_is_not_written() {
    let factory = factory(NRF91, 1);
    factory.change("modem = \"nrf91\"", "modem = \"quectel\"");
    let modems = Modems::plug(&factory, NRF91, "A", &[]);
    assert_eq!(outcome(&factory, &labels(1)).1, "E-DEV-MODEL");
    assert!(modems.flash()[0].text(NRF91.key).is_none());
}

#[test]
fn a_modem_of_another_model_is_not_written() {
    let factory = factory(NRF91, 1);
    factory.change("required_proof", "model = \"nRF9160-SICA\"\nrequired_proof");
    let modems = Modems::plug(&factory, NRF91, "A", &[]);
    assert_eq!(outcome(&factory, &labels(1)).1, "E-DEV-MODEL");
    assert!(modems.flash()[0].text(NRF91.key).is_none());
}

#[test]
fn the_imei_on_the_label_must_be_the_modems() {
    let factory = factory(NRF91, 1);
    let rule = "[[scanner.label]]\nform = \"text\"\ntext = \"{serial};{hardware_id}\"\n\
                hardware_id = \"hardware_id\"\n\n[ledger]";
    factory.change("[ledger]", rule);
    let modems = Modems::plug(&factory, NRF91, "A", &["--stay"]);
    let imei = modems.flash()[0].imei.clone();
    let scan = |imei: &str| {
        let mut batch = factory.start(&["batch", "--scanner", "-"]);
        batch.say(&format!("{};{imei}\r\n", label(1)));
        batch.finish(LONG)
    };
    assert_eq!(scan("490154203237518").units()[0]["code"], "E-SCAN-OTHER-DEVICE");
    assert!(modems.flash()[0].text(NRF91.key).is_none());
    assert_eq!(scan(&imei).units()[0]["outcome"], "pass");
}
