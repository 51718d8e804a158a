//! What goes wrong on request, and what is there again after a restart.

use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Ca, Call, ID, call, device, refused, running};
use crate::cloud::fault::CloudFaults;
use crate::cloud::options::Options;
use crate::cloud::server::{CloudSimError, SimulatedCloud, start};

const REGISTER: &str = "RegisterDeviceCertificate";

/// An emulation with these faults at its registrations, a CA, and a registration to be made.
fn with(faults: &str) -> (SimulatedCloud, Call) {
    let cloud = running();
    let ca = Ca::new(&[0x11]);
    let sn = ca.register(&cloud);
    let mut fields = device(&ca.issue("unit-1", &[0x21]), &sn, "unit-1");
    fields["InstanceId"] = ID.into();
    cloud.change_faults(CloudFaults::parse(faults).unwrap());
    (cloud, Call::new(REGISTER, &fields))
}

/// Whether the certificate of [`with`] is registered.
fn is_there(cloud: &SimulatedCloud) -> bool {
    cloud.change_faults(CloudFaults::none());
    let answer = call(cloud, "DescribeDeviceCertificates", json!({})).unwrap();
    answer["TotalCount"] == 1
}

#[test]
fn a_refusal_that_was_asked_for_leaves_nothing_done() {
    for (faults, code) in [
        ("throttle", "RequestLimitExceeded"),
        ("not-ready", "FailedOperation.InstanceNotReady"),
        ("internal-error", "InternalError"),
        ("invalid-action", "InvalidAction"),
        ("skew=600", "AuthFailure.SignatureExpire"),
    ] {
        let (cloud, call) = with(faults);
        let answer = call.send(&cloud).unwrap();
        assert_eq!(answer.fields().unwrap_err(), code);
        assert!(!is_there(&cloud), "{faults}");
    }
}

#[test]
fn an_answer_that_says_nothing_is_given_before_or_after_the_deed() {
    for (faults, status, done) in [
        ("5xx", 502, false),
        ("5xx-after", 504, true),
        ("html-body", 200, false),
        ("wrong-body", 200, true),
    ] {
        let (cloud, call) = with(faults);
        let answer = call.send(&cloud).unwrap();
        assert_eq!(answer.status, status, "{faults}");
        assert!(!answer.body.contains("Response"), "{faults}");
        assert_eq!(is_there(&cloud), done, "{faults}");
    }
}

#[test]
fn a_connection_is_reset_before_or_after_the_deed() {
    for (faults, done) in [("reset", false), ("reset-after", true)] {
        let (cloud, call) = with(faults);
        call.send(&cloud).unwrap_err();
        assert_eq!(is_there(&cloud), done, "{faults}");
    }
}

#[test]
fn a_doubled_request_is_done_and_answered_as_a_duplicate() {
    let (cloud, call) = with("duplicate");
    let code = call.send(&cloud).unwrap().fields().unwrap_err();
    assert_eq!(code, "UnsupportedOperation.ResourceAlreadyExists");
    assert!(is_there(&cloud));
}

#[test]
fn a_slow_answer_comes_late_and_others_need_not_wait_for_it() {
    let (cloud, call) = with("slow=700:RegisterDeviceCertificate");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| call.send(&cloud).map(|answer| answer.fields().is_ok()));
        while cloud.requests().iter().all(|request| request.action != REGISTER) {
            assert!(start.elapsed() < Duration::from_secs(20));
            std::thread::yield_now();
        }
        let answer = super::client::call(&cloud, "DescribeDeviceCertificates", json!({}));
        assert_eq!(answer.unwrap()["TotalCount"], 1);
        assert!(!slow.is_finished());
        assert!(slow.join().unwrap().unwrap());
    });
    assert!(start.elapsed() >= Duration::from_millis(700));
}

#[test]
fn nulls_stand_where_the_documented_examples_have_them() {
    let (cloud, _) = with("nulls");
    let list = Call::new("DescribeDeviceCertificates", &json!({"InstanceId": ID}));
    let body = list.send(&cloud).unwrap().body;
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(answer["Error"].is_null() && answer.get("Error").is_some(), "{answer}");
    assert!(answer["Response"]["Data"].is_null(), "{answer}");
    assert!(answer["Response"]["TotalCount"].is_null(), "{answer}");
}

#[test]
fn a_skewed_clock_shows_in_the_date() {
    let (cloud, mut call) = with("skew=86400");
    call.time += 86_400;
    let answer = call.send(&cloud).unwrap();
    answer.fields().unwrap();
    let date = answer.head.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
    let said = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ahead = said.as_second() - jiff::Timestamp::now().as_second();
    assert!((86_300..=86_400).contains(&ahead), "{date}");
}

#[test]
fn an_instance_that_is_not_ready_does_nothing_and_says_so() {
    let cloud = running();
    cloud.change_instance(|instance| instance.status = "MODIFYING".to_owned());
    let code = refused(&cloud, "DescribeCaCertificates", json!({}));
    assert_eq!(code, "FailedOperation.InstanceNotReady");
    let told = call(&cloud, "DescribeInstance", json!({})).unwrap();
    assert_eq!(told["InstanceStatus"], "MODIFYING");
}

#[test]
fn what_was_answered_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let state = Some(folder.path().join("state"));
    let options = Options { state, rate: Some(0), ..Options::default() };
    let cloud = start(options.clone()).unwrap();
    let ca = Ca::new(&[0x11]);
    let sn = ca.register(&cloud);
    let pem = ca.issue("unit-1", &[0x21]);
    call(&cloud, REGISTER, device(&pem, &sn, "unit-1")).unwrap();
    call(&cloud, "RevokedDeviceCertificate", json!({"DeviceCertificateSn": "21"})).unwrap();
    let busy = start(options.clone()).err();
    assert!(matches!(busy, Some(CloudSimError::State { .. })), "{busy:?}");
    drop(cloud);
    let cloud = start(options.clone()).unwrap();
    let told = call(&cloud, "DescribeDeviceCertificate", json!({"DeviceCertificateSn": "21"}));
    let told = told.unwrap();
    assert_eq!((&told["Status"], &told["ClientId"]), (&"REVOKED".into(), &"unit-1".into()));
    assert_eq!(
        refused(&cloud, REGISTER, device(&pem, &sn, "unit-1")),
        "UnsupportedOperation.ResourceAlreadyExists"
    );
    drop(cloud);
    let mut other = options;
    other.instance.id = "mqtt-other".to_owned();
    let refusal = start(other).err();
    assert!(matches!(refusal, Some(CloudSimError::State { .. })), "{refusal:?}");
}

#[test]
fn a_planted_certificate_is_there_without_a_call() {
    let (cloud, ca) = (running(), Ca::new(&[0x11]));
    ca.register(&cloud);
    cloud.plant(&ca.issue("unit-1", &[0x21]), "unit-1", true).unwrap();
    cloud.plant(&Ca::new(&[0x77]).issue("unit-2", &[0x22]), "unit-2", false).unwrap();
    let told = call(&cloud, "DescribeDeviceCertificates", json!({})).unwrap();
    let sources = [&told["Data"][0]["CertificateSource"], &told["Data"][1]["CertificateSource"]];
    assert_eq!(sources, ["API", "JITP"]);
}

#[test]
fn requests_are_logged_with_their_times_and_never_with_what_they_carry() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("requests");
    let cloud = start(Options { log: Some(log.clone()), ..Options::default() }).unwrap();
    refused(&cloud, "DescribeCaCertificate", json!({"CaSn": "abc"}));
    let text = std::fs::read_to_string(&log).unwrap();
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["action"], "DescribeCaCertificate");
    assert_eq!(line["code"], "ResourceNotFound.Ca");
    assert!(line["at_us"].as_u64().unwrap() > 1_700_000_000_000_000);
    assert!(!text.contains("AKID") && !text.contains("abc"), "{text}");
    assert_eq!(cloud.requests().len(), 1);
}
