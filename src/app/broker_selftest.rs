//! A shift-start self-test of the way into a broker: a mosquitto of the station's own, and
//! clients that must get in and others that must not.
//!
//! The clients are of a CA that is made for it and thrown away, by the product's own
//! profile; the station's CA signs nothing here. Its certificate and its list of revoked
//! ones are handed to the broker all the same, which refuses to start with wrong ones.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::app::from_config;
use crate::broker::{self, Demands, Identity, Meeting, Mosquitto, Refused};
use crate::config::Config;
use crate::domain::bounds;
use crate::domain::cause::Told;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::identity::TlsVersion;
use crate::domain::ids::ClientId;
use crate::domain::say::{Phrase, Say};
use crate::pki::{
    self, Authority, AuthorityInfo, AuthorityRequest, CA_BACKDATE, CrlNumbering, Profile,
    RevokedCertificate, SampleClient, ValidFor,
};
use crate::say;
use crate::shell::Failure;

/// The CN of every client here.
const CLIENT_ID: &str = "selftest-00000001";

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// What is not in station.toml.
#[derive(Debug, Clone, Copy, Default)]
pub struct Broker<'a> {
    /// The mosquitto to start; none takes the machine's own.
    pub program: Option<&'a Path>,
    /// The station's own list of revoked certificates.
    pub revoked: Option<&'a Path>,
    /// The file of CAs that the real broker was given; none takes what
    /// `authority export --chain` writes.
    pub trusted: Option<&'a Path>,
}

/// One rule, and whether it holds.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Its short name.
    pub check: String,
    /// What must hold.
    pub rule: Say,
    /// What was found, where it holds; how it does not, where it does not.
    pub outcome: Result<Say, Say>,
    /// How long it took.
    pub took: Duration,
}

/// Who comes to the broker.
struct Visitor {
    check: &'static str,
    rule: Phrase,
    identity: Option<Identity>,
    /// Words of the broker's reason, one of which must be in it; none where it must let them in.
    reasons: &'static [&'static str],
}

/// Starts a broker and sends everybody to it, each finding told as it is found.
pub fn run(
    config: &Config,
    broker: &Broker<'_>,
    now: Timestamp,
    tell: &mut dyn FnMut(&Finding),
) -> Result<(), Failure> {
    let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let server = pki::sample_server(localhost, now)?;
    let authority = throw_away("Selftest, not to be trusted", now)?;
    let visitors = visitors(config, &authority, now)?;
    let void = visitors.void;
    let list = authority.revocation_list(
        &[void],
        CrlNumbering { number: 1, now, next: Timestamp(now.0.saturating_add(DAY)) },
    )?;
    let station = AuthorityInfo::read(&from_config::authority_place(&config.authority))?;
    let stations_list = match broker.revoked {
        Some(path) => list_of(&station, path)?,
        None => String::new(),
    };
    let trusted = match broker.trusted {
        Some(path) => text_of(path)?,
        None => station.path_pem(),
    };
    tell(&leads_to_a_root(&station, &trusted));
    let authorities = [pki::certificate_pem(&authority.certificate_der())?, trusted];
    let folder = folder()?;
    let range = (config.broker.tls_min, config.broker.tls_max);
    let demands = Demands {
        certificate: &server.certificate,
        key: &server.key,
        client_authorities: &authorities.concat(),
        revoked: &(list + &stations_list),
        tls_min: range.0,
        tls_max: range.1,
    };
    let mosquitto =
        Mosquitto::start(broker.program, folder.path(), &demands).map_err(Fault::from)?;
    let roots = [server.root];
    let name = localhost.to_string();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let meeting = Meeting {
            address: mosquitto.address(),
            name: &name,
            roots: &roots,
            version,
            client_id: CLIENT_ID,
        };
        match (range.0..=range.1).contains(&version) {
            true => {
                visitors.all.iter().for_each(|visitor| tell(&visitor.visit(&meeting, &mosquitto)))
            }
            false => tell(&outside(visitors.sound(), &meeting)),
        }
    }
    Ok(())
}

/// Whether a verifier that is given this file can end a device's path in it. The station's CA
/// signs nothing here, so nobody under it can be sent to the broker; whether there is a root is
/// what a broker's verdict hangs on.
fn leads_to_a_root(station: &AuthorityInfo, trusted: &str) -> Finding {
    let started = Instant::now();
    let outcome = match station.root_missing_in(trusted.as_bytes()) {
        Ok(None) => Ok(say!(
            "{} and what is above it, up to a root",
            "{} 及其上级，直到根证书",
            station.subject
        )),
        Ok(Some(missing)) => Err(say!(
            "the certificate of {missing} is missing: mosquitto and other brokers on OpenSSL \
             refuse every device; give the broker what `station authority export --chain` writes, \
             with the root behind it",
            "缺少 {missing} 的证书：mosquitto 等用 OpenSSL 的 Broker 会拒绝所有设备；请把 \
             `station authority export --chain` 写出的内容交给 Broker，并在后面补上根证书"
        )),
        Err(error) => Err(error.sentence()),
    };
    Finding {
        check: "path".to_owned(),
        rule: say!(
            "the broker's file of CAs leads from the station's CA to a root",
            "Broker 的 CA 文件能从本站 CA 通到根证书"
        ),
        outcome,
        took: started.elapsed(),
    }
}

/// A directory that is gone with the test.
fn folder() -> Result<Folder, Failure> {
    let path = std::env::temp_dir().join(format!("station-broker-{}", std::process::id()));
    std::fs::create_dir(&path).map_err(|error| {
        Failure::said(Code::Output, say!("{} can't be made", "{} 无法建立", path.display()))
            .caused_by(&error)
    })?;
    Ok(Folder(path))
}

struct Folder(std::path::PathBuf);

impl Folder {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is public, and in the system's own place for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The station's own list; a broker would pass over one that is not its CA's.
fn list_of(station: &AuthorityInfo, path: &Path) -> Result<String, Failure> {
    let text = text_of(path)?;
    match pki::is_list_of(&text, station) {
        true => Ok(text),
        false => {
            let what = say!(
                "{} is no list of revoked certificates of this CA",
                "{} 不是本 CA 的吊销列表",
                path.display()
            );
            Err(Failure::said(Code::Input, what).with_help(say!(
                "make one with `station authority crl --out FILE`",
                "用 `station authority crl --out FILE` 生成"
            )))
        }
    }
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let read = bounds::read_text_file(path, bounds::CERTIFICATES);
    read.map_err(|error| {
        Failure::said(Code::Input, say!("{} can't be read", "{} 无法读取", path.display()))
            .caused_by(&error)
    })
}

fn throw_away(name: &str, now: Timestamp) -> Result<Authority, Failure> {
    Ok(pki::throw_away(&AuthorityRequest {
        common_name: name.to_owned(),
        valid_for: ValidFor::Days(2),
        backdate: CA_BACKDATE,
        now,
    })?)
}

struct Visitors {
    all: Vec<Visitor>,
    /// The one that is on the list.
    void: RevokedCertificate,
}

impl Visitors {
    fn sound(&self) -> Option<&Identity> {
        self.all.first().and_then(|visitor| visitor.identity.as_ref())
    }
}

fn visitors(config: &Config, authority: &Authority, now: Timestamp) -> Result<Visitors, Failure> {
    let certificate = &config.certificate;
    // The product's own profile but for its length: the throw-away CA has two days.
    let profile = Profile::new(
        certificate.organization.clone(),
        certificate.organizational_unit.clone(),
        ValidFor::Days(1),
        Duration::ZERO,
    )?;
    let client_id: ClientId = CLIENT_ID
        .parse()
        .map_err(|_| Failure::said(Code::Bug, say!("the client id is none", "客户端 ID 不成立")))?;
    let issue = |by: &Authority, at| by.sample_client(&client_id, &profile, at);
    let void = issue(authority, now)?;
    let revoked = RevokedCertificate { sn: void.certificate.sn, superseded: false, since: now };
    let stranger = throw_away("Another CA, not to be trusted", now)?;
    let all = vec![
        Visitor {
            check: "issued",
            rule: Phrase {
                english: "a certificate of the CA connects with its client id and publishes",
                chinese: "本 CA 的证书能以其客户端 ID 连接并发布消息",
            },
            identity: Some(identity(issue(authority, now)?)),
            reasons: &[],
        },
        Visitor {
            check: "void",
            rule: Phrase {
                english: "one on the list of revoked certificates is refused",
                chinese: "吊销列表上的证书被拒绝",
            },
            identity: Some(identity(void)),
            reasons: &["CertificateRevoked"],
        },
        Visitor {
            check: "other-ca",
            rule: Phrase {
                english: "one of a CA that the broker does not know is refused",
                chinese: "Broker 不认识的 CA 的证书被拒绝",
            },
            identity: Some(identity(issue(&stranger, now)?)),
            reasons: &["UnknownCa", "UnknownCA"],
        },
        Visitor {
            check: "expired",
            rule: Phrase {
                english: "one whose time is over is refused",
                chinese: "过期的证书被拒绝",
            },
            identity: Some(identity(issue(authority, Timestamp(now.0 - DAY - HOUR))?)),
            reasons: &["CertificateExpired"],
        },
        Visitor {
            check: "no-certificate",
            rule: Phrase {
                english: "a client without a certificate is refused",
                chinese: "没有证书的客户端被拒绝",
            },
            identity: None,
            reasons: &["CertificateRequired", "HandshakeFailure"],
        },
    ];
    Ok(Visitors { all, void: revoked })
}

fn identity(client: SampleClient) -> Identity {
    Identity { certificates: vec![client.certificate.der.to_vec()], key: client.key }
}

impl Visitor {
    fn visit(&self, meeting: &Meeting<'_>, mosquitto: &Mosquitto) -> Finding {
        let started = Instant::now();
        let outcome = match (broker::connect(meeting, self.identity.as_ref()), self.reasons) {
            (Ok(_), []) if mosquitto.has_let_in(CLIENT_ID, CLIENT_ID) => Ok(say!(
                "the broker knows it as {CLIENT_ID}, by its certificate too",
                "Broker 认出它是 {CLIENT_ID}，按证书也是"
            )),
            (Ok(_), []) => Err(say!(
                "it is in, and the broker knows it by another name",
                "它连上了，而 Broker 认出的是另一个名称"
            )),
            (Ok(_), _) => Err(say!("it is in", "它连上了")),
            (Err(Refused::Tls(alert)), reasons) if reasons.contains(&alert.as_str()) => {
                Ok(say!("the broker says {alert}", "Broker 的回答：{alert}"))
            }
            (Err(refused), _) => Err(refused.sentence()),
        };
        Finding {
            check: format!("{}-{}", self.check, meeting.version.as_str()),
            rule: Say::same(format!("TLS {}", meeting.version.as_str())).then(&self.rule.into()),
            outcome,
            took: started.elapsed(),
        }
    }
}

/// A version that station.toml leaves out must not be spoken.
fn outside(sound: Option<&Identity>, meeting: &Meeting<'_>) -> Finding {
    let started = Instant::now();
    let outcome = match broker::connect(meeting, sound) {
        Ok(_) => Err(say!("it is in", "它连上了")),
        Err(Refused::Tls(reason)) => {
            Ok(say!("the broker says {reason}", "Broker 的回答：{reason}"))
        }
        Err(other) => Err(other.sentence()),
    };
    Finding {
        check: format!("outside-{}", meeting.version.as_str()),
        rule: say!(
            "TLS {} is outside of [broker] tls_min to tls_max",
            "TLS {} 不在 [broker] tls_min 到 tls_max 之内",
            meeting.version.as_str()
        ),
        outcome,
        took: started.elapsed(),
    }
}
