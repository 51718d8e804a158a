//! One request out, one answer in: HTTPS with limits, and never a second try by itself.
//!
//! A connection that was idle may be closed by the cloud at the moment at which it is used
//! again. Whether the request was read then is not known, so it is an unknown outcome like
//! every other broken connection.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Body, Client, Proxy, StatusCode, Url, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::settings::{ClientError, Roots};
use crate::domain::cause::{Told, cause, chain};
use crate::domain::say::Say;
use crate::say;

/// For TCP and TLS together: two lost packets of the handshake are within it, a host that
/// does not exist is told of soon.
const CONNECT: Duration = Duration::from_secs(5);

/// Between two pieces of an answer. A registration takes the cloud far less than a second.
const READ: Duration = Duration::from_secs(10);

/// Idle connections are given up before a gateway in between would do it unseen.
const IDLE: Duration = Duration::from_secs(5);

/// A hundred certificates with their chains are a tenth of it.
const LARGEST_ANSWER: usize = 8 << 20;

/// The way to one host.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    url: Url,
    host: String,
}

/// A request's headers beyond those that every request has.
pub(super) struct Headers<'a> {
    pub(super) content_type: &'static str,
    pub(super) authorization: &'a str,
    pub(super) token: Option<&'a str>,
    pub(super) others: &'a [(&'static str, &'a str)],
}

/// An answer that came whole.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) date: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Why no whole answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no connection: {0}")]
    Connect(Say),
    #[error("no answer in time")]
    Timeout,
    #[error("the connection broke before the answer was there: {0}")]
    Broken(Say),
    #[error("the answer is longer than {LARGEST_ANSWER} bytes")]
    TooLong,
    #[error("a header can't be sent: it has characters that are not allowed")]
    Header,
}

impl Told for HttpError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Connect(why) => format!("无法连接：{}", why.chinese),
            Self::Timeout => "没有按时应答".to_owned(),
            Self::Broken(why) => format!("应答之前连接断开：{}", why.chinese),
            Self::TooLong => format!("应答超过 {LARGEST_ANSWER} 字节"),
            Self::Header => "请求头中有不允许的字符，无法发送".to_owned(),
        })
    }
}

impl Http {
    pub(super) fn new(
        endpoint: &str,
        roots: &Roots,
        proxy: Option<&str>,
    ) -> Result<Self, ClientError> {
        let wrong = |why: Say| ClientError::Endpoint { endpoint: endpoint.to_owned(), why };
        let mut url = Url::parse(endpoint).map_err(|error| wrong(cause(&error)))?;
        url.set_path("/");
        url.set_query(None);
        let name = url.host_str().ok_or_else(|| wrong(say!("it has no host", "缺少主机名")))?;
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            .pool_idle_timeout(IDLE)
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .referer(false)
            // What the environment says of proxies is meant for other programs.
            .no_proxy();
        if let Some(proxy) = proxy {
            builder = builder.proxy(Proxy::https(proxy).map_err(|error| wrong(behind(&error)))?);
        }
        builder = match url.scheme() {
            "https" => builder.tls_backend_preconfigured(tls(roots)?),
            // A configuration is wanted all the same; nothing is verified under it.
            _ => builder.tls_backend_preconfigured(tls(&Roots::Given(Vec::new()))?),
        };
        let client = builder.build().map_err(|error| wrong(behind(&error)))?;
        Ok(Self { client, url, host })
    }

    /// The host alone.
    pub(super) fn site(&self) -> String {
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
    }

    /// The `Host` header as it is sent.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Sends once. `leaves` is called when there is a connection, and the body goes into it.
    pub(super) async fn post(
        &self,
        headers: &Headers<'_>,
        body: Vec<u8>,
        mut leaves: impl FnMut() + Send + Sync + 'static,
    ) -> Result<Reply, HttpError> {
        let headers = self.headers(headers)?;
        let body = Body::wrap(Body::from(body).inspect_frame(move |_| leaves()));
        let request = self.client.post(self.url.clone()).headers(headers).body(body);
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let status = response.status();
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.map(str::to_owned);
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + piece.len() > LARGEST_ANSWER {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        Ok(Reply { status, date, body })
    }

    fn headers(&self, headers: &Headers<'_>) -> Result<HeaderMap, HttpError> {
        let mut map = HeaderMap::new();
        let plain = |text: &str| HeaderValue::from_str(text).map_err(|_| HttpError::Header);
        // Sensitive values are left out of every debug text.
        let sensitive = |text: &str| {
            plain(text).map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        map.insert(HOST, plain(&self.host)?);
        map.insert(CONTENT_TYPE, HeaderValue::from_static(headers.content_type));
        map.insert(AUTHORIZATION, sensitive(headers.authorization)?);
        if let Some(token) = headers.token {
            map.insert(HeaderName::from_static("x-tc-token"), sensitive(token)?);
        }
        for (name, value) in headers.others {
            map.insert(HeaderName::from_static(name), plain(value)?);
        }
        Ok(map)
    }
}

fn failed(error: &reqwest::Error) -> HttpError {
    match error {
        error if error.is_connect() => HttpError::Connect(behind(error)),
        error if error.is_timeout() => HttpError::Timeout,
        error => HttpError::Broken(behind(error)),
    }
}

/// What an error and those behind it say; the address stands in the message already.
fn behind(error: &reqwest::Error) -> Say {
    error.source().map_or_else(|| cause(error), chain)
}

/// TLS 1.2 and 1.3 by *ring*, verified under the roots.
fn tls(roots: &Roots) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Roots(cause(&error)))?;
    Ok(builder.with_root_certificates(root_store(roots)?).with_no_client_auth())
}

fn root_store(roots: &Roots) -> Result<RootCertStore, ClientError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Given(given) => {
            for der in given {
                let der = CertificateDer::from_slice(der).into_owned();
                store.add(der).map_err(|error| ClientError::Roots(cause(&error)))?;
            }
        }
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            // Some of the many are odd in most systems; that none is usable is an error.
            let (usable, _) = store.add_parsable_certificates(found.certs);
            if usable == 0 {
                let none = || say!("there are none", "一个也没有");
                let why = found.errors.first().map_or_else(none, |error| cause(error));
                return Err(ClientError::Roots(why));
            }
        }
    }
    Ok(store)
}
