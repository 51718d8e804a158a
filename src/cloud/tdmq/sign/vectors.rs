//! Published signatures, byte for byte. A failure here means that the change must go, not
//! that a value here must.

use super::*;

/// Shared by the three vectors of the vendor's documentation.
const CVM: ToSign<'static> = ToSign {
    service: "cvm",
    host: "cvm.tencentcloudapi.com",
    content_type: "application/json; charset=utf-8",
    action: None,
    timestamp: 1_551_113_065,
    // The escapes are six literal characters each.
    body:
        br#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#,
};

const ID_A: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const KEY_A: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    to_hex(&Sha256::digest(bytes))
}

fn signature(of: &ToSign<'_>, id: &str, key: &str) -> String {
    let header = of.authorization(id, key).unwrap();
    header.rsplit_once("Signature=").unwrap().1.to_owned()
}

fn keys(secret_key: &str, service: &str) -> [String; 3] {
    derived_keys(secret_key, "2019-02-25", service).map(|key| to_hex(&*key))
}

#[test]
fn vector_a_of_the_international_documentation() {
    assert_eq!(CVM.body.len(), 86);
    assert_eq!(
        sha256(CVM.body),
        "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    );
    assert_eq!(
        sha256(CVM.canonical_request()),
        "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031"
    );
    assert_eq!(
        keys(KEY_A, "cvm"),
        [
            "d1308c81fe71cfd4e06437bbc067b2b8a3d2d8c0e375d547f15c41d5214b395a",
            "3c7cb7c7795393edc14fd2e0e6434a518564b4504b88e94f5d11bf59ba3e7050",
            "ac658d5dde49e9bfdd14e04e062f66b05d9f637d44b8a8d845327d4a77f666b1",
        ]
    );
    assert_eq!(
        CVM.authorization(ID_A, KEY_A).unwrap().as_str(),
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, \
         SignedHeaders=content-type;host, \
         Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    );
}

#[test]
fn vector_b_of_the_older_documentation() {
    let (id, key) = ("AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******", "Gu5t9xGARNpq86cd98joQYCN3*******");
    assert_eq!(
        signature(&CVM, id, key),
        "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"
    );
}

#[test]
fn vector_c_of_the_newest_documentation() {
    let (id, key) = ("AKID********************************", "*".repeat(32));
    let signed = ToSign { action: Some("DescribeInstances"), ..CVM };
    assert_eq!(
        sha256(signed.canonical_request()),
        "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84"
    );
    assert_eq!(
        keys(&key, "cvm"),
        [
            "da98fb70dcf6b112dc21038d1eeeb3a95c74b4dcb12c1131f864f6066bd02be0",
            "8d70cbefb03939f929db64d32dc2ba89b1095620119fe3e050e2b18c5bd2752f",
            "b596b923aad85185e2d1f6659d2a062e0a86731226e021e61bfe06f7ed05f5af",
        ]
    );
    assert_eq!(
        signature(&signed, id, &key),
        "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    );
}

const MQTT: ToSign<'static> = ToSign {
    service: "mqtt",
    host: "mqtt.tencentcloudapi.com",
    content_type: "application/json",
    action: None,
    timestamp: 1_551_113_065,
    body: br#"{"InstanceId": "mqtt-g839agr2", "DeviceCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "CaSn": "956a30da927b4e4b020592d55ad7bc7c", "ClientId": "VIN0001", "Format": "PEM", "Status": "ACTIVE"}"#,
};

#[test]
fn vector_d_as_the_vendor_s_python_client_signs_a_registration() {
    assert_eq!(
        sha256(MQTT.body),
        "210a16e2353839ef10f2702f374dba332474186b875141be0c39b4e7c21b0915"
    );
    assert_eq!(
        sha256(MQTT.canonical_request()),
        "dc61cecdaaf7db2935bf9069bc512e6502e881e8de2f5e51e78e4d510da0449f"
    );
    assert_eq!(
        keys(KEY_A, "mqtt")[2],
        "ecfffeb913961ebf791b413d09a53e75ff781ace10a0f8b2530832bba59ce903"
    );
    assert_eq!(
        signature(&MQTT, ID_A, KEY_A),
        "daa6c533f763342b06477154c1994ccc9c64e4c2bc948e2a0e835caac1c7f6f4"
    );
}

#[test]
fn vector_e_of_a_compact_body_with_the_action_signed_too() {
    let request = ToSign {
        content_type: "application/json; charset=utf-8",
        action: Some("RegisterDeviceCertificate"),
        body: br#"{"InstanceId":"mqtt-g839agr2","DeviceCertificate":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n","CaSn":"956a30da927b4e4b020592d55ad7bc7c","ClientId":"VIN0001","Format":"PEM","Status":"ACTIVE"}"#,
        ..MQTT
    };
    assert_eq!(
        sha256(request.body),
        "d7591a877c8b15d0140f50b4df43f0ee10a5717dfaed3632c1083eacccee166f"
    );
    assert_eq!(
        sha256(request.canonical_request()),
        "7c6e956a42bafbeee5a30eb53dbd81c4a50b977bad9016daf5dfc4ebda3ca41b"
    );
    assert_eq!(
        signature(&request, ID_A, KEY_A),
        "5dcec1beb7f8ae033dd2cd294c59fe48fe71c2c8382aab51064342d8155bfca9"
    );
}

#[test]
fn the_date_is_that_of_the_timestamp_in_utc() {
    let at = |timestamp| ToSign { timestamp, ..MQTT }.date();
    assert_eq!(at(1_551_139_199).as_deref(), Ok("2019-02-25"));
    assert_eq!(at(1_551_139_200).as_deref(), Ok("2019-02-26"));
    assert_eq!(at(i64::MAX), Err(NoDate));
}
