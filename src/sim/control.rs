//! The socket beside a slot's link, over which another process moves its devices.
//!
//! One line of text in, one line of JSON out: [`Order`] and [`Told`]. It is for whoever
//! practises at a simulated line, so it checks nothing but its input. Start with
//! [`Control::open`]; [`tell`] is the other end.

use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::SimError;
use super::hands::{Act, HandError, Handled, SlotHandle, Workbench};
use super::stop::{StopFlag, Watch, Woken, wait};
use super::unit::UnitId;

use crate::say;

/// The longest order; a path is part of one.
const LONGEST: u64 = 8 * 1_024;

/// How long one who is connected may take to say what is wanted. Others wait for that long.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an order may take: a station that holds on to a port is waited for.
const LONGEST_ACT: Duration = Duration::from_secs(30);

/// What is asked of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Take the device out and lay it on the bench.
    Pull,
    /// Put in what was laid on the bench last.
    Put,
    /// Put in the next blank device.
    Next,
    /// Take the device out and put it into the slot with this link.
    Move(PathBuf),
}

impl Order {
    fn line(&self) -> String {
        match self {
            Order::Pull => "pull\n".to_owned(),
            Order::Put => "put\n".to_owned(),
            Order::Next => "next\n".to_owned(),
            Order::Move(to) => format!("move {}\n", to.display()),
        }
    }
}

impl FromStr for Order {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        match line.trim_end().split_once(' ') {
            Some(("move", to)) if !to.trim().is_empty() => Ok(Order::Move(to.trim().into())),
            None if line.trim_end() == "pull" => Ok(Order::Pull),
            None if line.trim_end() == "put" => Ok(Order::Put),
            None if line.trim_end() == "next" => Ok(Order::Next),
            _ => Err(()),
        }
    }
}

/// What is said back: the device that was moved, or why none was.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Told {
    Done { unit: u32, of: String },
    Refused { error: String },
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens there.
    #[error("no simulated device listens at {socket}")]
    Nobody {
        /// Where its socket should be.
        socket: PathBuf,
        /// Why it can't be reached.
        source: io::Error,
    },
    /// Whoever listens did not answer.
    #[error("{socket} does not answer")]
    Silent {
        /// Its socket.
        socket: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The slot refused.
    #[error("{0}")]
    Refused(String),
}

/// Where the slot with that link takes orders.
pub fn socket_of(link: &Path) -> PathBuf {
    let mut name = link.file_name().unwrap_or_default().to_owned();
    name.push(".control");
    link.with_file_name(name)
}

/// The socket's address with as few characters as possible: the system takes 107 at most.
/// The folder stays open for as long as the address is needed.
fn address(socket: &Path) -> io::Result<(File, PathBuf)> {
    let folder = match socket.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = File::open(folder)?;
    let name = socket.file_name().unwrap_or_default();
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok((folder, short))
}

/// Has the simulator behind `link` carry out an order.
pub fn tell(link: &Path, order: &Order) -> Result<UnitId, ControlError> {
    let socket = socket_of(link);
    let nobody = |source| ControlError::Nobody { socket: socket.clone(), source };
    let (_folder, short) = address(&socket).map_err(nobody)?;
    let mut stream = UnixStream::connect(short).map_err(nobody)?;
    let told = ask(&mut stream, order)
        .map_err(|source| ControlError::Silent { socket: socket.clone(), source })?;
    match told {
        Told::Done { unit, of } => Ok(UnitId { home: of, number: unit }),
        Told::Refused { error } => Err(ControlError::Refused(error)),
    }
}

fn ask(stream: &mut UnixStream, order: &Order) -> io::Result<Told> {
    stream.set_read_timeout(Some(LONGEST_ACT))?;
    stream.write_all(order.line().as_bytes())?;
    Ok(serde_json::from_str(&read_line(stream)?)?)
}

fn read_line(stream: &UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
    Ok(line)
}

/// The open socket of a slot. Dropping it ends its thread and removes it.
pub(crate) struct Control {
    socket: PathBuf,
    /// Which file it is, so that one that took its place is left alone.
    inode: u64,
    stop: StopFlag,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Listens beside a slot's link until the flag is set.
    pub(crate) fn of_slot(
        link: &Path,
        slot: SlotHandle,
        bench: Workbench,
        stop: StopFlag,
    ) -> Result<Self, SimError> {
        let here = link.to_owned();
        let carry_out = move |order| carry_out(order, &here, &slot, &bench);
        Self::open(link, stop, Box::new(carry_out))
    }

    /// The same for whatever carries orders out.
    pub(crate) fn open(
        link: &Path,
        stop: StopFlag,
        carry_out: Box<dyn Fn(Order) -> Handled + Send>,
    ) -> Result<Self, SimError> {
        let socket = socket_of(link);
        let failed = |source| SimError::Control { socket: socket.clone(), source };
        let listener = listen(&socket).map_err(failed)?;
        let inode = fs::symlink_metadata(&socket).map_err(failed)?.ino();
        let until = stop.clone();
        let body = move || serve(&listener, &*carry_out, &until);
        let thread = std::thread::Builder::new().name("sim-control".to_owned()).spawn(body);
        let thread = Some(thread.map_err(|error| SimError::Thread(Some(error)))?);
        Ok(Self { socket, inode, stop, thread })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take() {
            // A thread that is over is over.
            let _ = thread.join();
        }
        if fs::symlink_metadata(&self.socket).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.socket);
        }
    }
}

/// A socket of this user's alone. One that a killed simulator left is replaced.
fn listen(socket: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(socket) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(socket)?,
        Ok(_) => {
            let why = say!("it is no socket", "它不是套接字");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        Err(_) => {}
    }
    let (_folder, short) = address(socket)?;
    let listener = UnixListener::bind(short)?;
    fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn serve(listener: &UnixListener, carry_out: &dyn Fn(Order) -> Handled, stop: &StopFlag) {
    let watch = Watch::start();
    while let Ok(Woken::Look) = wait(stop, &[listener.as_fd()], watch, None) {
        if let Ok((stream, _)) = listener.accept() {
            // Whoever went away needs no answer.
            let _ = answer(&stream, carry_out);
        }
    }
}

fn carry_out(order: Order, link: &Path, slot: &SlotHandle, bench: &Workbench) -> Handled {
    match order {
        Order::Pull => slot.act(Act::TakeOut { comes_back: true }),
        Order::Put => slot.act(Act::PutIn(None)),
        Order::Next => slot.act(Act::Next),
        Order::Move(to) => bench.carry(link, &to),
    }
}

fn answer(stream: &UnixStream, carry_out: &dyn Fn(Order) -> Handled) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let told = match read_line(stream)?.parse::<Order>() {
        Ok(order) => told(carry_out(order)),
        Err(()) => Told::Refused { error: "pull, put, next or move LINK is expected".to_owned() },
    };
    let mut line = serde_json::to_vec(&told)?;
    line.push(b'\n');
    let mut stream = stream;
    stream.write_all(&line)
}

fn told(handled: Result<UnitId, HandError>) -> Told {
    match handled {
        Ok(UnitId { home, number }) => Told::Done { unit: number, of: home },
        Err(why) => Told::Refused { error: why.to_string() },
    }
}

impl crate::domain::cause::Told for ControlError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Nobody { socket, .. } => {
                format!("没有模拟设备在 {} 监听", socket.display())
            }
            Self::Silent { socket, .. } => format!("{} 没有应答", socket.display()),
            Self::Refused(why) => in_chinese(why).to_owned(),
        })
    }
}

/// What another simulator says of a hand, in Chinese; it answers in English.
fn in_chinese(why: &str) -> &str {
    match why {
        "the slot is empty" => "工位是空的",
        "a device is in the slot" => "工位里有设备",
        "no device lies on the bench" => "台面上没有设备",
        "no blank device is left" => "没有空白设备了",
        "that slot is not one of this simulator's" => "那个工位不属于这个模拟器",
        "the simulation has ended" => "模拟已结束",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        for order in [Order::Pull, Order::Put, Order::Next, Order::Move("a folder/slot-b".into())] {
            assert_eq!(order.line().parse(), Ok(order));
        }
        for line in ["", "push\n", "move \n", "pull out\n"] {
            assert_eq!(line.parse::<Order>(), Err(()), "{line:?}");
        }
    }
}
