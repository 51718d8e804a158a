//! SIGINT and SIGTERM: no new unit, what is under way lands, nothing durable is lost.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use firmware_interface::ids::RequestType;
use provisioning_station::sim::{self, Options, SimulatedSlot, Timings};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::support::{Count, Factory, LONG, Plan, Tell, label, labels};

/// A line lands within this time; then the process ends whatever happens.
const LANDING: Duration = Duration::from_secs(30);

fn counted(factory: &Factory, units: u32, baud: u32, timings: Timings) -> (SimulatedSlot, Count) {
    let count = Count::default();
    let recorder = Some(Box::new(Tell(count.clone())) as Box<_>);
    let options = Options { baud, timings, recorder, ..factory.options("A", units) };
    (sim::start(options).unwrap(), count)
}

fn assert_lands_in_mid_write(signal: Signal) {
    let factory = Factory::with(&Plan { baud: 9_600, ..Plan::default() });
    let (_device, count) = counted(&factory, 2, 9_600, Timings::INSTANT);
    let batch = factory.start_batch(&labels(2));
    count.wait_for(RequestType::Chunk, 1, LONG);
    batch.signal(signal);
    let finished = batch.finish(LANDING).expect(130);
    let unit = finished.unit(&label(1));
    assert_eq!(unit["outcome"], "interrupted", "{unit}");
    assert_eq!(finished.summary()["interrupted"], 1);
    assert!(finished.units().iter().all(|unit| unit["outcome"] != "pass"));
    assert!(finished.errors.contains("error[E-STOPPED]"), "{}", finished.story());
    let states: Vec<_> = factory.ledger().certificates().into_iter().map(|row| row.state).collect();
    assert_eq!(states, ["void"]);
    let open = factory.ledger().count("SELECT count(*) FROM attempts WHERE ended_us IS NULL");
    assert_eq!(open, 0);
    factory.verify();

    let again = factory.batch(&labels(2)).expect(0);
    assert_eq!(again.summary()["passed"], 2, "{}", again.story());
    assert_eq!(again.unit(&label(1))["attempt"], 2);
}

#[test]
fn sigint_lands_a_unit_that_is_being_written() {
    assert_lands_in_mid_write(Signal::INT);
}

#[test]
fn sigterm_lands_a_unit_that_is_being_written() {
    assert_lands_in_mid_write(Signal::TERM);
}

#[test]
fn a_signal_between_commit_and_verdict_waits_for_the_verdict() {
    let factory = Factory::usual();
    let timings = Timings { commit: Duration::from_millis(500), ..Timings::INSTANT };
    let (_device, count) = counted(&factory, 2, 0, timings);
    let batch = factory.start_batch(&labels(2));
    count.wait_for(RequestType::Commit, 1, LONG);
    batch.signal(Signal::INT);
    let finished = batch.finish(LANDING).expect(130);
    assert_eq!(factory.ledger().in_state("proven").len(), 1, "{}", finished.story());
    assert_eq!(factory.ledger().in_state("uncertain").len(), 0, "{}", finished.story());
    factory.verify();
    let again = factory.batch(&labels(2)).expect(0);
    assert_eq!(factory.ledger().in_state("proven").len(), 2, "{}", again.story());
    assert_eq!(factory.ledger().certificates().len(), 2);
}

#[test]
fn a_line_that_waits_for_labels_stops_at_once() {
    let factory = Factory::usual();
    let (_device, count) = counted(&factory, 1, 0, Timings::INSTANT);
    let batch = factory.start(&["batch", "--serials", "-"]);
    count.wait_for(RequestType::Identify, 1, LONG);
    batch.signal(Signal::TERM);
    assert!(batch.ends_within(Duration::from_secs(8)), "it still waits for labels");
    batch.finish(LANDING).expect(130);
}

#[test]
fn a_second_signal_stops_at_once_and_loses_nothing() {
    let factory = Factory::usual();
    // Its commit takes longer than the test may wait.
    let timings = Timings { commit: Duration::from_secs(60), ..Timings::INSTANT };
    let (device, count) = counted(&factory, 1, 0, timings);
    let batch = factory.start_batch(&labels(1));
    count.wait_for(RequestType::Commit, 1, LONG);
    batch.signal(Signal::INT);
    assert!(!batch.ends_within(Duration::from_millis(500)), "it left the verdict open");
    batch.signal(Signal::INT);
    assert!(batch.ends_within(Duration::from_secs(8)), "the second signal was not obeyed");
    batch.finish(LANDING).expect(130);
    drop(device);
    factory.verify();
    let (_device, _) = counted(&factory, 1, 0, Timings::INSTANT);
    let again = factory.batch("").expect(0);
    assert_eq!(again.unit(&label(1))["resumed"], true, "{}", again.story());
    assert_eq!(factory.ledger().in_state("proven").len(), 1);
}

#[test]
fn a_reader_that_goes_away_stops_the_line_and_loses_nothing() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 3);
    std::fs::write(factory.path("serials.txt"), labels(3)).unwrap();
    let mut command: Command = factory.command(&["batch", "--serials"]);
    command.arg(factory.path("serials.txt")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(!ended.status.success());
    assert!(ended.status.code().is_some(), "a signal ended it: {}", ended.status);
    factory.verify();
    let again = factory.batch(&labels(3)).expect(0);
    let summary = again.summary();
    let done = summary["passed"].as_u64().unwrap() + summary["already_proven"].as_u64().unwrap();
    assert_eq!(done, 3, "{}", again.story());
}

/// A terminal of its own, closed when this is dropped.
struct Terminal {
    master: OwnedFd,
    slave: Option<OwnedFd>,
}

impl Terminal {
    fn open() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).unwrap();
        Self { master, slave: Some(slave) }
    }

    /// Starts a program that has this terminal for everything, in a session of its own.
    fn run(&mut self, program: &Command) -> Child {
        let slave = self.slave.take().unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
        command.spawn().unwrap()
    }

    /// Reads what is written, so that nobody waits for the terminal, until this is shown.
    fn read_until(&self, wanted: &str) {
        let mut shown = String::new();
        let mut bytes = [0; 4_096];
        while !shown.contains(wanted) {
            let count = rustix::io::read(&self.master, &mut bytes).unwrap();
            shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    /// The same until something has come about elsewhere.
    fn read_while(&self, waits: impl Fn() -> bool) {
        let until = Instant::now() + LONG;
        let slice = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        while waits() {
            assert!(Instant::now() < until, "it never came about");
            let mut polled = [PollFd::new(&self.master, PollFlags::IN)];
            if poll(&mut polled, Some(&slice)).unwrap() > 0 {
                rustix::io::read(&self.master, &mut [0; 4_096]).unwrap();
            }
        }
    }

    fn types(&self, text: &str) {
        rustix::io::write(&self.master, text.as_bytes()).unwrap();
    }
}

/// The exit status of a program whose terminal is gone.
fn ends_by_itself(mut child: Child) -> Option<i32> {
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
    let within = Timespec { tv_sec: 30, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&within)).unwrap();
    assert!(ended > 0, "it goes on without its terminal");
    child.wait().unwrap().code()
}

#[test]
fn a_terminal_that_is_closed_lands_a_batch_and_a_screen() {
    for screen in [false, true] {
        let factory = Factory::usual();
        factory.change("[product]", "[scanner]\nbinding = \"any\"\n\n[product]");
        let timings = Timings { commit: Duration::from_millis(500), ..Timings::INSTANT };
        let (_device, count) = counted(&factory, 2, 0, timings);
        let serials = factory.path("serials.txt");
        std::fs::write(&serials, labels(2)).unwrap();
        let mut terminal = Terminal::open();
        let child = match screen {
            true => {
                let child = terminal.run(&factory.command(&["run"]));
                terminal.read_until("waits for a scan");
                terminal.types(&(label(1) + "\r"));
                child
            }
            false => {
                terminal.run(&factory.command(&["batch", "--serials", serials.to_str().unwrap()]))
            }
        };
        terminal.read_while(|| count.of(RequestType::Commit) == 0);
        // Everything that it reads and writes is gone, and it is told by SIGHUP.
        drop(terminal);
        assert_eq!(ends_by_itself(child), Some(130), "with a screen: {screen}");
        assert_eq!(factory.ledger().in_state("proven").len(), 1, "with a screen: {screen}");
        assert!(factory.ledger().in_state("uncertain").is_empty(), "with a screen: {screen}");
        factory.verify();
    }
}

#[test]
fn standard_error_that_is_gone_harms_no_unit() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 3);
    let serials = factory.path("serials.txt");
    std::fs::write(&serials, labels(3)).unwrap();
    let mut command = factory.command(&["-vvv", "batch", "--serials", serials.to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!(factory.ledger().in_state("proven").len(), 3);
}
