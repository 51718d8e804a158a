//! The cloud and the broker behind it: could what is made here connect?
//!
//! What is known to be wrong is red, what can't be known from here is amber: a factory's
//! network may not reach the broker, and an account need not list endpoints. None of it
//! stops the line or a sync by itself.

use super::finding::Finding;
use crate::cloud::preflight::{NeededAuthority, judge_authorities, judge_clock, judge_instance};
use crate::cloud::probe::{Broker, Unverified, probe};
use crate::cloud::{CallError, ErrorClass, InstanceFacts, Registrar};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::identity::TlsVersion;
use crate::domain::registration::Registering;
use crate::say;

const CLOUD: &str = "cloud";
const AUTHORITY: &str = "cloud-ca";
const HOST: &str = "broker-host";
const VERSIONS: &str = "broker-tls";
const ROOT: &str = "broker-root";
const FIRST: &str = "first-article";

/// Where the TLS versions of an instance are set.
const TLS_PATH: &str = "Cluster > Authentication > TLS version";

/// What the station takes the cloud to be.
#[derive(Debug)]
pub struct CloudCheck<'a> {
    /// How the instance is to learn of certificates.
    pub registering: Registering,
    /// The CAs that are needed there.
    pub needed: &'a [NeededAuthority],
    /// What the devices are told of the broker; none where its roots can't be read.
    pub broker: Result<Broker<'a>, Fault>,
    /// Whether the broker's host is a name of the user's own.
    pub own_name: bool,
}

/// There is no cloud to look at.
pub fn no_cloud() -> Finding {
    Finding::ok(
        CLOUD,
        say!(
            "station.toml names none: certificates wait in the ledger",
            "station.toml 未配置云端：证书留在账本中等待"
        ),
    )
}

/// The cloud can't be asked from here.
pub fn cloud_unasked(fault: Fault) -> Finding {
    Finding::warn(CLOUD, fault)
}

/// The cloud can't be asked at all.
pub fn cloud_wrong(fault: Fault) -> Finding {
    Finding::fail(CLOUD, fault)
}

/// Whether the cloud has accepted a certificate of this CA and product in this instance.
pub fn first_article(accepted: u64) -> Finding {
    match first_article_fault(accepted) {
        None => Finding::ok(
            FIRST,
            say!(
                "the cloud has accepted certificates of this CA and product",
                "云端已接受过此 CA 与产品的证书"
            ),
        ),
        Some(fault) => Finding::warn(FIRST, fault),
    }
}

/// The cloud has no action for what is to be done.
pub fn international(fault: Fault) -> Finding {
    Finding::warn("cloud-site", fault)
}

/// How many registrations the cloud was found to contradict, and that are not mended yet.
pub fn contradicted(count: u64) -> Finding {
    const NAME: &str = "cloud-differs";
    match count {
        0 => Finding::ok(
            NAME,
            say!(
                "the cloud contradicts no registration, as far as it was asked",
                "就已查询的范围，云端与注册记录一致"
            ),
        ),
        _ => {
            let what = say!(
                "{count} certificates are missing, others or revoked in the cloud",
                "云端有 {count} 张证书缺失、不同或已吊销"
            );
            Finding::fail(NAME, Fault::said(Code::CloudAbsent, what))
        }
    }
}

/// The same as a warning for the line.
pub fn first_article_fault(accepted: u64) -> Option<Fault> {
    let what = say!(
        "first article not registered: run `station sync --limit 1`",
        "首件还没有注册：运行 `station sync --limit 1`"
    );
    (accepted == 0).then(|| Fault::said(Code::CloudFirstArticle, what))
}

/// Looks at the cloud, then at the broker.
pub async fn cloud(registrar: &impl Registrar, check: &CloudCheck<'_>) -> Vec<Finding> {
    let facts = registrar.instance_facts().await;
    let mut findings = vec![
        instance(registrar, &facts, check.registering),
        authorities(registrar, check.needed).await,
    ];
    match &check.broker {
        Ok(broker) => {
            findings.push(host(registrar, broker, check.own_name).await);
            findings.push(versions(facts.as_ref().ok(), broker.tls_min, broker.tls_max));
            findings.push(root(broker).await);
        }
        Err(fault) => findings.push(Finding::fail(ROOT, fault.clone())),
    }
    findings
}

fn instance(
    registrar: &impl Registrar,
    facts: &Result<InstanceFacts, CallError>,
    registering: Registering,
) -> Finding {
    let instance = registrar.instance();
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => return Finding::fail(CLOUD, error.clone().into()),
    };
    let judged = judge_instance(instance, facts, registering).and(judge_clock(registrar));
    match judged {
        Err(fault) => Finding::fail(CLOUD, fault),
        Ok(()) if registering == Registering::Automatic => {
            let what = say!(
                "{instance} runs and registers certificates by itself: a void one too, which a \
                 sync then revokes",
                "{instance} 运行中并自动注册证书：作废的也会注册，同步时再吊销"
            );
            Finding::ok(CLOUD, what)
        }
        Ok(()) => Finding::ok(
            CLOUD,
            say!("{instance} runs and takes certificates", "{instance} 运行中，可接受证书"),
        ),
    }
}

async fn authorities(registrar: &impl Registrar, needed: &[NeededAuthority]) -> Finding {
    match registrar.authorities().await {
        Ok(there) => match judge_authorities(&there, needed) {
            Ok(()) => Finding::ok(
                AUTHORITY,
                say!("every CA that is needed is active there", "所需的 CA 在云端均已激活"),
            ),
            Err(fault) => Finding::fail(AUTHORITY, fault),
        },
        Err(error) => unknown(AUTHORITY, &error),
    }
}

/// What a call that failed leaves unknown.
fn unknown(check: &'static str, error: &CallError) -> Finding {
    let code = match error.class {
        ErrorClass::StopRun | ErrorClass::Configuration => error.code,
        _ => Code::CloudUnclear,
    };
    let what = say!("not known", "不清楚").then(&error.sentence());
    Finding::warn(check, Fault::said(code, what))
}

async fn host(registrar: &impl Registrar, broker: &Broker<'_>, own_name: bool) -> Finding {
    let (name, port) = (broker.host, broker.port);
    if own_name {
        return Finding::ok(HOST, say!("{name} is a name of your own", "{name} 是自有域名"));
    }
    // A private endpoint carries the instance's id in its name and is not listed.
    let private = format!("{}-", registrar.instance().instance);
    if name.starts_with(&private) {
        return Finding::ok(HOST, say!("{name} is named after the instance", "{name} 以实例命名"));
    }
    let endpoints = match registrar.endpoints().await {
        Ok(endpoints) if endpoints.is_empty() => {
            let what =
                say!("not known: the instance lists no endpoints", "不清楚：实例没有列出接入点");
            return Finding::warn(HOST, Fault::said(Code::CloudBroker, what));
        }
        Ok(endpoints) => endpoints,
        Err(error) => return unknown(HOST, &error),
    };
    let is_it = |(host, at): &(String, u16)| host.eq_ignore_ascii_case(name) && *at == port;
    match endpoints.iter().any(is_it) {
        true => Finding::ok(
            HOST,
            say!("{name}:{port} is an endpoint of the instance", "{name}:{port} 是该实例的接入点"),
        ),
        false => {
            let all: Vec<String> =
                endpoints.iter().map(|(host, at)| format!("{host}:{at}")).collect();
            let what = say!(
                "{name}:{port} is none of the instance's endpoints, {}; if it is a name of your \
                 own, set [cloud] own_broker_name",
                "{name}:{port} 不是该实例的接入点（{}）；如果是自己的域名，请设 [cloud] own_broker_name",
                all.join(", ")
            );
            Finding::fail(HOST, Fault::said(Code::CloudBroker, what))
        }
    }
}

fn versions(facts: Option<&InstanceFacts>, min: TlsVersion, max: TlsVersion) -> Finding {
    let offered = facts.map(|facts| facts.tls_versions.as_slice()).unwrap_or_default();
    if offered.is_empty() {
        let what = say!(
            "not known: the cloud does not say which TLS versions the instance speaks",
            "不清楚：云端没有说明实例支持哪些 TLS 版本"
        );
        return Finding::warn(VERSIONS, Fault::said(Code::CloudBroker, what));
    }
    let word = |version| match version {
        TlsVersion::V1_2 => "TLSv1.2",
        TlsVersion::V1_3 => "TLSv1.3",
    };
    let wanted = [TlsVersion::V1_2, TlsVersion::V1_3].map(|v| (v, word(v)));
    let met = wanted.into_iter().find(|(version, word)| {
        (min..=max).contains(version) && offered.iter().any(|offered| offered == word)
    });
    match met {
        Some((_, word)) => Finding::ok(
            VERSIONS,
            say!("devices and instance both speak {word}", "设备与实例均支持 {word}"),
        ),
        None => {
            let what = say!(
                "devices speak {} to {}, the instance {}; in the console: {TLS_PATH}",
                "设备使用 {} 到 {}，实例使用 {}；在控制台：{TLS_PATH}",
                word(min),
                word(max),
                offered.join(", ")
            );
            Finding::fail(VERSIONS, Fault::said(Code::CloudBroker, what))
        }
    }
}

async fn root(broker: &Broker<'_>) -> Finding {
    let place = format!("{}:{}", broker.host, broker.port);
    match probe(broker).await {
        Ok(()) => Finding::ok(
            ROOT,
            say!(
                "{place} verifies under [broker] server_root",
                "{place} 在 [broker] server_root 下验证通过"
            ),
        ),
        Err(Unverified::Unreached(why)) => {
            let what = say!(
                "not known: {place} can't be reached from here",
                "不清楚：从这里连不上 {place}"
            );
            Finding::warn(ROOT, Fault::said(Code::CloudBroker, what.then(&why)))
        }
        Err(Unverified::Refused(why)) => {
            let what = say!(
                "{place} does not verify under [broker] server_root",
                "{place} 不能用 [broker] server_root 验证"
            );
            Finding::fail(ROOT, Fault::said(Code::CloudBroker, what.then(&why)))
        }
    }
}
