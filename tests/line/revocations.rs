//! A list of revoked certificates ends, and is told before it does.

use super::support::faulty::faulty;
use super::support::{Factory, Finished, LONG, Process, labels};

const DAY: i64 = 24 * 3600;

/// What the station says where its clock is ahead by so many seconds.
fn ahead(factory: &Factory, arguments: &[&str], seconds: i64) -> Finished {
    let mut command = factory.command(arguments);
    faulty(&mut command, "FAULTY_CLOCK", &seconds.to_string());
    Process::start(command).finish(LONG)
}

/// Status and code of the check of `doctor`; none where there is no such check.
fn check(factory: &Factory, seconds: i64) -> Option<(String, Option<String>)> {
    let doctor = ahead(factory, &["doctor", "--json"], seconds);
    let found = doctor.events().into_iter().find(|line| line["check"] == "revocations")?;
    let text = |key: &str| found[key].as_str().map(str::to_owned);
    Some((text("status").unwrap(), text("code")))
}

#[test]
fn doctor_and_sync_tell_before_the_newest_list_ends_and_afterwards() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    assert_eq!(check(&factory, 0), None, "no list was made");
    let list = factory.path("ca.crl");
    let out = list.to_str().unwrap();
    factory.run(&["authority", "crl", "--out", out, "--next-days", "30"]).expect(0);
    let ok = Some(("ok".to_owned(), None));
    let warned = Some(("warn".to_owned(), Some("E-CA-LIST".to_owned())));
    for (days, wanted) in [(0, &ok), (22, &ok), (24, &warned), (31, &warned)] {
        assert_eq!(&check(&factory, days * DAY), wanted, "after {days} days");
    }
    let told = |days: i64| ahead(&factory, &["sync"], days * DAY).errors.contains("E-CA-LIST");
    assert_eq!([told(22), told(24), told(31)], [false, true, true]);
    // The next one takes its place; one that is for a day is short from its last third on.
    factory.run(&["authority", "crl", "--out", out, "--next-days", "1"]).expect(0);
    assert_eq!((check(&factory, 0), check(&factory, DAY * 3 / 4)), (ok, warned));
    factory.verify();
}
