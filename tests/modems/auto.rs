//! `auto`: a slot that takes devices of every family, and modems of every maker.

use firmware_interface::ids::RequestType;
use provisioning_station::sim::{self, Options, Stay};

use super::bench::{ESP_AT, Modems, NRF91, QUECTEL};
use super::support::meddler::Meddler;
use super::support::tell::{Count, Tell};
use super::support::{Factory, LONG, label, named};

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

#[test]
fn at_a_port_that_stays_the_next_device_may_be_of_another_family() {
    let factory = factory();
    let port = "port = \"slot-A\"";
    factory.change(port, &format!("{port}\npresence = \"poll\""));
    let _adapter = Meddler::adapter(&factory.port("A"), factory.port("B"));
    let count = Count::default();
    let recorder = Some(Box::new(Tell(count.clone())) as Box<_>);
    let stay = Stay::UntilTaken;
    let framed = sim::start(Options { stay, recorder, ..factory.options("B", 1) }).unwrap();
    let mut batch = factory.start_batch(&(named("A", 1) + &named("A", 2)));
    let unit = batch.event(LONG).unwrap();
    assert_eq!(unit["proof"], "possession", "{unit}");
    // Asked again and again until the port stays open, and there.
    count.wait_for(RequestType::Identify, count.of(RequestType::Identify) + 10, LONG);
    drop(framed);
    let _modems = Modems::plug(&factory, NRF91, "B", &[]);
    let finished = batch.finish(LONG).expect(0);
    assert_eq!(finished.unit(&label(2))["proof"], "read-back", "{}", finished.story());
    factory.verify();
}
