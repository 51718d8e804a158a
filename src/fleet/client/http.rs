//! One request out, one answer in, with limits, and never a second try by itself: what the
//! fleet confirmed is asked before anything is sent again.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url, redirect, retry};
use serde::de::DeserializeOwned;

use crate::cut;
use crate::domain::cause::{cause, chain};
use crate::domain::clock::Clock;
use crate::domain::evidence::HeadSigner;
use crate::domain::ids::{StationId, to_hex};
use crate::domain::say::Say;
use crate::domain::share::{Answer, Question};
use crate::ledger::{Head, InstanceId};

use super::super::error::FleetError;
use super::super::wire::{
    CERTIFICATE, ENDS, ENROL, EnrolRequest, FIND, GRANTS, HeadText, LEDGER, Refused, SEGMENTS,
    SHARES, SIGNATURE, STANDING, Standing, TIME, signed_text,
};
use super::identity;
use crate::say;

/// For TCP and TLS together.
const CONNECT: Duration = Duration::from_secs(5);

/// Between two pieces of an answer: longer than a server takes over a request before it says that
/// it took too long.
const READ: Duration = Duration::from_secs(150);

/// Idle connections are given up before somebody in between would do it unseen.
const IDLE: Duration = Duration::from_secs(5);

/// The ends of a hundred thousand segments are a tenth of it.
const LARGEST_ANSWER: usize = 64 << 20;

/// Where a fleet is, and who asks.
pub struct ClientSettings {
    /// Its address.
    pub url: String,
    /// The CAs under which its certificate is verified, DER; without, the system's.
    pub roots: Vec<Vec<u8>>,
    /// The station.
    pub station: StationId,
    /// Its ledger.
    pub instance: InstanceId,
    /// The CA's certificate for the journal key, DER.
    pub certificate: Vec<u8>,
    /// The journal key.
    pub signer: Arc<dyn HeadSigner>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The way to a fleet.
pub struct Client {
    http: reqwest::Client,
    url: Url,
    is_tls: bool,
    settings: ClientSettings,
}

/// Whether this is an address of a fleet: HTTPS, or on this machine HTTP.
pub(super) fn address(url: &str) -> Result<Url, FleetError> {
    let wrong = |why: Say| {
        let what = say!("{url} is no address of a fleet", "{url} 不是总库的地址");
        FleetError::Asked(what.then(&why))
    };
    let mut parsed = Url::parse(url).map_err(|error| wrong(cause(&error)))?;
    let host = parsed.host_str().ok_or_else(|| wrong(say!("it has no host", "缺少主机名")))?;
    let host = host.trim_matches(['[', ']']);
    let here = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match parsed.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => {
            return Err(wrong(say!("http:// is for this machine alone", "http:// 只用于本机")));
        }
        _ => return Err(wrong(say!("write https://", "请写 https://"))),
    }
    parsed.set_query(None);
    parsed.set_path("/");
    Ok(parsed)
}

impl Client {
    /// Sets out the way; nothing is sent yet.
    pub fn new(settings: ClientSettings) -> Result<Self, FleetError> {
        let url = address(&settings.url)?;
        let signer = Arc::clone(&settings.signer);
        let tls = identity::config(&settings.roots, &settings.certificate, signer)?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            .pool_idle_timeout(IDLE)
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tls_backend_preconfigured(tls)
            .build();
        let http = http.map_err(|error| FleetError::Asked(chain(&error)))?;
        Ok(Self { http, is_tls: url.scheme() == "https", url, settings })
    }

    /// The fleet's address.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// Binds station, ledger and CA at the fleet, with a code that it gave out.
    pub async fn enrol(&self, code: &str, authority: &[u8]) -> Result<Standing, FleetError> {
        let request = EnrolRequest {
            code: code.to_owned(),
            station: self.settings.station.clone(),
            instance: self.settings.instance.to_string(),
            authority: to_hex(authority),
            certificate: to_hex(&self.settings.certificate),
        };
        self.ask_json(Method::POST, ENROL, &request).await
    }

    /// How this ledger stands at the fleet.
    pub async fn standing(&self) -> Result<Standing, FleetError> {
        self.ask(Method::GET, STANDING, Vec::new()).await
    }

    /// Sends a segment.
    pub async fn send(&self, segment: Vec<u8>) -> Result<Standing, FleetError> {
        self.ask(Method::POST, SEGMENTS, segment).await
    }

    /// The ends of the segments that the fleet has of this ledger, the newest first.
    pub async fn ends(&self) -> Result<Vec<Head>, FleetError> {
        let ends: Vec<HeadText> = self.ask(Method::GET, ENDS, Vec::new()).await?;
        Ok(ends.iter().filter_map(HeadText::head).collect())
    }

    /// Units of the fleet that a text names, as JSON.
    pub async fn find(&self, text: &str) -> Result<Vec<serde_json::Value>, FleetError> {
        let target = format!("{FIND}?q={}", to_hex(text.as_bytes()));
        self.ask(Method::GET, &target, Vec::new()).await
    }

    /// The grants that the fleet has for this station, as JSON.
    pub async fn grants(&self) -> Result<Vec<super::super::store::GrantFile>, FleetError> {
        self.ask(Method::GET, GRANTS, Vec::new()).await
    }

    /// Asks for a share of a cloud's rate.
    pub async fn share(&self, question: &Question) -> Result<Answer, FleetError> {
        self.ask_json(Method::POST, SHARES, question).await
    }

    async fn ask_json<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, FleetError> {
        let body = serde_json::to_vec(body).map_err(|error| FleetError::Asked(chain(&error)))?;
        self.ask(method, target, body).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Vec<u8>,
    ) -> Result<T, FleetError> {
        let url = self.url.join(target).map_err(|error| FleetError::Asked(chain(&error)))?;
        let settings = &self.settings;
        let mut request = self
            .http
            .request(method.clone(), url)
            .header(LEDGER, format!("{}/{}", settings.station, settings.instance));
        if !self.is_tls {
            let time = settings.clock.now().wall.seconds();
            let message = signed_text(method.as_str(), target, time, &body);
            let signature = settings.signer.sign(&message);
            let signature = signature.map_err(|fault| FleetError::Station(fault.sentence()))?;
            request = request
                .header(CERTIFICATE, to_hex(&settings.certificate))
                .header(TIME, time)
                .header(SIGNATURE, to_hex(&signature));
        }
        cut::point(cut::Kind::Fleet, target);
        let response = request.body(body).send().await.map_err(|error| self.failed(&error))?;
        cut::point(cut::Kind::Fleet, "status");
        let status = response.status();
        let answer = self.whole(response).await?;
        cut::point(cut::Kind::Fleet, "answered");
        match status {
            StatusCode::OK => {
                serde_json::from_slice(&answer).map_err(|error| FleetError::Answer(cause(&error)))
            }
            status => Err(refused(status, &answer)),
        }
    }

    async fn whole(&self, mut response: reqwest::Response) -> Result<Vec<u8>, FleetError> {
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.failed(&error))? {
            if answer.len() + piece.len() > LARGEST_ANSWER {
                return Err(FleetError::Answer(say!(
                    "it is longer than any answer",
                    "它比任何应答都长"
                )));
            }
            answer.extend_from_slice(&piece);
        }
        Ok(answer)
    }

    fn failed(&self, error: &reqwest::Error) -> FleetError {
        let mut innermost: &(dyn std::error::Error + 'static) = error;
        while let Some(inner) = innermost.source() {
            innermost = inner;
        }
        let why = cause(innermost);
        FleetError::Unreachable { url: self.settings.url.clone(), why }
    }
}

/// What the fleet said no with.
fn refused(status: StatusCode, answer: &[u8]) -> FleetError {
    let Ok(told) = serde_json::from_slice::<Refused>(answer) else {
        let what = say!("status {status}, and no reason", "状态 {status}，没有说明原因");
        return FleetError::Answer(what);
    };
    let chinese = told.message_zh.unwrap_or_else(|| told.message.clone());
    let message = Say { english: told.message, chinese };
    match (status, told.code.as_str()) {
        (StatusCode::FORBIDDEN, _) => FleetError::Station(message),
        (_, "E-FLEET-FORK") => FleetError::Fork(message),
        (StatusCode::CONFLICT, _) => FleetError::Elsewhere(message),
        (_, "E-FLEET-SEGMENT") => FleetError::Segment(message),
        (_, "E-FLEET-DATABASE") => FleetError::Database(message),
        _ => FleetError::Answer(Say::same(status.to_string()).then(&message)),
    }
}
