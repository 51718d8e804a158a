//! What a run does and leaves: conflicts, limits, deadlines, dry runs, two at once.

use std::io::{BufRead, BufReader};
use std::time::Instant;

use provisioning_station::pki::certificate_pem;
use provisioning_station::sim::cloud::{CloudFaults, start};
use rustix::process::{Pid, Signal, kill_process};

use crate::factory::{Factory, PASSPHRASE, SECRET_ID, SECRET_KEY, emulated, label};

#[test]
fn a_run_says_what_the_contract_says_and_a_second_one_asks_for_nothing() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=20);
    let ran = factory.sync().expect(0);
    let registrations = ran.events("registration");
    assert_eq!(registrations.len(), 20);
    assert_eq!(registrations[0]["outcome"], "registered");
    assert_eq!(registrations[0]["tries"], 1);
    assert_eq!(ran.summary()["event"], "summary");
    assert_eq!(ran.summary()["registered"], 20);
    // Two before the first, and one of twenty is looked up again.
    assert_eq!(ran.summary()["requests"], 23);
    assert_eq!(factory.standing(3), ("registered".to_owned(), "registered".to_owned()));

    let before = cloud.requests().len();
    let again = factory.sync().expect(0);
    assert_eq!(again.summary()["registered"], 0);
    let asked = cloud.requests().split_off(before);
    assert!(asked.len() <= 3, "{asked:?}");
    assert!(asked.iter().all(|request| request.action.starts_with("Describe")), "{asked:?}");
}

#[test]
fn a_foreign_certificate_under_our_serial_number_is_a_conflict() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=4);
    // The same serial number under another CA: issued by hand, in another key.
    let rows = factory.reader().outbox(0, 9).unwrap();
    let taken = rows[1].sn;
    let key = rcgen::KeyPair::generate().unwrap();
    let mut foreign = rcgen::CertificateParams::new(Vec::new()).unwrap();
    foreign.serial_number = Some(rcgen::SerialNumber::from_slice(taken.as_bytes()));
    let foreign = foreign.self_signed(&key).unwrap().pem();
    cloud.plant(&foreign, "somebody", false).unwrap();

    let ran = factory.sync().expect(1);
    assert_eq!(ran.summary()["registered"], 3);
    assert_eq!(ran.summary()["conflict"], 1);
    let conflict: Vec<_> =
        ran.events("registration").into_iter().filter(|l| l["outcome"] == "conflict").collect();
    assert_eq!(conflict.len(), 1);
    assert_eq!(conflict[0]["certificate_sn"], taken.to_string());
    assert_eq!(conflict[0]["code"], "E-CLOUD-CONFLICT");
    assert_eq!(factory.standing(2), ("proven".to_owned(), "conflict".to_owned()));
    factory.sync().expect(1);
    factory.assert_it_verifies();
}

#[test]
fn a_full_run_finds_what_is_foreign_where_the_ca_is_the_station_s_own() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    factory.sync().expect(0);
    // Another station's unit, by the same CA.
    let mut other = Factory::new(&cloud.url());
    for name in ["ca.pem", "ca.key"] {
        std::fs::copy(factory.path(name), other.path(name)).unwrap();
    }
    other.prove(3..=4);
    let there = other.reader().outbox(0, 9).unwrap();
    for row in &there {
        cloud.plant(&certificate_pem(&row.der).unwrap(), row.client_id.as_str(), false).unwrap();
    }
    let kinds = |ran: &crate::factory::Ran| {
        let mut kinds: Vec<_> = ran
            .events("difference")
            .iter()
            .map(|line| line["kind"].as_str().unwrap().to_owned())
            .collect();
        kinds.sort();
        kinds
    };
    let shared = factory.run(&["sync", "--full"]).expect(1);
    assert_eq!(kinds(&shared), ["duplicate_client_id"], "unit 3 was made twice");
    assert_eq!(shared.summary()["of_others"], 2);
    factory.authority = "exclusive = true";
    factory.configure();
    let own = factory.run(&["sync", "--full"]).expect(1);
    assert_eq!(kinds(&own), ["duplicate_client_id", "foreign_in_cloud", "foreign_in_cloud"]);
}

#[test]
fn a_limit_takes_so_many() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=5);
    let ran = factory.run(&["sync", "--limit", "1"]).expect(0);
    assert_eq!((&ran.summary()["registered"], &ran.summary()["pending"]), (&1.into(), &4.into()));
    assert_eq!(factory.in_cloud().len(), 1);
}

#[test]
fn a_deadline_leaves_the_rest_pending_and_exits_with_1() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=60);
    cloud.change_faults(CloudFaults::parse("slow=500").unwrap());
    let text = std::fs::read_to_string(factory.path("station.toml")).unwrap();
    let slow = text.replace("rate_per_second = 500", "rate_per_second = 2");
    std::fs::write(factory.path("station.toml"), slow).unwrap();
    let begun = Instant::now();
    let ran = factory.run(&["sync", "--deadline", "3s"]).expect(1);
    assert!(begun.elapsed().as_secs() < 15);
    let [registered, pending] =
        ["registered", "pending"].map(|name| ran.summary()[name].as_u64().unwrap());
    assert!(pending > 40 && registered < 20, "{:?}", ran.summary());
    cloud.change_faults(CloudFaults::none());
    factory.configure();
    let rest = factory.sync().expect(0);
    assert_eq!(rest.summary()["pending"], 0);
    assert_eq!(factory.in_cloud().len(), 60);
}

#[test]
fn a_dry_run_changes_nothing_anywhere() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    let head = factory.reader().head().unwrap();
    let before = cloud.requests().len();
    let ran = factory.run(&["sync", "--dry-run", "--full"]).expect(0);
    assert_eq!(ran.events("planned").len(), 3);
    assert_eq!(ran.events("planned")[0]["deed"], "register");
    assert_eq!(factory.reader().head().unwrap(), head);
    let asked = cloud.requests().split_off(before);
    assert!(asked.iter().all(|request| request.action.starts_with("Describe")), "{asked:?}");
    assert_eq!(factory.reader().cloud().unwrap(), None);
}

#[test]
fn of_two_at_once_the_second_names_the_first_and_ends_with_8() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=40);
    cloud.change_faults(CloudFaults::parse("slow=900").unwrap());
    let mut first = factory.start(&["sync"]);
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let second = factory.sync().expect(8);
    assert!(second.errors.contains(&first.id().to_string()), "{}", second.errors);
    // A signal lands the first.
    kill_process(Pid::from_child(&first), Signal::TERM).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert!(rest.last().unwrap().contains("\"summary\""), "{rest:?}");
    assert_eq!(first.wait().unwrap().code(), Some(130));
    cloud.change_faults(CloudFaults::none());
    factory.sync().expect(0);
    assert_eq!(factory.in_cloud().len(), 40);
}

#[test]
fn a_sync_can_t_be_read_by_its_own_user_and_leaves_no_core_dump() {
    use std::os::unix::fs::MetadataExt;
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=40);
    cloud.change_faults(CloudFaults::parse("slow=300").unwrap());
    let mut sync = factory.start(&["sync"]);
    let mut lines = BufReader::new(sync.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let of_process = |name: &str| format!("/proc/{}/{name}", sync.id());
    let limits = std::fs::read_to_string(of_process("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(values[4..6], ["0", "0"], "{core}");
    // The files of a process that is not dumpable belong to root.
    assert_eq!(std::fs::metadata(of_process("mem")).unwrap().uid(), 0);
    kill_process(Pid::from_child(&sync), Signal::TERM).unwrap();
    drop(lines);
    sync.wait().unwrap();
}

#[test]
fn an_instance_that_is_not_ready_is_waited_for() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    cloud.change_faults(CloudFaults::parse("not-ready=RegisterDeviceCertificate@1").unwrap());
    let ran = factory.sync().expect(0);
    assert_eq!(ran.events("paused").len(), 1, "{:?}", ran.lines);
    assert_eq!(ran.summary()["registered"], 3);
}

#[test]
fn a_proof_that_waits_for_too_long_turns_sync_and_doctor_red() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=2);
    factory.more = "max_backlog = \"1s\"".to_owned();
    factory.configure();
    std::thread::park_timeout(std::time::Duration::from_millis(1100));
    let ran = factory.run(&["sync", "--limit", "1"]);
    assert_eq!(ran.exit, 1);
    assert!(ran.errors.contains("error[E-CLOUD-BACKLOG]"), "{}", ran.errors);
    let red = |ran: crate::factory::Ran| {
        let found = ran.lines.iter().find(|line| line["check"] == "backlog").unwrap().clone();
        found["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(red(factory.run(&["doctor"])), "fail");
    factory.sync().expect(0);
    assert_eq!(red(factory.run(&["doctor"])), "ok");
    assert_eq!(label(1), "TH200-00000001");
}

#[test]
fn no_log_at_any_level_has_a_secret() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.more = "initial_status = \"INACTIVE\"".to_owned();
    factory.configure();
    factory.prove(1..=2);
    for (key, unit) in [(SECRET_KEY, label(1)), ("a-key-that-the-cloud-refuses", label(2))] {
        factory.secret("secret-key", key);
        for line in [&["sync", "--full"][..], &["sync", "--log-json"], &["unit", "ship", &unit]] {
            let mut command = factory.command(line);
            let output = command.env("STATION_LOG", "trace").output().unwrap();
            let all = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(all.contains("TRACE"), "{line:?}: {all}");
            for secret in [SECRET_ID, key, PASSPHRASE, "PRIVATE KEY"] {
                assert!(!all.contains(secret), "{line:?}: {all}");
            }
        }
    }
    assert_eq!(factory.standing(1).0, "shipped");
}
