//! A line between the station and a chip that counts what crosses it, and at which rate.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Bytes that crossed together.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) to_chip: bool,
    pub(crate) baud: u32,
    pub(crate) bytes: Vec<u8>,
}

/// What crossed so far.
#[derive(Clone, Default)]
pub(crate) struct Relay(Arc<Mutex<Vec<Piece>>>);

impl Relay {
    /// Puts a line between `chip`, a port that is there, and `link`, which it makes.
    pub(crate) fn between(chip: &Path, link: &Path) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let station = rustix::pty::openpt(flags).unwrap();
        rustix::pty::unlockpt(&station).unwrap();
        // Kept open, so that the terminal keeps its settings.
        let ours = rustix::pty::ioctl_tiocgptpeer(&station, flags).unwrap();
        let chip = rustix::fs::open(chip, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        make_raw(&ours);
        make_raw(&chip);
        let name = rustix::pty::ptsname(&station, Vec::new()).unwrap();
        let name = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        std::os::unix::fs::symlink(name, link).unwrap();
        let relay = Self::default();
        let rate = Arc::new(Mutex::new(115_200));
        let files = [&station, &chip].map(|end| File::from(end.try_clone().unwrap()));
        let [mut from_station, mut from_chip] = files;
        let (mut to_station, mut to_chip) = (File::from(station), File::from(chip));
        let (pieces, other) = (relay.clone(), Arc::clone(&rate));
        thread::spawn(move || {
            carry(&mut from_station, &mut to_chip, |to_chip, bytes| {
                // Both ends are as fast as the station says.
                let now = tcgetattr(&ours).unwrap().input_speed();
                let mut settings = tcgetattr(to_chip).unwrap();
                settings.set_speed(now).unwrap();
                tcsetattr(to_chip, OptionalActions::Now, &settings).unwrap();
                *other.lock().unwrap() = now;
                pieces.note(true, now, bytes);
            });
        });
        let pieces = relay.clone();
        thread::spawn(move || {
            carry(&mut from_chip, &mut to_station, |_, bytes| {
                pieces.note(false, *rate.lock().unwrap(), bytes);
            });
        });
        relay
    }

    fn note(&self, to_chip: bool, baud: u32, bytes: &[u8]) {
        self.0.lock().unwrap().push(Piece { to_chip, baud, bytes: bytes.to_vec() });
    }

    /// What crossed so far.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        self.0.lock().unwrap().clone()
    }
}

fn make_raw(end: &OwnedFd) {
    let mut settings = tcgetattr(end).unwrap();
    settings.make_raw();
    tcsetattr(end, OptionalActions::Now, &settings).unwrap();
}

fn carry(from: &mut File, to: &mut File, mut see: impl FnMut(&File, &[u8])) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        see(to, &bytes[..count]);
        if to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}
