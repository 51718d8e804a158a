//! A device for tests: the firmware's own dispatcher at the far end of a pseudo-terminal.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use firmware_interface::codec::{self, Frame, Header, MAX_FRAME};
use firmware_interface::dispatch::{
    Clock, Device, Facts, REPLY_ROOM, Random, SLOT_HEADER_LENGTH, Signer, SignerError, Slot,
    Storage, StorageError, Then,
};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{Capabilities, Lifecycle, RequestType, SecurityFlags};
use firmware_interface::message::{
    ChunkLimit, HardwareId, IdentifyReply, Message, Reply, ShortText, Window,
};
use firmware_interface::timing::BusyTimes;

use crate::domain::device::Fault;
use crate::domain::identity::{ConnectionSettings, Identity, IdentityKey, KeyFormat, TlsVersion};
use crate::domain::ids::{KeyId, PublicKey};
use crate::domain::lender::KeyLender;
use crate::domain::lender::LENT_SCRATCH;
use crate::test_line::Pty;

/// A key for tests: it signs nothing real.
pub(crate) const SCALAR: [u8; 32] = *b"a scalar that is easy to look at";

/// The stand-in for its public key, where the device makes it.
pub(crate) const MADE: [u8; 65] = [0x04; 65];

/// Lends [`SCALAR`].
pub(crate) struct OneKey;

impl KeyLender for OneKey {
    fn lend(&self, _: KeyId, work: &mut dyn FnMut(&[u8; 32], &mut [u8])) -> Result<(), Fault> {
        work(&SCALAR, &mut [0; LENT_SCRATCH]);
        Ok(())
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        key: IdentityKey::Station(KeyId(1)),
        public_key: PublicKey::from_bytes(&MADE).unwrap(),
        key_format: KeyFormat::Scalar,
        client_certificate: (0..=255).cycle().take(480).collect(),
        ca_chain: (0..=255).rev().cycle().take(300).collect(),
        server_root: [0; 200].into(),
        settings: ConnectionSettings {
            client_id: "TH200-00000001".parse().unwrap(),
            host: "mqtt.example.com".into(),
            port: 8883,
            tls_min: TlsVersion::V1_2,
            tls_max: TlsVersion::V1_3,
        },
    }
}

pub(crate) const ID: [u8; 4] = [0xd0, 0, 0, 1];

pub(crate) fn facts() -> Facts {
    Facts {
        model: ShortText::new("TH200").unwrap(),
        hardware_id: HardwareId::new(&ID).unwrap(),
        firmware: ShortText::new("1.4.2").unwrap(),
        factory_serial: None,
        security: SecurityFlags::SECURE_BOOT,
        capabilities: Capabilities::PROVE.with(Capabilities::READ).with(Capabilities::LOCK),
        window: Window::new(4).unwrap(),
        max_chunk: ChunkLimit::new(128).unwrap(),
        busy: BusyTimes::default(),
    }
}

/// Two slots in memory, as flash behaves.
pub(crate) struct Ram {
    images: [Vec<u8>; 2],
    headers: [[u8; SLOT_HEADER_LENGTH]; 2],
    locked: bool,
    pub(crate) capacity: u32,
}

impl Default for Ram {
    fn default() -> Self {
        let images = [vec![0xff; 4096], vec![0xff; 4096]];
        Self { images, headers: [[0xff; SLOT_HEADER_LENGTH]; 2], locked: false, capacity: 4096 }
    }
}

impl Storage for Ram {
    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn erase(&mut self, slot: Slot) -> Result<(), StorageError> {
        self.headers[slot as usize].fill(0xff);
        self.images[slot as usize].fill(0xff);
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: u32, data: &[u8]) -> Result<(), StorageError> {
        let start = offset as usize;
        self.images[slot as usize][start..start + data.len()].copy_from_slice(data);
        Ok(())
    }

    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError> {
        let start = offset as usize;
        into.copy_from_slice(&self.images[slot as usize][start..start + into.len()]);
        Ok(())
    }

    fn write_header(
        &mut self,
        slot: Slot,
        header: &[u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.headers[slot as usize] = *header;
        Ok(())
    }

    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        *into = self.headers[slot as usize];
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

/// Signs with nothing: the "signature" is the digest twice, so a test can look at it.
pub(crate) struct DigestTwice;

impl Signer for DigestTwice {
    fn sign(
        &mut self,
        scalar: &[u8; 32],
        digest: &[u8; 32],
        _: &mut dyn Random,
    ) -> Result<[u8; 64], SignerError> {
        assert_eq!(*scalar, SCALAR, "the stored key");
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(digest);
        signature[32..].copy_from_slice(digest);
        Ok(signature)
    }

    fn public_key(&mut self, scalar: &[u8; 32]) -> Result<[u8; 65], SignerError> {
        assert_eq!(*scalar, SCALAR, "the key that was drawn");
        Ok(MADE)
    }
}

impl Random for DigestTwice {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), SignerError> {
        bytes.copy_from_slice(&SCALAR);
        Ok(())
    }
}

impl Clock for DigestTwice {
    fn milliseconds(&mut self) -> u32 {
        0
    }
}

type Firmware = Device<Ram, DigestTwice, DigestTwice, DigestTwice>;

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    ToDevice,
    FromDevice,
}

/// A frame that crossed the line, or was to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) way: Way,
    /// Its number among the frames of its direction, from one.
    pub(crate) number: u32,
    pub(crate) kind: RequestType,
    pub(crate) seq: u16,
    pub(crate) session: u32,
    pub(crate) body: Vec<u8>,
}

impl Crossing {
    pub(crate) fn is_request(&self) -> bool {
        self.way == Way::ToDevice
    }
}

/// What becomes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    Lose,
    Double,
    Corrupt,
    /// These bytes come before it.
    After(Vec<u8>),
    /// This reply comes instead of the device's, which never sees the request.
    Answer(Box<Reply<'static>>),
    /// The device's own reply under another version and type.
    Labelled(u8, u8),
    /// The device is pulled out, and comes back under the same link if there is one.
    Unplug,
    /// From here on another device answers.
    Swap([u8; 4]),
}

/// An answer to IDENTIFY from a device that calls itself blank and names an image.
pub(crate) fn senseless() -> Fate {
    let facts = facts();
    Fate::Answer(Box::new(Reply::Identify(IdentifyReply {
        version: 1,
        lifecycle: Lifecycle::Blank,
        security: facts.security,
        window: facts.window,
        capabilities: facts.capabilities,
        replaced: 0,
        capacity: Ram::default().capacity,
        max_chunk: facts.max_chunk,
        busy: facts.busy,
        image: [2; 32],
        certificate: [1; 32],
        model: facts.model,
        hardware_id: facts.hardware_id,
        firmware: facts.firmware,
        factory_serial: None,
    })))
}

type Script = Box<dyn FnMut(&Crossing) -> Fate + Send>;

/// A device behind a port, until it is dropped.
pub(crate) struct Bench {
    path: String,
    seen: Arc<Mutex<Vec<Crossing>>>,
    off: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn honest() -> Self {
        Self::new(facts(), Ram::default(), |_| Fate::Pass)
    }

    pub(crate) fn scripted(script: impl FnMut(&Crossing) -> Fate + Send + 'static) -> Self {
        Self::new(facts(), Ram::default(), script)
    }

    pub(crate) fn new(
        facts: Facts,
        storage: Ram,
        script: impl FnMut(&Crossing) -> Fate + Send + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("port");
        let pty = plug(&link);
        let (seen, off) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let board = Board {
            device: Some(boot(facts, storage)),
            facts,
            pty: Some(pty),
            link: link.clone(),
            reader: FullFrameReader::new(),
            script: Box::new(script),
            seen: Arc::clone(&seen),
            counts: [0; 2],
        };
        let flag = Arc::clone(&off);
        let thread = std::thread::spawn(move || board.run(&flag));
        let path = link.display().to_string();
        Self { path, seen, off, thread: Some(thread), _folder: folder }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What has crossed the line so far.
    pub(crate) fn crossings(&self) -> Vec<Crossing> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests of one kind that reached the device's end.
    pub(crate) fn requests(&self, kind: RequestType) -> Vec<Crossing> {
        let wanted = |crossing: &Crossing| crossing.way == Way::ToDevice && crossing.kind == kind;
        self.crossings().into_iter().filter(wanted).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.off.store(true, Ordering::Release);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the board panicked");
    }
}

fn plug(link: &Path) -> Pty {
    let pty = Pty::open();
    let _ = std::fs::remove_file(link);
    std::os::unix::fs::symlink(pty.path(), link).unwrap();
    pty
}

fn boot(facts: Facts, storage: Ram) -> Firmware {
    Device::boot(facts, storage, DigestTwice, DigestTwice, DigestTwice)
}

struct Board {
    device: Option<Firmware>,
    facts: Facts,
    pty: Option<Pty>,
    link: PathBuf,
    reader: FullFrameReader,
    script: Script,
    seen: Arc<Mutex<Vec<Crossing>>>,
    counts: [u32; 2],
}

impl Board {
    fn run(mut self, off: &AtomicBool) {
        while !off.load(Ordering::Acquire) {
            let Some(pty) = &self.pty else { return };
            let bytes = pty.receive(Duration::from_millis(10));
            let mut input = bytes.as_slice();
            // A frame at a time: the reader is borrowed only while it is copied.
            while let Some(frame) = self.reader.next_frame(&mut input) {
                let (header, body) = (frame.header, frame.body.to_vec());
                self.arrived(header, &body);
            }
        }
    }

    fn arrived(&mut self, header: Header, body: &[u8]) {
        match self.fate(Way::ToDevice, header, body) {
            Fate::Lose | Fate::Corrupt => {}
            Fate::Pass | Fate::After(_) | Fate::Labelled(..) => self.handle(header, body),
            Fate::Double => {
                self.handle(header, body);
                self.handle(header, body);
            }
            Fate::Answer(reply) => {
                let mut out = [0; MAX_FRAME];
                let kind = reply.message_type();
                let length = codec::encode(header.reply(kind), reply.as_ref(), &mut out).unwrap();
                self.put(&out[..length]);
            }
            Fate::Unplug => {
                self.restart();
                drop(self.pty.take());
                self.pty = Some(plug(&self.link));
            }
            Fate::Swap(id) => {
                self.facts.hardware_id = HardwareId::new(&id).unwrap();
                self.device = Some(boot(self.facts, Ram::default()));
                self.handle(header, body);
            }
        }
    }

    fn handle(&mut self, header: Header, body: &[u8]) {
        let mut out = [0; REPLY_ROOM];
        let device = self.device.as_mut().unwrap();
        let handled = device.handle(&Frame { header, body }, &mut out);
        if let Some(length) = handled.reply {
            self.leave(&mut out[..length]);
        }
        if handled.then == Then::Restart {
            self.restart();
        }
    }

    fn restart(&mut self) {
        let storage = self.device.take().unwrap().into_storage();
        self.device = Some(boot(self.facts, storage));
    }

    fn leave(&mut self, frame: &mut [u8]) {
        let mut between = frame[1..frame.len() - 1].to_vec();
        let decoded = codec::decode(&mut between).unwrap();
        let (header, body) = (decoded.header, decoded.body.to_vec());
        match self.fate(Way::FromDevice, header, &body) {
            Fate::Lose => {}
            Fate::Double => {
                self.put(frame);
                self.put(frame);
            }
            Fate::Corrupt => {
                frame[4] ^= if frame[4] == 1 { 2 } else { 1 };
                self.put(frame);
            }
            Fate::After(noise) => {
                self.put(&noise);
                self.put(frame);
            }
            Fate::Labelled(version, message_type) => {
                let kind = RequestType::from_wire(header.message_type & 0x7f).unwrap();
                let reply = Reply::parse(kind, &body).unwrap();
                let header = Header { version, message_type, ..header };
                let mut out = [0; MAX_FRAME];
                let length = codec::encode(header, &reply, &mut out).unwrap();
                self.put(&out[..length]);
            }
            _ => self.put(frame),
        }
    }

    fn put(&self, bytes: &[u8]) {
        self.pty.as_ref().unwrap().send(bytes);
    }

    fn fate(&mut self, way: Way, header: Header, body: &[u8]) -> Fate {
        let count = &mut self.counts[way as usize];
        *count += 1;
        let number = *count;
        // An ERROR is told as the request that it could answer: none.
        let kind = RequestType::from_wire(header.message_type & 0x7f);
        let kind = kind.unwrap_or(RequestType::Csr);
        let Header { seq, session, .. } = header;
        let crossing = Crossing { way, number, kind, seq, session, body: body.to_vec() };
        self.seen.lock().unwrap().push(crossing.clone());
        (self.script)(&crossing)
    }
}
