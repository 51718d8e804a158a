//! The way to the cloud: `authority register`, the checks of `doctor`, and each error that
//! the cloud can be the cause of. Without an emulation that can do it, a server answers
//! what the test says.

use std::process::Command;

use serde_json::Value;

use crate::answering::{Answering, Tls};
use crate::sim_cloud::Cloud;
use crate::station::{PASSPHRASE, Run, Station};

/// The emulation's credentials, as its help tells them.
const ID: &str = "AKIDemulatedcloud";
const KEY: &str = "for-the-emulated-cloud-alone";

/// A station with a CA whose cloud has this address.
pub(crate) fn at(url: &str) -> Station {
    let station = Station::new();
    let more = format!(
        "[cloud]\nendpoint = \"{url}\"\nregion = \"ap-guangzhou\"\n\
         instance_id = \"mqtt-emulated\"\n\n[[slots]]"
    );
    station.change("[[slots]]", &more);
    station.make_authority();
    std::fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station
}

/// The same with an emulation behind it.
fn with_cloud(more: &str) -> (Station, Cloud) {
    let scratch = Station::new();
    let cloud = Cloud::start(&scratch, more);
    (at(cloud.ready["url"].as_str().unwrap()), cloud)
}

fn command(station: &Station, line: &str) -> Command {
    let mut command = station.command(line);
    command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
    command.env("STATION_CLOUD_SECRET_ID", ID).env("STATION_CLOUD_SECRET_KEY", KEY);
    command
}

fn run(station: &Station, line: &str) -> Run {
    Run::of(&mut command(station, line))
}

fn register(station: &Station) -> Run {
    run(station, "authority register --json")
}

pub(crate) fn doctor(station: &Station, check: &str) -> (Run, Value) {
    let run = run(station, "doctor --json");
    let lines = run.json();
    let found = lines.into_iter().find(|line| line["check"] == check);
    let line = found.unwrap_or_else(|| panic!("no {check} in {run:?}"));
    (run, line)
}

fn shown(station: &Station) -> Value {
    station.ok("authority show --json").json_line()["ca_sn"].clone()
}

#[test]
fn a_ca_is_registered_once_and_found_again() {
    for form in ["padded", "plain"] {
        let (station, _cloud) = with_cloud(&format!("--serial-form {form}"));
        assert_eq!(shown(&station), Value::Null);
        let first = register(&station);
        assert_eq!(first.status, 0, "{first:?}");
        let first = first.json_line();
        assert_eq!((&first["found"], &first["status"]), (&false.into(), &"ACTIVE".into()));
        assert_eq!(shown(&station), first["ca_sn"]);
        let entries = station.ok("ledger stats --json").stdout;
        let second = register(&station).json_line();
        assert_eq!((&second["found"], &second["ca_sn"]), (&true.into(), &first["ca_sn"]));
        assert_eq!(station.ok("ledger stats --json").stdout, entries);
        station.ok("ledger verify");
    }
}

#[test]
fn a_registration_whose_answer_was_lost_is_found_and_not_made_again() {
    // Requests are: instance, CAs, code, CA.
    for fault in ["reset-after@4", "5xx-after@4", "wrong-body@4", "reset@1", "internal-error@2"] {
        let (station, _cloud) = with_cloud(&format!("--fault {fault} --log {fault}.log"));
        let done = register(&station);
        assert_eq!(done.status, 0, "{fault}: {done:?}");
        assert!(shown(&station).is_string(), "{fault}");
    }
}

#[test]
fn what_never_reached_the_cloud_is_told_and_the_next_run_does_it() {
    let (station, _cloud) = with_cloud("--fault reset@4");
    register(&station).failed("E-CLOUD-UNREACHABLE", 6).says("authority register --code");
    assert_eq!(shown(&station), Value::Null);
    assert_eq!(register(&station).json_line()["found"], false);
    station.ok("ledger verify");
}

#[test]
fn the_cloud_s_own_state_is_told_with_a_code_of_its_own() {
    let table = [
        ("--fault skew=720", "E-CLOUD-CLOCK", "12 minutes behind"),
        ("--fault invalid-action", "E-CLOUD-ACTION", "authority register --code"),
        ("--instance mqtt-other", "E-CLOUD-INSTANCE", "ResourceNotFound.Instance"),
        ("--status CREATING", "E-CLOUD-NOT-READY", "CREATING"),
        ("--x509-mode TLS", "E-CLOUD-MODE", "X.509 Certificate Management"),
        ("--edition BASIC", "E-CLOUD-MODE", "Pro or Platinum"),
        ("--mode automatic", "E-CLOUD-MODE", "\"manual\""),
        ("--max-ca 0", "E-CLOUD-QUOTA", "takes 0"),
    ];
    for (more, code, text) in table {
        let (station, _cloud) = with_cloud(more);
        register(&station).failed(code, 6).says(text);
        assert_eq!(shown(&station), Value::Null, "{more}");
    }
}

#[test]
fn what_the_api_refuses_is_told_with_a_code_of_its_own() {
    let table = [
        ("UnauthorizedOperation", "E-CLOUD-PERMISSION"),
        ("InvalidParameterValue", "E-CLOUD-REJECTED"),
        ("LimitExceeded", "E-CLOUD-QUOTA"),
        ("AuthFailure.TokenFailure", "E-CLOUD-CREDENTIALS"),
        ("FailedOperation.CertificateVerificationFailed", "E-CLOUD-VERIFICATION"),
    ];
    for (word, code) in table {
        let cloud = Answering::error(word);
        register(&at(&cloud.url())).failed(code, 6).says(word);
    }
}

#[test]
fn what_does_not_answer_as_the_api_does_is_told() {
    let table = [
        (Answering::text("<html>welcome</html>"), "E-CLOUD-ANSWER"),
        (Answering::error("InternalError"), "E-CLOUD-UNCLEAR"),
        (Answering::error("RequestLimitExceeded"), "E-CLOUD-THROTTLED"),
    ];
    for (cloud, code) in table {
        register(&at(&cloud.url())).failed(code, 6);
    }
}

#[test]
fn wrong_or_missing_credentials_are_told() {
    let (station, _cloud) = with_cloud("");
    let mut wrong = command(&station, "authority register");
    Run::of(wrong.env("STATION_CLOUD_SECRET_KEY", "wrong")).failed("E-CLOUD-CREDENTIALS", 6);
    let mut missing = command(&station, "authority register");
    Run::of(missing.env_remove("STATION_CLOUD_SECRET_ID"))
        .failed("E-CLOUD-CREDENTIALS", 6)
        .says("STATION_CLOUD_SECRET_ID");
}

#[test]
fn the_credentials_may_stand_in_files_that_only_their_owner_reads() {
    let (station, _cloud) = with_cloud("");
    station.change("[cloud]", "[cloud]\nsecret_id_file = \"id\"\nsecret_key_file = \"key\"");
    station.write("id", ID);
    station.write("key", &format!("{KEY}\n"));
    assert_eq!(station.ok("authority register --json").json_line()["found"], false);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(station.path("key"), open).unwrap();
    station.fails("authority register", "E-SECRET-MODE", 7);
}

#[test]
fn a_station_without_a_cloud_says_so() {
    let station = Station::new();
    station.make_authority();
    station.fails("authority register", "E-CONFIG-VALUE", 3).says("[cloud]");
}

#[test]
fn the_files_for_the_console_are_made_without_the_cloud() {
    let station = at("http://127.0.0.1:9");
    let code = "bb180052-7df5-4ff3-bda9-9b12fed8bf39";
    station.ok(&format!("authority register --code {code} --out console"));
    let subject = crate::station::openssl(
        &station.path("console"),
        "x509 -in verification.pem -noout -subject -nameopt RFC2253",
    );
    assert_eq!(subject.stdout.trim(), format!("subject=CN={code}"));
    let verified =
        crate::station::openssl(&station.path("console"), "verify -CAfile ca.pem verification.pem");
    assert_eq!(verified.status, 0, "{verified:?}");
    station
        .fails("authority register --code 'no code' --out other", "E-CLOUD-VERIFICATION", 6)
        .says("no registration code");
}

#[test]
fn no_log_at_any_level_has_a_secret() {
    let scratch = Station::new();
    let token = "a-temporary-token-of-the-cloud";
    let cloud = Cloud::start(&scratch, "");
    let station = at(cloud.ready["url"].as_str().unwrap());
    for key in [KEY, "a-key-that-the-cloud-refuses"] {
        for line in ["authority register -vvv", "authority register -vvv --log-json", "doctor -vvv"]
        {
            let mut traced = command(&station, line);
            traced.env("STATION_LOG", "trace").env("STATION_CLOUD_SECRET_KEY", key);
            let run = Run::of(traced.env("STATION_CLOUD_TOKEN", token));
            let all = run.stdout + &run.stderr;
            assert!(all.contains("TRACE"), "{line}: {all}");
            for secret in [ID, key, token] {
                assert!(!all.contains(secret), "{line}: {all}");
            }
        }
    }
}

#[test]
fn the_doctor_is_green_where_the_cloud_is_right() {
    let (station, _cloud) = with_cloud("--endpoint-host mqtt.example.com");
    assert_eq!(register(&station).status, 0);
    for check in ["cloud", "cloud-ca", "broker-host", "broker-tls"] {
        let (_, line) = doctor(&station, check);
        assert_eq!(line["status"], "ok", "{line}");
    }
    // No test reaches the broker, and nothing was registered.
    assert_eq!(doctor(&station, "broker-root").1["status"], "warn");
    let (run, line) = doctor(&station, "first-article");
    assert_eq!((&line["status"], &line["code"]), (&"warn".into(), &"E-CLOUD-FIRST-ARTICLE".into()));
    assert!(line["detail"].as_str().unwrap().contains("station sync --limit 1"), "{line}");
    assert_eq!(run.status, 0, "{run:?}");
}

#[test]
fn each_check_of_the_cloud_is_red_once() {
    let table = [
        ("--status OVERDUE", "cloud", "E-CLOUD-NOT-READY"),
        ("--mode automatic", "cloud", "E-CLOUD-MODE"),
        ("--fault skew=-720", "cloud", "E-CLOUD-CLOCK"),
        ("", "cloud-ca", "E-CLOUD-CA"),
        ("", "broker-host", "E-CLOUD-BROKER"),
        ("--tls TLSv1.1,TLSv1", "broker-tls", "E-CLOUD-BROKER"),
    ];
    for (more, check, code) in table {
        let (station, _cloud) = with_cloud(more);
        let (run, line) = doctor(&station, check);
        assert_eq!((&line["status"], &line["code"]), (&"fail".into(), &code.into()), "{line}");
        assert_eq!(run.status, 1, "{run:?}");
    }
}

#[test]
fn a_broker_of_one_s_own_name_is_taken_at_one_s_word() {
    let (station, _cloud) = with_cloud("");
    station.change("[cloud]", "[cloud]\nown_broker_name = true");
    assert_eq!(doctor(&station, "broker-host").1["status"], "ok");
}

#[test]
fn what_can_t_be_known_is_amber() {
    let station = at("http://127.0.0.1:9");
    let (_, line) = doctor(&station, "cloud");
    assert_eq!((&line["status"], &line["code"]), (&"fail".into(), &"E-CLOUD-UNREACHABLE".into()));
    for check in ["cloud-ca", "broker-host", "broker-tls", "broker-root"] {
        assert_eq!(doctor(&station, check).1["status"], "warn", "{check}");
    }
    // Where nobody gave the station credentials, the nightly sync alone may have them.
    let without = station.run("doctor --json").json();
    let line = without.iter().find(|line| line["check"] == "cloud").unwrap();
    assert_eq!((&line["status"], &line["code"]), (&"warn".into(), &"E-CLOUD-CREDENTIALS".into()));
}

#[test]
fn the_line_says_that_the_first_article_is_not_registered() {
    let station = at("http://127.0.0.1:9");
    station.write("labels", "");
    let run = station.run("batch --serials labels");
    assert!(run.stderr.contains("warning[E-CLOUD-FIRST-ARTICLE]: first article"), "{run:?}");
}

/// An HTTPS endpoint is verified under the roots that are named, or the system's.
#[test]
fn the_cloud_s_certificate_is_verified() {
    let tls = Tls::new("localhost");
    let cloud = Answering::error("UnauthorizedOperation").behind(&tls);
    let station = at(&cloud.url());
    // Not one of the system's.
    register(&station).failed("E-CLOUD-UNREACHABLE", 6).says("UnknownIssuer");
    std::fs::copy(tls.root(), station.path("cloud-root.pem")).unwrap();
    station.change("[cloud]", "[cloud]\nroot = \"cloud-root.pem\"");
    register(&station).failed("E-CLOUD-PERMISSION", 6);
    station.write("cloud-root.pem", "nothing");
    register(&station).failed("E-CLOUD-ROOTS", 6);
}
