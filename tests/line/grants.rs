//! Grants as a batch meets them: so many units, and no more.

use super::support::{Factory, Finished, label, labels};

/// A factory whose own CA certified an order key.
fn factory() -> Factory {
    let mut factory = Factory::usual();
    factory.set("STATION_ORDERS_PASSPHRASE", "a passphrase for tests");
    factory.change("[ledger]", "[work_orders]\nrequire_grant = true\n\n[ledger]");
    factory.run(&["work-order", "key", "make", "--name", "planning"]).expect(0);
    factory
}

/// Signs a grant of five wanted units and takes it.
fn take(factory: &Factory, number: &str, quantity: &str, further: &[&str]) {
    let file = factory.path(&format!("{number}.grant"));
    let file = file.to_str().unwrap();
    let sign = ["work-order", "sign", "WO-1", "--station", "line-1", "--order-quantity", "5"];
    let what = ["--number", number, "--quantity", quantity, "--out", file];
    factory.run(&[&sign[..], &what[..], further].concat()).expect(0);
    factory.run(&["work-order", "take", file, "--by", "s04"]).expect(0);
}

fn grant(factory: &Factory, index: usize) -> serde_json::Value {
    factory.run(&["work-order", "show", "WO-1"]).expect(0).only()["grants"][index].clone()
}

fn refusals(finished: &Finished, numbers: &[usize]) -> Vec<String> {
    let code = |n: &usize| finished.unit(&label(*n))["code"].as_str().unwrap_or("").to_owned();
    numbers.iter().map(code).collect()
}

#[test]
fn three_of_five_wanted_units_are_made_and_a_failed_one_gives_its_place_back() {
    let factory = factory();
    take(&factory, "1", "3", &[]);
    let _devices = factory.faulty("A", 5, "lie-key@1");
    let finished = factory.batch(&labels(5)).expect(1);
    assert_eq!(finished.unit(&label(1))["outcome"], "fail", "{}", finished.story());
    for passed in 2..=4 {
        assert_eq!(finished.unit(&label(passed))["outcome"], "pass", "{}", finished.story());
    }
    assert_eq!(refusals(&finished, &[5]), ["E-GRANT-USED-UP"]);
    let stands = grant(&factory, 0);
    assert_eq!((&stands["used"], &stands["under_way"]), (&3.into(), &0.into()));
    assert_eq!(stands["left"], 0);
    factory.verify();
}

#[test]
fn slots_beside_each_other_do_not_make_more_than_granted() {
    let mut factory = Factory::with_slots(4);
    factory.set("STATION_ORDERS_PASSPHRASE", "a passphrase for tests");
    factory.run(&["work-order", "key", "make", "--name", "planning"]).expect(0);
    // Nothing demands a grant here; where one was taken it counts all the same.
    take(&factory, "1", "3", &[]);
    let _devices = ["A", "B", "C", "D"].map(|slot| factory.devices(slot, 2));
    let finished = factory.batch(&labels(8)).expect(1);
    assert_eq!(finished.summary()["passed"], 3, "{}", finished.story());
    assert_eq!(finished.summary()["refused"], 5);
    assert_eq!(grant(&factory, 0)["used"], 3);
}

#[test]
fn two_grants_of_one_order_are_used_up_one_behind_the_other_each_with_its_block() {
    let factory = factory();
    take(&factory, "1", "2", &["--serials", "TH200-00000001..TH200-00000003"]);
    take(&factory, "2", "1", &["--serials", "TH200-00000004..TH200-00000009"]);
    let _devices = factory.devices("A", 9);
    let of = |numbers: &[usize]| numbers.iter().map(|n| label(*n) + "\n").collect::<String>();
    let finished = factory.batch(&of(&[1, 2, 4])).expect(0);
    assert_eq!(finished.summary()["passed"], 3, "{}", finished.story());
    let finished = factory.batch(&of(&[3, 5])).expect(1);
    assert_eq!(refusals(&finished, &[3, 5]), ["E-GRANT-USED-UP", "E-GRANT-USED-UP"]);
    assert_eq!((&grant(&factory, 0)["used"], &grant(&factory, 1)["used"]), (&2.into(), &1.into()));
    let outside = factory.batch("TH200-00000010\n").expect(1);
    assert_eq!(outside.unit(&label(10))["code"], "E-GRANT-SERIAL");
}

#[test]
fn what_is_given_back_can_t_be_used_any_more() {
    let factory = factory();
    take(&factory, "7", "4", &[]);
    let _devices = factory.devices("A", 3);
    factory.batch(&labels(1)).expect(0);
    let file = factory.path("some.back");
    let back =
        ["work-order", "give-back", "WO-1", "--number", "7", "--out", file.to_str().unwrap()];
    let too_many = factory.run(&[&back[..], &["--quantity", "4"]].concat());
    too_many.expect_error(1, "E-GRANT-USED-UP");
    assert!(!file.exists(), "a file of what was refused");
    let given = factory.run(&[&back[..], &["--quantity", "2"]].concat()).expect(0).only();
    assert_eq!((&given["given_back"], &given["grants"][0]["used"]), (&2.into(), &1.into()));
    // The station's journal key signed it.
    let verified = factory.run(&["work-order", "verify", file.to_str().unwrap()]).expect(0).only();
    assert_eq!(verified["grants"], given["grants"]);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"given_back\": 2", "\"given_back\": 3")).unwrap();
    let changed = factory.run(&["work-order", "verify", file.to_str().unwrap()]);
    changed.expect_error(1, "E-GRANT-CHANGED");
    let finished = factory.batch("TH200-00000002\nTH200-00000003\n").expect(1);
    assert_eq!(finished.unit(&label(2))["outcome"], "pass");
    assert_eq!(refusals(&finished, &[3]), ["E-GRANT-USED-UP"]);
    let all = factory.path("all.back");
    let back = ["work-order", "give-back", "WO-1", "--out", all.to_str().unwrap()];
    assert_eq!(factory.run(&back).expect(0).only()["given_back"], 0);
    factory.verify();
}

#[test]
fn a_line_that_needs_a_grant_does_not_work_without_one() {
    let factory = factory();
    let _devices = factory.devices("A", 1);
    factory.batch(&labels(1)).expect_error(1, "E-GRANT-NEEDED");
    factory.run(&["work-order", "create", "WO-1", "--quantity", "5"]).expect(0);
    factory.batch(&labels(1)).expect_error(1, "E-GRANT-NEEDED");
    take(&factory, "1", "1", &[]);
    factory.batch(&labels(1)).expect(0);
}

#[test]
fn a_unit_that_was_proven_has_used_its_place_up_even_if_it_is_scrapped() {
    let factory = factory();
    take(&factory, "1", "1", &[]);
    let _devices = factory.devices("A", 2);
    factory.batch(&labels(1)).expect(0);
    factory.run(&["unit", "scrap", &label(1), "--reason", "tried"]).expect(0);
    let finished = factory.batch("TH200-00000002\n").expect(1);
    assert_eq!(refusals(&finished, &[2]), ["E-GRANT-USED-UP"], "{}", finished.story());
}

#[test]
fn a_unit_that_is_reworked_stays_under_its_grant() {
    let factory = factory();
    take(&factory, "1", "1", &[]);
    {
        let _devices = factory.devices("A", 1);
        factory.batch(&labels(1)).expect(0);
    }
    factory.run(&["unit", "rework", &label(1), "--reason", "tried"]).expect(0);
    let _device = factory.put_back("A", 1);
    let again = factory.batch(&labels(1)).expect(0);
    assert_eq!(again.unit(&label(1))["outcome"], "pass", "{}", again.story());
    assert_eq!(grant(&factory, 0)["used"], 1);
    factory.verify();
}
