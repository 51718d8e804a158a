//! The way of a unit, from a chip out of its box to one that proves its key.

use super::bench::{chips, factory, flashes};
use super::support::{label, labels};

#[test]
fn a_chip_out_of_its_box_gets_an_identity_and_proves_it() {
    let factory = factory(1);
    let _chips = chips(&factory, "A", &[]);
    let finished = factory.batch(&labels(1)).expect(0);
    let unit = finished.unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"possession".into()));
    factory.verify();
}
