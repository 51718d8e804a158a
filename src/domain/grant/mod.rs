//! Grants: so many units of a work order that a station may make, signed by who ordered them.
//!
//! A grant is verified without any network: its canonical bytes ([`Grant::signed_bytes`]) are
//! signed by an order key, and that key's certificate by a CA or root that the station trusts.
//! What is given back is told the other way, signed by the station's journal key
//! ([`GivenBack::signed_bytes`]). `docs/grants.md` has both byte by byte; tests freeze them.
//!
//! Nothing here checks a signature: that is the pki's.

mod bytes;
mod given_back;
mod granted;
mod place;
#[cfg(test)]
mod tests;

pub use given_back::{GivenBack, GivenBackLine};
pub use granted::{
    Grant, GrantGivenBack, GrantNumber, GrantTaken, NotAGrantNumber, RawSignature, SignedGrant,
    Signer,
};
pub use place::{GrantRow, choose};
