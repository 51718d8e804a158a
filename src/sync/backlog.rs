//! Whether a proof has waited too long to be registered.

use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::Serial;
use crate::domain::registration::Registering;
use crate::say;

/// What is wrong where the oldest unregistered proof is older than `longest`. Where devices
/// register themselves, nobody knows when they will.
pub fn backlog(
    oldest: Option<(Serial, Timestamp)>,
    now: Timestamp,
    longest: Duration,
    registering: Registering,
) -> Option<Fault> {
    let (serial, proven) = oldest.filter(|_| registering == Registering::Manual)?;
    let micros = u64::try_from(now.0.saturating_sub(proven.0)).unwrap_or(0);
    let waited = Duration::from_micros(micros);
    (waited > longest).then(|| {
        let detail = say!(
            "{serial} was proven at {proven} and is not registered after {} hours; {} are allowed",
            "{serial} 于 {proven} 验证，{} 小时后仍未注册；允许 {} 小时",
            waited.as_secs() / 3600,
            longest.as_secs() / 3600
        );
        Fault::said(Code::CloudBacklog, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_may_wait_for_so_long_and_no_longer() {
        let oldest = Some(("TH-1".parse().unwrap(), Timestamp(0)));
        let hours = |hours: i64| Timestamp(hours * 3_600_000_000);
        let max = Duration::from_secs(72 * 3600);
        let manual = Registering::Manual;
        assert_eq!(backlog(None, hours(99), max, manual), None);
        assert_eq!(backlog(oldest.clone(), hours(72), max, manual), None);
        let fault = backlog(oldest.clone(), hours(73), max, manual).unwrap();
        assert_eq!(fault.code, Code::CloudBacklog);
        assert!(fault.detail.contains("after 73 hours; 72 are allowed"), "{fault}");
        assert_eq!(backlog(oldest, hours(999), max, Registering::Automatic), None);
    }
}
