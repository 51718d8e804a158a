//! A queue of CUPS: a real daemon of the test's own, on a socket of its own, with a raw queue
//! whose backend keeps what it is given.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::station::{Run, Station};

const FIRST: &str = "TH200-00000001";

/// How long a daemon, or a label on its way through it, may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A station with one proven unit that has its label.
fn station() -> Station {
    let station = Station::new();
    let demo = "demo --headless --no-sync --units 1 --slots 1 --dir demo --json";
    let run = Run::of(station.command(demo).env_remove("STATION_CONFIG"));
    assert_eq!(run.status, 0, "{run:?}");
    station.settle("demo/station.toml");
    station
}

/// Labels go to this queue from now on.
fn use_queue(station: &Station, queue: &str) {
    let path = station.path("demo/station.toml");
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().find(|line| line.starts_with("printer = ")).unwrap();
    fs::write(&path, text.replace(line, &format!("printer = \"cups:{queue}\""))).unwrap();
}

/// A running daemon of CUPS, and the folder that it lives in.
struct Cups {
    folder: TempDir,
    daemon: Child,
}

impl Drop for Cups {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Cups {
    /// Starts one; it must be root's, as on any machine.
    fn start() -> Cups {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for name in ["root", "spool", "tmp", "cache", "state", "log", "bin/backend"] {
            fs::create_dir_all(at.join(name)).unwrap();
        }
        // By what the daemon starts whatever it starts.
        symlink("/usr/lib/cups/daemon", at.join("bin/daemon")).unwrap();
        // What only root may run is run as root, who may write here.
        let backend = at.join("bin/backend/keep");
        let script =
            format!("#!/bin/sh\n[ $# -eq 0 ] || cat \"$6\" >>{}\n", at.join("out").display());
        fs::write(&backend, script).unwrap();
        fs::set_permissions(&backend, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(at.join("files.conf"), files_conf(at)).unwrap();
        fs::write(at.join("cupsd.conf"), cupsd_conf(at)).unwrap();
        let mut command = Command::new("/usr/sbin/cupsd");
        command.arg("-f").arg("-c").arg(at.join("cupsd.conf")).arg("-s").arg(at.join("files.conf"));
        let daemon = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let cups = Cups { folder, daemon };
        cups.until("the daemon listens", || cups.tool("lpstat", &["-r"]).contains("is running"));
        cups
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    /// Runs one of its programs: what it says.
    fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.args(arguments).env("CUPS_SERVER", self.socket()).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + LONG;
        while !is_so() {
            let log = fs::read_to_string(self.folder.path().join("log/error"));
            assert!(Instant::now() < deadline, "{what} never came: {log:?}");
            thread::park_timeout(Duration::from_millis(20));
        }
    }
}

fn files_conf(at: &Path) -> String {
    let at = at.display();
    format!(
        "FileDevice Yes\nSandboxing relaxed\nGroup lp\nUser lp\nSystemGroup root\n\
         ServerBin {at}/bin\nServerRoot {at}/root\nRequestRoot {at}/spool\nTempDir {at}/tmp\n\
         CacheDir {at}/cache\nStateDir {at}/state\nAccessLog {at}/log/access\n\
         ErrorLog {at}/log/error\nPageLog {at}/log/page\n"
    )
}

fn cupsd_conf(at: &Path) -> String {
    let at = at.display();
    format!(
        "Listen {at}/sock\nBrowsing Off\nWebInterface No\nDefaultAuthType None\n\
         <Location />\nOrder allow,deny\nAllow all\n</Location>\n\
         <Policy default>\n<Limit All>\nOrder deny,allow\nAllow all\n</Limit>\n</Policy>\n"
    )
}

#[test]
fn a_label_goes_through_a_queue_of_cups_byte_for_byte() {
    let (station, cups) = (station(), Cups::start());
    use_queue(&station, "zebra");
    let reprint = || {
        let mut command = station.command(&format!("label reprint {FIRST} --reason torn --json"));
        Run::of(command.env("CUPS_SERVER", cups.socket()))
    };
    let unknown = reprint();
    assert!(unknown.stderr.contains("E-LABEL-PRINTER"), "{unknown:?}");
    assert!(unknown.stderr.contains("does not exist"), "{unknown:?}");
    let open = station.ok("label list --json").json_line();
    assert_eq!(open["state"], "wanted", "`lp` says that it has none of it: {open}");

    cups.tool("/usr/sbin/lpadmin", &["-p", "zebra", "-E", "-v", "keep:/", "-m", "raw"]);
    let sent = reprint();
    assert_eq!(sent.status, 0, "{sent:?}");
    assert_eq!(sent.json_line()["outcome"], "sent");
    let label = fs::read(station.path("demo/labels").join(format!("{FIRST}-1.zpl"))).unwrap();
    let out = cups.folder.path().join("out");
    cups.until("the label", || fs::read(&out).is_ok_and(|bytes| bytes == label));

    cups.tool("/usr/sbin/cupsreject", &["zebra"]);
    let shut = reprint();
    assert!(shut.stderr.contains("E-LABEL-PRINTER"), "{shut:?}");
    assert_eq!(fs::read(&out).unwrap(), label, "one label, and no second");
}
