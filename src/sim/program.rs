//! A device that is a program of somebody's own: its line is standard input and output.
//!
//! [`run_program`] puts a pseudo-terminal before it, under a link, and paces both directions.
//! Nothing is known of what the program says. Taking it out ends the process, which is cutting
//! its power; putting it back starts it anew. What outlives that is the program's own affair.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use rustix::io::Errno;

use super::control::{Control, Order};
use super::dice::Chance;
use super::error::SimError;
use super::hands::{HandError, Handled};
use super::lane::Lane;
use super::pty::{Plug, Port};
use super::schedule::{BaudRate, Moment};
use super::stop::{Bell, StopFlag, Watch, Woken, be_punctual, wait};
use super::unit::UnitId;
use super::wire::{Wire, WireFaults};

use crate::say;

/// A program that is a device, and its line.
#[derive(Debug, Clone)]
pub struct ProgramOptions {
    /// Where the port appears. A link that is there already is replaced.
    pub link: PathBuf,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// The folder in which it runs, made if missing; this process's own if there is none.
    pub folder: Option<PathBuf>,
    /// Bits a second of the line in both directions; 0 for no pacing.
    pub baud: u32,
    /// What is wrong with the line.
    pub faults: WireFaults,
    /// From what probabilities are drawn.
    pub seed: u64,
}

impl ProgramOptions {
    /// The line since the program's start of this number.
    fn wire(&self, start: u32) -> Wire {
        let name = self.link.file_name().unwrap_or_default().to_string_lossy();
        self.faults.of_start(start, &Chance::new(self.seed, &name))
    }
}

/// Plugs the program in, says so, and returns when the flag is set. A program that ends by
/// itself is an error.
pub fn run_program(
    options: &ProgramOptions,
    stop: &StopFlag,
    ready: impl FnOnce(&Path),
) -> Result<(), SimError> {
    be_punctual();
    let (wishes, bell) = (mpsc::channel(), Bell::new()?);
    let (sender, ringer) = (wishes.0, bell.clone());
    let carry_out = move |order: Order| {
        let (answer, answered) = mpsc::sync_channel(1);
        sender.send(Wish { order, answer }).map_err(|_| HandError::Ended)?;
        ringer.ring();
        answered.recv().unwrap_or(Err(HandError::Ended))
    };
    let _control = Control::open(&options.link, stop.clone(), Box::new(carry_out))?;
    let mut slot = ProgramSlot {
        options,
        stop,
        bell,
        wishes: wishes.1,
        watch: Watch::start(),
        seat: None,
        starts: 0,
    };
    slot.start()?;
    ready(&options.link);
    slot.keep()
}

/// An order, and where its outcome goes.
struct Wish {
    order: Order,
    answer: SyncSender<Handled>,
}

struct ProgramSlot<'o> {
    options: &'o ProgramOptions,
    stop: &'o StopFlag,
    bell: Bell,
    wishes: Receiver<Wish>,
    watch: Watch,
    seat: Option<Seat>,
    /// How often the program was started.
    starts: u32,
}

impl ProgramSlot<'_> {
    fn start(&mut self) -> Result<(), SimError> {
        self.starts = self.starts.saturating_add(1);
        self.seat = Some(Seat::start(self.options, self.options.wire(self.starts))?);
        Ok(())
    }

    fn keep(&mut self) -> Result<(), SimError> {
        loop {
            self.bell.hush();
            while let Ok(Wish { order, answer }) = self.wishes.try_recv() {
                // Whoever asked may have gone.
                let _ = answer.send(self.carry_out(&order)?);
            }
            let now = self.watch.now();
            if let Some(seat) = &mut self.seat {
                seat.pass(now)?;
                if seat.wire.is_cut() {
                    self.seat = None;
                    self.start()?;
                }
            }
            if self.pause()? == Woken::Stop {
                return Ok(());
            }
        }
    }

    fn carry_out(&mut self, order: &Order) -> Result<Handled, SimError> {
        let program = self.options.command.first().cloned().unwrap_or_default();
        let id = UnitId { home: program.to_string_lossy().into_owned(), number: 1 };
        Ok(match (order, self.seat.is_some()) {
            (Order::Pull, true) => {
                self.seat = None;
                Ok(id)
            }
            (Order::Pull, false) => Err(HandError::Empty),
            (Order::Put | Order::Next, false) => {
                self.start()?;
                Ok(id)
            }
            (Order::Put | Order::Next, true) => Err(HandError::Taken),
            (Order::Move(_), _) => Err(HandError::OtherBench),
        })
    }

    fn pause(&self) -> Result<Woken, SimError> {
        let mut readable = vec![self.bell.heard()];
        let until = self.seat.as_ref().and_then(Seat::next_at);
        if let Some(seat) = &self.seat {
            readable.extend(seat.readable());
        }
        wait(self.stop, &readable, self.watch, until)
    }
}

/// A running program behind its port. Dropping it pulls the plug and ends the process.
struct Seat {
    // In this order: the link goes first, and the port hangs up.
    _plug: Plug,
    port: Port,
    child: Child,
    input: OwnedFd,
    output: OwnedFd,
    to_device: Lane,
    from_device: Lane,
    wire: Wire,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // It has no power any more, whatever it was about.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Seat {
    fn start(options: &ProgramOptions, wire: Wire) -> Result<Self, SimError> {
        let mut child = spawn(options)?;
        let ends = child.stdin.take().zip(child.stdout.take());
        let Some((input, output)) = ends else { return Err(SimError::Thread(None)) };
        let (input, output) = pipes(input, output).map_err(|error| failed(options, error))?;
        let port = Port::open()?;
        let plug = Plug::insert(&options.link, &port)?;
        let lane = |late| Lane::late(BaudRate(options.baud), late);
        let (to_device, from_device) = (lane(Duration::ZERO), lane(wire.latency));
        Ok(Self { _plug: plug, port, child, input, output, to_device, from_device, wire })
    }

    fn readable(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [self.port.openings(), self.port.master(), self.output.as_fd()].into_iter()
    }

    fn next_at(&self) -> Option<Moment> {
        [self.to_device.next_at(), self.from_device.next_at()].into_iter().flatten().min()
    }

    /// Takes what was written at either end, and hands over what has crossed the line by now.
    fn pass(&mut self, now: Moment) -> Result<(), SimError> {
        let mut bytes = [0; 1_024];
        loop {
            let count = self.port.read(&mut bytes)?;
            if count == 0 {
                break;
            }
            let lane = if self.wire.echo { &mut self.from_device } else { &mut self.to_device };
            lane.send(now, &bytes[..count]);
        }
        self.port.look()?;
        while let Some(count) = self.read_output(&mut bytes)? {
            self.from_device.send(now, &bytes[..count]);
        }
        while let Some(due) = self.to_device.due(now) {
            let Some(due) = self.wire.carry_in(due) else { continue };
            // What a program does not take is lost, as in a UART that overruns; one that ends
            // meanwhile is found out by its output.
            let _ = rustix::io::write(&self.input, &due);
        }
        while let Some(due) = self.from_device.due(now) {
            let Some(due) = self.wire.carry_out(due) else { continue };
            if self.port.is_open() {
                self.port.write(&due)?;
            }
        }
        Ok(())
    }

    /// What the program has said; none where there is nothing now.
    fn read_output(&mut self, bytes: &mut [u8]) -> Result<Option<usize>, SimError> {
        match rustix::io::read(&self.output, bytes) {
            Ok(0) => Err(self.ended()),
            Ok(count) => Ok(Some(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(SimError::Port(error)),
        }
    }

    fn ended(&mut self) -> SimError {
        // One that closed its output and runs on is of no use either.
        let _ = self.child.kill();
        let status = self.child.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
        SimError::ProgramEnded { status }
    }
}

fn spawn(options: &ProgramOptions) -> Result<Child, SimError> {
    let failed = |error| failed(options, error);
    let (program, arguments) = options.command.split_first().ok_or_else(|| {
        failed(io::Error::new(io::ErrorKind::InvalidInput, say!("none was named", "没有指定程序")))
    })?;
    // A path is meant from here, also where the program is to run in another folder.
    let program = match Path::new(program).components().count() {
        0 | 1 => PathBuf::from(program),
        _ => std::path::absolute(program).map_err(failed)?,
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    // What stops this process at a terminal must not cut the program's power first.
    command.process_group(0);
    if let Some(folder) = &options.folder {
        std::fs::create_dir_all(folder).map_err(failed)?;
        command.current_dir(folder);
    }
    command.spawn().map_err(failed)
}

fn failed(options: &ProgramOptions, source: io::Error) -> SimError {
    let program = options.command.first().cloned().unwrap_or_default();
    SimError::Program { program: program.to_string_lossy().into_owned(), source }
}

/// Both pipes; nobody waits for the program to take or say something.
fn pipes(input: ChildStdin, output: ChildStdout) -> io::Result<(OwnedFd, OwnedFd)> {
    let (input, output) = (OwnedFd::from(input), OwnedFd::from(output));
    rustix::io::ioctl_fionbio(&input, true)?;
    rustix::io::ioctl_fionbio(&output, true)?;
    Ok((input, output))
}
