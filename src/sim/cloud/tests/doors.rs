//! Who is let in: form, signature, place, permission, pace.

use serde_json::json;

use super::client::{Ca, Call, ID, call, device, running};
use crate::sim::cloud::{Credentials, Options, SimulatedCloud, start};

fn describe() -> Call {
    Call::new("DescribeInstance", &json!({"InstanceId": ID}))
}

fn code(call: Call, cloud: &SimulatedCloud) -> String {
    call.send(cloud).unwrap().fields().err().unwrap_or_default()
}

#[test]
fn a_request_in_the_wrong_form_or_place_is_refused() {
    let cloud = running();
    assert_eq!(code(describe(), &cloud), "");
    assert_eq!(code(describe().with("content-type", "text/plain"), &cloud), "InvalidRequest");
    let utf8 = "application/json; charset=utf-8";
    assert_eq!(code(describe().with("content-type", utf8), &cloud), "");
    assert_eq!(code(describe().with("x-tc-version", "2017-03-12"), &cloud), "NoSuchVersion");
    assert_eq!(code(describe().with("x-tc-version", ""), &cloud), "MissingParameter");
    assert_eq!(code(describe().with("x-tc-region", "ap-nowhere"), &cloud), "UnsupportedRegion");
    assert_eq!(code(describe().with("x-tc-region", ""), &cloud), "MissingParameter");
    let action = "RevokeDeviceCertificate";
    assert_eq!(code(describe().with("x-tc-action", action), &cloud), "InvalidAction");
    let other = Call::new("DescribeInstance", &json!({"InstanceId": "mqtt-other"}));
    assert_eq!(code(other, &cloud), "ResourceNotFound.Instance");
    assert_eq!(code(Call::new("DescribeInstance", &json!({})), &cloud), "MissingParameter");
    let more = Call::new("DescribeInstance", &json!({"InstanceId": ID, "Limit": 1}));
    assert_eq!(code(more, &cloud), "UnknownParameter");
    let mut elsewhere = describe();
    elsewhere.start_line = "POST /v1 HTTP/1.1".to_owned();
    assert_eq!(code(elsewhere, &cloud), "InvalidRequest");
}

#[test]
fn only_who_has_the_key_and_a_right_clock_is_let_in() {
    let cloud = running();
    let mut wrong_key = describe();
    wrong_key.key.secret_key = "another".to_owned();
    assert_eq!(code(wrong_key, &cloud), "AuthFailure.SignatureFailure");
    let mut unknown = describe();
    unknown.key.secret_id = "AKIDother".to_owned();
    assert_eq!(code(unknown, &cloud), "AuthFailure.SecretIdNotFound");
    let mut late = describe();
    late.time -= 330;
    assert_eq!(code(late, &cloud), "AuthFailure.SignatureExpire");
    let none = describe().with("authorization", "none");
    assert_eq!(code(none, &cloud), "AuthFailure.InvalidAuthorization");
}

#[test]
fn where_there_is_a_revoker_only_he_revokes_and_he_does_nothing_else() {
    let revoker = Credentials {
        secret_id: "AKIDrevoker".to_owned(),
        secret_key: "revoke".to_owned(),
        token: Some("token".to_owned()),
    };
    let options = Options { revoker: Some(revoker.clone()), ..Options::default() };
    let cloud = start(options).unwrap();
    let of_revoker = |action: &str, fields| {
        let mut call = Call::new(action, &fields).with("x-tc-token", "token");
        call.key = revoker.clone();
        code(call, &cloud)
    };
    let ca = Ca::new(&[0x11]);
    let sn = ca.register(&cloud);
    let mut fields = device(&ca.issue("unit-1", &[0x21]), &sn, "unit-1");
    fields["InstanceId"] = ID.into();
    let denied = "AuthFailure.UnauthorizedOperation";
    assert_eq!(of_revoker("RegisterDeviceCertificate", fields.clone()), denied);
    call(&cloud, "RegisterDeviceCertificate", fields).unwrap();
    let one = json!({"InstanceId": ID, "DeviceCertificateSn": "21"});
    assert_eq!(code(Call::new("RevokedDeviceCertificate", &one), &cloud), denied);
    assert_eq!(of_revoker("RevokedDeviceCertificate", one.clone()), "");
    assert_eq!(of_revoker("DescribeDeviceCertificate", one.clone()), "");
    let mut without_token = Call::new("DescribeDeviceCertificate", &one);
    without_token.key = revoker.clone();
    assert_eq!(code(without_token, &cloud), "AuthFailure.TokenFailure");
}

#[test]
fn beyond_the_rate_requests_are_refused_and_not_done() {
    let cloud = start(Options { rate: Some(2), ..Options::default() }).unwrap();
    let ca = Ca::new(&[0x11]);
    let sn = ca.register(&cloud);
    let codes: Vec<String> = (1..=6)
        .map(|number| {
            let id = format!("unit-{number}");
            let fields = device(&ca.issue(&id, &[0x20 + number]), &sn, &id);
            call(&cloud, "RegisterDeviceCertificate", fields).err().unwrap_or_default()
        })
        .collect();
    let taken: Vec<u64> = cloud
        .requests()
        .iter()
        .filter(|request| request.action == "RegisterDeviceCertificate" && request.code.is_none())
        .map(|request| request.at_us)
        .collect();
    assert_eq!(taken.len(), codes.iter().filter(|code| code.is_empty()).count());
    for window in taken.windows(3) {
        assert!(window[2] - window[0] >= 1_000_000, "{taken:?}");
    }
    let listed = call(&cloud, "DescribeDeviceCertificates", json!({})).unwrap();
    assert_eq!(listed["TotalCount"], taken.len());
    // Issuing six certificates takes far less than the three seconds they would need.
    assert!(codes.contains(&"RequestLimitExceeded".to_owned()), "{codes:?}");
}
