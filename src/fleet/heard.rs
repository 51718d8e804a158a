//! What a station keeps of its fleet beside its ledger: where it enrolled, and what it last
//! heard. Neither is evidence; a note that is lost is asked for again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cut;
use crate::domain::bounds;
use crate::domain::clock::Timestamp;
use crate::domain::ids::StationId;

use super::error::FleetError;
use super::push::Pushed;
use super::wire::{Claimed, HeadText};

const ENROLLED: &str = "fleet.json";
const HEARD: &str = "fleet.heard";

/// Where a station enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The fleet's address.
    pub url: String,
    /// The station.
    pub station: StationId,
    /// Its ledger.
    pub instance: String,
    /// The CA's certificate for the journal key, hexadecimal DER.
    pub certificate: String,
    /// CAs under which the fleet's own certificate is verified, hexadecimal DER.
    pub roots: Vec<String>,
}

/// What was last heard of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// When, microseconds since 1970.
    pub at: Timestamp,
    /// The last entry that the fleet confirmed.
    pub head: HeadText,
    /// Conflicts that nobody settled, in which this station has a part.
    pub conflicts: u64,
    /// What must not be registered.
    pub claimed: Vec<Claimed>,
}

impl Heard {
    /// What a push heard.
    pub fn of(pushed: &Pushed, at: Timestamp) -> Self {
        let standing = pushed.standing.clone();
        let (head, conflicts) = (standing.head, standing.conflicts);
        Self { at, head, conflicts, claimed: standing.claimed }
    }

    /// What is kept of it; none where nothing was heard yet.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, FleetError> {
        read(&data_dir.join(HEARD))
    }

    /// Keeps it.
    pub fn write(&self, data_dir: &Path) -> Result<(), FleetError> {
        write(&data_dir.join(HEARD), self)
    }

    /// Who holds a client id that is this station's too, and the conflict's id.
    pub fn claimed(&self, client_id: &str) -> Option<&Claimed> {
        self.claimed.iter().find(|claimed| claimed.client_id == client_id)
    }
}

impl Enrolled {
    /// Where the station enrolled; none where it did not.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, FleetError> {
        read(&data_dir.join(ENROLLED))
    }

    /// Keeps it.
    pub fn write(&self, data_dir: &Path) -> Result<(), FleetError> {
        write(&data_dir.join(ENROLLED), self)
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FleetError {
    let path = PathBuf::from(path);
    move |source| FleetError::File { path, source }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FleetError> {
    let file = match bounds::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    let bytes = bounds::read_whole(file, bounds::LIST).map_err(failed(path))?;
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(failed(path)(io::Error::new(io::ErrorKind::InvalidData, error))),
    }
}

/// By rename, and on the disk when this returns: nobody reads half of it, and a power cut leaves
/// the old one or the new one. A station that forgot where it enrolled would send nothing more,
/// one that forgot what another holds might register it.
fn write(path: &Path, value: &impl Serialize) -> Result<(), FleetError> {
    let text = serde_json::to_vec(value)
        .map_err(|error| failed(path)(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside);
    let written = file.and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    cut::point(cut::Kind::Fleet, "note-written");
    let named = written.and_then(|()| fs::rename(&beside, path));
    cut::point(cut::Kind::Fleet, "note-named");
    let kept = named.and_then(|()| {
        let dir = path.parent().unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()
    });
    kept.map_err(failed(path))?;
    cut::point(cut::Kind::Fleet, "note-kept");
    Ok(())
}
