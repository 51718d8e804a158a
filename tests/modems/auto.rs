//! `auto`: a slot that takes devices of every family, and modems of every maker.

use super::bench::{ESP_AT, Modems, NRF91, QUECTEL};
use super::support::{Factory, label, named};

fn factory() -> Factory {
    let factory = Factory::usual();
    factory.change("port = \"slot-A\"", "port = \"slot-A\"\ndriver = \"auto\"");
    let product = "client_id = \"{serial}\"";
    factory.change(product, &format!("{product}\nrequired_proof = \"read-back\""));
    factory
}

#[test]
fn a_slot_of_any_family_takes_a_modem_and_a_framed_device() {
    let factory = factory();
    let modems = Modems::plug(&factory, NRF91, "A", &[]);
    let unit = factory.batch(&named("A", 1)).expect(0).unit(&label(1));
    assert_eq!(unit["proof"], "read-back");
    drop(modems);
    let _framed = factory.devices("A", 1);
    let unit = factory.batch(&named("A", 2)).expect(0).unit(&label(2));
    assert_eq!(unit["proof"], "possession");
}

#[test]
fn a_slot_of_any_family_knows_whose_modem_it_is() {
    let factory = factory();
    for (number, kind) in [QUECTEL, ESP_AT].into_iter().enumerate() {
        let _modems = Modems::plug(&factory, kind, "A", &["--seed", &number.to_string()]);
        let unit = factory.batch(&named("A", number + 1)).expect(0).unit(&label(number + 1));
        assert_eq!(unit["proof"], "read-back");
        std::fs::rename(factory.path("modems-A"), factory.path(&format!("{number}"))).unwrap();
    }
}
