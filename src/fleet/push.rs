//! Sending what the fleet has not confirmed: it is asked how far it has come, and gets what
//! follows there, segment by segment. So whatever was lost on the way comes again, and what had
//! come already changes nothing.

use crate::domain::evidence::HeadVerifier;
use crate::ledger::{Head, Reader};

use super::client::Client;
use super::error::FleetError;
use super::wire::Standing;
use crate::say;

/// Segments that are sent in one go, before others get their turn.
const AT_MOST: u64 = 1_000;

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Segments that the fleet took.
    pub segments: u64,
    /// Entries in them.
    pub entries: u64,
    /// How the ledger stands at the fleet now.
    pub standing: Standing,
    /// The last entry that the fleet has.
    pub head: Head,
    /// Entries that the fleet has lost since it confirmed them; they were sent again.
    pub lost: u64,
}

/// Sends what is new until nothing is, or `go_on` says no. `confirmed` is the last entry that
/// the fleet is known to have confirmed.
pub async fn push(
    client: &Client,
    reader: &Reader,
    verifier: &dyn HeadVerifier,
    confirmed: Option<u64>,
    go_on: &dyn Fn() -> bool,
) -> Result<Pushed, FleetError> {
    let mut standing = client.standing().await?;
    let mut head = head_of(&standing)?;
    let lost = confirmed.unwrap_or(0).saturating_sub(head.seq);
    if lost > 0 {
        tracing::warn!(
            "the fleet had confirmed {} entries and has {}: its database went back; they are \
             sent again",
            confirmed.unwrap_or(0),
            head.seq
        );
    }
    if !reader.has_entry(head)? {
        return Err(show_fork(client, reader, verifier, head).await?);
    }
    let (mut segments, mut entries) = (0, 0);
    while segments < AT_MOST && go_on() {
        let Some(parcel) = reader.parcel_behind(head, verifier)? else { break };
        standing = client.send(parcel.bytes).await?;
        let now = head_of(&standing)?;
        if now.seq <= head.seq {
            let what = say!("entry {} is not confirmed", "第 {} 条没有得到确认", parcel.first);
            return Err(FleetError::Answer(what));
        }
        entries += now.seq - head.seq;
        segments += 1;
        head = now;
        if !reader.has_entry(head)? {
            return Err(show_fork(client, reader, verifier, head).await?);
        }
    }
    Ok(Pushed { segments, entries, standing, head, lost })
}

fn head_of(standing: &Standing) -> Result<Head, FleetError> {
    standing.head.head().ok_or_else(|| FleetError::Answer(say!("its head is none", "它的头无效")))
}

/// The fleet has an entry that is not this ledger's: it gets what this ledger has from where
/// both were one, so that the fleet can show what contradicts what.
async fn show_fork(
    client: &Client,
    reader: &Reader,
    verifier: &dyn HeadVerifier,
    head: Head,
) -> Result<FleetError, FleetError> {
    let mut common = Head::NONE;
    for end in client.ends().await? {
        if reader.has_entry(end)? {
            common = end;
            break;
        }
    }
    let what = say!(
        "the fleet has an entry {} of this ledger that is not in it: another machine went on \
         from the same ledger, or this one was brought back from a backup",
        "总库有这个账本的第 {} 条，而账本里没有：另一台机器从同一账本继续了，或本账本是从备份恢复的",
        head.seq
    );
    let Some(parcel) = reader.parcel_behind(common, verifier)? else {
        return Ok(FleetError::Fork(what));
    };
    match client.send(parcel.bytes).await {
        Err(FleetError::Fork(told)) => Ok(FleetError::Fork(told)),
        Err(FleetError::Elsewhere(_)) | Ok(_) => Ok(FleetError::Fork(what)),
        Err(error) => Err(error),
    }
}
