//! A secret text that is wiped when it is dropped and never printed.

use std::fmt;

use zeroize::Zeroizing;

use super::error::PkiError;

/// What a key file is encrypted with, or a token's PIN.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the text, which must not be empty: that would be as good as no encryption.
    pub fn new(text: impl Into<Zeroizing<String>>) -> Result<Self, PkiError> {
        let text = text.into();
        if text.is_empty() {
            return Err(PkiError::PassphraseEmpty);
        }
        Ok(Self(text))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_not_printed() {
        let secret = Passphrase::new("hunter2".to_owned()).unwrap();
        assert_eq!(format!("{secret:?}"), "Passphrase(…)");
    }

    #[test]
    fn an_empty_passphrase_is_refused() {
        let error = Passphrase::new(String::new()).unwrap_err();
        assert_eq!(error.code().as_str(), "E-SECRET-MISSING");
    }
}
