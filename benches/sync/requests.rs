//! What the emulated cloud received, and how fast.

use provisioning_station::sim::cloud::SimulatedCloud;

pub(crate) const REGISTER: &str = "RegisterDeviceCertificate";

/// When each registration had arrived, in microseconds, in order.
pub(crate) fn registrations(cloud: &SimulatedCloud) -> Vec<u64> {
    let requests = cloud.requests();
    let times = requests.iter().filter(|request| request.action == REGISTER);
    let mut times: Vec<u64> = times.map(|request| request.at_us).collect();
    times.sort_unstable();
    times
}

/// Requests a second between the first and the last.
pub(crate) fn per_second(times: &[u64]) -> f64 {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return 0.0 };
    (times.len() - 1) as f64 / ((last - first) as f64 / 1e6)
}

/// The most requests in any window of one second.
pub(crate) fn most_in_a_second(times: &[u64]) -> usize {
    let within = |start: usize| {
        times[start..].iter().take_while(|time| **time - times[start] < 1_000_000).count()
    };
    (0..times.len()).map(within).max().unwrap_or(0)
}
