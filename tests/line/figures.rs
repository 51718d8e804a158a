//! Exact figures of one session, with the identity that the demo burns.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use firmware_interface::ids::{REPLY_BIT, RequestType};
use provisioning_station::sim::{
    self, Direction, Options, Recorded, Timings, Transcript, held_identity,
};

use super::support::factory::station;
use super::support::{LONG, Process};

/// Bytes sent for each hundred bytes of the image, at most.
const OVERHEAD: usize = 120;

/// Request after reply after request, at most.
const ROUND_TRIPS: usize = 7;

/// What the protocol adds to an image with the demo's devices: frozen, so that whoever
/// changes it sees that it changes.
const ADDED: usize = 267;

/// COBS adds a byte for each 254 in a row that are not zero: rare in certificates, and up
/// to chance in their keys and signatures.
const STUFFED: usize = 4;

/// The largest chunk that a device of the demo takes.
const DEMO_CHUNK: u16 = 1_000;

/// Long beside what a message between two processes takes: requests that are not answered
/// within this time were sent without waiting for it.
const WORK: Duration = Duration::from_millis(60);

/// One unit with the demo's identity.
struct Session {
    frames: Vec<Recorded>,
    image_length: usize,
}

/// Provisions one more unit on a line that the demo left behind.
fn session() -> Session {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut command = station();
    command.args(["demo", "--headless", "--json", "--units", "1", "--slots", "1", "--dir"]);
    let demo = Process::start({
        command.arg(&dir);
        command
    });
    let serial = demo.finish(LONG).expect(0).units()[0]["serial"].as_str().unwrap().to_owned();
    let config = dir.join("station.toml");
    let transcript = Transcript::new();
    let flash = folder.path().join("flash");
    let work =
        Timings { erase: WORK, chunk: WORK, commit: WORK, prove: WORK, boot: Duration::ZERO };
    let options = Options {
        state_dir: Some(flash),
        baud: 0,
        max_chunk: DEMO_CHUNK,
        timings: work,
        recorder: Some(Box::new(transcript.clone())),
        ..Options::new(port_of(&config))
    };
    let slot = sim::start(options).unwrap();
    let labels = folder.path().join("serials.txt");
    fs::write(&labels, next_after(&serial)).unwrap();
    let mut command: Command = station();
    command.arg("--config").arg(&config).args(["--json", "batch", "--serials"]).arg(&labels);
    let finished = Process::start(command).finish(LONG).expect(0);
    assert_eq!(finished.summary()["passed"], 1, "{}", finished.story());
    let held = held_identity(&slot.flash_file(1).unwrap()).unwrap().unwrap();
    Session { frames: transcript.frames(), image_length: held.image.len() }
}

/// The port of the only slot, as station.toml has it.
fn port_of(config: &std::path::Path) -> PathBuf {
    let text = fs::read_to_string(config).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let port = table["slots"][0]["port"].as_str().unwrap();
    config.parent().unwrap().join(port)
}

/// The serial after that one: its last digits are a number.
fn next_after(serial: &str) -> String {
    let digits = serial.len() - serial.bytes().rev().take_while(u8::is_ascii_digit).count();
    let number: u64 = serial[digits..].parse().unwrap();
    format!("{}{:0width$}\n", &serial[..digits], number + 1, width = serial.len() - digits)
}

impl Session {
    /// From the unit's own identify to the last proof. Where a label waits, as here, that
    /// identify is the one that saw the device arrive, unless the machine was too busy.
    fn cycle(&self) -> &[Recorded] {
        let is = |frame: &Recorded, kind: u8| frame.message_type == Some(kind);
        let identify = RequestType::Identify.to_wire();
        let proof = RequestType::Prove.reply_type();
        let begin = RequestType::Begin.to_wire();
        let begin = self.frames.iter().position(|frame| is(frame, begin)).unwrap();
        let first = self.frames[..begin].iter().rposition(|frame| is(frame, identify)).unwrap();
        let last = self.frames.iter().rposition(|frame| is(frame, proof)).unwrap();
        &self.frames[first..=last]
    }

    fn story(&self) -> String {
        let line = |frame: &Recorded| format!("{:>9.1?} {frame}", frame.arrived);
        self.frames.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The longest chain of a request, its reply, a request that was sent after it.
    fn round_trips(&self) -> usize {
        let mut replies: Vec<(Duration, usize)> = Vec::new();
        let mut requests: Vec<(u8, u16, usize)> = Vec::new();
        let mut frames: Vec<_> = self.cycle().iter().collect();
        frames.sort_by_key(|frame| frame.arrived);
        for frame in frames {
            let (kind, seq) = (frame.message_type.unwrap(), frame.seq.unwrap());
            if frame.direction == Direction::ToDevice {
                let before = replies.iter().filter(|(at, _)| *at <= frame.arrived);
                let depth = before.map(|(_, depth)| *depth).max().unwrap_or(0) + 1;
                requests.push((kind | REPLY_BIT, seq, depth));
            } else if let Some((.., depth)) =
                requests.iter().rev().find(|(k, s, _)| (*k, *s) == (kind, seq))
            {
                replies.push((frame.arrived, *depth));
            }
        }
        replies.into_iter().map(|(_, depth)| depth).max().unwrap_or(0)
    }
}

#[test]
fn a_session_sends_few_bytes_and_waits_seldom() {
    let session = session();
    let to_device = || session.cycle().iter().filter(|f| f.direction == Direction::ToDevice);
    let sent: usize = to_device().map(|frame| frame.length).sum();
    let image = session.image_length;
    assert!(sent * 100 <= image * OVERHEAD, "{sent} for {image} bytes\n{}", session.story());
    let added = sent - image;
    assert!((ADDED..=ADDED + STUFFED).contains(&added), "{added}\n{}", session.story());
    let trips = session.round_trips();
    assert!(trips <= ROUND_TRIPS, "{trips} round trips\n{}", session.story());
}
