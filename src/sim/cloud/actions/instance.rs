//! What the instance says of itself, and its registration code.

use serde_json::json;

use super::{Answer, Fields, Work, uuid};
use crate::sim::cloud::Mode;
use crate::sim::cloud::book::Change;

/// The port of MQTT over TLS.
const TLS_PORT: u16 = 8883;

/// When the instance was made, in seconds.
const CREATED: i64 = 1_767_225_600;

pub(super) fn describe(work: &mut Work<'_>, _: &Fields) -> Answer {
    let instance = work.instance();
    let status = if work.not_ready { "MODIFYING" } else { &instance.status };
    let provision = match instance.mode {
        Mode::Manual => "API",
        Mode::Automatic => "JITP",
    };
    work.answer([
        ("InstanceType", json!(instance.edition)),
        ("InstanceName", json!("emulated")),
        ("InstanceStatus", json!(status)),
        ("TopicNumLimit", json!(1_000)),
        ("ClientNumLimit", json!(10_000)),
        ("CreatedTime", json!(CREATED)),
        ("X509Mode", json!(instance.x509_mode)),
        ("DeviceCertificateProvisionType", json!(provision)),
        ("AutomaticActivation", json!(instance.mode == Mode::Automatic)),
        ("RegistrationCode", json!(work.book.code.as_deref().unwrap_or_default())),
        ("MaxCaNum", json!(instance.max_authorities)),
        ("UseDefaultServerCert", json!(true)),
        ("TrustedCaLimit", json!(3)),
        ("ServerCertLimit", json!(3)),
        ("TransportLayerSecurity", json!(instance.tls)),
    ])
}

pub(super) fn endpoints(work: &mut Work<'_>, _: &Fields) -> Answer {
    let host = &work.instance().host;
    let entry = |kind: &str, port: u16| json!({"Type": kind, "Url": format!("{host}:{port}"), "Host": host, "Port": port});
    work.answer([
        ("Endpoints", json!([entry("mqtt-tcp", 1883), entry("mqtt-tls", TLS_PORT)])),
        ("Status", json!("NORMAL")),
    ])
}

pub(super) fn apply_code(work: &mut Work<'_>, _: &Fields) -> Answer {
    let code = match &work.book.code {
        Some(code) => code.clone(),
        None => uuid()?,
    };
    if work.book.code.is_none() {
        work.record(Change::Code { code: code.clone() })?;
    }
    work.answer([("RegistrationCode", json!(code))])
}
