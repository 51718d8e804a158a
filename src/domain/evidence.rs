//! What others testify: signatures of the journal's head, and a broker that devices meet.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::cause::library;
use super::device::Fault;
use super::ids::{ClientId, Fingerprint, PublicKey};
use super::say::Say;
use crate::say;

/// Signs heads of the journal with the station's journal key. Whoever signs one can check
/// one: what is noted of a head outside the ledger is held against its signature.
pub trait HeadSigner: HeadVerifier {
    /// The P-256 public key under which the signatures verify.
    fn public_key(&self) -> PublicKey;

    /// ECDSA-P256-SHA256 over `message`, raw `r ‖ s`.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Fault>;
}

/// What a broker saw of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// A client with this certificate's key connected under its own client id, and spoke
    /// once it had been let in.
    Connected,
    /// One connected with it under another client id.
    OtherClientId(String),
    /// Nobody did in time; these came, and may have been the device.
    Nobody(Vec<Visit>),
}

/// A client that came to a broker and did not get through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Where it came from.
    pub from: IpAddr,
    /// How far it came.
    pub reached: Stage,
    /// What ended it; none while it is still at it.
    pub why: Option<String>,
    /// The certificate that it proved to hold.
    pub shown: Option<Fingerprint>,
}

/// How far a client of a broker came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A connection, and nothing that is TLS to its end.
    Arrived,
    /// TLS with its certificate.
    Proven,
    /// It was let in with CONNACK.
    Accepted,
    /// It published, subscribed or pinged once it was in.
    Spoke,
}

impl Visit {
    /// It in each language.
    pub fn sentence(&self) -> Say {
        let Self { from, reached, why, .. } = self;
        let what = match reached {
            Stage::Arrived => {
                say!("{from} reached it, and TLS did not come about", "{from} 来过，TLS 没有建立")
            }
            Stage::Proven => say!(
                "{from} showed the unit's certificate, and sent no CONNECT",
                "{from} 出示了单元的证书，没有发送 CONNECT"
            ),
            Stage::Accepted => say!(
                "{from} was let in, and sent nothing of its own after CONNACK",
                "{from} 已被接纳，CONNACK 之后没有再发送"
            ),
            Stage::Spoke => say!("{from} connected", "{from} 已连接"),
        };
        let still = || say!("it is still at it", "还在进行");
        what.then(&why.clone().map_or_else(still, library))
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence().english)
    }
}

/// Visits in words, each kind once.
pub fn told(visits: &[Visit]) -> Say {
    /// So many kinds are told; whoever wants all of them has the log.
    const KINDS: usize = 3;
    if visits.is_empty() {
        return say!("nobody reached it", "没有谁来过");
    }
    let mut kinds: Vec<(Say, usize)> = Vec::new();
    for visit in visits.iter().rev().map(Visit::sentence) {
        match kinds.iter_mut().find(|(known, _)| *known == visit) {
            Some((_, times)) => *times += 1,
            None => kinds.push((visit, 1)),
        }
    }
    let rest = kinds.len().saturating_sub(KINDS);
    let mut told: Vec<Say> = kinds.into_iter().take(KINDS).map(in_words).collect();
    if rest > 0 {
        told.push(say!("and {rest} more", "另有 {rest} 种"));
    }
    Say::all(&told)
}

fn in_words((visit, times): (Say, usize)) -> Say {
    let Say { english, chinese } = visit;
    match times {
        1 => Say { english, chinese },
        _ => say!("{english} ({times} times)", "{chinese}（{times} 次）"),
    }
}

/// A broker of the station's own, which sees devices connect with their certificates.
pub trait Witness: Send + Sync {
    /// Waits for a connection that was made after `since`.
    fn wait_for(&self, certificate: &Fingerprint, client_id: &ClientId, since: Instant)
    -> Sighting;

    /// How long it waits.
    fn patience(&self) -> Duration;
}

/// A signature that was found to be a head signer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureHolds;

/// Checks signatures of heads.
pub trait HeadVerifier: Send + Sync {
    /// Whether `signature` over `message` verifies under `public_key`.
    fn verify(
        &self,
        public_key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<SignatureHolds>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(host: u8, reached: Stage, why: Option<&str>) -> Visit {
        let from = IpAddr::from([10, 0, 0, host]);
        Visit { from, reached, why: why.map(str::to_owned), shown: None }
    }

    #[test]
    fn what_came_is_told_once_and_the_newest_first() {
        let refused = visit(7, Stage::Arrived, Some("it showed no certificate"));
        let silent = visit(8, Stage::Accepted, None);
        assert_eq!(
            told(&[refused.clone(), refused, silent]).english,
            "10.0.0.8 was let in, and sent nothing of its own after CONNACK: it is still at it; \
             10.0.0.7 reached it, and TLS did not come about: it showed no certificate (2 times)"
        );
        assert_eq!(told(&[]).english, "nobody reached it");
    }

    #[test]
    fn a_crowd_does_not_fill_a_message() {
        let crowd: Vec<Visit> = (0..9).map(|host| visit(host, Stage::Arrived, None)).collect();
        assert!(told(&crowd).english.ends_with("; and 6 more"), "{}", told(&crowd));
    }
}
