//! The firmware's dispatcher over a simulated chip, a key and a clock that stands still.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use firmware_interface::dispatch::{
    self, Clock, Facts, Random, SLOT_HEADER_LENGTH, Signer, SignerError, Slot, Storage,
    StorageError,
};
use firmware_interface::image::{DIGEST_LENGTH, KEY_LENGTH, PUBLIC_KEY_LENGTH};
use firmware_interface::message::SIGNATURE_LENGTH;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};

use super::flash::Chip;

/// The signer's number for a scalar that is no key.
const NO_KEY: SignerError = SignerError(0x01);
/// The signer's number for failing random bytes.
const NO_RANDOM: SignerError = SignerError(0x02);

/// The firmware of a simulated device.
pub(crate) type Firmware = dispatch::Device<SharedChip, Hand, Source, StandingClock>;

/// A chip that the firmware works on and the simulator looks into.
#[derive(Debug, Clone)]
pub(crate) struct SharedChip(Arc<Mutex<Chip>>);

impl SharedChip {
    /// Shares a chip.
    pub(crate) fn new(chip: Chip) -> Self {
        Self(Arc::new(Mutex::new(chip)))
    }

    /// The chip itself.
    pub(crate) fn chip(&self) -> MutexGuard<'_, Chip> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for SharedChip {
    fn capacity(&self) -> u32 {
        self.chip().capacity()
    }

    fn erase(&mut self, slot: Slot) -> Result<(), StorageError> {
        self.chip().erase(slot)
    }

    fn write(&mut self, slot: Slot, offset: u32, data: &[u8]) -> Result<(), StorageError> {
        self.chip().write(slot, offset, data)
    }

    fn read(&mut self, slot: Slot, offset: u32, into: &mut [u8]) -> Result<(), StorageError> {
        self.chip().read(slot, offset, into)
    }

    fn write_header(
        &mut self,
        slot: Slot,
        header: &[u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.chip().write_header(slot, header)
    }

    fn read_header(
        &mut self,
        slot: Slot,
        into: &mut [u8; SLOT_HEADER_LENGTH],
    ) -> Result<(), StorageError> {
        self.chip().read_header(slot, into)
    }

    fn is_locked(&mut self) -> Result<bool, StorageError> {
        self.chip().is_locked()
    }

    fn lock(&mut self) -> Result<(), StorageError> {
        self.chip().lock()
    }
}

/// Signs: with the key from storage, or a liar with one of its own.
#[derive(Clone, Default)]
pub(crate) struct Hand {
    /// The other key, where there is one.
    pub(crate) other: Option<SigningKey>,
}

impl Signer for Hand {
    fn sign(
        &mut self,
        scalar: &[u8; KEY_LENGTH],
        digest: &[u8; DIGEST_LENGTH],
        _random: &mut dyn Random,
    ) -> Result<[u8; SIGNATURE_LENGTH], SignerError> {
        let stored = || SigningKey::from_slice(scalar).map_err(|_| NO_KEY);
        let key = self.other.clone().map_or_else(stored, Ok)?;
        let signature: Signature = key.sign_prehash(digest).map_err(|_| NO_KEY)?;
        Ok(signature.to_bytes().into())
    }

    fn public_key(
        &mut self,
        scalar: &[u8; KEY_LENGTH],
    ) -> Result<[u8; PUBLIC_KEY_LENGTH], SignerError> {
        let key = SigningKey::from_slice(scalar).map_err(|_| NO_KEY)?;
        let point = key.verifying_key().to_sec1_point(false);
        point.as_bytes().try_into().map_err(|_| NO_KEY)
    }
}

/// The system's random bytes; or always the same ones, for a device whose key is fixed.
/// Nothing but `KEYGEN` asks for any.
#[derive(Clone, Default)]
pub(crate) struct Source {
    /// The key that is drawn each time.
    pub(crate) fixed: Option<[u8; KEY_LENGTH]>,
}

impl Random for Source {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), SignerError> {
        if let Some(fixed) = self.fixed.filter(|fixed| fixed.len() == bytes.len()) {
            bytes.copy_from_slice(&fixed);
            return Ok(());
        }
        getrandom::fill(bytes).map_err(|_| NO_RANDOM)
    }
}

/// A clock that stands still: the simulator does the work at once and waits afterwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StandingClock;

impl Clock for StandingClock {
    fn milliseconds(&mut self) -> u32 {
        0
    }
}

/// Gives it power.
pub(crate) fn start(facts: Facts, chip: &SharedChip, hand: &Hand, source: &Source) -> Firmware {
    Firmware::boot(facts, chip.clone(), hand.clone(), source.clone(), StandingClock)
}
