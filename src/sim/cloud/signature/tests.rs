//! The published vectors, and what a strict server refuses.

use super::*;

const TIME: i64 = 1_551_113_065;
const DATE: &str = "2019-02-25";
const CVM_BODY: &str =
    r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
const MQTT_BODY: &str = r#"{"InstanceId": "mqtt-g839agr2", "DeviceCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "CaSn": "956a30da927b4e4b020592d55ad7bc7c", "ClientId": "VIN0001", "Format": "PEM", "Status": "ACTIVE"}"#;
const MQTT_COMPACT: &str = r#"{"InstanceId":"mqtt-g839agr2","DeviceCertificate":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n","CaSn":"956a30da927b4e4b020592d55ad7bc7c","ClientId":"VIN0001","Format":"PEM","Status":"ACTIVE"}"#;
const ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

fn headers(host: &str, content_type: &str, action: &str) -> Headers {
    let pairs = [("host", host), ("content-type", content_type), ("x-tc-action", action)];
    Headers(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

fn cvm() -> Headers {
    headers("cvm.tencentcloudapi.com", "application/json; charset=utf-8", "DescribeInstances")
}

fn signed(headers: &Headers, names: &[&str], body: &str, key: &str, service: &str) -> String {
    let canonical = canonical_request(headers, names, &sha256(body.as_bytes())).unwrap();
    sign(key, DATE, service, TIME, &canonical)
}

const TWO: &[&str] = &["content-type", "host"];
const THREE: &[&str] = &["content-type", "host", "x-tc-action"];

#[test]
fn the_published_vectors_come_out() {
    let body = sha256(CVM_BODY.as_bytes());
    assert_eq!(body, "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064");
    let hash = |names| sha256(canonical_request(&cvm(), names, &body).unwrap().as_bytes());
    assert_eq!(hash(TWO), "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031");
    assert_eq!(hash(THREE), "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84");
    assert_eq!(
        signed(&cvm(), TWO, CVM_BODY, KEY, "cvm"),
        "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    );
    assert_eq!(
        signed(&cvm(), TWO, CVM_BODY, "Gu5t9xGARNpq86cd98joQYCN3*******", "cvm"),
        "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"
    );
    assert_eq!(
        signed(&cvm(), THREE, CVM_BODY, &"*".repeat(32), "cvm"),
        "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    );
}

#[test]
fn the_published_intermediate_keys_come_out() {
    let day = hmac(format!("TC3{KEY}").as_bytes(), DATE.as_bytes());
    assert_eq!(to_hex(&day), "d1308c81fe71cfd4e06437bbc067b2b8a3d2d8c0e375d547f15c41d5214b395a");
    assert_eq!(
        to_hex(&signing_key(KEY, DATE, "cvm")),
        "ac658d5dde49e9bfdd14e04e062f66b05d9f637d44b8a8d845327d4a77f666b1"
    );
    assert_eq!(
        to_hex(&signing_key(&"*".repeat(32), DATE, "cvm")),
        "b596b923aad85185e2d1f6659d2a062e0a86731226e021e61bfe06f7ed05f5af"
    );
    assert_eq!(
        to_hex(&signing_key(KEY, DATE, "mqtt")),
        "ecfffeb913961ebf791b413d09a53e75ff781ace10a0f8b2530832bba59ce903"
    );
}

#[test]
fn the_vectors_of_the_products_own_actions_come_out() {
    let spaced = headers("mqtt.tencentcloudapi.com", "application/json", "");
    assert_eq!(
        signed(&spaced, TWO, MQTT_BODY, KEY, "mqtt"),
        "daa6c533f763342b06477154c1994ccc9c64e4c2bc948e2a0e835caac1c7f6f4"
    );
    let compact = headers(
        "mqtt.tencentcloudapi.com",
        "application/json; charset=utf-8",
        "RegisterDeviceCertificate",
    );
    assert_eq!(
        signed(&compact, THREE, MQTT_COMPACT, KEY, "mqtt"),
        "5dcec1beb7f8ae033dd2cd294c59fe48fe71c2c8382aab51064342d8155bfca9"
    );
}

fn keys() -> Vec<Credentials> {
    vec![Credentials { secret_id: ID.to_owned(), secret_key: KEY.to_owned(), token: None }]
}

/// The request of a vector, as it arrives.
fn arrived(signature: &str) -> Headers {
    let mut headers = headers("mqtt.tencentcloudapi.com", "application/json", "X");
    let authorization = format!(
        "TC3-HMAC-SHA256 Credential={ID}/{DATE}/mqtt/tc3_request, \
         SignedHeaders=content-type;host, Signature={signature}"
    );
    headers.0.insert("authorization".to_owned(), authorization);
    headers.0.insert("x-tc-timestamp".to_owned(), TIME.to_string());
    headers
}

const GOOD: &str = "daa6c533f763342b06477154c1994ccc9c64e4c2bc948e2a0e835caac1c7f6f4";

fn code_of(headers: &Headers, body: &str, now: i64) -> &'static str {
    let keys = keys();
    signer(headers, body.as_bytes(), &keys, now).map_or_else(|refusal| refusal.code, |_| "")
}

#[test]
fn a_signed_request_is_taken_for_five_minutes_either_way() {
    for skew in [-300, 0, 300] {
        assert_eq!(code_of(&arrived(GOOD), MQTT_BODY, TIME + skew), "", "{skew}");
    }
    for skew in [-301, 301, 86_400] {
        let code = code_of(&arrived(GOOD), MQTT_BODY, TIME + skew);
        assert_eq!(code, "AuthFailure.SignatureExpire", "{skew}");
    }
}

#[test]
fn one_changed_byte_of_the_body_is_refused() {
    let changed = MQTT_BODY.replace("VIN0001", "VIN0002");
    assert_eq!(code_of(&arrived(GOOD), &changed, TIME), "AuthFailure.SignatureFailure");
}

#[test]
fn what_is_missing_or_wrong_in_the_head_is_refused_with_its_code() {
    let with = |name: &str, value: &str| {
        let mut headers = arrived(GOOD);
        headers.0.insert(name.to_owned(), value.to_owned());
        code_of(&headers, MQTT_BODY, TIME)
    };
    let authorization = arrived(GOOD).0["authorization"].clone();
    let without = |from: &str, to: &str| with("authorization", &authorization.replace(from, to));
    assert_eq!(with("authorization", ""), "AuthFailure.InvalidAuthorization");
    assert_eq!(without("TC3-HMAC", "HMAC"), "AuthFailure.InvalidAuthorization");
    assert_eq!(without("content-type;host", "host"), "AuthFailure.InvalidAuthorization");
    assert_eq!(without(DATE, "2019-02-26"), "AuthFailure.InvalidAuthorization");
    assert_eq!(without("/mqtt/", "/cvm/"), "AuthFailure.InvalidAuthorization");
    assert_eq!(without(ID, "AKIDother"), "AuthFailure.SecretIdNotFound");
    assert_eq!(with("x-tc-timestamp", ""), "MissingParameter");
    assert_eq!(with("x-tc-timestamp", "now"), "InvalidParameterValue");
    assert_eq!(with("x-tc-token", "x"), "AuthFailure.TokenFailure");
    assert_eq!(with("host", "elsewhere"), "AuthFailure.SignatureFailure");
}
