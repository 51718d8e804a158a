//! Reads an identity from the device that holds it and has the device prove it, for a ledger
//! that lacks it. It records nothing and burns nothing.
//!
//! What the signature covers: the device answers under the image digest that it named
//! itself, since the ledger has none. So it shows that whoever answers has the key of this
//! certificate, restarted, and stands by that digest; what else is in the image is its word.

use crate::domain::certificate::Proof;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::{Fault, Held, Seen, Verified};
use crate::domain::identity::{Challenge, Response};
use crate::flow::Policy;
use crate::link::driver::Driver;
use crate::pki::{self, IssuedHere};

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
        let detail = "the certificate that it gives is not the one that it says it holds";
        return Err(Fault::new(Code::DevContradiction, detail));
    }
    is_the_same(&seen, held, &driver.restart()?)?;
    let proof = prove(driver, &seen, held, &issued)?;
    match proof.reaches(policy.required_proof) {
        true => Ok(FoundIdentity { seen, held, issued, proof, restart: driver.restart_kind() }),
        false => Err(too_weak(proof)),
    }
}

fn nothing_there() -> Fault {
    Fault::new(Code::UnitState, "the device holds no identity; there is nothing to adopt")
}

fn too_weak(best: Proof) -> Fault {
    let detail = format!("the device can show {} at most, not possession", best.as_str());
    Fault::new(Code::ProofTooWeak, detail)
}

fn is_of_the_product(seen: &Seen, policy: &Policy) -> Result<(), Fault> {
    if let Some(model) = policy.model.as_ref().filter(|model| **model != seen.model) {
        let detail = format!("the device is a {}, the product is made of {model}", seen.model);
        return Err(Fault::new(Code::DevModel, detail));
    }
    // Whatever the product requires: without its key's signature this is only a claim.
    match seen.best_proof.reaches(Proof::Possession) {
        true => Ok(()),
        false => Err(too_weak(seen.best_proof)),
    }
}

fn is_the_same(before: &Seen, held: Held, after: &Seen) -> Result<(), Fault> {
    if before.hardware != after.hardware {
        let detail =
            format!("device {} answers in the place of {}", after.hardware, before.hardware);
        return Err(Fault::new(Code::DevSwapped, detail));
    }
    match after.holds {
        Some(now) if now == held => Ok(()),
        _ => {
            let detail = "after its restart the device does not hold what it held before";
            Err(Fault::new(Code::DevContradiction, detail))
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
    getrandom::fill(&mut nonce)
        .map_err(|error| Fault::new(Code::Bug, format!("no random numbers: {error}")))?;
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
            let detail = "the device can't sign with the key of the certificate that it holds";
            Err(Fault::new(Code::DevProof, detail))
        }
    }
}
