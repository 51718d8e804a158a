//! The port that a simulated device is plugged into: a pseudo-terminal behind a link.
//!
//! The simulator keeps the station's end open too. So the master never reports a
//! hang-up, and whether a station has the port open is told by the file system's own
//! events; closing the master is then the one way to pull the device out. Equal events in
//! a row may be merged by the kernel, so they are not counted: a station that opens the
//! port twice has it open, and lets go at its first close. Start with
//! [`Port::open`] and [`Plug`]. Nothing here knows frames or time.

use std::ffi::OsStr;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, QueueSelector};

use super::error::SimError;

/// Room for the events of one look; more are read by the next round of the loop.
const EVENT_ROOM: usize = 512;

/// A pseudo-terminal in raw mode, its master in our hand.
#[derive(Debug)]
pub(crate) struct Port {
    master: OwnedFd,
    /// Ours, so that the terminal keeps its settings while no station has it open.
    slave: OwnedFd,
    openings: OwnedFd,
    is_open: bool,
    path: PathBuf,
}

/// What happened at the station's end since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Openings {
    /// The port was closed and is now open.
    pub(crate) opened: bool,
    /// The last one who had it open let go, even if someone opened it again since.
    pub(crate) let_go: bool,
}

impl Port {
    /// Makes a pseudo-terminal that nobody knows yet.
    pub(crate) fn open() -> Result<Self, SimError> {
        let (master, slave, path) = make_pair().map_err(SimError::Port)?;
        let openings = watch_openings(&path).map_err(SimError::Watch)?;
        Ok(Self { master, slave, openings, is_open: false, path })
    }

    /// Where the station's end lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Becomes readable when the station has written.
    pub(crate) fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// Becomes readable when the port is opened or closed.
    pub(crate) fn openings(&self) -> BorrowedFd<'_> {
        self.openings.as_fd()
    }

    /// Whether a station has the port open.
    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// The bits a second that the station has set.
    pub(crate) fn rate(&self) -> u32 {
        // Can't fail on a terminal that we hold open.
        rustix::termios::tcgetattr(&self.slave).map_or(0, |settings| settings.input_speed())
    }

    /// Reads what the station wrote; zero if there is nothing.
    pub(crate) fn read(&self, into: &mut [u8]) -> Result<usize, SimError> {
        match rustix::io::read(&self.master, into) {
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(SimError::Port(error)),
        }
    }

    /// Writes what fits. The rest is lost, as it is in a port whose station does not read.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), SimError> {
        match rustix::io::write(&self.master, bytes) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(SimError::Port(error)),
        }
    }

    /// Takes note of who opened and closed the port since the last look.
    pub(crate) fn look(&mut self) -> Result<Openings, SimError> {
        let was_open = self.is_open();
        let let_go = follow(&self.openings, &mut self.is_open).map_err(SimError::Port)?;
        if let_go {
            self.forget_the_station();
        }
        Ok(Openings { opened: self.is_open() && (let_go || !was_open), let_go })
    }

    /// Pulls the device out: the station's end hangs up.
    pub(crate) fn pull(self) -> Pulled {
        let Self { openings, slave, master, .. } = self;
        drop(slave);
        // Without our own end the master tells whether there is another; the event of our
        // own close is not the station's.
        let mut ours = true;
        let followed = follow(&openings, &mut ours);
        let held = followed.is_ok() && !hangs_up(&master);
        Pulled { openings, held }
    }

    /// Drops what the station did not read, and the exclusive use that a killed one leaves.
    fn forget_the_station(&self) {
        // Neither can fail on a terminal that we hold open.
        let _ = rustix::termios::ioctl_tiocnxcl(&self.slave);
        if !self.is_open() {
            let _ = rustix::termios::tcflush(&self.slave, QueueSelector::IFlush);
        }
    }
}

/// What is left of a port after its device was pulled out.
#[derive(Debug)]
pub(crate) struct Pulled {
    openings: OwnedFd,
    held: bool,
}

impl Pulled {
    /// Becomes readable when someone lets go.
    pub(crate) fn openings(&self) -> BorrowedFd<'_> {
        self.openings.as_fd()
    }

    /// Whether the station still holds on to its end.
    pub(crate) fn is_held(&mut self) -> Result<bool, SimError> {
        follow(&self.openings, &mut self.held).map_err(SimError::Port)?;
        Ok(self.held)
    }
}

/// Whether nobody has the station's end open.
fn hangs_up(master: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(master, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // Where it can't be told, nobody is waited for.
    rustix::event::poll(&mut polled, Some(&now)).is_err()
        || polled[0].revents().contains(PollFlags::HUP)
}

/// Brings `is_open` up to date; true if the port was let go of in between.
fn follow(openings: &OwnedFd, is_open: &mut bool) -> Result<bool, Errno> {
    let mut room = [MaybeUninit::uninit(); EVENT_ROOM];
    let mut reader = inotify::Reader::new(openings, &mut room);
    let mut let_go = false;
    loop {
        let events = match reader.next() {
            Ok(event) => event.events(),
            Err(Errno::AGAIN | Errno::INTR) => return Ok(let_go),
            Err(error) => return Err(error),
        };
        if events.contains(inotify::ReadFlags::OPEN) {
            *is_open = true;
        } else if events.intersects(closed()) {
            let_go |= *is_open;
            *is_open = false;
        } else if events.contains(inotify::ReadFlags::IGNORED) {
            // The terminal is gone for everyone.
            *is_open = false;
        }
    }
}

/// Master, slave in raw mode, and the slave's path.
fn make_pair() -> Result<(OwnedFd, OwnedFd, PathBuf), Errno> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags)?;
    rustix::pty::unlockpt(&master)?;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
    make_raw(&slave)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    Ok((master, slave, PathBuf::from(OsStr::from_bytes(name.as_bytes()))))
}

fn make_raw(slave: &OwnedFd) -> Result<(), Errno> {
    let mut settings = rustix::termios::tcgetattr(slave)?;
    settings.make_raw();
    rustix::termios::tcsetattr(slave, OptionalActions::Now, &settings)
}

const fn closed() -> inotify::ReadFlags {
    inotify::ReadFlags::CLOSE_WRITE.union(inotify::ReadFlags::CLOSE_NOWRITE)
}

fn watch_openings(path: &Path) -> Result<OwnedFd, Errno> {
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
    let flags = inotify::WatchFlags::OPEN | inotify::WatchFlags::CLOSE;
    inotify::add_watch(&watch, path, flags)?;
    Ok(watch)
}

/// A port under the name by which the station knows it; pulled out when dropped.
#[derive(Debug)]
pub(crate) struct Plug {
    link: PathBuf,
    port: PathBuf,
}

impl Plug {
    /// Makes `link` lead to the port, in one step for whoever looks at it.
    ///
    /// A link left by a simulator that was killed is replaced; anything else is refused.
    pub(crate) fn insert(link: &Path, port: &Port) -> Result<Self, SimError> {
        let failed = |source| SimError::Link { link: link.to_owned(), source };
        if fs::symlink_metadata(link).is_ok_and(|found| !found.is_symlink()) {
            return Err(SimError::LinkTaken { link: link.to_owned() });
        }
        let fresh = beside(link);
        let _ = fs::remove_file(&fresh);
        std::os::unix::fs::symlink(port.path(), &fresh).map_err(failed)?;
        fs::rename(&fresh, link).map_err(failed)?;
        Ok(Self { link: link.to_owned(), port: port.path().to_owned() })
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        // Another simulator may have taken the name over: its link stays.
        if fs::read_link(&self.link).is_ok_and(|leads_to| leads_to == self.port) {
            let _ = fs::remove_file(&self.link);
        }
    }
}

fn beside(link: &Path) -> PathBuf {
    let mut name = link.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    link.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    fn open_end(path: &Path) -> File {
        File::options().read(true).write(true).open(path).unwrap()
    }

    #[test]
    fn bytes_pass_unchanged_in_both_directions() {
        let port = Port::open().unwrap();
        let mut station = open_end(port.path());
        let all: Vec<u8> = (0..=255).collect();
        station.write_all(&all).unwrap();
        let mut seen = [0; 300];
        assert_eq!(port.read(&mut seen).unwrap(), 256);
        assert_eq!(seen[..256], all);
        port.write(&all).unwrap();
        let mut back = [0; 256];
        station.read_exact(&mut back).unwrap();
        assert_eq!(back[..], all);
    }

    #[test]
    fn opening_and_letting_go_are_seen() {
        let mut port = Port::open().unwrap();
        assert_eq!(port.look().unwrap(), Openings::default());
        let first = open_end(port.path());
        assert_eq!(port.look().unwrap(), Openings { opened: true, let_go: false });
        // A station may hold its port twice; the two closes may be told as one.
        let second = open_end(port.path());
        assert_eq!(port.look().unwrap(), Openings::default());
        drop((first, second));
        assert_eq!(port.look().unwrap(), Openings { opened: false, let_go: true });
        assert_eq!(port.look().unwrap(), Openings::default());
        assert!(!port.is_open());
    }

    #[test]
    fn a_quick_reopening_is_seen_as_both() {
        let mut port = Port::open().unwrap();
        let first = open_end(port.path());
        port.look().unwrap();
        drop(first);
        let _second = open_end(port.path());
        assert_eq!(port.look().unwrap(), Openings { opened: true, let_go: true });
    }

    #[test]
    fn what_a_station_left_unread_is_gone_for_the_next() {
        let mut port = Port::open().unwrap();
        let first = open_end(port.path());
        port.look().unwrap();
        port.write(b"late reply").unwrap();
        drop(first);
        port.look().unwrap();
        let mut second = open_end(port.path());
        port.write(b"new").unwrap();
        let mut seen = [0; 20];
        let count = second.read(&mut seen).unwrap();
        assert_eq!(&seen[..count], b"new");
    }

    /// Says nothing where the tests run as root, who may open an exclusive terminal too.
    #[test]
    fn the_exclusive_use_of_a_killed_station_ends_with_it() {
        let mut port = Port::open().unwrap();
        let killed = open_end(port.path());
        rustix::termios::ioctl_tiocexcl(&killed).unwrap();
        drop(killed);
        port.look().unwrap();
        open_end(port.path());
    }

    #[test]
    fn a_dropped_port_hangs_up() {
        let port = Port::open().unwrap();
        let mut station = open_end(port.path());
        drop(port);
        assert_eq!(station.read(&mut [0; 4]).unwrap_or(0), 0);
        assert!(station.write(b"x").is_err());
    }

    #[test]
    fn after_pulling_a_port_it_is_seen_when_the_station_lets_go() {
        let mut port = Port::open().unwrap();
        let station = open_end(port.path());
        port.look().unwrap();
        let mut pulled = port.pull();
        assert!(pulled.is_held().unwrap());
        drop(station);
        assert!(!pulled.is_held().unwrap());
        let unopened = Port::open().unwrap();
        assert!(!unopened.pull().is_held().unwrap());
    }

    #[test]
    fn a_plug_leads_to_its_port_until_it_is_pulled() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("slot-a");
        let (first, second) = (Port::open().unwrap(), Port::open().unwrap());
        let old = Plug::insert(&link, &first).unwrap();
        let new = Plug::insert(&link, &second).unwrap();
        drop(old);
        assert_eq!(fs::read_link(&link).unwrap(), second.path());
        drop(new);
        assert!(fs::symlink_metadata(&link).is_err());
    }

    #[test]
    fn a_file_in_the_place_of_the_link_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("slot-a");
        fs::write(&link, "mine").unwrap();
        let error = Plug::insert(&link, &Port::open().unwrap()).unwrap_err();
        assert!(matches!(error, SimError::LinkTaken { .. }));
        assert_eq!(fs::read_to_string(&link).unwrap(), "mine");
    }
}
