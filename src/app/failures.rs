//! Each module's error as a failure for people, with its chain of causes.

use crate::config::ConfigError;
use crate::ledger::LedgerError;
use crate::link::LinkError;
use crate::pki::PkiError;
use crate::report::Failure;
use crate::secret::SecretError;
use crate::vault::VaultError;

macro_rules! failures {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::of(error.code(), &error)
            }
        })+
    };
}

failures!(LedgerError, LinkError, PkiError, VaultError);
