//! The client against a server that answers what the test says, byte for byte.

mod server;

use server::{Reply, Server, block_on, client, fast_client};

use super::*;
use crate::domain::ids::CertificateSn;

fn sn() -> CertificateSn {
    CertificateSn::from_bytes(&[0x1f; 16]).unwrap()
}

fn registration() -> NewRegistration {
    NewRegistration {
        sn: sn(),
        der: Arc::from(&b"not really DER"[..]),
        client_id: "TH200-00000001".parse().unwrap(),
        ca: CaSn("0eef".to_owned()),
        status: CloudStatus::Active,
    }
}

fn registered() -> Reply {
    Reply::json(&format!(
        r#"{{"Response":{{"InstanceId":"mqtt-a","CaSn":"0eef","DeviceCertificateSn":"{}","RequestId":"r1"}}}}"#,
        sn()
    ))
}

fn refused(code: &str) -> Reply {
    Reply::json(&format!(
        r#"{{"Response":{{"Error":{{"Code":"{code}","Message":"because"}},"RequestId":"r2"}}}}"#
    ))
}

#[test]
fn a_registration_goes_out_as_documented_and_signed_as_sent() {
    let server = Server::start(vec![registered()]);
    let answer = block_on(client(&server).register(&registration()));
    assert_eq!(answer.unwrap(), sn().to_string());
    let [request] = server.requests().try_into().unwrap();
    assert!(request.head.starts_with("POST / HTTP/1.1\r\n"), "{}", request.head);
    let header = |name: &str| request.header(name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(header("x-tc-action"), "RegisterDeviceCertificate");
    assert_eq!(header("x-tc-version"), "2024-05-16");
    assert_eq!(header("x-tc-region"), "ap-guangzhou");
    assert_eq!(header("x-tc-token"), "the-token");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("host"), server.host());
    assert_eq!(header("content-length"), request.body.len().to_string());
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["CaSn", "ClientId", "DeviceCertificate", "Format", "InstanceId", "Status"]);
    assert_eq!(
        pem::first_der(body["DeviceCertificate"].as_str().unwrap()).unwrap(),
        b"not really DER"
    );
    // The signature is over the bytes that came, and over nothing else.
    let signed = ToSign {
        service: "mqtt",
        host: &server.host(),
        content_type: "application/json",
        action: None,
        timestamp: header("x-tc-timestamp").parse().unwrap(),
        body: &request.body,
    };
    let wanted = signed.authorization("the-id", "the-key").unwrap();
    assert_eq!(header("authorization"), wanted.as_str());
}

#[test]
fn an_error_in_a_200_is_told_with_its_class_and_request() {
    let server = Server::start(vec![refused("ResourceNotFound.Ca")]);
    let error = block_on(client(&server).register(&registration())).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::StopRun, Code::CloudAuthority));
    assert_eq!(error.cloud_code.as_deref(), Some("ResourceNotFound.Ca"));
    assert_eq!(
        error.to_string(),
        "RegisterDeviceCertificate: the cloud answered ResourceNotFound.Ca: because (request r2)"
    );
}

#[test]
fn whatever_is_no_clear_answer_is_an_unknown_outcome() {
    let other = registered().replacing(&sn().to_string(), "20202020");
    let table = [
        (Reply::status(502, "bad gateway"), Code::CloudAnswer),
        (Reply::status(302, ""), Code::CloudAnswer),
        (Reply::json("<html>welcome to the factory's network</html>"), Code::CloudAnswer),
        (Reply::json(r#"{"Response":{"RequestId":"r"}}"#), Code::CloudAnswer),
        (Reply::json(r#"{"ok":true}"#), Code::CloudAnswer),
        (other, Code::CloudAnswer),
        (Reply::Close, Code::CloudUnreachable),
        (registered().cut_short(), Code::CloudUnreachable),
        (refused("InternalError"), Code::CloudUnclear),
        (refused("SomethingNew"), Code::CloudUnclear),
    ];
    for (reply, code) in table {
        let what = format!("{reply:?}");
        let server = Server::start(vec![reply]);
        let error = block_on(client(&server).register(&registration())).unwrap_err();
        assert_eq!((error.class, error.code), (ErrorClass::LookUpFirst, code), "{what}");
        assert_eq!(server.requests().len(), 1, "{what}");
    }
}

#[test]
fn a_host_that_is_not_there_is_unreachable() {
    let server = Server::start(Vec::new());
    let client = client(&server);
    drop(server);
    let error = block_on(client.register(&registration())).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::LookUpFirst, Code::CloudUnreachable));
    assert!(error.message.english.contains("no connection"), "{}", error.message);
    let chinese = &error.message.chinese;
    assert!(chinese.contains("无法连接") && chinese.contains("拒绝连接"), "{chinese}");
}

#[test]
fn a_pooled_connection_that_went_stale_is_an_unknown_outcome_and_never_tried_again() {
    // The second request comes on the connection of the first and gets no answer.
    let server = Server::start(vec![registered(), Reply::Close, registered()]);
    block_on(async {
        let client = client(&server);
        client.register(&registration()).await.unwrap();
        let error = client.register(&registration()).await.unwrap_err();
        assert_eq!((error.class, error.code), (ErrorClass::LookUpFirst, Code::CloudUnreachable));
        assert_eq!(server.requests().len(), 2);
        // The next one opens a connection of its own.
        client.register(&registration()).await.unwrap();
        assert_eq!(server.connections(), 2);
        assert_eq!(client.usage(), Usage { requests: 3, throttled: 0 });
    });
}

#[test]
fn a_call_ends_within_its_limit_though_no_answer_comes() {
    let server = Server::start(vec![Reply::Silence]);
    let begun = std::time::Instant::now();
    let client = fast_client(&server, Duration::from_secs(2));
    let error = block_on(client.register(&registration())).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::LookUpFirst, Code::CloudUnreachable));
    assert!(error.message.english.contains("no answer in time"), "{}", error.message);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_throttled_call_slows_its_action_down_and_no_other() {
    let server = Server::start(vec![refused("RequestLimitExceeded.UinLimitExceeded")]);
    let client = client(&server);
    let error = block_on(client.register(&registration())).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Throttled, Code::CloudThrottled));
    assert_eq!(client.usage(), Usage { requests: 1, throttled: 1 });
    assert_eq!(client.pace.rate("RegisterDeviceCertificate"), Some(5.0));
    assert_eq!(client.pace.rate("DescribeInstance"), Some(15.0));
}

#[test]
fn who_gets_no_turn_in_time_has_sent_nothing() {
    let server = Server::start(vec![refused("RequestLimitExceeded"), registered()]);
    // The rate waits a second after a throttling, half of the limit is less.
    let client = fast_client(&server, Duration::from_millis(1_200));
    block_on(async {
        client.register(&registration()).await.unwrap_err();
        let error = client.register(&registration()).await.unwrap_err();
        assert_eq!((error.class, error.code), (ErrorClass::Throttled, Code::CloudThrottled));
        assert!(error.message.english.contains("nothing was sent"), "{}", error.message);
        assert_eq!(server.requests().len(), 1);
        assert_eq!(client.usage().requests, 1);
    });
}

#[test]
fn the_clocks_difference_is_told_in_minutes() {
    let expired = || refused("AuthFailure.SignatureExpire").dated("Sun, 06 Nov 1994 08:49:37 GMT");
    let server = Server::start(vec![expired(), registered()]);
    block_on(async {
        // The test's clock stands twelve minutes behind that date.
        let client = client(&server);
        let error = client.register(&registration()).await.unwrap_err();
        assert_eq!((error.class, error.code), (ErrorClass::StopRun, Code::CloudClock));
        let wanted = "the station's clock is 12 minutes behind the cloud's";
        assert!(error.message.english.contains(wanted), "{}", error.message);
        assert_eq!(client.clock_skew(), Some(ClockSkew { seconds: -720 }));
        assert!(client.clock_skew().unwrap().is_too_large());
        // An answer without a date changes nothing.
        client.register(&registration()).await.unwrap();
        assert_eq!(client.clock_skew(), Some(ClockSkew { seconds: -720 }));
    });
}

#[test]
fn one_answer_with_a_wrong_date_among_others_says_nothing() {
    let dated = |date: &str| registered().dated(date);
    let server = Server::start(vec![
        dated("Sun, 06 Nov 1994 08:37:37 GMT"),
        dated("Mon, 07 Nov 1994 08:37:37 GMT"),
    ]);
    block_on(async {
        let client = client(&server);
        for _ in 0..2 {
            client.register(&registration()).await.unwrap();
        }
        assert_eq!(client.clock_skew(), Some(ClockSkew { seconds: 0 }));
    });
}

#[test]
fn each_status_has_its_action_and_a_bare_request_id_is_enough() {
    let done = || Reply::json(r#"{"Response":{"RequestId":"r3"}}"#);
    let server = Server::start(vec![done(), done(), done()]);
    block_on(async {
        let client = client(&server);
        for status in [CloudStatus::Active, CloudStatus::Inactive, CloudStatus::Revoked] {
            client.set_status("0eef", status).await.unwrap();
        }
        assert!(client.set_status("0eef", CloudStatus::PendingActivation).await.is_err());
    });
    let actions: Vec<String> =
        server.requests().iter().map(|r| r.header("x-tc-action").unwrap()).collect();
    assert_eq!(
        actions,
        ["ActivateDeviceCertificate", "DeactivateDeviceCertificate", "RevokedDeviceCertificate"]
    );
    let body = String::from_utf8(server.requests()[2].body.clone()).unwrap();
    assert_eq!(body, r#"{"InstanceId":"mqtt-a","DeviceCertificateSn":"0eef"}"#);
}

#[test]
fn nothing_that_can_be_printed_has_a_secret_in_it() {
    let server = Server::start(vec![refused("AuthFailure.SignatureFailure")]);
    let client = client(&server);
    let error = block_on(client.register(&registration())).unwrap_err();
    let all = format!("{client:?} {:?} {error} {error:?}", client.credentials);
    for secret in ["the-id", "the-key", "the-token"] {
        assert!(!all.contains(secret), "{all}");
    }
}
