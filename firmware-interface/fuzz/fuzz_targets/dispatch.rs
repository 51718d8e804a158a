//! Any requests to a device: no panic, exactly one reply each, no storage rule broken,
//! and the key never in a reply.
//!
//! The input is a sequence of requests: type, session (one of two), body length as two
//! bytes, body. A restart boots the device anew from its storage.
#![no_main]

use firmware_interface::codec::{self, Frame, Header};
use firmware_interface::dispatch::{
    Clock, Device, Facts, REPLY_ROOM, Random, SLOT_HEADER_LENGTH, Signer, SignerError, Slot,
    Storage, StorageError, Then,
};
use firmware_interface::ids::{Capabilities, ObjectKind, REPLY_BIT, SecurityFlags};
use firmware_interface::image::{Object, ObjectTable};
use firmware_interface::message::{
    Begin, Chunk, ChunkLimit, HardwareId, Message, Request, ShortText, Sink, Window,
};
use firmware_interface::timing::BusyTimes;
use libfuzzer_sys::fuzz_target;

const CAPACITY: usize = 512;
const AREA: usize = SLOT_HEADER_LENGTH + CAPACITY;

struct Flash {
    areas: [[u8; AREA]; 2],
    locked: bool,
}

impl Flash {
    fn area(&mut self, slot: Slot, at: usize, length: usize) -> &mut [u8] {
        let area = match slot {
            Slot::A => &mut self.areas[0],
            Slot::B => &mut self.areas[1],
        };
        &mut area[at..at + length]
    }

    fn put(&mut self, slot: Slot, at: usize, data: &[u8]) {
        let place = self.area(slot, at, data.len());
        assert!(place.iter().all(|byte| *byte == 0xff), "flash written twice");
        place.copy_from_slice(data);
    }
}

impl Storage for Flash {
    fn capacity(&self) -> u32 {
        CAPACITY as u32
    }

    fn erase(&mut self, slot: Slot) -> Result<(), StorageError> {
        self.area(slot, 0, AREA).fill(0xff);
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: u32, data: &[u8]) -> Result<(), StorageError> {
        self.put(slot, SLOT_HEADER_LENGTH + offset as usize, data);
        Ok(())
    }

    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError> {
        let at = SLOT_HEADER_LENGTH + offset as usize;
        into.copy_from_slice(self.area(slot, at, into.len()));
        Ok(())
    }

    fn write_header(
        &mut self,
        slot: Slot,
        header: &[u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.put(slot, 0, header);
        Ok(())
    }

    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        into.copy_from_slice(self.area(slot, 0, SLOT_HEADER_LENGTH));
        Ok(())
    }

    fn is_locked(&mut self) -> Result<bool, StorageError> {
        Ok(self.locked)
    }

    fn lock(&mut self) -> Result<(), StorageError> {
        self.locked = true;
        Ok(())
    }
}

struct Stub;

impl Signer for Stub {
    fn sign(
        &mut self,
        _scalar: &[u8; 32],
        digest: &[u8; 32],
        _random: &mut dyn Random,
    ) -> Result<[u8; 64], SignerError> {
        let mut signature = [0x5a; 64];
        signature[..32].copy_from_slice(digest);
        Ok(signature)
    }
}

impl Random for Stub {
    fn fill(&mut self, _bytes: &mut [u8]) -> Result<(), SignerError> {
        Ok(())
    }
}

impl Clock for Stub {
    fn milliseconds(&mut self) -> u32 {
        0
    }
}

type FuzzDevice = Device<Flash, Stub, Stub, Stub>;

const KEY: [u8; 32] = *b"the key that no reply may carry!";

fn facts() -> Facts {
    Facts {
        model: ShortText::new("fuzz").unwrap(),
        hardware_id: HardwareId::new(&[1, 2, 3, 4]).unwrap(),
        firmware: ShortText::new("0").unwrap(),
        factory_serial: None,
        security: SecurityFlags::NONE,
        capabilities: Capabilities(u32::MAX),
        window: Window::ONE,
        max_chunk: ChunkLimit::MAX,
        busy: BusyTimes::default(),
    }
}

fn boot(flash: Flash) -> FuzzDevice {
    Device::boot(facts(), flash, Stub, Stub, Stub)
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

fn send(device: &mut FuzzDevice, session: u32, message_type: u8, body: &[u8]) -> Then {
    let header = Header { version: 1, message_type, seq: 9, session };
    let mut out = [0; REPLY_ROOM];
    let handled = device.handle(&Frame { header, body }, &mut out);
    assert_eq!(handled.reply.is_none(), message_type & REPLY_BIT != 0);
    if let Some(length) = handled.reply {
        let reply = codec::decode(&mut out[1..length - 1]).unwrap();
        assert_eq!((reply.header.seq, reply.header.session), (9, session));
        assert!(!reply.body.windows(KEY.len()).any(|window| window == KEY));
    }
    handled.then
}

/// Stages an image, so that a fuzzer need not find its digest.
fn staged() -> FuzzDevice {
    let mut device = boot(Flash { areas: [[0xff; AREA]; 2], locked: false });
    send(&mut device, 1, 0x01, &[1, 1]);
    let objects = [(ObjectKind::Key, 32), (ObjectKind::ClientCertificate, 20)];
    let objects = ObjectTable::new(&objects.map(|(kind, length)| Object { kind, length })).unwrap();
    let requests = [
        Request::Begin(Begin { digest: DIGEST, objects }),
        Request::Chunk(Chunk { offset: 0, data: &KEY }),
        Request::Chunk(Chunk { offset: 32, data: &[0x30; 20] }),
    ];
    for request in requests {
        let mut body = Bytes(Vec::new());
        request.write_body(&mut body);
        send(&mut device, 1, request.message_type(), &body.0);
    }
    device
}

/// SHA-256 of the key and twenty bytes 0x30.
const DIGEST: [u8; 32] = [
    0x21, 0xb4, 0x30, 0xff, 0x21, 0x73, 0x12, 0x81, 0x44, 0x6e, 0xc6, 0x63, 0x7c, 0xb9, 0x3c, 0x24,
    0x62, 0x47, 0x39, 0xeb, 0x14, 0xa3, 0xf6, 0x5e, 0x15, 0xd0, 0x68, 0x95, 0xea, 0x30, 0xae, 0x82,
];

fuzz_target!(|input: &[u8]| {
    let mut device = staged();
    let mut rest = input;
    while let [message_type, session, low, high, tail @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(tail.len()).min(1005);
        let (body, after) = tail.split_at(length);
        rest = after;
        if send(&mut device, 1 + u32::from(session % 2), *message_type, body) == Then::Restart {
            device = boot(device.into_storage());
        }
    }
});
