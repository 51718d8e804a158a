//! Frames and identities as the page describes them, made here without the crate's codec.

use sha2::{Digest, Sha256};

/// What stands before a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) seq: u16,
    pub(crate) session: u32,
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 != 0 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// Head, body and CRC.
pub(crate) fn raw_frame(head: Head, body: &[u8]) -> Vec<u8> {
    let mut raw = vec![head.version, head.kind];
    raw.extend(head.seq.to_le_bytes());
    raw.extend(head.session.to_le_bytes());
    raw.extend(body);
    raw.extend(crc32(&raw).to_le_bytes());
    raw
}

/// Stuffs bytes so that no zero is left, by the page's pseudo-code.
pub(crate) fn stuff(raw: &[u8]) -> Vec<u8> {
    let mut blocks = vec![vec![1_u8]];
    for byte in raw {
        if blocks.last().unwrap()[0] == 0xff {
            blocks.push(vec![1]);
        }
        if *byte == 0 {
            blocks.push(vec![1]);
        } else {
            let block = blocks.last_mut().unwrap();
            block.push(*byte);
            block[0] += 1;
        }
    }
    blocks.concat()
}

/// Undoes it; for answers, which are sound.
pub(crate) fn unstuff(stuffed: &[u8]) -> Vec<u8> {
    let (mut raw, mut rest) = (Vec::new(), stuffed);
    while let Some((code, _)) = rest.split_first() {
        let (block, after) = rest.split_at(usize::from(*code));
        raw.extend(&block[1..]);
        if *code < 0xff && !after.is_empty() {
            raw.push(0);
        }
        rest = after;
    }
    raw
}

pub(crate) fn delimited(stuffed: &[u8]) -> Vec<u8> {
    [&[0], stuffed, &[0]].concat()
}

pub(crate) fn frame(head: Head, body: &[u8]) -> Vec<u8> {
    delimited(&stuff(&raw_frame(head, body)))
}

/// Type and body of each frame that a device sent.
pub(crate) fn replies(sent: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let frames = sent.split(|byte| *byte == 0).filter(|bytes| !bytes.is_empty());
    frames
        .map(|stuffed| {
            let raw = unstuff(stuffed);
            let (rest, crc) = raw.split_at(raw.len() - 4);
            assert_eq!(crc, crc32(rest).to_le_bytes());
            (rest[1], rest[8..].to_vec())
        })
        .collect()
}

/// An image with its table; nothing holds it to the rules.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) objects: Vec<(u8, u16)>,
    pub(crate) image: Vec<u8>,
    pub(crate) digest: [u8; 32],
}

impl Identity {
    pub(crate) fn new(objects: &[(u8, u16)], fill: u8) -> Self {
        let total: usize = objects.iter().map(|(_, length)| usize::from(*length)).sum();
        let image = (0..total).map(|i| fill ^ (i % 29) as u8).collect();
        Self::of(objects, image)
    }

    pub(crate) fn of(objects: &[(u8, u16)], image: Vec<u8>) -> Self {
        let digest = Sha256::digest(&image).into();
        Self { objects: objects.to_vec(), image, digest }
    }

    pub(crate) fn begin(&self) -> Vec<u8> {
        let mut body = (self.image.len() as u32).to_le_bytes().to_vec();
        body.extend(self.digest);
        body.push(self.objects.len() as u8);
        for (kind, length) in &self.objects {
            body.push(*kind);
            body.extend(length.to_le_bytes());
        }
        body
    }

    /// The key in a chunk of its own, the rest in the largest.
    pub(crate) fn chunks(&self, max_chunk: u16) -> Vec<Vec<u8>> {
        let key = usize::from(self.objects[0].1).min(self.image.len());
        let mut chunks = vec![chunk(0, &self.image[..key])];
        let mut offset = key;
        for data in self.image[key..].chunks(usize::from(max_chunk)) {
            chunks.push(chunk(offset as u32, data));
            offset += data.len();
        }
        chunks
    }
}

pub(crate) fn chunk(offset: u32, data: &[u8]) -> Vec<u8> {
    [&offset.to_le_bytes(), data].concat()
}
