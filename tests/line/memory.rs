//! What the memory of a line that still runs holds when its units are done: none of their
//! keys, and not the CA's passphrase.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::support::factory::{PASSPHRASE, keep_private};
use super::support::keys::held_under;
use super::support::{Factory, LONG, label};

const UNITS: usize = 12;

/// So many bytes of a key in a row are the key for whoever finds them.
const PART: usize = 8;

/// Everything that is looked for, by its first bytes: each half of each scalar, as it stands
/// in a certificate's world and as a machine's words have it.
struct Wanted(HashMap<[u8; PART], (Vec<u8>, String)>);

impl Wanted {
    fn add(&mut self, what: &str, text: &[u8]) {
        let first = text[..PART].try_into().unwrap();
        self.0.insert(first, (text.to_vec(), what.to_owned()));
    }

    fn key(&mut self, name: &str, scalar: &[u8; 32]) {
        let little: Vec<u8> = scalar.iter().rev().copied().collect();
        for (form, bytes) in [("big-endian", scalar.to_vec()), ("little-endian", little)] {
            for (part, half) in bytes.chunks(16).enumerate() {
                self.add(&format!("half {part} of {name}, {form}"), half);
            }
        }
        let hex: String = scalar.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(&format!("{name} in hexadecimal"), hex.as_bytes());
    }

    fn found_in(&self, memory: &[u8]) -> Vec<&str> {
        // Most places are none of these by their first two bytes.
        let mut pairs = vec![false; 1 << 16];
        for first in self.0.keys() {
            pairs[usize::from(first[0]) << 8 | usize::from(first[1])] = true;
        }
        let mut found = Vec::new();
        for at in 0..memory.len().saturating_sub(PART) {
            if pairs[usize::from(memory[at]) << 8 | usize::from(memory[at + 1])] {
                let first: [u8; PART] = memory[at..at + PART].try_into().unwrap();
                let hit = self.0.get(&first).filter(|(text, _)| memory[at..].starts_with(text));
                found.extend(hit.map(|(_, what)| what.as_str()));
            }
        }
        found
    }
}

/// Each readable mapping of a process with its name, and what is in it.
fn memory_of(pid: u32) -> Vec<(String, Vec<u8>)> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut image = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, access) = (words.next().unwrap(), words.next().unwrap());
        let (start, end) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (start, end) = (number(start), number(end));
        let size = usize::try_from(end - start).unwrap();
        let mut bytes = vec![0; size];
        // Guard pages and the kernel's own can't be read by anybody.
        if access.starts_with('r') && memory.read_exact_at(&mut bytes, start).is_ok() {
            image.push((line.to_owned(), bytes));
        }
    }
    image
}

/// A factory whose passphrase comes from a file, as a careful administrator gives it.
fn factory() -> Factory {
    let factory = Factory::with_slots(2);
    let secret = factory.path("passphrase");
    fs::write(&secret, PASSPHRASE).unwrap();
    keep_private(&secret);
    let config = fs::read_to_string(factory.config()).unwrap();
    let named = "key = \"ca.key\"\npassphrase_file = \"passphrase\"";
    fs::write(factory.config(), config.replace("key = \"ca.key\"", named)).unwrap();
    factory
}

#[test]
fn a_running_line_holds_no_key_of_a_finished_unit_and_no_passphrase() {
    let factory = factory();
    let _devices = ["A", "B"].map(|slot| factory.devices(slot, UNITS as u32));
    let mut command = factory.command(&["batch", "--serials", "-"]);
    command.env_remove("STATION_AUTHORITY_PASSPHRASE");
    let mut batch = super::support::Process::start(command);
    for number in 1..=UNITS {
        batch.say(&(label(number) + "\n"));
    }
    for _ in 0..UNITS {
        assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    }
    let maps = format!("/proc/{}/maps", batch.pid());
    if !rustix::process::geteuid().is_root() {
        // Whoever is not root is kept out, which is the promise itself.
        assert!(fs::read(maps).is_err(), "the process can be read by its own user");
        return;
    }
    let mut wanted = Wanted(HashMap::new());
    wanted.add("the CA's passphrase", PASSPHRASE.as_bytes());
    let held = held_under(&factory.devices_dir());
    assert_eq!(held.len(), UNITS);
    for (file, held) in &held {
        wanted.key(&format!("the key in {}", file.display()), &held.key);
    }
    // What is surely there is found, or this test could not fail.
    let serial = label(1);
    wanted.add("a serial", serial.as_bytes());
    let mut found: Vec<String> = Vec::new();
    let mut serials = 0;
    for (mapping, bytes) in memory_of(batch.pid()) {
        for what in wanted.found_in(&bytes) {
            match what {
                "a serial" => serials += 1,
                _ => found.push(format!("{what} in {mapping}")),
            }
        }
    }
    assert!(serials > 0, "the memory was not searched at all");
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{}", found.join("\n"));
    batch.finish(LONG).expect(0);
}

#[test]
fn a_running_line_leaves_no_core_dump_and_can_t_be_read_by_its_own_user() {
    use std::os::unix::fs::MetadataExt;
    let factory = factory();
    let _devices = factory.devices("A", 1);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    batch.say(&(label(1) + "\n"));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    let limits = fs::read_to_string(format!("/proc/{}/limits", batch.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(values[4..6], ["0", "0"], "{core}");
    // The files of a process that is not dumpable belong to root.
    let owner = fs::metadata(format!("/proc/{}/mem", batch.pid())).unwrap().uid();
    assert_eq!(owner, 0);
    batch.finish(LONG).expect(0);
}
