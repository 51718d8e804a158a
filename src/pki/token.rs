//! The CA's key in a token (an HSM, or a file of SoftHSM2) behind PKCS#11.
//!
//! The key never leaves the token: the station hashes and the token signs the digest with
//! plain `CKM_ECDSA`, which every token has; only a key that wants its PIN before each signature
//! has the token hash too. A module is loaded once for the process, and
//! one session is kept in it; PKCS#11 logs in a whole application, not a session. A token
//! that was away is looked for again at the next signature, by its label, since slot
//! numbers change.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use sha2::{Digest, Sha256};

use super::error::PkiError;
use super::passphrase::Passphrase;
use crate::domain::ids::PublicKey;
use crate::domain::say::Say;
use crate::say;

pub(super) mod error;
mod key;
mod module;

pub use error::TokenError;
pub use key::TokenKey;

use error::Trouble;
use key::{find, make, point_in, taken};
use module::{LOADED, Loaded, Open};

/// How long a token may take for an answer until that is told: a card takes a second, and what is
/// behind a network two.
pub const TOKEN_PATIENCE: Duration = Duration::from_secs(5);

/// Length of `r ‖ s` over P-256.
const SIGNATURE_LENGTH: usize = 64;

/// Whether something may be done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Yes,
    No,
}

/// A key in a token, and what opens it.
pub(super) struct TokenSigner {
    key: TokenKey,
    pin: AuthPin,
    /// Why it failed last. A token that refused the PIN is not asked again: it would lock.
    last: Mutex<Option<TokenError>>,
    /// Since when its library has been asked something and has not come back.
    asked: Mutex<Option<Instant>>,
}

/// A call that its library has not come back from.
struct Asked<'a>(&'a Mutex<Option<Instant>>);

impl<'a> Asked<'a> {
    fn now(since: &'a Mutex<Option<Instant>>) -> Self {
        *lock(since) = Some(Instant::now());
        Self(since)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        *lock(self.0) = None;
    }
}

impl TokenSigner {
    /// Logs in and finds the key.
    pub(super) fn open(key: &TokenKey, pin: &Passphrase) -> Result<Self, PkiError> {
        let signer = Self::closed(key, pin)?;
        signer.with_session(|open| open.signing_key(key).map(|_| ()))?;
        Ok(signer)
    }

    /// Logs in and makes the key, whose name must be free.
    pub(super) fn generate(key: &TokenKey, pin: &Passphrase) -> Result<Self, PkiError> {
        let signer = Self::closed(key, pin)?;
        if let Some(taken) = signer.with_session(|open| taken(&open.session, key))? {
            let place = format!("{taken} in the token {:?}", key.token);
            return Err(PkiError::Exists { path: place.into() });
        }
        signer.session(Repeat::No, |open| make(&open.session, key))?;
        Ok(signer)
    }

    /// Whether the token has a key of this name.
    pub(super) fn has(key: &TokenKey, pin: &Passphrase) -> Result<bool, PkiError> {
        let wanted = key.attributes(ObjectClass::PRIVATE_KEY);
        let signer = Self::closed(key, pin)?;
        let found = signer.with_session(|open| Ok(open.session.find_objects(&wanted)?))?;
        Ok(!found.is_empty())
    }

    fn closed(key: &TokenKey, pin: &Passphrase) -> Result<Self, TokenError> {
        let text = std::str::from_utf8(pin.as_bytes()).map_err(|_| TokenError::Pin {
            token: key.token.clone(),
            problem: say!("it is not UTF-8 text", "它不是 UTF-8 文本"),
        })?;
        Ok(Self {
            key: key.clone(),
            pin: AuthPin::from(text.to_owned()),
            last: Mutex::new(None),
            asked: Mutex::new(None),
        })
    }

    /// The keys of this name, both halves.
    fn key_objects(&self) -> Result<Vec<ObjectHandle>, TokenError> {
        self.with_session(|Open { session, .. }| {
            let mut found = session.find_objects(&self.key.attributes(ObjectClass::PRIVATE_KEY))?;
            found.extend(session.find_objects(&self.key.attributes(ObjectClass::PUBLIC_KEY))?);
            Ok(found)
        })
    }

    /// Removes the key again: of a CA that did not come about. Its name was free before, so
    /// what has it now is what was made.
    pub(super) fn destroy(&self) -> Result<(), TokenError> {
        let made = self.key_objects()?;
        self.session(Repeat::No, |Open { session, .. }| {
            for object in &made {
                session.destroy_object(*object)?;
            }
            Ok(())
        })
    }

    /// The public point, from the public key beside the private one.
    pub(super) fn public_key(&self) -> Result<PublicKey, TokenError> {
        self.with_session(|Open { session, .. }| {
            let public = find(session, &self.key, ObjectClass::PUBLIC_KEY)?;
            let found = session.get_attributes(public, &[AttributeType::EcPoint])?;
            let point = found.into_iter().find_map(|attribute| match attribute {
                Attribute::EcPoint(point) => point_in(&point),
                _ => None,
            });
            point.ok_or_else(|| {
                Trouble::Key(say!("has a public key that is not P-256", "的公钥不是 P-256"))
            })
        })
    }

    /// ECDSA over the SHA-256 of `message`, `r ‖ s`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LENGTH], TokenError> {
        let signed = self.with_session(|open| {
            let key = open.signing_key(&self.key)?;
            let signature = match key.asks_again {
                true => self.sign_asked_again(&open.session, key.handle, message)?,
                false => {
                    let digest = Sha256::digest(message);
                    open.session.sign(&Mechanism::Ecdsa, key.handle, &digest)?
                }
            };
            <[u8; SIGNATURE_LENGTH]>::try_from(signature)
                .map_err(|_| self.unfit(say!("not of P-256", "不是 P-256")))
        });
        if let Err(error) = &signed {
            *lock(&self.last) = Some(error.clone());
        }
        signed
    }

    /// The same with a key that wants the PIN before each signature. That log-in belongs between
    /// the beginning of a signature and its message, which a signature in several parts leaves
    /// room for; so the token hashes here.
    fn sign_asked_again(
        &self,
        session: &Session,
        key: ObjectHandle,
        message: &[u8],
    ) -> Result<Vec<u8>, Trouble> {
        session.sign_init(&Mechanism::EcdsaSha256, key).map_err(|error| match error {
            Error::Pkcs11(RvError::MechanismInvalid, _) => self.unfit(say!(
                "that wants its PIN before each signature, for which the token needs \
                 CKM_ECDSA_SHA256: use one without CKA_ALWAYS_AUTHENTICATE",
                "每次签名前都要 PIN，这要求令牌有 CKM_ECDSA_SHA256：\
                 请改用没有 CKA_ALWAYS_AUTHENTICATE 的密钥"
            )),
            error => error.into(),
        })?;
        session.login(UserType::ContextSpecific, Some(&self.pin))?;
        session.sign_update(message)?;
        Ok(session.sign_final()?)
    }

    /// The key is there, and can't be what signs.
    fn unfit(&self, why: Say) -> Trouble {
        let Say { english: name, chinese: named } = self.key.name();
        let Say { english, chinese } = why;
        Trouble::Key(say!("has a key {name} {english}", "的密钥 {named}：{chinese}"))
    }

    /// Whether the token was away when it was last asked, and is still: asks it again.
    pub(super) fn is_away(&self) -> bool {
        let was_away = matches!(
            self.last_failure(),
            Some(TokenError::Absent { .. } | TokenError::Away { .. })
        );
        if !was_away {
            return false;
        }
        // Its handle from before may outlive it; looking for it anew does not.
        let private = ObjectClass::PRIVATE_KEY;
        let found = self.with_session(|open| find(&open.session, &self.key, private).map(drop));
        if found.is_ok() {
            *lock(&self.last) = None;
        }
        found.is_err()
    }

    /// How long its library has not come back from what it was asked. A call into it can't be
    /// broken off.
    pub(super) fn silent_for(&self) -> Option<Duration> {
        lock(&self.asked).map(|since| since.elapsed())
    }

    /// Why it failed last.
    pub(super) fn last_failure(&self) -> Option<TokenError> {
        lock(&self.last).clone()
    }

    /// Does something in the session, and again in a new one where the first had died.
    fn with_session<T>(&self, act: impl Fn(&Open) -> Result<T, Trouble>) -> Result<T, TokenError> {
        self.session(Repeat::Yes, act)
    }

    /// Does something in the session. Where a session that stood before fails, the module is
    /// started anew, for the token may have been restarted; what may be repeated is tried
    /// once more then.
    fn session<T>(
        &self,
        repeat: Repeat,
        act: impl Fn(&Open) -> Result<T, Trouble>,
    ) -> Result<T, TokenError> {
        if let Some(refused @ TokenError::Pin { .. }) = self.last_failure() {
            return Err(refused);
        }
        let mut loaded = lock(&LOADED);
        let _asked = Asked::now(&self.asked);
        if let Some(loaded) = loaded.as_ref().filter(|loaded| loaded.key == self.key) {
            match act(&loaded.open) {
                Ok(done) => return Ok(done),
                Err(trouble) if repeat == Repeat::No => return Err(trouble.of(&self.key.token)),
                Err(trouble) => {
                    tracing::warn!(problem = %trouble, "the token's session failed; it is opened anew");
                }
            }
        }
        Loaded::unload(loaded.take());
        let opened = Loaded::load(&self.key, &self.pin).inspect_err(|error| {
            *lock(&self.last) = Some(error.clone());
        })?;
        act(&loaded.insert(opened).open).map_err(|trouble| trouble.of(&self.key.token))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the session and the module's state, if one is loaded: last thing in a process that
/// used a token. Nobody signs after it.
pub fn leave_token() {
    Loaded::unload(lock(&LOADED).take());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn a_library_that_is_none_is_told() {
        let key = TokenKey {
            module: "/nowhere/module.so".into(),
            token: "line".to_owned(),
            serial: None,
            label: Some("ca".to_owned()),
            id: None,
        };
        let pin = Passphrase::new("1234".to_owned()).unwrap();
        let Err(error) = TokenSigner::open(&key, &pin) else { panic!("there is no such module") };
        assert_eq!(error.code(), Code::HsmModule);
        assert!(error.to_string().contains("/nowhere/module.so"), "{error}");
    }
}
