//! The one locked, non-dumpable memory region for device keys and the frames that carry them.
//!
//! A key is born in a [`Vault`], is lent from there to one closure at a time and is wiped
//! there; nothing but its number leaves. The vault knows no curve: whoever asks for a key
//! says which random bytes are one. It must not log, format or copy what it holds.
//!
//! Start with [`Vault::make_key`], then `lend` (of [`KeyLender`]) and [`Vault::forget`].
//! `region` is the only file of the program with `unsafe` code.

use station_domain::{self as domain, say};

mod error;
mod process;
mod region;
mod stack;
impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Fault {
        Fault::told(error.code(), &error)
    }
}

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{KeyId, PublicKey};
use crate::domain::lender::KeyLender;

pub use error::VaultError;
use error::{CELL_BITS, MAX_CELLS, SCALAR, TRIES};
pub use process::harden_process;
use region::{CellMemory, Region};
use stack::StackScrub;

/// Counts the keys of this process over all its vaults.
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// One place for a key.
struct Cell {
    key: Option<KeyId>,
    memory: CellMemory,
}

impl Cell {
    fn wipe(&mut self) {
        self.key = None;
        self.memory.wipe();
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Writes a key into the cell that it is given.
type Fill<'a> = &'a mut dyn FnMut(&mut [u8; SCALAR]) -> Result<PublicKey, VaultError>;

/// Locked memory with a fixed number of cells, shared by all slots.
pub struct Vault {
    /// Indices of the cells that hold no key.
    free: Mutex<Vec<usize>>,
    /// Each cell has its own lock, so that no slot waits for another one's write.
    cells: Vec<Mutex<Cell>>,
    /// Declared last: the cells point into it, and wipe themselves before it is unmapped.
    _region: Region,
}

impl Vault {
    /// Locks memory for `cells` keys at a time, each with its scratch.
    pub fn new(cells: usize) -> Result<Vault, VaultError> {
        if !(1..=MAX_CELLS).contains(&cells) {
            return Err(VaultError::Cells { cells });
        }
        let (region, memories) = Region::new(cells)?;
        let cell = |memory| Mutex::new(Cell { key: None, memory });
        Ok(Vault {
            free: Mutex::new((0..cells).rev().collect()),
            cells: memories.into_iter().map(cell).collect(),
            _region: region,
        })
    }

    /// Makes a key of random bytes that `derive` accepts, and tells its number and public key.
    ///
    /// `derive` gives none for bytes that are no key (zero, or beyond the group's order);
    /// it must not keep the bytes.
    pub fn make_key(
        &self,
        derive: &dyn Fn(&[u8; SCALAR]) -> Option<PublicKey>,
    ) -> Result<(KeyId, PublicKey), VaultError> {
        self.fill_free_cell(&mut |scalar| draw(scalar, derive))
    }

    /// Lets `make` write a key of its own making into the vault, and tells its number and
    /// public key.
    ///
    /// For a library that draws its keys itself. `make` must keep no copy but on its stack,
    /// which is overwritten afterwards.
    pub fn make_key_by(
        &self,
        make: &dyn Fn(&mut [u8; SCALAR]) -> Option<PublicKey>,
    ) -> Result<(KeyId, PublicKey), VaultError> {
        self.fill_free_cell(&mut |scalar| make(scalar).ok_or(VaultError::NotAKey))
    }

    fn fill_free_cell(&self, fill: Fill<'_>) -> Result<(KeyId, PublicKey), VaultError> {
        let index = lock(&self.free).pop().ok_or(VaultError::Full { cells: self.cells.len() })?;
        let taken = TakenCell { free: &self.free, index, kept: false };
        let mut cell = lock(&self.cells[index]);
        let _scrub = StackScrub;
        let filling = WipeUnlessKept { cell: &mut cell, kept: false };
        let public_key = fill(&mut filling.cell.memory.bytes().scalar)?;
        let number = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
        let key = KeyId(number << CELL_BITS | index as u64);
        filling.keep(key);
        taken.keep();
        Ok((key, public_key))
    }

    /// Wipes a key and its scratch. Does nothing where that has happened before.
    pub fn forget(&self, key: KeyId) {
        let Some((index, mut cell)) = self.cell_of(key) else { return };
        cell.wipe();
        drop(cell);
        lock(&self.free).push(index);
    }

    /// How many keys it holds now.
    pub fn held(&self) -> usize {
        self.cells.len() - lock(&self.free).len()
    }

    fn cell_of(&self, key: KeyId) -> Option<(usize, MutexGuard<'_, Cell>)> {
        let index = usize::try_from(key.0 & (MAX_CELLS as u64 - 1)).ok()?;
        let cell = lock(self.cells.get(index)?);
        (cell.key == Some(key)).then_some((index, cell))
    }
}

impl KeyLender for Vault {
    fn lend(
        &self,
        key: KeyId,
        work: &mut dyn FnMut(&[u8; SCALAR], &mut [u8]),
    ) -> Result<(), Fault> {
        let Some((_, mut cell)) = self.cell_of(key) else {
            return Err(Fault::said(
                Code::Bug,
                say!("the vault holds no key {}", "保管区里没有密钥 {}", key.0),
            ));
        };
        // Both act on every way out, a panic in `work` too.
        let _scrub = StackScrub;
        let bytes = cell.memory.bytes();
        let scratch = WipeScratch(&mut bytes.scratch);
        work(&bytes.scalar, scratch.0);
        Ok(())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("cells", &self.cells.len()).finish_non_exhaustive()
    }
}

/// A panic of a borrower leaves nothing half done in a cell, so poison means nothing here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Draws random bytes straight into the cell until `derive` takes them.
fn draw(
    scalar: &mut [u8; SCALAR],
    derive: &dyn Fn(&[u8; SCALAR]) -> Option<PublicKey>,
) -> Result<PublicKey, VaultError> {
    for _ in 0..TRIES {
        getrandom::fill(scalar).map_err(VaultError::Random)?;
        if let Some(public_key) = derive(scalar) {
            return Ok(public_key);
        }
    }
    Err(VaultError::NotAKey)
}

/// Gives a cell back, after a panic too, unless a key was made in it. Declared before the
/// cell is locked, so that it acts when the cell is wiped and unlocked again.
struct TakenCell<'a> {
    free: &'a Mutex<Vec<usize>>,
    index: usize,
    kept: bool,
}

impl TakenCell<'_> {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for TakenCell<'_> {
    fn drop(&mut self) {
        if !self.kept {
            lock(self.free).push(self.index);
        }
    }
}

/// Empties a cell again unless a key was made of it.
struct WipeUnlessKept<'a> {
    cell: &'a mut Cell,
    kept: bool,
}

impl WipeUnlessKept<'_> {
    fn keep(mut self, key: KeyId) {
        self.cell.key = Some(key);
        self.kept = true;
    }
}

impl Drop for WipeUnlessKept<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.cell.wipe();
        }
    }
}

/// Wipes what was lent along with a key.
struct WipeScratch<'a>(&'a mut [u8]);

impl Drop for WipeScratch<'_> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
