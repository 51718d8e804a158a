//! The requests that came in, with their times: what tests and benchmarks count.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// One request as it was received. It has nothing of its body, and no credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedRequest {
    /// Counted from 1 since the start.
    pub number: u32,
    /// When it had arrived whole: microseconds since 1970 by a clock that never goes back.
    pub at_us: u64,
    /// The action that it asked for.
    pub action: String,
    /// The code with which it was refused; none where it was done.
    pub code: Option<&'static str>,
    /// The faults that it met.
    pub faults: Vec<&'static str>,
}

/// Where received requests go.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    seen: Arc<Mutex<Vec<ReceivedRequest>>>,
    file: Option<Arc<File>>,
}

impl Log {
    /// A log in memory, and in this file where there is one.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        Ok(Self { file: path.map(open).transpose()?.map(Arc::new), ..Self::default() })
    }

    pub(super) fn add(&self, request: ReceivedRequest) -> io::Result<()> {
        if let Some(mut file) = self.file.as_deref() {
            let mut line = serde_json::to_vec(&request)?;
            line.push(b'\n');
            file.write_all(&line)?;
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        Ok(())
    }

    pub(super) fn all(&self) -> Vec<ReceivedRequest> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
