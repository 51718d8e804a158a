//! The PKCS#11 module that is loaded, and the one session in it.

use std::cell::Cell;
use std::sync::Mutex;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use crate::domain::say::Say;
use crate::say;

use super::error::{TokenError, Trouble, said};
use super::key::{TokenKey, find};

/// The module that is loaded. PKCS#11 knows one state for a whole process, so whoever uses
/// a token takes turns.
pub(super) static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

pub(super) struct Loaded {
    pub(super) key: TokenKey,
    // Before the context: a session is closed in the state that it belongs to.
    pub(super) open: Open,
    context: Pkcs11,
}

/// A session that is logged in.
pub(super) struct Open {
    pub(super) session: Session,
    /// The private key, which holds as long as the session.
    signing: Cell<Option<SigningKey>>,
}

/// A private key in a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct SigningKey {
    pub(super) handle: ObjectHandle,
    /// Whether it wants the PIN again before each signature.
    pub(super) asks_again: bool,
}

impl Open {
    pub(super) fn signing_key(&self, key: &TokenKey) -> Result<SigningKey, Trouble> {
        if let Some(known) = self.signing.get() {
            return Ok(known);
        }
        let handle = find(&self.session, key, ObjectClass::PRIVATE_KEY)?;
        let asks_again = asks_again(&self.session, handle);
        let found = SigningKey { handle, asks_again };
        self.signing.set(Some(found));
        Ok(found)
    }
}

/// A token that does not know the attribute asks for nothing.
fn asks_again(session: &Session, key: ObjectHandle) -> bool {
    let found = session.get_attributes(key, &[AttributeType::AlwaysAuthenticate]);
    found.is_ok_and(|found| found.contains(&Attribute::AlwaysAuthenticate(true)))
}

impl Loaded {
    /// Ends the session and the module's state, so that the module looks at its tokens
    /// again. Where a token is gone neither can be done, and need not be.
    pub(super) fn unload(loaded: Option<Loaded>) {
        if let Some(Loaded { open, context, .. }) = loaded {
            // A TPM without a resource manager has room for a handful of sessions that
            // nobody ended.
            let _ = open.session.logout();
            drop(open);
            let _ = context.finalize();
        }
    }

    pub(super) fn load(key: &TokenKey, pin: &AuthPin) -> Result<Loaded, TokenError> {
        let unusable =
            |error: Error| TokenError::Module { module: key.module.clone(), problem: said(&error) };
        tracing::info!(module = %key.module.display(), token = key.token, "the token's library is asked");
        let context = Pkcs11::new(&key.module).map_err(unusable)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) if is_the_modules_own(&error) => return Err(unusable(error)),
            // The library is right and what is behind it is not there: a TPM, a daemon, a
            // directory.
            Err(error) => {
                return Err(TokenError::Away { token: key.token.clone(), problem: said(&error) });
            }
        }
        match open_session(&context, key, pin) {
            Ok(session) => {
                tracing::info!(token = key.token, "the token is open");
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

fn open_session(context: &Pkcs11, key: &TokenKey, pin: &AuthPin) -> Result<Session, TokenError> {
    let (slot, info) = slot_of(context, key)?;
    let token = key.token.as_str();
    let failed = |error: Error| Trouble::from(error).of(token);
    // One that may write: `authority init` makes a key in it.
    let session = context.open_rw_session(slot).map_err(failed)?;
    if !info.login_required() {
        // It keeps its keys from nobody, and takes a log-in for an error.
        return Ok(session);
    }
    match session.login(UserType::User, Some(pin)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(Error::Pkcs11(RvError::PinLocked, _)) => {
            Err(TokenError::Locked { token: token.to_owned() })
        }
        Err(Error::Pkcs11(refused, _)) if refuses_pin(&refused) => {
            let Say { english, chinese } = tries_left(context, slot);
            let problem = say!("{refused:?}{english}", "{refused:?}{chinese}");
            Err(TokenError::Pin { token: token.to_owned(), problem })
        }
        Err(error) => Err(failed(error)),
    }
}

fn slot_of(context: &Pkcs11, key: &TokenKey) -> Result<(Slot, TokenInfo), TokenError> {
    let token = key.token.as_str();
    let failed = |error: Error| Trouble::from(error).of(token);
    let (mut found, mut others, mut unreadable) = (Vec::new(), Vec::new(), 0);
    for slot in context.get_slots_with_token().map_err(failed)? {
        // A token that is drawn while it is asked, or that says something that can't be read,
        // is as good as none: it may be a stranger behind the same module.
        let info = match context.get_token_info(slot) {
            Ok(info) if info.token_initialized() => info,
            Ok(_) => continue,
            Err(error) => {
                tracing::info!(slot = slot.id(), problem = %said(&error), "a token is passed over");
                unreadable += 1;
                continue;
            }
        };
        let is_serial = |serial: &String| serial == info.serial_number();
        match info.label() == token && key.serial.as_ref().is_none_or(is_serial) {
            true => found.push((slot, info)),
            false => others.push(name_of(&info)),
        }
    }
    if found.len() > 1 {
        let serials = found.iter().map(|(_, info)| name_of(info)).collect::<Vec<_>>().join(", ");
        return Err(TokenError::Several { token: token.to_owned(), serials });
    }
    if unreadable > 0 {
        // It may be the one that was asked for.
        others.push(format!("{unreadable} whose description can't be read (-v says why)"));
    }
    match (found.pop(), others.is_empty()) {
        (Some(found), _) => Ok(found),
        (None, true) => Err(absent(token, "the module knows no token at all")),
        (None, false) => Err(absent(token, &format!("there is {}", others.join(", ")))),
    }
}

/// A token for people: its label, and what tells it from others of that label.
fn name_of(info: &TokenInfo) -> String {
    format!("{:?} with serial number {:?}", info.label(), info.serial_number())
}

/// What the token says of the tries that are left, where it says something.
fn tries_left(context: &Pkcs11, slot: Slot) -> Say {
    match context.get_token_info(slot) {
        Ok(info) if info.user_pin_locked() => say!("; it is locked now", "；现已锁定"),
        Ok(info) if info.user_pin_final_try() => {
            say!("; one try is left before it locks", "；再错一次就锁定")
        }
        Ok(info) if info.user_pin_count_low() => {
            say!("; it locks after a few more tries", "；再错几次就锁定")
        }
        _ => Say::default(),
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
            | RvError::UserPinNotInitialized
    )
}

/// Whether the library itself is wrong, or asked in a way that it does not know.
const fn is_the_modules_own(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::ArgumentsBad
                | RvError::CantLock
                | RvError::NeedToCreateThreads
                | RvError::FunctionNotSupported,
            _
        ) | Error::LibraryLoading(_)
            | Error::NullFunctionPointer
    )
}
