//! A board in memory, and a station that asks one thing at a time.

use std::cell::RefCell;
use std::rc::Rc;

use firmware_interface::codec::{self, Frame, Header, MAX_FRAME};
use firmware_interface::dispatch::{
    Clock, Device, Facts, Handled, REPLY_ROOM, Random, Signer, SignerError, Then,
};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{Capabilities, ErrorCode, ObjectKind, SecurityFlags};
use firmware_interface::image::{Object, ObjectTable};
use firmware_interface::message::{
    Begin, Chunk, ChunkLimit, Commit, ErrorReply, Finish, FinishResult, HardwareId, Identify,
    IdentifyReply, Message, Prove, Reply, Request, ShortText, Window,
};
use firmware_interface::timing::BusyTimes;
use firmware_interface::version;
use sha2::{Digest, Sha256};

pub(crate) use super::flash::{CAPACITY, Call, Cut, Flash, STORAGE_IS_CUT};

pub(crate) const MAX_CHUNK: u16 = 100;
pub(crate) const HARDWARE_ID: [u8; 8] = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe];

/// Answers the scalar and the digest that it was given, in place of a signature.
pub(crate) struct ShowingSigner;

impl Signer for ShowingSigner {
    fn sign(
        &mut self,
        scalar: &[u8; 32],
        digest: &[u8; 32],
        _random: &mut dyn Random,
    ) -> Result<[u8; 64], SignerError> {
        if *scalar == [0xff; 32] {
            return Err(SignerError(9));
        }
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(scalar);
        signature[32..].copy_from_slice(digest);
        Ok(signature)
    }
}

pub(crate) struct NoRandom;

impl Random for NoRandom {
    fn fill(&mut self, _bytes: &mut [u8]) -> Result<(), SignerError> {
        Err(SignerError(1))
    }
}

/// Goes on by three each time it is read.
#[derive(Clone, Default)]
pub(crate) struct CountingClock(Rc<RefCell<u32>>);

impl Clock for CountingClock {
    fn milliseconds(&mut self) -> u32 {
        *self.0.borrow_mut() += 3;
        *self.0.borrow()
    }
}

pub(crate) type TestDevice = Device<Flash, ShowingSigner, NoRandom, CountingClock>;

pub(crate) fn facts() -> Facts {
    Facts {
        model: ShortText::new("TH-200").unwrap(),
        hardware_id: HardwareId::new(&HARDWARE_ID).unwrap(),
        firmware: ShortText::new("1.4.2").unwrap(),
        factory_serial: None,
        security: SecurityFlags::SECURE_BOOT,
        capabilities: Capabilities(0xffff_ffff),
        window: Window::new(4).unwrap(),
        max_chunk: ChunkLimit::new(MAX_CHUNK).unwrap(),
        busy: BusyTimes { erase: 50, chunk: 5, commit: 20, prove: 30, boot: 300 },
    }
}

pub(crate) fn boot_as(facts: Facts, flash: Flash) -> TestDevice {
    Device::boot(facts, flash, ShowingSigner, NoRandom, CountingClock::default())
}

pub(crate) fn boot(flash: Flash) -> TestDevice {
    boot_as(facts(), flash)
}

/// An identity of synthetic bytes; `fill` tells one from another.
pub(crate) struct Identity {
    pub(crate) image: Vec<u8>,
    pub(crate) begin: Begin,
}

impl Identity {
    pub(crate) fn new(fill: u8) -> Self {
        let lengths = [
            (ObjectKind::Key, 32),
            (ObjectKind::ClientCertificate, 300),
            (ObjectKind::ServerRoots, 120),
            (ObjectKind::Settings, 40),
        ];
        let objects = lengths.map(|(kind, length)| Object { kind, length });
        let objects = ObjectTable::new(&objects).unwrap();
        let image: Vec<u8> = (0..objects.total()).map(|i| fill ^ (i % 31) as u8).collect();
        let digest = Sha256::digest(&image).into();
        Self { image, begin: Begin { digest, objects } }
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.begin.digest
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.image[..32]
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        self.begin.objects.slice(ObjectKind::ClientCertificate, &self.image).unwrap()
    }

    pub(crate) fn certificate_digest(&self) -> [u8; 32] {
        Sha256::digest(self.certificate()).into()
    }

    /// The key, then pieces of the largest chunk.
    pub(crate) fn chunks(&self) -> Vec<Chunk<'_>> {
        let mut chunks = vec![Chunk { offset: 0, data: self.key() }];
        let mut offset = 32;
        for data in self.image[32..].chunks(usize::from(MAX_CHUNK)) {
            chunks.push(Chunk { offset, data });
            offset += data.len() as u32;
        }
        chunks
    }
}

/// The station's end: makes frames, reads frames, and checks that a reply fits its request.
pub(crate) struct Station {
    pub(crate) session: u32,
    pub(crate) seq: u16,
    pub(crate) version: u8,
    reply: Vec<u8>,
    pub(crate) last: Handled,
}

impl Station {
    pub(crate) fn new(session: u32) -> Self {
        let last = Handled { reply: None, then: Then::Listen };
        Self { session, seq: 0, version: version::CURRENT, reply: Vec::new(), last }
    }

    /// Sends a request and reads its one reply.
    pub(crate) fn ask(&mut self, device: &mut TestDevice, request: &Request<'_>) -> Reply<'_> {
        let mut bytes = [0; MAX_FRAME];
        self.seq = self.seq.wrapping_add(1);
        let length = codec::encode(self.header(request.message_type()), request, &mut bytes);
        let frame = read_one(&bytes[..length.unwrap()]);
        self.send(device, &frame);
        self.answer().expect("every request is answered")
    }

    pub(crate) fn ask_raw(&mut self, device: &mut TestDevice, kind: u8, body: &[u8]) -> Reply<'_> {
        self.seq = self.seq.wrapping_add(1);
        self.send(device, &(self.header(kind), body.to_vec()));
        self.answer().expect("every request is answered")
    }

    pub(crate) fn send(&mut self, device: &mut TestDevice, (header, body): &(Header, Vec<u8>)) {
        let mut out = [0; REPLY_ROOM];
        self.last = device.handle(&Frame { header: *header, body }, &mut out);
        self.reply = out[..self.last.reply.unwrap_or(0)].to_vec();
        if self.last.reply.is_some() {
            let reply = read_one(&self.reply).0;
            assert_eq!((reply.seq, reply.session), (header.seq, header.session));
            assert_eq!(reply.version, header.version);
            self.reply = read_one(&self.reply).1;
            self.reply.insert(0, reply.message_type);
        }
    }

    pub(crate) fn answer(&self) -> Option<Reply<'_>> {
        let (message_type, body) = self.reply.split_first()?;
        let header = self.header(*message_type);
        Some(Reply::from_frame(&Frame { header, body }).unwrap())
    }

    pub(crate) fn header(&self, message_type: u8) -> Header {
        Header { version: self.version, message_type, seq: self.seq, session: self.session }
    }

    pub(crate) fn identify(&mut self, device: &mut TestDevice) -> IdentifyReply {
        match self.ask(device, &Request::Identify(Identify { min: 1, max: 1 })) {
            Reply::Identify(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    /// BEGIN and every chunk.
    pub(crate) fn stage(
        &mut self,
        device: &mut TestDevice,
        identity: &Identity,
    ) -> Result<(), ErrorReply> {
        done(self.ask(device, &Request::Begin(identity.begin)))?;
        for chunk in identity.chunks() {
            done(self.ask(device, &Request::Chunk(chunk)))?;
        }
        Ok(())
    }

    pub(crate) fn commit(
        &mut self,
        device: &mut TestDevice,
        identity: &Identity,
    ) -> Result<u32, ErrorReply> {
        match self.ask(device, &Request::Commit(Commit { digest: identity.digest() })) {
            Reply::Commit(reply) => {
                assert_eq!(reply.digest, identity.digest());
                Ok(reply.generation)
            }
            other => Err(refused(other)),
        }
    }

    /// The key and the digest that went into the signature.
    pub(crate) fn prove(
        &mut self,
        device: &mut TestDevice,
    ) -> Result<([u8; 32], [u8; 32]), ErrorReply> {
        match self.ask(device, &Request::Prove(Prove { nonce: [0x4e; 32] })) {
            Reply::Prove(reply) => {
                let (key, digest) = reply.signature.split_at(32);
                Ok((key.try_into().unwrap(), digest.try_into().unwrap()))
            }
            other => Err(refused(other)),
        }
    }

    pub(crate) fn finish(&mut self, device: &mut TestDevice, lock: bool) -> Result<(), ErrorReply> {
        done(self.ask(device, &Request::Finish(Finish { result: FinishResult::Pass, lock })))
    }
}

fn read_one(bytes: &[u8]) -> (Header, Vec<u8>) {
    let mut reader = FullFrameReader::new();
    let mut input = bytes;
    let frame = reader.next_frame(&mut input).expect("a whole frame");
    assert!(input.is_empty());
    (frame.header, frame.body.to_vec())
}

pub(crate) fn done(reply: Reply<'_>) -> Result<(), ErrorReply> {
    match reply {
        Reply::Error(error) => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn refused(reply: Reply<'_>) -> ErrorReply {
    match reply {
        Reply::Error(error) => error,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) fn error(code: ErrorCode, detail: u32) -> ErrorReply {
    ErrorReply::new(code, detail)
}

/// A device that holds an identity and has been restarted since.
pub(crate) fn provisioned(identity: &Identity) -> Flash {
    provisioned_over(Flash::blank(), identity)
}

pub(crate) fn provisioned_over(flash: Flash, identity: &Identity) -> Flash {
    let mut device = boot(flash);
    let mut station = Station::new(0x0bad_cafe);
    station.identify(&mut device);
    station.stage(&mut device, identity).unwrap();
    station.commit(&mut device, identity).unwrap();
    device.into_storage().rebooted()
}

/// Identifies, provisions, restarts, proves and finishes, as far as the device answers.
pub(crate) fn provision(
    flash: Flash,
    identity: &Identity,
    lock: bool,
) -> (Flash, Result<(), ErrorReply>) {
    let mut device = boot(flash);
    let outcome = stage_and_commit(&mut device, identity);
    // A reset forgets what was in memory; a power cut stays cut until it is over.
    let mut device = boot(device.into_storage());
    let outcome = outcome.and_then(|()| prove_and_finish(&mut device, identity, lock));
    (device.into_storage(), outcome)
}

fn stage_and_commit(device: &mut TestDevice, identity: &Identity) -> Result<(), ErrorReply> {
    let mut station = Station::new(0x5e55_0001);
    station.identify(device);
    station.stage(device, identity)?;
    station.commit(device, identity)?;
    done(station.ask(device, &Request::Restart))
}

fn prove_and_finish(
    device: &mut TestDevice,
    identity: &Identity,
    lock: bool,
) -> Result<(), ErrorReply> {
    let mut station = Station::new(0x5e55_0002);
    station.identify(device);
    let (key, _) = station.prove(device)?;
    assert_eq!(key, identity.key());
    station.finish(device, lock)
}
