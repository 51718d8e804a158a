//! The Rust device over a board that behaves as `c/host/board.c`.

use std::cell::Cell;
use std::rc::Rc;

use firmware_interface::dispatch::{
    Clock, Device, Facts, REPLY_ROOM, Random, SLOT_HEADER_LENGTH, Signer, SignerError, Slot,
    Storage, StorageError, Then,
};
use firmware_interface::frame::FullFrameReader;
use firmware_interface::ids::{Capabilities, SecurityFlags};
use firmware_interface::message::{ChunkLimit, HardwareId, ShortText, Window};
use firmware_interface::timing::BusyTimes;

use super::script::{
    Answer, CAPACITY, ComingFault, FactBits, Fault, HEADER_LENGTH, LOCK_LENGTH, Op, SLOT_LENGTH,
};

const FAILED: StorageError = StorageError(7);
const POWER_IS_OFF: StorageError = StorageError(0xdead);
const WRITTEN_TWICE: StorageError = StorageError(0x2222);

struct Flash {
    slots: [[u8; SLOT_LENGTH]; 2],
    lock: [u8; LOCK_LENGTH],
    capacity: u32,
    coming: ComingFault,
    power_is_off: bool,
}

impl Flash {
    fn blank() -> Self {
        Self {
            slots: [[0xff; SLOT_LENGTH]; 2],
            lock: [0xff; LOCK_LENGTH],
            capacity: CAPACITY,
            coming: ComingFault::NONE,
            power_is_off: false,
        }
    }

    /// The fault of this changing call, if its turn has come; it comes once.
    fn fault(&mut self) -> Option<ComingFault> {
        if matches!(self.coming.how, Fault::None | Fault::ReadsFail | Fault::LockReadFails) {
            return None;
        }
        if self.coming.after > 0 {
            self.coming.after -= 1;
            return None;
        }
        let due = self.coming;
        self.coming = ComingFault::NONE;
        self.power_is_off = due.how == Fault::PowerCut;
        Some(due)
    }

    fn powered(&self) -> Result<(), StorageError> {
        if self.power_is_off { Err(POWER_IS_OFF) } else { Ok(()) }
    }

    fn readable(&self, slot: Slot) -> Result<(), StorageError> {
        self.powered()?;
        let unreadable = self.coming.how == Fault::ReadsFail;
        if unreadable && usize::from(self.coming.done) == index(slot) {
            Err(FAILED)
        } else {
            Ok(())
        }
    }

    fn put(&mut self, slot: Slot, at: usize, data: &[u8]) -> Result<(), StorageError> {
        self.powered()?;
        if self.slots[index(slot)][at..at + data.len()].iter().any(|byte| *byte != 0xff) {
            return Err(WRITTEN_TWICE);
        }
        let fault = self.fault();
        change(&mut self.slots[index(slot)][at..at + data.len()], Some(data), fault)
    }
}

/// Writes, or erases where `data` is `None`, as far as the fault lets it.
fn change(
    place: &mut [u8],
    data: Option<&[u8]>,
    fault: Option<ComingFault>,
) -> Result<(), StorageError> {
    let whole = place.len();
    let (done, outcome) = match fault {
        None => (whole, Ok(())),
        Some(ComingFault { how: Fault::FailsUndone, .. }) => (0, Err(FAILED)),
        Some(ComingFault { how: Fault::Forgets, .. }) => (0, Ok(())),
        Some(ComingFault { how: Fault::FailsDone, .. }) => (whole, Err(FAILED)),
        Some(fault) => (whole.min(usize::from(fault.done)), Err(POWER_IS_OFF)),
    };
    match data {
        Some(data) => place[..done].copy_from_slice(&data[..done]),
        None => place[..done].fill(0xff),
    }
    if let Some(ComingFault { how: Fault::PowerCut, garbage, .. }) = fault
        && data.is_some()
        && garbage != 0xff
    {
        place[done..].fill(garbage);
    }
    outcome
}

fn index(slot: Slot) -> usize {
    match slot {
        Slot::A => 0,
        Slot::B => 1,
    }
}

impl Storage for Flash {
    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn erase(&mut self, slot: Slot) -> Result<(), StorageError> {
        self.powered()?;
        let fault = self.fault();
        change(&mut self.slots[index(slot)], None, fault)
    }

    fn write(&mut self, slot: Slot, offset: u32, data: &[u8]) -> Result<(), StorageError> {
        self.put(slot, HEADER_LENGTH + offset as usize, data)
    }

    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError> {
        self.readable(slot)?;
        let at = HEADER_LENGTH + offset as usize;
        into.copy_from_slice(&self.slots[index(slot)][at..at + into.len()]);
        Ok(())
    }

    fn write_header(
        &mut self,
        slot: Slot,
        header: &[u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.put(slot, 0, header)
    }

    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.readable(slot)?;
        into.copy_from_slice(&self.slots[index(slot)][..HEADER_LENGTH]);
        Ok(())
    }

    fn is_locked(&mut self) -> Result<bool, StorageError> {
        self.powered()?;
        if self.coming.how == Fault::LockReadFails {
            return Err(FAILED);
        }
        Ok(self.lock != [0xff; LOCK_LENGTH])
    }

    fn lock(&mut self) -> Result<(), StorageError> {
        self.powered()?;
        let fault = self.fault();
        change(&mut self.lock, Some(&[0; LOCK_LENGTH]), fault)
    }
}

/// Shows what it was asked to sign.
struct ShowingSigner;

/// What stands in for the refusal of a number that is no key.
const BAD_SCALAR: SignerError = SignerError(9);

impl Signer for ShowingSigner {
    fn sign(
        &mut self,
        scalar: &[u8; 32],
        digest: &[u8; 32],
        _random: &mut dyn Random,
    ) -> Result<[u8; 64], SignerError> {
        if *scalar == [0xff; 32] {
            return Err(BAD_SCALAR);
        }
        let mut shown = [0; 64];
        shown[..32].copy_from_slice(scalar);
        shown[32..].copy_from_slice(digest);
        Ok(shown)
    }

    fn public_key(&mut self, scalar: &[u8; 32]) -> Result<[u8; 65], SignerError> {
        if scalar[0] == 0 {
            return Err(BAD_SCALAR);
        }
        let mut public_key = [scalar[0] ^ 0xa5; 65];
        public_key[0] = 0x04;
        Ok(public_key)
    }
}

/// Each draw is another byte repeated; the first is no key. Goes on after a reset.
#[derive(Clone, Default)]
struct Draws(Rc<Cell<u8>>);

impl Random for Draws {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), SignerError> {
        bytes.fill(self.0.get());
        self.0.set(self.0.get().wrapping_add(1));
        Ok(())
    }
}

struct StoppedClock;

impl Clock for StoppedClock {
    fn milliseconds(&mut self) -> u32 {
        0
    }
}

fn facts(bits: FactBits) -> Facts {
    let offered =
        [Capabilities::PROVE, Capabilities::READ, Capabilities::LOCK, Capabilities::KEYGEN];
    let mut capabilities = Capabilities::NONE;
    for (bit, capability) in offered.into_iter().enumerate() {
        if bits.0 >> bit & 1 != 0 {
            capabilities = capabilities.with(capability);
        }
    }
    if bits.0 & 0x40 != 0 {
        capabilities = capabilities.with(Capabilities::PKCS8);
    }
    Facts {
        model: ShortText::new("TH-200").unwrap(),
        hardware_id: HardwareId::new(&[0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]).unwrap(),
        firmware: ShortText::new("1.4.2").unwrap(),
        factory_serial: (bits.0 & 0x40 != 0).then(|| ShortText::new("F-000001").unwrap()),
        security: SecurityFlags::SECURE_BOOT,
        capabilities,
        window: Window::new(4).unwrap(),
        max_chunk: ChunkLimit::new(bits.max_chunk()).unwrap(),
        busy: BusyTimes { erase: 50, chunk: 5, commit: 20, prove: 30, boot: 300 },
    }
}

type RustDevice = Device<Flash, ShowingSigner, Draws, StoppedClock>;

fn boot(bits: FactBits, flash: Flash, draws: &Draws) -> RustDevice {
    Device::boot(facts(bits), flash, ShowingSigner, draws.clone(), StoppedClock)
}

/// The Rust device with its line; it runs a script as the C board does.
pub(crate) struct RustBoard {
    bits: FactBits,
    draws: Draws,
    device: RustDevice,
    reader: FullFrameReader,
}

impl RustBoard {
    pub(crate) fn start() -> Self {
        let bits = FactBits::USUAL;
        let draws = Draws::default();
        let device = boot(bits, Flash::blank(), &draws);
        Self { bits, draws, device, reader: FullFrameReader::new() }
    }

    pub(crate) fn run(&mut self, ops: &[Op]) -> Vec<Answer> {
        ops.iter().filter_map(|op| self.obey(op)).collect()
    }

    fn obey(&mut self, op: &Op) -> Option<Answer> {
        match op {
            Op::Facts(bits) => self.bits = *bits,
            Op::PowerOn => self.power_on(),
            Op::Receive(bytes) => return Some(self.receive(bytes)),
            Op::Fault(fault) => self.device.storage_mut().coming = *fault,
            Op::Flip(place, offset, mask) => self.flip(*place, usize::from(*offset), *mask),
            Op::Dump => return Some(self.dump()),
            Op::End => return Some(self.end()),
        }
        None
    }

    fn power_on(&mut self) {
        self.reboot_with(|old| Flash { coming: ComingFault::NONE, power_is_off: false, ..old });
    }

    fn reboot_with(&mut self, change: impl FnOnce(Flash) -> Flash) {
        let blank = boot(self.bits, Flash::blank(), &self.draws);
        let flash = std::mem::replace(&mut self.device, blank).into_storage();
        let flash = Flash { capacity: self.bits.capacity(), ..change(flash) };
        self.device = boot(self.bits, flash, &self.draws);
        self.reader = FullFrameReader::new();
    }

    fn receive(&mut self, mut input: &[u8]) -> Answer {
        let (mut bytes, mut resets) = (Vec::new(), false);
        let mut out = [0; REPLY_ROOM];
        while let Some(frame) = self.reader.next_frame(&mut input) {
            let handled = self.device.handle(&frame, &mut out);
            self.reader.wipe();
            bytes.extend(&out[..handled.reply.unwrap_or(0)]);
            resets |= handled.then == Then::Restart;
        }
        Answer::Sent { bytes, resets }
    }

    fn flip(&mut self, place: u8, offset: usize, mask: u8) {
        let flash = self.device.storage_mut();
        match place {
            0 | 1 => flash.slots[usize::from(place)][offset % SLOT_LENGTH] ^= mask,
            _ => flash.lock[offset % LOCK_LENGTH] ^= mask,
        }
    }

    fn dump(&self) -> Answer {
        let flash = self.device.storage();
        Answer::Storage([&flash.slots[0][..], &flash.slots[1][..], &flash.lock[..]].concat())
    }

    fn end(&mut self) -> Answer {
        let answer = self.dump();
        self.bits = FactBits::USUAL;
        self.draws = Draws::default();
        self.reboot_with(|_| Flash::blank());
        answer
    }
}
