//! PINs against what they are held against: argon2id with the parameters of RFC 9106.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::domain::bounds;
use crate::domain::code::Code;
use crate::domain::operators::{Pin, PinVerifier};

/// 64 MiB, three passes, four lanes: RFC 9106's second recommendation, for machines that
/// have no 2 GiB to spare. A guess costs a tenth of a second and this memory.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// 128 bits of salt, 256 bits of tag: the same recommendation.
const SALT: usize = 16;
const TAG: usize = 32;

/// The form of a verifier, so that another one can follow; then salt and tag in base64.
const FORM: &str = "argon2id-rfc9106";

/// Behind a verifier: its PIN is shorter than is advised. Whoever reads it learns nothing that
/// he would not find out in an hour.
const SHORT: &str = "$short";

/// Why a PIN could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The system gives no random bytes.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// What it is held against is not of a form that this program knows.
    #[error("what the PIN is held against can't be read")]
    Verifier,
    /// The function refused its input.
    #[error("argon2id: {0}")]
    Function(argon2::Error),
    /// The system has not the memory that a PIN takes.
    #[error("a PIN can't be tried: it takes {} MiB of memory, and the system does not give them", MEMORY_KIB >> 10)]
    Memory,
}

impl PinError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            PinError::Memory => Code::Shortage,
            PinError::Random(_) | PinError::Verifier | PinError::Function(_) => Code::Bug,
        }
    }
}

/// What a new PIN will be held against.
pub fn verifier(pin: &Pin) -> Result<PinVerifier, PinError> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(PinError::Random)?;
    let tag = tag(pin, &salt)?;
    let text = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    let short = if pin.is_short() { SHORT } else { "" };
    Ok(PinVerifier(format!("{FORM}${}${}{short}", text(&salt), text(tag.as_ref()))))
}

/// Whether this is the PIN.
pub fn is_right(pin: &Pin, verifier: &PinVerifier) -> Result<bool, PinError> {
    let text = verifier.0.strip_suffix(SHORT).unwrap_or(&verifier.0);
    let parts: Vec<&str> = text.split('$').collect();
    let [FORM, salt, wanted] = parts.as_slice() else { return Err(PinError::Verifier) };
    let bytes = |text: &str| STANDARD_NO_PAD.decode(text).map_err(|_| PinError::Verifier);
    let (salt, wanted) = (bytes(salt)?, bytes(wanted)?);
    let found = tag(pin, &salt)?;
    // Every byte is looked at, whichever differs first.
    let differing = wanted.iter().zip(found.iter()).fold(0, |all, (a, b)| all | (a ^ b));
    Ok(wanted.len() == TAG && differing == 0)
}

fn tag(pin: &Pin, salt: &[u8]) -> Result<Zeroizing<[u8; TAG]>, PinError> {
    if !bounds::is_memory_at_hand(u64::from(MEMORY_KIB) << 10) {
        return Err(PinError::Memory);
    }
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(TAG)).map_err(PinError::Function)?;
    let mut tag = Zeroizing::new([0; TAG]);
    let function = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    function.hash_password_into(pin.as_bytes(), salt, tag.as_mut()).map_err(PinError::Function)?;
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Pin {
        Pin::new(text).unwrap()
    }

    #[test]
    fn a_pin_is_right_against_its_own_verifier_alone() {
        let (one, other) = (verifier(&pin("2468")).unwrap(), verifier(&pin("2468")).unwrap());
        assert_ne!(one, other, "two salts");
        assert!(is_right(&pin("2468"), &one).unwrap());
        assert!(!is_right(&pin("2469"), &one).unwrap());
        assert!(is_right(&pin("2468"), &other).unwrap());
    }

    #[test]
    fn the_verifier_of_a_pin_stays_readable() {
        // From `printf 2468 | argon2 0123456789abcdef -id -t 3 -k 65536 -p 4 -l 32`, 2019's
        // reference implementation.
        let text = format!(
            "{FORM}${}$gdUfYVgm+D8PozGuF5M7c8Vb4eWDh9UsALgxUqzFycE",
            STANDARD_NO_PAD.encode("0123456789abcdef")
        );
        assert!(is_right(&pin("2468"), &PinVerifier(text)).unwrap());
    }

    #[test]
    fn what_is_no_verifier_is_an_error_and_not_a_wrong_pin() {
        for text in ["", "2468", "argon2id-rfc9106$x", "other$AAAA$AAAA", "argon2id-rfc9106$$!"] {
            assert!(is_right(&pin("2468"), &PinVerifier(text.to_owned())).is_err(), "{text}");
        }
    }
}
