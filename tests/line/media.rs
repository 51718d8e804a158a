//! Backup media that fill up, or vanish and come back, while a line works.
//!
//! Each is mounted in a mount namespace of the line's own (`unshare -rm`), so no test needs to
//! be root, and none sees another's.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use super::support::LONG;
use super::support::factory::{Factory, Plan, keep_private, label};
use super::support::process::Process;

/// A line at work over a medium, with as many units as it takes.
struct Line {
    factory: Factory,
    batch: Process,
    units: usize,
}

impl Line {
    /// `mount` is shell that mounts the medium at `medium`.
    fn over(mount: &str) -> Self {
        let ledger = "reserve = \"1MiB\"\nbackup_every = \"1s\"\nbackup_dir = \"medium/line-1\"";
        let factory = Factory::with(&Plan { ledger, ..Plan::default() });
        for name in ["medium", "stick", "stick/line-1"] {
            fs::create_dir(factory.path(name)).unwrap();
        }
        keep_private(&factory.config());
        let inner = factory.command(&["batch", "--serials", "-"]);
        let script = format!("set -e; {mount}; mkdir -p medium/line-1; exec \"$@\"");
        let mut shell = Command::new("unshare");
        shell.current_dir(factory.path(".")).args(["-rm", "sh", "-c", &script, "sh"]);
        shell.arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Line { batch: Process::start(shell), factory, units: 0 }
    }

    /// Does something to the medium, as the line sees it.
    fn medium(&self, script: &str) {
        let pid = self.batch.pid().to_string();
        // The directory is entered inside: one from outside leads around what is mounted here.
        let script = format!("cd {} && {script}", self.factory.path(".").display());
        let mut enter = Command::new("nsenter");
        enter.args(["-t", &pid, "-U", "-m", "--preserve-credentials", "sh", "-c", &script]);
        assert!(enter.status().unwrap().success(), "{script}");
    }

    /// The directory of the segments as the line sees it.
    fn dir(&self) -> PathBuf {
        let path = self.factory.path("medium/line-1");
        let inside = path.strip_prefix("/").unwrap().to_owned();
        PathBuf::from(format!("/proc/{}/root", self.batch.pid())).join(inside)
    }

    fn segments(&self) -> usize {
        let names = fs::read_dir(self.dir()).into_iter().flatten().flatten();
        names.filter(|name| is_segment(&name.file_name().to_string_lossy())).count()
    }

    /// Makes units until it is so; each of them passes, whatever the medium does.
    fn work_until(&mut self, is_so: impl Fn(&Line) -> bool) {
        let deadline = Instant::now() + LONG;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "{}", self.batch.errors());
            self.units += 1;
            self.batch.say(&(label(self.units) + "\n"));
            let event = self.batch.event(LONG).unwrap();
            assert_eq!(event["outcome"], "pass", "{event} {}", self.batch.errors());
        }
    }

    fn warnings(&self) -> usize {
        self.batch.errors().matches("E-LEDGER-BACKUP").count()
    }

    /// Copies what lies on the medium, ends, and verifies that by the CA alone: every entry up
    /// to the last is there, once, and no file is torn.
    fn end(self) {
        let copy = self.factory.path("copy");
        fs::create_dir(&copy).unwrap();
        for file in fs::read_dir(self.dir()).unwrap().flatten() {
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        let (dir, ca) = (copy.to_str().unwrap().to_owned(), self.factory.path("ca.pem"));
        let arguments = ["ledger", "segments", "verify", &dir, "--ca", ca.to_str().unwrap()];
        let held = self.factory.run(&arguments).expect(0).only();
        assert_eq!((&held["first"], &held["valid"]), (&1.into(), &true.into()), "{held}");
        self.batch.finish(LONG).expect(0);
        self.factory.verify();
    }
}

fn is_segment(name: &str) -> bool {
    name.ends_with(".segment") && !name.starts_with('.')
}

#[test]
fn a_medium_that_vanishes_and_comes_back_gets_what_it_missed() {
    let mut line = Line::over("mount --bind stick medium");
    let _devices = line.factory.devices("A", 2_000);
    line.work_until(|line| line.segments() >= 1);
    // Pulled out while the line writes: what is under way goes nowhere.
    line.medium("umount -l medium");
    // Where it vanished in mid-write, that was told before.
    line.work_until(|line| line.batch.errors().contains("medium/line-1 is not there"));
    let before = line.factory.path("stick/line-1");
    let before = fs::read_dir(before).unwrap().flatten();
    let before = before.filter(|name| is_segment(&name.file_name().to_string_lossy())).count();
    line.medium("mount --bind stick medium");
    line.work_until(|line| line.segments() > before);
    line.end();
}

#[test]
fn a_medium_that_is_full_is_told_once_and_goes_on_when_there_is_room() {
    let mut line = Line::over("mount -t tmpfs -o size=16m none medium");
    let _devices = line.factory.devices("A", 2_000);
    line.work_until(|line| line.segments() >= 1);
    line.medium("mountpoint -q medium && ! head -c 17m /dev/zero >medium/filler 2>/dev/null");
    line.work_until(|line| line.warnings() >= 1);
    let before = line.segments();
    line.medium("rm medium/filler");
    line.work_until(|line| line.segments() > before);
    line.end();
}

#[test]
fn a_medium_that_fills_up_in_mid_write_keeps_nothing_torn() {
    // Room is there when it is asked for, and no place for the name of a further file.
    let mut line = Line::over("mount -t tmpfs -o size=16m,nr_inodes=5 none medium");
    let _devices = line.factory.devices("A", 2_000);
    line.work_until(|line| line.warnings() >= 1);
    let before = line.segments();
    line.medium("mount -o remount,size=16m,nr_inodes=1k medium");
    line.work_until(|line| line.segments() > before);
    line.end();
}
