//! The application in a chip's flash: reads the identity from its partition at each start and
//! proves by the framed protocol that it has it.
//!
//! It answers through the firmware's own dispatcher, over a copy in memory that nobody can
//! write to: its identity comes from the loader alone.

use std::time::Duration;

use firmware_interface::dispatch::{
    self, Facts, REPLY_ROOM, SLOT_HEADER_LENGTH, Slot, Storage, StorageError,
};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{Capabilities, ObjectKind, RequestType, SecurityFlags};
use firmware_interface::image::{Settings, TlsVersion};
use firmware_interface::message::{ChunkLimit, HardwareId, ShortText, Sink, Window};
use p256::ecdsa::SigningKey;

use super::super::conversation::{self, message_type};
use super::super::error::SimError;
use super::super::firmware::{Hand, SharedChip, Source, StandingClock, start};
use super::super::flash::{Chip, ChipFaults};
use super::super::timings::Timings;
use super::kind::Kind;
use super::stored::Stored;

/// Room for an identity in the application's memory.
const CAPACITY: u32 = 16 * 1024;

/// What the flash says to who writes to it.
const READ_ONLY: StorageError = StorageError(0x06);

/// The firmware over storage that can only be read.
type Firmware = dispatch::Device<Sealed, Hand, Source, StandingClock>;

/// What came of a frame.
pub(super) struct Handled {
    pub(super) reply: Option<Vec<u8>>,
    pub(super) busy: Duration,
    pub(super) then: Then,
}

/// What the application does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Listen,
    Restart,
    Finished,
}

/// What an application is.
pub(super) struct Build {
    pub(super) kind: &'static Kind,
    pub(super) id: [u8; 6],
    pub(super) security: SecurityFlags,
    /// It signs with another key than the stored one.
    pub(super) other_key: Option<SigningKey>,
    pub(super) stored: Option<Stored>,
    pub(super) prove_time: Duration,
    pub(super) boot: Duration,
}

/// A running application.
pub(super) struct App {
    firmware: Firmware,
    reader: Box<FullFrameReader>,
    prove_time: Duration,
}

impl App {
    /// Starts it.
    pub(super) fn start(build: Build) -> Result<Self, SimError> {
        let facts = facts(&build)?;
        let chip = Chip::in_memory(CAPACITY, Timings::INSTANT, ChipFaults::default());
        let chip = SharedChip::new(chip);
        let hand = Hand { other: build.other_key };
        if let Some(stored) = &build.stored {
            let mut writer = start(facts, &chip, &hand, &Source::default());
            load(&mut writer, stored).ok_or(SimError::Preload)?;
        }
        let firmware = Firmware::boot(facts, Sealed(chip), hand, Source::default(), StandingClock);
        let reader = Box::new(FullFrameReader::new());
        Ok(Self { firmware, reader, prove_time: build.prove_time })
    }

    /// Takes bytes up to the end of a frame.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Handled {
        let nothing = Handled { reply: None, busy: Duration::ZERO, then: Then::Listen };
        let Some(frame) = self.reader.next_frame(&mut bytes) else { return nothing };
        let mut out = [0; REPLY_ROOM];
        let handled = self.firmware.handle(&frame, &mut out);
        self.reader.wipe();
        let reply = handled.reply.map(|length| out[..length].to_vec());
        let said =
            |what: RequestType| reply.as_deref().and_then(message_type) == Some(what.reply_type());
        let busy = if said(RequestType::Prove) { self.prove_time } else { Duration::ZERO };
        let then = match handled.then {
            dispatch::Then::Restart => Then::Restart,
            dispatch::Then::Listen if said(RequestType::Finish) => Then::Finished,
            dispatch::Then::Listen => Then::Listen,
        };
        Handled { reply, busy, then }
    }
}

fn load(firmware: &mut super::super::firmware::Firmware, stored: &Stored) -> Option<()> {
    let settings = settings(stored)?;
    conversation::provision_with(
        firmware,
        &[
            (ObjectKind::Key, &stored.key),
            (ObjectKind::ClientCertificate, &stored.certificate),
            (ObjectKind::CaChain, &stored.chain),
            (ObjectKind::ServerRoots, &stored.roots),
            (ObjectKind::Settings, &settings),
        ],
    )
}

fn settings(stored: &Stored) -> Option<Vec<u8>> {
    let version = |number: u8| match number {
        0x12 => Some(TlsVersion::V1_2),
        0x13 => Some(TlsVersion::V1_3),
        _ => None,
    };
    let settings = Settings {
        tls_min: version(stored.tls[0])?,
        tls_max: version(stored.tls[1])?,
        port: stored.port,
        client_id: ShortText::new(&stored.client_id).ok()?,
        host: ShortText::new(&stored.host).ok()?,
    };
    let mut bytes = Bytes(Vec::new());
    settings.write(&mut bytes);
    Some(bytes.0)
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

fn facts(build: &Build) -> Result<Facts, SimError> {
    let text = |text, what| ShortText::new(text).map_err(|source| SimError::Text { what, source });
    Ok(Facts {
        model: text(build.kind.name, "model")?,
        hardware_id: HardwareId::new(&build.id)
            .map_err(|source| SimError::Text { what: "hardware id", source })?,
        firmware: text("app 1.0.0", "firmware version")?,
        factory_serial: None,
        security: build.security,
        capabilities: Capabilities::PROVE.with(Capabilities::READ),
        window: Window::new(1).ok_or(SimError::Window { chunks: 1 })?,
        max_chunk: ChunkLimit::new(512).ok_or(SimError::MaxChunk { bytes: 512 })?,
        busy: Timings { boot: build.boot, prove: build.prove_time, ..Timings::INSTANT }.declared(),
    })
}

/// Storage that the application can read and not write.
#[derive(Debug, Clone)]
struct Sealed(SharedChip);

impl Storage for Sealed {
    fn capacity(&self) -> u32 {
        CAPACITY
    }

    /// The spare slot, in which nothing ever is.
    fn erase(&mut self, _: Slot) -> Result<(), StorageError> {
        Ok(())
    }

    fn write(&mut self, _: Slot, _: u32, _: &[u8]) -> Result<(), StorageError> {
        Err(READ_ONLY)
    }

    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError> {
        self.0.read(slot, offset, into)
    }

    fn write_header(&mut self, _: Slot, _: &[u8; SLOT_HEADER_LENGTH]) -> Result<(), StorageError> {
        Err(READ_ONLY)
    }

    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.0.read_header(slot, into)
    }

    fn is_locked(&mut self) -> Result<bool, StorageError> {
        Ok(false)
    }

    fn lock(&mut self) -> Result<(), StorageError> {
        Err(READ_ONLY)
    }
}
