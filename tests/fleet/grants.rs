//! Grants by way of the fleet: never more than was ordered, and taken by whom they are for.

use crate::database::Database;
use crate::program::{Run, at, run};
use crate::server::Server;
use crate::stations::Yard;

#[test]
fn a_fleet_hands_grants_on_and_never_more_than_was_ordered() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let url = database.url();
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    station.enrol(&database, &server);
    at(&station.dir, &["work-order", "key", "make", "--name", "planning"]).well();
    let give = |to: &str, quantity: &str, number: &str| -> Run {
        let file = yard.path().join(format!("{to}-{number}.grant"));
        let file = file.to_str().unwrap();
        let sign = ["work-order", "sign", "WO-1", "--station", to, "--quantity", quantity];
        let further = ["--order-quantity", "5", "--number", number, "--out", file];
        at(&station.dir, &[&sign[..], &further].concat()).well();
        run(&["fleet", "grant", file, "--station", to, "--work-order", "WO-1", "--database", &url])
    };
    give("line-1", "3", "1").well();
    give("line-2", "3", "2").refused("E-WORK-ORDER-FULL", 1);
    give("line-2", "2", "3").well();
    let other = yard.path().join("line-1-1.grant");
    let foreign = ["--station", "line-2", "--work-order", "WO-1", "--database", &url];
    run(&[&["fleet", "grant", other.to_str().unwrap()][..], &foreign].concat())
        .refused("E-USAGE", 2);
    let taken = at(&station.dir, &["work-order", "take", "--fleet"]).well().last();
    assert_eq!((&taken["id"], &taken["grant_left"]), (&"WO-1".into(), &3.into()), "{taken}");
    let again = at(&station.dir, &["work-order", "take", "--fleet"]).well();
    assert_eq!(again.out, "", "it was taken before: {again:?}");
}
