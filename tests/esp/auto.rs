//! A slot of any family: a chip in its loader gets its identity, and one that runs its
//! application is known for what it is, since nothing can be written to it by frames.

use std::os::unix::net::UnixDatagram;

use super::bench::{chips, factory, flashes};
use super::support::{Factory, label, named};

fn of_any_family() -> Factory {
    let factory = factory(1);
    factory.change("driver = \"esp\"", "driver = \"auto\"");
    factory
}

/// Resets the chip of a slot by hand, with its boot pin let go of.
fn reset(factory: &Factory) {
    let lines = UnixDatagram::unbound().unwrap();
    for levels in [[0, 1], [0, 0]] {
        lines.send_to(&levels, factory.path("slot-A.lines")).unwrap();
    }
}

#[test]
fn a_chip_in_its_loader_is_found_by_asking() {
    let factory = of_any_family();
    let _chips = chips(&factory, "A", &[]);
    let unit = factory.batch(&named("A", 1)).expect(0).unit(&label(1));
    assert_eq!(unit["proof"], "possession");
}

#[test]
fn a_chip_that_runs_its_application_is_sent_no_identity_in_frames() {
    let factory = of_any_family();
    let _chips = chips(&factory, "A", &[]);
    reset(&factory);
    let before = flashes(&factory);
    let unit = factory.batch(&named("A", 1)).expect(1).unit(&label(1));
    assert_eq!(unit["code"], "E-ESP-LOADER", "{unit}");
    assert!(flashes(&factory) == before);
}
