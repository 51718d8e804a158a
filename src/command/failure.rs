//! How each module's error becomes a [`Failure`]: the only place that knows all of them.

use crate::config::ConfigError;
use crate::domain::cause::Told;
use crate::fleet::FleetError;
use crate::ledger::LedgerError;
use crate::link::LinkError;
use crate::pki::PkiError;
use crate::say;
use crate::secret::SecretError;
use crate::shell::Failure;
use crate::vault::VaultError;

macro_rules! failures {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::told(error.code(), &error)
            }
        })+
    };
}

failures!(FleetError, PkiError, VaultError);

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Failure {
        let failure = Failure::told(error.code(), &error);
        match error {
            // Its cause is an error of ours, which says itself in each language.
            LinkError::ScannerOpen(cause) => {
                let said = std::iter::once(cause.sentence());
                let causes = said.chain(Failure::from(*cause).causes).collect();
                Failure { causes, ..failure }
            }
            _ => failure,
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Failure {
        let failure = Failure::told(error.code(), &error);
        match error {
            LedgerError::Missing(_) => failure.with_help(
                say!("check `[station] data_dir`; the first `station batch` or `station work-order \
                 create` makes a ledger there", "检查 `[station] data_dir`；第一次运行 `station batch` 或 `station work-order create` 时会在那里建立账本"),
            ),
            _ => failure,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Failure::told(error.code(), &error);
        Failure { help: error.help().map(Box::new), ..failure }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let failure = Failure::told(error.code(), &error);
        Failure { help: error.help().map(Box::new), ..failure }
    }
}
