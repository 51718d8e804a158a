//! Locked pages between two guard pages: the only `unsafe` code of the program.
//!
//! It maps, locks and unmaps; what the bytes mean is the parent module's matter.

#![expect(unsafe_code, reason = "mapping and locking memory has no safe interface")]

use std::ffi::c_void;
use std::ptr::NonNull;

use rustix::io::Errno;
use rustix::mm::{self, Advice, MapFlags, MprotectFlags, ProtFlags};
use rustix::param::page_size;
use rustix::process::{Resource, getrlimit};

use zeroize::Zeroize;

use super::error::{SCALAR, VaultError};
use crate::domain::lender::LENT_SCRATCH;

/// Bytes of one cell.
const CELL: usize = size_of::<CellBytes>();

/// A mapping that is never swapped, dumped or inherited.
pub(super) struct Region {
    /// Start of the mapping, which is its first guard page.
    start: NonNull<c_void>,
    /// Bytes of the mapping, guard pages included.
    length: usize,
}

// SAFETY: a Region is used only to unmap in `drop`; an address is valid in every thread.
unsafe impl Send for Region {}
// SAFETY: nothing can be done through a shared Region.
unsafe impl Sync for Region {}

impl Region {
    /// Maps and locks memory for `cells` cells. The cells must be dropped before the region.
    pub(super) fn new(cells: usize) -> Result<(Region, Vec<CellMemory>), VaultError> {
        let page = page_size();
        let needed = (cells * CELL).next_multiple_of(page);
        let region = Region::map(needed, page)?;
        // SAFETY: the mapping has a page before and a page behind the `needed` bytes.
        let first = unsafe { region.start.byte_add(page) };
        protect(first, needed)?;
        let memory = |index: usize| {
            // SAFETY: `cells * CELL <= needed`, so each cell lies inside the open pages.
            CellMemory(unsafe { first.cast::<CellBytes>().add(index) })
        };
        Ok((region, (0..cells).map(memory).collect()))
    }

    /// Maps pages that can't be touched; the guard pages stay so.
    fn map(needed: usize, page: usize) -> Result<Region, VaultError> {
        let length = needed + 2 * page;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice changes no
        // existing memory.
        let start = unsafe {
            mm::mmap_anonymous(std::ptr::null_mut(), length, ProtFlags::empty(), MapFlags::PRIVATE)
        };
        let failed = |error: Errno| memory_error(needed, "mmap", error);
        let start = start.map_err(failed)?;
        let start = NonNull::new(start).ok_or_else(|| failed(Errno::NOMEM))?;
        Ok(Region { start, length })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the mapping is this region's own, and the parent drops the cells, the only
        // pointers into it, before. Unmapping also unlocks.
        let unmapped = unsafe { mm::munmap(self.start.as_ptr(), self.length) };
        debug_assert!(unmapped.is_ok(), "a whole mapping can be unmapped");
    }
}

/// Opens the pages for use, and keeps them out of core dumps, children and swap.
fn protect(first: NonNull<c_void>, needed: usize) -> Result<(), VaultError> {
    let at = first.as_ptr();
    // SAFETY (of all four): `first` and `needed` span whole pages of a mapping that nobody
    // else knows yet, and none of the calls changes what safe code can see of other memory.
    unsafe { mm::mprotect(at, needed, MprotectFlags::READ | MprotectFlags::WRITE) }
        .map_err(|error| memory_error(needed, "mprotect", error))?;
    // SAFETY: as above.
    unsafe { mm::madvise(at, needed, Advice::LinuxDontDump) }
        .map_err(|error| memory_error(needed, "MADV_DONTDUMP", error))?;
    // SAFETY: as above; a child that is forked does not get the pages at all.
    unsafe { mm::madvise(at, needed, Advice::LinuxDontFork) }
        .map_err(|error| memory_error(needed, "MADV_DONTFORK", error))?;
    // SAFETY: as above.
    unsafe { mm::mlock(at, needed) }.map_err(|error| lock_error(needed, error))
}

fn memory_error(needed: usize, step: &'static str, error: Errno) -> VaultError {
    VaultError::Memory { needed, step, source: error.into() }
}

fn lock_error(needed: usize, error: Errno) -> VaultError {
    let limit = getrlimit(Resource::Memlock).current;
    VaultError::Lock { needed, limit, source: error.into() }
}

/// What a cell is made of. Bytes alone, so it has no padding and any bytes are valid.
#[repr(C)]
pub(super) struct CellBytes {
    /// The private key.
    pub(super) scalar: [u8; SCALAR],
    /// Room for the frames that carry it.
    pub(super) scratch: [u8; LENT_SCRATCH],
}

/// The only way to the bytes of one cell; it is not `Clone`.
pub(super) struct CellMemory(NonNull<CellBytes>);

// SAFETY: it is the only pointer to its bytes, and they are valid in every thread.
unsafe impl Send for CellMemory {}

impl CellMemory {
    /// The bytes.
    pub(super) fn bytes(&mut self) -> &mut CellBytes {
        // SAFETY: the parent keeps the region mapped as long as the cell lives; the bytes
        // are open for reading and writing, were zeroed by the kernel, and `&mut self` is
        // the only way to them.
        unsafe { self.0.as_mut() }
    }

    /// Writes zeros over all of it, in a way that is not left out.
    pub(super) fn wipe(&mut self) {
        let bytes = self.bytes();
        bytes.scalar.zeroize();
        bytes.scratch.zeroize();
    }
}
