//! The chain and its signatures, checked by the recipe of `docs/ledger.md`.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::hex;

/// One entry, read from its bytes.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) kind: u16,
    pub(crate) payload: Value,
    pub(super) hash: [u8; 32],
}

/// Every entry, its hash computed anew.
pub(crate) fn read(
    connection: &Connection,
    findings: &mut Vec<String>,
) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare("SELECT seq, entry, hash FROM journal ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut entries, mut previous) = (Vec::new(), [0; 32]);
    while let Some(row) = rows.next()? {
        let (seq, bytes, stored): (i64, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let seq = seq.unsigned_abs();
        let hash = link(&previous, &bytes);
        if stored != hash {
            findings.push(format!("entry {seq} does not give its hash"));
        }
        if seq != entries.len() as u64 + 1 {
            findings.push(format!("entry {seq} stands where {} should", entries.len() + 1));
        }
        match parse(&bytes, hash) {
            Some(entry) if entry.seq == seq => entries.push(entry),
            _ => findings.push(format!("entry {seq} is not an entry of that number")),
        }
        previous = hash;
    }
    Ok(entries)
}

/// The hash of an entry behind another.
pub(super) fn link(previous: &[u8; 32], entry: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"provisioning-station journal entry 1\n")
        .chain_update(previous)
        .chain_update(entry)
        .finalize()
        .into()
}

fn parse(bytes: &[u8], hash: [u8; 32]) -> Option<Entry> {
    let seq = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let kind = u16::from_be_bytes(bytes.get(16..18)?.try_into().ok()?);
    let length = u32::from_be_bytes(bytes.get(18..22)?.try_into().ok()?);
    let payload = &bytes[22..];
    if usize::try_from(length) != Ok(payload.len()) {
        return None;
    }
    Some(Entry { seq, kind, payload: serde_json::from_slice(payload).ok()?, hash })
}

/// Every head signs its entry, and the newest the last.
pub(crate) fn check_heads(
    connection: &Connection,
    entries: &[Entry],
    findings: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let sql = "SELECT instance FROM ledger";
    let instance: Option<Vec<u8>> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    let instance = instance.unwrap_or_default();
    let sql = "SELECT seq, public_key, signature FROM heads
        JOIN journal_keys ON id = key ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut newest = 0;
    while let Some(row) = rows.next()? {
        let (seq, key, signature): (i64, Vec<u8>, Vec<u8>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let seq = seq.unsigned_abs();
        newest = seq;
        let entry = usize::try_from(seq).ok().and_then(|seq| entries.get(seq.checked_sub(1)?));
        let signed = |entry: &Entry| is_signed(&instance, entry.seq, &entry.hash, &key, &signature);
        if !entry.is_some_and(signed) {
            findings.push(format!("the head of entry {seq} is not signed by its key"));
        }
    }
    if newest != entries.len() as u64 {
        findings.push(format!("{} entries, and the newest head is of {newest}", entries.len()));
    }
    Ok(())
}

pub(super) fn is_signed(
    instance: &[u8],
    seq: u64,
    hash: &[u8; 32],
    key: &[u8],
    signature: &[u8],
) -> bool {
    let tag = &b"provisioning-station journal head 1\n"[..];
    let message = [tag, instance, &seq.to_be_bytes(), hash].concat();
    let key = VerifyingKey::from_sec1_bytes(key).ok();
    let signature = Signature::from_slice(signature).ok();
    key.zip(signature).is_some_and(|(key, signature)| key.verify(&message, &signature).is_ok())
}

/// A note outside may be old, and is never ahead.
pub(crate) fn check_note(note: &[u8], entries: &[Entry], findings: &mut Vec<String>) {
    let Ok(note) = serde_json::from_slice::<Value>(note) else { return };
    let seq = note["seq"].as_u64().and_then(|seq| usize::try_from(seq).ok()).unwrap_or(0);
    match seq.checked_sub(1).and_then(|index| entries.get(index)) {
        Some(entry) if note["hash"] == hex(&entry.hash) => {}
        _ => findings.push(format!("the note knows entry {seq}, the ledger does not")),
    }
}
