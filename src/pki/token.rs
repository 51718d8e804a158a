//! The CA's key in a token (an HSM, or a file of SoftHSM2) behind PKCS#11.
//!
//! The key never leaves the token: the station hashes and the token signs the digest with
//! plain `CKM_ECDSA`, which every token has. A module is loaded once for the process, and
//! one session is kept in it; PKCS#11 logs in a whole application, not a session. A token
//! that was away is looked for again at the next signature, by its label, since slot
//! numbers change.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use sha2::{Digest, Sha256};

use super::{Passphrase, PkiError};
use crate::domain::code::Code;
use crate::domain::ids::{PublicKey, to_hex};

/// `secp256r1`, as DER of its object identifier (RFC 5480, section 2.1.1.1).
const P256_OID: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Length of `r ‖ s` over P-256.
const SIGNATURE_LENGTH: usize = 64;

/// Which key of which token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// The PKCS#11 module, a shared library.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key (`CKA_LABEL`).
    pub label: Option<String>,
    /// The id of the key (`CKA_ID`).
    pub id: Option<Vec<u8>>,
}

impl TokenKey {
    /// Its name for people.
    fn name(&self) -> String {
        match (&self.label, &self.id) {
            (Some(label), None) => format!("{label:?}"),
            (Some(label), Some(id)) => format!("{label:?} with id {}", to_hex(id)),
            (None, Some(id)) => format!("with id {}", to_hex(id)),
            (None, None) => "without a name".to_owned(),
        }
    }

    fn attributes(&self, class: ObjectClass) -> Vec<Attribute> {
        let mut all = vec![Attribute::Class(class), Attribute::KeyType(KeyType::EC)];
        all.extend(self.names());
        all
    }

    fn names(&self) -> Vec<Attribute> {
        let label = self.label.as_ref().map(|label| Attribute::Label(label.clone().into_bytes()));
        let id = self.id.clone().map(Attribute::Id);
        label.into_iter().chain(id).collect()
    }
}

/// Why a token gives no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The module is no PKCS#11 library, or does not start.
    #[error("the PKCS#11 module {} can't be used: {problem}", module.display())]
    Module {
        /// The library.
        module: PathBuf,
        /// What the loader or the module said.
        problem: String,
    },
    /// No token has this label now.
    #[error("no token is labelled {token:?}; {others}")]
    Absent {
        /// The label that was looked for.
        token: String,
        /// Which tokens there are, in words.
        others: String,
    },
    /// The token does not take the PIN.
    #[error("the token {token:?} does not take the PIN: {problem}")]
    Pin {
        /// The token's label.
        token: String,
        /// What it said, and how many tries there may be.
        problem: String,
    },
    /// The token has no such key, or none that can be told from others.
    #[error("the token {token:?} {problem}")]
    Key {
        /// The token's label.
        token: String,
        /// What is wrong.
        problem: String,
    },
    /// The token failed at something that it should be able to do.
    #[error("the token {token:?} failed: {problem}")]
    Failed {
        /// The token's label.
        token: String,
        /// What the module said.
        problem: String,
    },
}

impl TokenError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            TokenError::Module { .. } => Code::HsmModule,
            TokenError::Absent { .. } => Code::HsmToken,
            TokenError::Pin { .. } => Code::HsmPin,
            TokenError::Key { .. } => Code::HsmKey,
            TokenError::Failed { .. } => Code::HsmFailed,
        }
    }
}

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
        if !signer.key_objects()?.is_empty() {
            let place = format!("the key {} of the token {:?}", key.name(), key.token);
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
            problem: "it is not UTF-8 text".to_owned(),
        })?;
        Ok(Self { key: key.clone(), pin: AuthPin::from(text.to_owned()), last: Mutex::new(None) })
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
            point.ok_or_else(|| Trouble::Key("has a public key that is not P-256".to_owned()))
        })
    }

    /// ECDSA over the SHA-256 of `message`, `r ‖ s`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LENGTH], TokenError> {
        let digest = Sha256::digest(message);
        let signed = self.with_session(|open| {
            let key = open.signing_key(&self.key)?;
            let signature = open.session.sign(&Mechanism::Ecdsa, key, &digest)?;
            <[u8; SIGNATURE_LENGTH]>::try_from(signature)
                .map_err(|_| Trouble::Key(format!("has a key {} not of P-256", self.key.name())))
        });
        if let Err(error) = &signed {
            *lock(&self.last) = Some(error.clone());
        }
        signed
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

/// The module that is loaded. PKCS#11 knows one state for a whole process, so whoever uses
/// a token takes turns.
static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

struct Loaded {
    key: TokenKey,
    // Before the context: a session is closed in the state that it belongs to.
    open: Open,
    context: Pkcs11,
}

/// A session that is logged in.
struct Open {
    session: Session,
    /// The private key's handle, which holds as long as the session.
    signing: Cell<Option<ObjectHandle>>,
}

impl Open {
    fn signing_key(&self, key: &TokenKey) -> Result<ObjectHandle, Trouble> {
        if let Some(known) = self.signing.get() {
            return Ok(known);
        }
        let found = find(&self.session, key, ObjectClass::PRIVATE_KEY)?;
        self.signing.set(Some(found));
        Ok(found)
    }
}

impl Loaded {
    /// Ends the session and the module's state, so that the module looks at its tokens
    /// again. Where a token is gone neither can be done, and need not be.
    fn unload(loaded: Option<Loaded>) {
        if let Some(Loaded { open, context, .. }) = loaded {
            drop(open);
            let _ = context.finalize();
        }
    }

    fn load(key: &TokenKey, pin: &AuthPin) -> Result<Loaded, TokenError> {
        let unusable =
            |error: Error| TokenError::Module { module: key.module.clone(), problem: said(&error) };
        let context = Pkcs11::new(&key.module).map_err(unusable)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(unusable(error)),
        }
        match open_session(&context, &key.token, pin) {
            Ok(session) => {
                let open = Open { session, signing: Cell::new(None) };
                Ok(Loaded { key: key.clone(), open, context })
            }
            Err(error) => {
                let _ = context.finalize();
                Err(error)
            }
        }
    }
}

fn open_session(context: &Pkcs11, token: &str, pin: &AuthPin) -> Result<Session, TokenError> {
    let slot = slot_of(context, token)?;
    let failed = |error: Error| Trouble::from(error).of(token);
    // One that may write: `authority init` makes a key in it.
    let session = context.open_rw_session(slot).map_err(failed)?;
    match session.login(UserType::User, Some(pin)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(Error::Pkcs11(refused, _)) if refuses_pin(&refused) => {
            let problem = format!("{refused:?}{}", tries_left(context, slot));
            Err(TokenError::Pin { token: token.to_owned(), problem })
        }
        Err(error) => Err(failed(error)),
    }
}

fn slot_of(context: &Pkcs11, token: &str) -> Result<Slot, TokenError> {
    let failed = |error: Error| Trouble::from(error).of(token);
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for slot in context.get_slots_with_initialized_token().map_err(failed)? {
        // A token that is drawn while it is asked is as good as none.
        let Ok(info) = context.get_token_info(slot) else { continue };
        match info.label() == token {
            true => found.push(slot),
            false => others.push(format!("{:?}", info.label())),
        }
    }
    match found.as_slice() {
        [slot] => Ok(*slot),
        [] if others.is_empty() => Err(absent(token, "the module knows no token at all")),
        [] => Err(absent(token, &format!("there is {}", others.join(", ")))),
        several => Err(absent(token, &format!("there are {} of that label", several.len()))),
    }
}

/// What the token says of the tries that are left, where it says something.
fn tries_left(context: &Pkcs11, slot: Slot) -> &'static str {
    match context.get_token_info(slot) {
        Ok(info) if info.user_pin_locked() => "; it is locked now",
        Ok(info) if info.user_pin_final_try() => "; one try is left before it locks",
        Ok(info) if info.user_pin_count_low() => "; it locks after a few more tries",
        _ => "",
    }
}

fn absent(token: &str, others: &str) -> TokenError {
    TokenError::Absent { token: token.to_owned(), others: others.to_owned() }
}

const fn refuses_pin(error: &RvError) -> bool {
    matches!(
        error,
        RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked
            | RvError::UserPinNotInitialized
    )
}

/// What went wrong inside a session, before the token's name is put to it.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Key(String),
    #[error("{0}")]
    Gone(String),
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let said = said(&error);
        match error {
            Error::Pkcs11(
                RvError::DeviceRemoved
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid,
                _,
            ) => Trouble::Gone(said),
            _ => Trouble::Failed(said),
        }
    }
}

impl Trouble {
    fn of(self, token: &str) -> TokenError {
        let token = token.to_owned();
        match self {
            Trouble::Key(problem) => TokenError::Key { token, problem },
            Trouble::Gone(said) => TokenError::Absent { token, others: format!("it left: {said}") },
            Trouble::Failed(problem) => TokenError::Failed { token, problem },
        }
    }
}

/// An error in the words of the standard: its own text explains each value at length.
fn said(error: &Error) -> String {
    match error {
        Error::Pkcs11(value, function) => format!("C_{function:?} gave {value:?}"),
        other => other.to_string(),
    }
}

fn find(session: &Session, key: &TokenKey, class: ObjectClass) -> Result<ObjectHandle, Trouble> {
    let found = session.find_objects(&key.attributes(class))?;
    let kind = match class {
        ObjectClass::PUBLIC_KEY => "public EC key",
        _ => "private EC key",
    };
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Trouble::Key(format!("has no {kind} {}", key.name()))),
        several => {
            let problem =
                format!("has {} {kind}s {}: name one by its id", several.len(), key.name());
            Err(Trouble::Key(problem))
        }
    }
}

/// Makes a key that can do nothing but sign, and that nobody can take out.
fn make(session: &Session, key: &TokenKey) -> Result<(), Trouble> {
    let mut public = vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::EcParams(P256_OID.to_vec()),
    ];
    let mut private = vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        // Some modules allow these where nothing is said.
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ];
    public.extend(key.names());
    private.extend(key.names());
    session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)?;
    Ok(())
}

/// The point of a `CKA_EC_POINT`: a DER OCTET STRING by the standard, bare in some modules.
fn point_in(attribute: &[u8]) -> Option<PublicKey> {
    let bare = match attribute {
        [0x04, 0x41, point @ ..] if point.len() == 65 => point,
        bare => bare,
    };
    PublicKey::from_bytes(bare).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_wrapped_and_bare() {
        let mut bare = vec![0x04; 65];
        bare[1..].fill(7);
        let wrapped: Vec<u8> = [0x04, 0x41].into_iter().chain(bare.iter().copied()).collect();
        assert!(point_in(&bare).is_some());
        assert_eq!(point_in(&wrapped), point_in(&bare));
        assert!(point_in(&bare[..64]).is_none());
    }

    #[test]
    fn a_library_that_is_none_is_told() {
        let key = TokenKey {
            module: "/nowhere/module.so".into(),
            token: "line".to_owned(),
            label: Some("ca".to_owned()),
            id: None,
        };
        let pin = Passphrase::new("1234".to_owned()).unwrap();
        let Err(error) = TokenSigner::open(&key, &pin) else { panic!("there is no such module") };
        assert_eq!(error.code(), Code::HsmModule);
        assert!(error.to_string().contains("/nowhere/module.so"), "{error}");
    }
}
