//! Reads an identity from the device that holds it and has the device prove it, for a ledger
//! that lacks it. It records nothing and burns nothing.
//!
//! What the signature covers: the device answers under the image digest that it named
//! itself, since the ledger has none. So it shows that whoever answers has the key of this
//! certificate, restarted, and stands by that digest; what else is in the image is its word.

use crate::domain::cause::cause;
use crate::domain::certificate::Proof;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::{Fault, Held, Seen, Verified};
use crate::domain::identity::{Challenge, Response};
use crate::flow::Policy;
use crate::link::driver::Driver;
use crate::pki::{self, IssuedHere};
use crate::say;

/// An identity that its device proved.
#[derive(Debug, Clone)]
pub struct FoundIdentity {
    /// The device.
    pub seen: Seen,
    /// What it holds, as it described it.
    pub held: Held,
    /// Its certificate, found to be issued under a CA of this station.
    pub issued: IssuedHere,
    /// How it was proven.
    pub proof: Proof,
    /// Who restarted the device.
    pub restart: &'static str,
}

/// Asks the device for its certificate, judges it, restarts the device and challenges it.
pub fn find_identity(
    driver: &mut dyn Driver,
    policy: &Policy,
    authorities: &[Vec<u8>],
    now: Timestamp,
) -> Result<FoundIdentity, Fault> {
    let seen = driver.identify()?;
    is_of_the_product(&seen, policy)?;
    let held = seen.holds.ok_or_else(nothing_there)?;
    let der = driver.read_certificate()?.ok_or_else(nothing_there)?;
    let issued = pki::verify_issued_here(&der, authorities, now)?;
    if issued.certificate.fingerprint != held.certificate {
        let detail = say!(
            "the certificate that it gives is not the one that it says it holds",
            "它给出的证书不是它说自己持有的那张"
        );
        return Err(Fault::said(Code::DevContradiction, detail));
    }
    is_the_same(&seen, held, &driver.restart()?)?;
    let proof = prove(driver, &seen, held, &issued)?;
    match proof.reaches(policy.required_proof) {
        true => Ok(FoundIdentity { seen, held, issued, proof, restart: driver.restart_kind() }),
        false => Err(too_weak(proof)),
    }
}

fn nothing_there() -> Fault {
    Fault::said(
        Code::UnitState,
        say!(
            "the device holds no identity; there is nothing to adopt",
            "设备里没有身份，没有可以收入的"
        ),
    )
}

fn too_weak(best: Proof) -> Fault {
    let detail = say!(
        "the device can show {} at most, not possession",
        "设备最多只能给出 {}，不能证明持有",
        best.as_str()
    );
    Fault::said(Code::ProofTooWeak, detail)
}

fn is_of_the_product(seen: &Seen, policy: &Policy) -> Result<(), Fault> {
    if let Some(model) = policy.model.as_ref().filter(|model| **model != seen.model) {
        let detail = say!(
            "the device is a {}, the product is made of {model}",
            "设备是 {}，产品用的是 {model}",
            seen.model
        );
        return Err(Fault::said(Code::DevModel, detail));
    }
    // Whatever the product requires: without its key's signature this is only a claim.
    match seen.best_proof.reaches(Proof::Possession) {
        true => Ok(()),
        false => Err(too_weak(seen.best_proof)),
    }
}

fn is_the_same(before: &Seen, held: Held, after: &Seen) -> Result<(), Fault> {
    if before.hardware != after.hardware {
        let detail = say!(
            "device {} answers in the place of {}",
            "应答的是设备 {}，原来是 {}",
            after.hardware,
            before.hardware
        );
        return Err(Fault::said(Code::DevSwapped, detail));
    }
    match after.holds {
        Some(now) if now == held => Ok(()),
        _ => {
            let detail = say!(
                "after its restart the device does not hold what it held before",
                "重启之后，设备持有的与之前不同"
            );
            Err(Fault::said(Code::DevContradiction, detail))
        }
    }
}

fn prove(
    driver: &mut dyn Driver,
    seen: &Seen,
    held: Held,
    issued: &IssuedHere,
) -> Result<Proof, Fault> {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(|error| {
        Fault::said(Code::Bug, say!("no random numbers", "没有随机数").then(&cause(&error)))
    })?;
    let challenge = Challenge {
        nonce,
        hardware: seen.hardware.clone(),
        image: held.image,
        certificate: held.certificate,
    };
    let verified = match driver.prove(&challenge)? {
        Response::Signature { message, signature } => {
            pki::check_possession(&issued.certificate, &message, &signature)
        }
        Response::NoKey => Verified::NoKey,
    };
    match verified {
        Verified::Yes(proof) => Ok(proof),
        Verified::Wrong | Verified::NoKey => {
            let detail = say!(
                "the device can't sign with the key of the certificate that it holds",
                "设备不能用所持证书的密钥签名"
            );
            Err(Fault::said(Code::DevProof, detail))
        }
    }
}
