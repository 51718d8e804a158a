//! The line between a port of the guest and a simulated device.
//!
//! It passes on whole frames, so that it can stop at any of them: what is held there, and what
//! comes after it, is lost, as it is when somebody pulls the plug.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use firmware_interface::codec::{self, DELIMITER};
use firmware_interface::ids::{REPLY_BIT, RequestType};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

/// How often a device whose link is gone is looked for.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// More questions than a station asks before silence means that the device is gone: six at a port
/// that it opens anew each time, three at one that stays open.
const IN_VAIN: usize = 12;

/// Told when the device's own port comes or goes, before anything else crosses.
pub(crate) type Told = Box<dyn FnMut(bool) + Send>;

#[derive(Default)]
struct State {
    /// The device is at the line.
    there: bool,
    /// Nothing crosses.
    cut: bool,
    /// The frame at which it is to be cut, counted from 1 in both directions together.
    cut_at: Option<usize>,
    /// Or at the first that is called so.
    cut_on: Option<&'static str>,
    /// Frames since it was last counted from.
    frames: usize,
    /// At which frame it was cut.
    held: Option<String>,
    /// How often the device came.
    arrivals: usize,
    /// The guest sent something since the device came last.
    heard: bool,
    /// To be sent to the guest as if the device had.
    inject: Vec<u8>,
    over: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line that is laid; dropping it takes it away.
pub(crate) struct Wire {
    shared: Arc<Shared>,
    wake: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Wire {
    /// Between the guest's port and the device whose port appears at `link`.
    pub(crate) fn lay(guest: UnixStream, link: &Path, told: Option<Told>) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let (wake, woken) = UnixStream::pair().unwrap();
        guest.set_nonblocking(true).unwrap();
        woken.set_nonblocking(true).unwrap();
        let work = Work {
            shared: Arc::clone(&shared),
            guest,
            link: link.to_owned(),
            device: None,
            woken,
            told,
            from_guest: Vec::new(),
            from_device: Vec::new(),
        };
        let thread = Some(std::thread::spawn(move || work.run()));
        Self { shared, wake, thread }
    }

    /// Cuts the line at that frame, counted from now on.
    pub(crate) fn cut_at(&self, frame: usize) {
        let mut state = self.shared.lock();
        (state.cut_at, state.frames, state.held) = (Some(frame), 0, None);
    }

    /// Cuts the line at the first frame that is called so, from now on.
    pub(crate) fn cut_on(&self, name: &'static str) {
        let mut state = self.shared.lock();
        (state.cut_on, state.held) = (Some(name), None);
    }

    /// Whether it was cut, and at which frame; waits for that.
    pub(crate) fn was_cut(&self, within: Duration) -> Option<String> {
        self.wait(within, |state| state.held.is_some());
        self.shared.lock().held.clone()
    }

    /// Lets everything cross again, from here on.
    pub(crate) fn mend(&self) {
        let mut state = self.shared.lock();
        (state.cut, state.cut_at, state.cut_on, state.held) = (false, None, None, None);
    }

    /// How many frames crossed since it was last counted from.
    pub(crate) fn frames(&self) -> usize {
        self.shared.lock().frames
    }

    /// Counts frames from here.
    pub(crate) fn count(&self) {
        self.shared.lock().frames = 0;
    }

    /// Waits until the station knows that nobody is there: it has asked so often in vain.
    #[track_caller]
    pub(crate) fn wait_for_silence(&self) {
        let asked = self.frames() + IN_VAIN;
        let is_so = self.wait(super::guest::LONG, |state| state.frames >= asked);
        assert!(is_so, "the station asks no more");
    }

    /// How often the device came so far.
    pub(crate) fn arrivals(&self) -> usize {
        self.shared.lock().arrivals
    }

    /// Whether the guest sent anything since the device came.
    pub(crate) fn heard_guest(&self) -> bool {
        self.shared.lock().heard
    }

    /// Waits until the guest sends something to the device.
    #[track_caller]
    pub(crate) fn wait_for_guest(&self) {
        assert!(self.wait(super::guest::LONG, |state| state.heard), "the guest said nothing");
    }

    /// Waits until the device is at the line, or is not.
    #[track_caller]
    pub(crate) fn wait_for_device(&self, there: bool) {
        let is_so = self.wait(super::guest::LONG, |state| state.there == there);
        assert!(is_so, "the device did not come or go");
    }

    /// Sends bytes to the guest as if the device had.
    pub(crate) fn inject(&self, bytes: &[u8]) {
        self.shared.lock().inject.extend(bytes);
        let _ = (&self.wake).write_all(&[1]);
    }

    fn wait(&self, within: Duration, wanted: impl Fn(&State) -> bool) -> bool {
        let until = Instant::now() + within;
        let mut state = self.shared.lock();
        while !wanted(&state) {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            let changed = self.shared.changed.wait_timeout(state, left);
            state = changed.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        let _ = (&self.wake).write_all(&[1]);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    shared: Arc<Shared>,
    guest: UnixStream,
    link: PathBuf,
    device: Option<OwnedFd>,
    woken: UnixStream,
    told: Option<Told>,
    from_guest: Vec<u8>,
    from_device: Vec<u8>,
}

impl Work {
    fn run(mut self) {
        while !self.shared.lock().over {
            self.look_for_device();
            if self.step().is_err() {
                return;
            }
        }
    }

    fn look_for_device(&mut self) {
        if self.device.is_some() {
            return;
        }
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(device) = rustix::fs::open(&self.link, flags, Mode::empty()) else { return };
        self.device = Some(device);
        self.device_is(true);
    }

    fn device_is(&mut self, there: bool) {
        if let Some(told) = &mut self.told {
            told(there);
        }
        let mut state = self.shared.lock();
        state.there = there;
        state.arrivals += usize::from(there);
        state.heard &= !there;
        self.shared.changed.notify_all();
    }

    fn device_is_gone(&mut self) {
        self.device = None;
        self.from_device.clear();
        self.device_is(false);
    }

    /// Moves what there is; an error means that the guest is gone.
    fn step(&mut self) -> io::Result<()> {
        let mut polled =
            vec![PollFd::new(&self.guest, PollFlags::IN), PollFd::new(&self.woken, PollFlags::IN)];
        polled.extend(self.device.iter().map(|device| PollFd::new(device, PollFlags::IN)));
        let limit = self.device.is_none().then_some(&LOOK);
        poll(&mut polled, limit)?;
        let ready: Vec<PollFlags> = polled.iter().map(PollFd::revents).collect();
        if !ready[0].is_empty() {
            let mut bytes = [0; 4_096];
            match self.guest.read(&mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.from_guest.extend(&bytes[..count]),
            }
            self.shared.lock().heard = true;
            self.shared.changed.notify_all();
            self.pass_on(true)?;
        }
        if !ready[1].is_empty() {
            let mut bytes = [0; 16];
            let _ = self.woken.read(&mut bytes);
            let inject = std::mem::take(&mut self.shared.lock().inject);
            write_all(&self.guest, &inject)?;
        }
        if ready.get(2).is_some_and(|ready| !ready.is_empty()) {
            self.read_device()?;
        }
        Ok(())
    }

    fn read_device(&mut self) -> io::Result<()> {
        let Some(device) = &self.device else { return Ok(()) };
        let mut bytes = [0; 4_096];
        match rustix::io::read(device, &mut bytes) {
            Ok(count @ 1..) => self.from_device.extend(&bytes[..count]),
            Err(rustix::io::Errno::AGAIN) => {}
            Ok(_) | Err(_) => self.device_is_gone(),
        }
        self.pass_on(false)
    }

    /// Passes on the whole frames of one direction.
    fn pass_on(&mut self, to_device: bool) -> io::Result<()> {
        while let Some(piece) = self.next_piece(to_device) {
            if !self.may_cross(&piece, to_device) {
                continue;
            }
            match (to_device, &self.device) {
                (false, _) => write_all(&self.guest, &piece)?,
                (true, Some(device)) => {
                    if write_all_fd(device, &piece).is_err() {
                        self.device_is_gone();
                    }
                }
                // Nobody is there to hear it.
                (true, None) => {}
            }
        }
        Ok(())
    }

    fn next_piece(&mut self, to_device: bool) -> Option<Vec<u8>> {
        let pending = if to_device { &mut self.from_guest } else { &mut self.from_device };
        let begun = pending.iter().position(|byte| *byte != DELIMITER)?;
        let length = pending[begun..].iter().position(|byte| *byte == DELIMITER)?;
        Some(pending.drain(..=begun + length).collect())
    }

    fn may_cross(&self, piece: &[u8], to_device: bool) -> bool {
        let name = name_of(piece, to_device);
        let mut state = self.shared.lock();
        if state.cut {
            return false;
        }
        let Some(name) = name else { return true };
        state.frames += 1;
        self.shared.changed.notify_all();
        if state.cut_at == Some(state.frames) || state.cut_on == Some(name.as_str()) {
            (state.cut, state.held) = (true, Some(name));
        }
        !state.cut
    }
}

/// What a frame is, where it is one.
fn name_of(piece: &[u8], to_device: bool) -> Option<String> {
    let between = |byte: &&u8| **byte != DELIMITER;
    let mut bytes: Vec<u8> = piece.iter().filter(between).copied().collect();
    let frame = codec::decode(&mut bytes).ok()?;
    let kind = RequestType::from_wire(frame.header.message_type & !REPLY_BIT);
    let kind = kind.map_or("ERROR", RequestType::name);
    Some(format!("{kind} {}", if to_device { "asked" } else { "answered" }))
}

fn write_all(to: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    write_all_fd(to, bytes)
}

/// Waits where the other end takes nothing for now.
fn write_all_fd(to: &impl std::os::fd::AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::AGAIN) => {
                poll(&mut [PollFd::new(to, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
