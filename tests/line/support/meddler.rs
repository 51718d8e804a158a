//! Someone between a station and its devices: a fixture's adapter, whose port stays while devices
//! come and go behind it; or who changes an SMP device's messages, and puts their check sums right
//! again.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    ToDevice,
    ToStation,
}

/// Looks at each message, and may change it.
pub(crate) type Change = Box<dyn FnMut(Way, &mut Vec<u8>) + Send>;

/// Relays between the station's port and the device's until it is dropped.
pub(crate) struct Meddler {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Meddler {
    /// Gives the station a port at `link` that stays, and whatever device is at `device` behind
    /// it, byte for byte.
    #[allow(dead_code, reason = "the modems' tests use it")]
    pub(crate) fn adapter(link: &Path, device: PathBuf) -> Self {
        Self::start(link, device, None)
    }

    /// Gives the station a port at `link`, and the device at `device` behind it.
    pub(crate) fn between(link: &Path, device: PathBuf, change: Change) -> Self {
        Self::start(link, device, Some(change))
    }

    fn start(link: &Path, device: PathBuf, change: Option<Change>) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        // Held open, so that the station may come and go.
        let held = open_raw(Path::new(&name)).unwrap();
        symlink(name, link).unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let _held = held;
            relay(&File::from(master), &device, change, &over);
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn open_raw(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
    let line = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let mut modes = tcgetattr(&line).ok()?;
    modes.make_raw();
    tcsetattr(&line, OptionalActions::Now, &modes).ok()?;
    Some(line)
}

fn relay(mut station: &File, device: &Path, mut change: Option<Change>, over: &AtomicBool) {
    let (mut up, mut down) = (Lines::default(), Lines::default());
    while !over.load(Ordering::Acquire) {
        let Some(line) = open_raw(device) else {
            let mut polled = [PollFd::new(station, PollFlags::IN)];
            let slice = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
            // What is said to nobody is lost.
            if poll(&mut polled, Some(&slice)).unwrap() > 0 {
                let _ = station.read(&mut [0; 4096]);
            }
            continue;
        };
        let mut line = File::from(line);
        while !over.load(Ordering::Acquire) {
            let mut polled =
                [PollFd::new(station, PollFlags::IN), PollFd::new(&line, PollFlags::IN)];
            let slice = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            poll(&mut polled, Some(&slice)).unwrap();
            let [from_station, from_device] = [polled[0].revents(), polled[1].revents()];
            if from_station.contains(PollFlags::IN) {
                let bytes = down.pass(station, Way::ToDevice, change.as_mut());
                let _ = line.write_all(&bytes);
            }
            if from_device.intersects(PollFlags::HUP | PollFlags::ERR) {
                break;
            }
            if from_device.contains(PollFlags::IN) {
                let bytes = up.pass(&line, Way::ToStation, change.as_mut());
                let _ = station.write_all(&bytes);
            }
        }
    }
}

/// One way's lines, as far as they have come.
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    packet: Vec<u8>,
}

impl Lines {
    /// Reads once, and gives what is to be passed on.
    fn pass(&mut self, mut from: &File, way: Way, change: Option<&mut Change>) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let count = from.read(&mut buffer).unwrap_or(0);
        let Some(change) = change else { return buffer[..count].to_vec() };
        let mut out = Vec::new();
        for byte in &buffer[..count] {
            self.line.push(*byte);
            if *byte != b'\n' {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let parts = line.strip_suffix(b"\n").and_then(|line| line.split_first_chunk::<2>());
            let data = parts.and_then(|(_, text)| STANDARD.decode(text).ok());
            match (parts, data) {
                (Some(([0x06, 0x09], _)), Some(data)) => self.packet = data,
                (Some(([0x04, 0x14], _)), Some(data)) => self.packet.extend(data),
                _ => {
                    out.extend(line);
                    continue;
                }
            }
            let length = 2 + usize::from(u16::from_be_bytes([self.packet[0], self.packet[1]]));
            if self.packet.len() >= length {
                let mut message = self.packet[2..length - 2].to_vec();
                change(way, &mut message);
                out.extend(in_lines(&message));
            }
        }
        out
    }
}

fn in_lines(message: &[u8]) -> Vec<u8> {
    let check = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM).checksum(message).to_be_bytes();
    let length = u16::try_from(message.len() + 2).unwrap().to_be_bytes();
    let packet = [&length[..], message, &check].concat();
    let mut lines = Vec::new();
    for (index, part) in packet.chunks(93).enumerate() {
        lines.extend(if index == 0 { [0x06, 0x09] } else { [0x04, 0x14] });
        lines.extend(STANDARD.encode(part).into_bytes());
        lines.push(b'\n');
    }
    lines
}
