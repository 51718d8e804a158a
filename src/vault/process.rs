//! What the process as a whole does to keep keys out of core dumps.

use rustix::param::page_size;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use super::error::VaultError;

/// Keeps this process from leaving a core dump and from being read by a debugger.
///
/// To be called first thing by every command that handles a private key. Afterwards the
/// entries below `/proc/self` belong to root; what the station reads there (`status`) is
/// readable by all.
pub fn harden_process() -> Result<(), VaultError> {
    // Before Linux 6.4 the first question for the size of a page reads `/proc/self/auxv`, which an
    // ordinary user may not any more afterwards; then *rustix* panics. The answer is kept.
    let _ = page_size();
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| failed("PR_SET_DUMPABLE", error))?;
    // The flag above already suffices; the limit also holds for what is started from here.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|error| failed("RLIMIT_CORE", error))
}

fn failed(step: &'static str, error: rustix::io::Errno) -> VaultError {
    VaultError::CoreDump { step, source: error.into() }
}
