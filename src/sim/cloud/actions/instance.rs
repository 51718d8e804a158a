//! What the instance says of itself, and its registration code.

use serde_json::json;

use super::action::{Work, uuid};
use crate::cloud::book::{Change, Setup};
use crate::cloud::fields::Fields;
use crate::cloud::instance::Mode;
use crate::cloud::refusal::{Answer, Refusal};

/// The port of MQTT over TLS.
const TLS_PORT: u16 = 8883;

/// When the instance was made, in seconds.
const CREATED: i64 = 1_767_225_600;

pub(super) fn describe(work: &mut Work<'_>, _: &Fields) -> Answer {
    let instance = work.instance;
    let Setup { name, remark, x509_mode, provision, automatic } = work.book.setup.clone();
    let status = if work.not_ready { "MODIFYING" } else { &instance.status };
    let started_with = match instance.mode {
        Mode::Manual => "API",
        Mode::Automatic => "JITP",
    };
    work.answer([
        ("InstanceType", json!(instance.edition)),
        ("InstanceName", json!(name.as_deref().unwrap_or("emulated"))),
        ("Remark", json!(remark.unwrap_or_default())),
        ("InstanceStatus", json!(status)),
        ("TopicNumLimit", json!(1_000)),
        ("ClientNumLimit", json!(10_000)),
        ("CreatedTime", json!(CREATED)),
        ("X509Mode", json!(x509_mode.as_ref().unwrap_or(&instance.x509_mode))),
        ("DeviceCertificateProvisionType", json!(provision.as_deref().unwrap_or(started_with))),
        ("AutomaticActivation", json!(automatic.unwrap_or(instance.mode == Mode::Automatic))),
        ("RegistrationCode", json!(work.book.code.as_deref().unwrap_or_default())),
        ("MaxCaNum", json!(instance.max_authorities)),
        ("UseDefaultServerCert", json!(true)),
        ("TrustedCaLimit", json!(3)),
        ("ServerCertLimit", json!(3)),
        ("TransportLayerSecurity", json!(instance.tls)),
    ])
}

/// The account's instances: this one, where it is asked for.
pub(super) fn list(work: &mut Work<'_>, fields: &Fields) -> Answer {
    let (limit, offset) = super::query::page(fields)?;
    let instance = work.instance;
    let status = if work.not_ready { "MODIFYING" } else { &instance.status };
    let name = work.book.setup.name.as_deref().unwrap_or("emulated");
    let mut is_meant = true;
    for (filter, values) in super::query::named_values(fields)? {
        let own = match filter.as_str() {
            "InstanceId" => &instance.id,
            "InstanceName" => name,
            "InstanceStatus" => status,
            "PayMode" => "POSTPAID",
            _ => return Err(Refusal::value("Filters.Name", "no such filter")),
        };
        is_meant &= values.iter().any(|value| value == own);
    }
    let item = json!({
        "InstanceId": instance.id, "InstanceName": name, "InstanceType": instance.edition,
        "InstanceStatus": status, "CreateTime": CREATED,
        "Remark": work.book.setup.remark.clone().unwrap_or_default(),
    });
    let all = if is_meant { vec![item] } else { Vec::new() };
    let total = all.len();
    let page: Vec<_> = all.into_iter().skip(offset).take(limit).collect();
    let answer = [("TotalCount".to_owned(), json!(total)), ("Data".to_owned(), page.into())];
    Ok(serde_json::Map::from_iter(answer))
}

const MODES: [&str; 3] = ["TLS", "mTLS", "BYOC"];
const PROVISIONS: [&str; 2] = ["API", "JITP"];

/// A text that is one of those allowed, where it is there.
fn one_of(
    fields: &Fields,
    name: &'static str,
    allowed: &[&str],
) -> Result<Option<String>, Refusal> {
    match fields.text(name)? {
        None => Ok(None),
        Some(text) if allowed.contains(&text) => Ok(Some(text.to_owned())),
        Some(_) => Err(Refusal::value(name, &format!("one of {} is expected", allowed.join(", ")))),
    }
}

fn x509(fields: &Fields) -> Result<Setup, Refusal> {
    Ok(Setup {
        x509_mode: one_of(fields, "X509Mode", &MODES)?,
        provision: one_of(fields, "DeviceCertificateProvisionType", &PROVISIONS)?,
        automatic: fields.flag("AutomaticActivation")?,
        ..Setup::default()
    })
}

pub(super) fn modify(work: &mut Work<'_>, fields: &Fields) -> Answer {
    fields.flag("AuthorizationPolicy")?;
    fields.flag("UseDefaultServerCert")?;
    fields.number("MessageRate")?;
    if fields.text("SkuCode")?.is_some() {
        return Err(Refusal::new("FailedOperation.CallTrade", "nothing is sold here"));
    }
    let name = fields.text("Name")?.map(str::to_owned);
    let remark = fields.text("Remark")?.map(str::to_owned);
    work.record(Change::Setup(Setup { name, remark, ..x509(fields)? }))?;
    work.answer([])
}

pub(super) fn modify_x509(work: &mut Work<'_>, fields: &Fields) -> Answer {
    work.record(Change::Setup(x509(fields)?))?;
    work.answer([])
}

pub(super) fn bind(work: &mut Work<'_>, fields: &Fields) -> Answer {
    let mode = fields.required("X509Mode")?;
    if mode != "TLS" {
        fields.required("SSLServerCertId")?;
    }
    if mode == "mTLS" {
        fields.required("SSLCaCertId")?;
    }
    let setup = x509(fields)?;
    let setup = Setup {
        provision: Some(setup.provision.unwrap_or_else(|| "API".to_owned())),
        automatic: Some(setup.automatic.unwrap_or(false)),
        ..setup
    };
    work.record(Change::Setup(setup))?;
    work.answer([])
}

pub(super) fn endpoints(work: &mut Work<'_>, _: &Fields) -> Answer {
    let host = &work.instance.host;
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
