//! How each module's error becomes a [`Failure`]: the only place that knows all of them.

use crate::config::ConfigError;
use crate::report::Failure;
use crate::secret::SecretError;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Failure::of(error.code(), &error);
        Failure { help: error.help(), ..failure }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let failure = Failure::of(error.code(), &error);
        Failure { help: error.help(), ..failure }
    }
}
