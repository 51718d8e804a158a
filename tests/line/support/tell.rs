//! Waiting for what a simulated device sees: a recorder that wakes whoever waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use firmware_interface::codec;
use firmware_interface::ids::RequestType;
use provisioning_station::sim::{Direction, LineFrame, Recorder};

/// How often a device was sent each type of request.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<(Mutex<BTreeMap<u8, usize>>, Condvar)>);

/// Counts what the devices of a slot are sent.
pub(crate) struct Tell(pub(crate) Count);

impl Recorder for Tell {
    fn frame(&mut self, frame: &LineFrame<'_>) {
        if frame.direction != Direction::ToDevice {
            return;
        }
        let mut between: Vec<u8> = trimmed(frame.bytes).to_vec();
        if let Ok(frame) = codec::decode(&mut between) {
            let (counts, bell) = &*self.0.0;
            *counts.lock().unwrap().entry(frame.header.message_type).or_default() += 1;
            bell.notify_all();
        }
    }
}

/// A frame without its delimiters.
pub(crate) fn trimmed(frame: &[u8]) -> &[u8] {
    let start = frame.iter().position(|byte| *byte != 0).unwrap_or(frame.len());
    let end = frame.iter().rposition(|byte| *byte != 0).map_or(start, |last| last + 1);
    &frame[start..end]
}

impl Count {
    /// How often such a request has come.
    pub(crate) fn of(&self, request: RequestType) -> usize {
        self.0.0.lock().unwrap().get(&request.to_wire()).copied().unwrap_or(0)
    }

    /// Waits until such a request has come so often.
    #[track_caller]
    pub(crate) fn wait_for(&self, request: RequestType, times: usize, within: Duration) {
        let deadline = Instant::now() + within;
        let (counts, bell) = &*self.0;
        let mut counts = counts.lock().unwrap();
        while counts.get(&request.to_wire()).copied().unwrap_or(0) < times {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {request} came within {within:?}");
            counts = bell.wait_timeout(counts, left).unwrap().0;
        }
    }
}
