//! Places at which a test may end this process, as a power cut would.
//!
//! The ledger's COMMIT, the sending of one frame and its receipt each say [`point`] before
//! and after; each statement of a migration says it, each step of writing a segment, and what
//! a station does with its fleet.
//! In a release that is nothing at all. With debug assertions `STATION_CUT=list` appends every
//! point that is passed to the file in `STATION_CUT_LIST`, one `kind/name#ordinal` a line, and
//! `STATION_CUT=kind/name#ordinal` kills the process there: no unwinding, no handlers, nothing
//! flushed. `tests/cuts` drives it.

/// On which side of which choke point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A record is about to be committed.
    Record,
    /// It was committed, and nobody was told yet.
    Recorded,
    /// A frame is about to be sent.
    Send,
    /// It was written to the port.
    Sent,
    /// A frame is waited for; the name is that of the request sent last.
    Receive,
    /// A frame came, and nobody looked at it yet.
    Received,
    /// A statement of a migration was carried out, and the migration is not committed.
    Migrating,
    /// A migration was committed.
    Migrated,
    /// A segment of the journal was written, or has its name.
    Segment,
    /// A request to the fleet is about to be sent, was answered, or is kept in a note.
    Fleet,
}

impl Kind {
    /// The word before the slash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Record => "record",
            Kind::Recorded => "recorded",
            Kind::Send => "send",
            Kind::Sent => "sent",
            Kind::Receive => "receive",
            Kind::Received => "received",
            Kind::Migrating => "migrating",
            Kind::Migrated => "migrated",
            Kind::Segment => "segment",
            Kind::Fleet => "fleet",
        }
    }
}

/// Ends the process here if it was told to.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_kind: Kind, _name: &str) {}

#[cfg(debug_assertions)]
pub use armed::point;

#[cfg(debug_assertions)]
mod armed {
    //! What a point does in a build for tests.

    use std::collections::BTreeMap;
    use std::fs::{self, File};
    use std::io::Write;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use rustix::process::{Pid, Signal, getpid, kill_process};

    use super::Kind;

    /// What this process was told to do at its points.
    struct Cuts {
        wanted: Option<String>,
        list: Option<File>,
        seen: BTreeMap<String, u32>,
    }

    impl Cuts {
        fn from_environment() -> Self {
            let wanted = std::env::var("STATION_CUT").ok();
            let path = std::env::var_os("STATION_CUT_LIST");
            let open = |path| fs::OpenOptions::new().append(true).create(true).open(path).ok();
            Self { wanted, list: path.and_then(open), seen: BTreeMap::new() }
        }

        fn pass(&mut self, kind: Kind, name: &str) {
            let name = format!("{}/{}", kind.as_str(), name.to_ascii_lowercase());
            let ordinal = self.seen.entry(name.clone()).or_default();
            *ordinal += 1;
            let point = format!("{name}#{ordinal}");
            let here = self.wanted.as_deref() == Some(point.as_str());
            if let Some(list) = &mut self.list {
                // One write a line, so that processes that share the list don't mix theirs.
                let _ = list.write_all(format!("{point}\n").as_bytes());
            }
            if here {
                end_at_once(getpid());
            }
        }
    }

    /// Passes a point: lists it, and ends the process if it is the one that was named.
    pub fn point(kind: Kind, name: &str) {
        static CUTS: OnceLock<Option<Mutex<Cuts>>> = OnceLock::new();
        let cuts = CUTS.get_or_init(|| {
            std::env::var_os("STATION_CUT")?;
            Some(Mutex::new(Cuts::from_environment()))
        });
        if let Some(cuts) = cuts {
            cuts.lock().unwrap_or_else(PoisonError::into_inner).pass(kind, name);
        }
    }

    fn end_at_once(this: Pid) {
        let _ = kill_process(this, Signal::KILL);
        // The signal is on its way; nothing more may happen until it is there.
        loop {
            std::thread::park();
        }
    }
}
