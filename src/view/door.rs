//! Who may look, and what may be asked.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{HeaderMap, Method, Request};
use sha2::{Digest, Sha256};

use super::content::Asked;

/// The longest address that is read.
const LONGEST: usize = 2_000;

/// Why somebody stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    /// Nothing can be changed here.
    Method,
    /// The token is missing or wrong.
    Token,
    /// A name that is not this machine's: a page from elsewhere had its own name lead here.
    Host,
    /// The address is none.
    Address,
}

/// Whether a request may come in.
pub(super) fn admit<B>(request: &Request<B>, token: Option<&[u8]>) -> Result<Asked, Outside> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Outside::Method);
    }
    match token {
        Some(token) if !knows(request.headers(), token) => return Err(Outside::Token),
        None if !is_of_this_machine(request.headers()) => return Err(Outside::Host),
        _ => {}
    }
    asked(request.uri().path(), request.uri().query().unwrap_or_default()).ok_or(Outside::Address)
}

/// As a program sends it, `Bearer TOKEN`, or as a browser that asked a person: the token is the
/// password, whatever the name.
fn knows(headers: &HeaderMap, token: &[u8]) -> bool {
    let said = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = match said.split_once(' ') {
        Some((scheme, given)) if scheme.eq_ignore_ascii_case("bearer") => given.trim().into(),
        Some((scheme, given)) if scheme.eq_ignore_ascii_case("basic") => {
            let pair = BASE64_STANDARD.decode(given.trim()).unwrap_or_default();
            let password = pair.iter().position(|byte| *byte == b':').map(|at| at + 1);
            pair[password.unwrap_or(pair.len())..].to_vec()
        }
        _ => return false,
    };
    // Digests are compared, so that the time it takes says nothing of the token.
    Sha256::digest(&given) == Sha256::digest(token)
}

/// Whether it was called by a name that only this machine has.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
}

fn asked(path: &str, query: &str) -> Option<Asked> {
    if path.len() + query.len() > LONGEST {
        return None;
    }
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let path = segments.map(|segment| decoded(segment, false)).collect::<Option<_>>()?;
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name, true)?, decoded(value, true)?))
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Some(Asked { path, query: pairs.map(pair).collect::<Option<_>>()? })
}

/// A percent-encoded text; in a form a plus is a space.
fn decoded(text: &str, in_a_form: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            b'+' if in_a_form => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri("/unit/TH%2F1?q=a+b%26");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn admitted(
        method: &str,
        headers: &[(&str, &str)],
        token: Option<&str>,
    ) -> Result<Asked, Outside> {
        admit(&request(method, headers), token.map(str::as_bytes))
    }

    #[test]
    fn an_address_is_decoded() {
        let asked = admitted("GET", &[("host", "localhost:8090")], None).unwrap();
        assert_eq!(asked.path, ["unit", "TH/1"]);
        assert_eq!(asked.value("q"), Some("a b&"));
        assert_eq!(decoded("%zz", false), None);
        assert_eq!(decoded("%ff", false), None, "no UTF-8");
        assert_eq!(decoded("%4", false), None);
    }

    #[test]
    fn nothing_can_be_changed() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            assert_eq!(admitted(method, &[("host", "localhost")], None), Err(Outside::Method));
        }
        assert!(admitted("HEAD", &[("host", "127.0.0.1:1")], None).is_ok());
    }

    #[test]
    fn a_name_from_elsewhere_stays_outside_where_no_token_is_asked() {
        for host in ["evil.example", "127.0.0.1.evil.example", "10.0.0.7", ""] {
            assert_eq!(admitted("GET", &[("host", host)], None), Err(Outside::Host), "{host}");
        }
        assert!(admitted("GET", &[("host", "[::1]:8090")], None).is_ok());
    }

    #[test]
    fn the_token_is_known_to_a_program_or_a_browser() {
        let basic = format!("Basic {}", BASE64_STANDARD.encode("anybody:s3cret"));
        for said in ["Bearer s3cret", "bearer  s3cret", &basic] {
            let headers = [("host", "line-1.example"), ("authorization", said)];
            assert!(admitted("GET", &headers, Some("s3cret")).is_ok(), "{said}");
        }
        for said in ["Bearer s3cre", "Bearer", "Basic s3cret", "Basic !", "s3cret", ""] {
            let headers = [("host", "localhost"), ("authorization", said)];
            assert_eq!(admitted("GET", &headers, Some("s3cret")), Err(Outside::Token), "{said}");
        }
    }
}
