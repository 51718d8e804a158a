//! Scanners and the labels that they read: `station scan`, and a batch at a scanner's port.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use serde_json::Value;

use crate::line::{batch, plug, ready};
use crate::station::{PASSPHRASE, Run, Station};

const SERIAL: &str = "TH200-00000001";

/// The rules that the pages show.
const RULES: &str = r#"[scanner]
[[scanner.label]]
form = "gs1"
require = { "01" = "09506000134352" }
[[scanner.label]]
form = "link"
[[scanner.label]]
form = "json"
serial = "SN"
hardware_id = "MAC"
[[scanner.label]]
form = "text"
text = "SN:{serial};MAC:{hardware_id}"

[[slots]]"#;

fn with_rules() -> Station {
    Station::with("[[slots]]", RULES)
}

/// What `station scan --text` prints.
fn scan(station: &Station, text: &str) -> (i32, Value) {
    let mut command = station.command("scan --json --text");
    let run = Run::of(command.arg(text));
    (run.status, run.json_line())
}

#[test]
fn a_scan_shows_bytes_identifier_rule_fields_and_verdict() {
    let station = with_rules();
    let (status, line) = scan(&station, "]C1010950600013435221TH200-00000001\r");
    assert_eq!(status, 0);
    let bytes = "5d43313031303935303630303031333433353232315448323030";
    assert!(line["bytes"].as_str().unwrap().starts_with(bytes), "{line}");
    let found = (&line["event"], &line["aim"], &line["rule"], &line["serial"], &line["verdict"]);
    let wanted = ["scan", "]C1", SERIAL, "accepted"].map(Value::from);
    assert_eq!(found, (&wanted[0], &wanted[1], &1.into(), &wanted[2], &wanted[3]), "{line}");
    assert_eq!(line["fields"]["01"], "09506000134352");
    assert_eq!(line["code"], Value::Null);
    assert!(!station.path("data").exists(), "a scan made a ledger");
}

#[test]
fn a_refused_scan_has_its_code_and_names_each_rule() {
    let station = with_rules();
    let refused = |text: &str| {
        let (status, line) = scan(&station, text);
        assert_eq!((status, &line["verdict"]), (1, &"refused".into()), "{line}");
        (line["code"].as_str().unwrap().to_owned(), line["message"].as_str().unwrap().to_owned())
    };
    let (code, message) = refused(SERIAL);
    assert_eq!(code, "E-SCAN-LABEL");
    assert!(message.contains("rule 4 (text): character 1: is 'T'"), "{message}");
    let twice = r#"{"SN":"TH200-00000001","SN":"TH200-00000002","MAC":"00155d01a2b3"}"#;
    for (text, wanted) in [
        (twice, "E-SCAN-AMBIGUOUS"),
        ("(01)09506000149301(21)TH200-00000001", "E-SCAN-OTHER-PRODUCT"),
        ("010950600013435210LOT121TH200-00000001", "E-SCAN-SEPARATORS"),
        ("TH200-00000001\rTH200-00000002\r", "E-SCAN-LINES"),
        ("NOREAD", "E-SCAN-NO-READ"),
        ("(01)09506000134352(21)TH300-1", "E-SCAN-PATTERN"),
    ] {
        assert_eq!(refused(text).0, wanted, "{text}");
    }
    assert_eq!(refused(&"x".repeat(2000)).0, "E-SCAN-TOO-LONG");
}

#[test]
fn the_same_verdict_is_there_for_scripts_and_in_words() {
    let station = with_rules();
    let line = "SN:TH200-00000001;MAC:00:15:5D:01:A2:B3";
    let check = station.ok(&format!("config check --json --label '{line}'")).json_line();
    assert_eq!(check, scan(&station, line).1);
    let words = station.ok(&format!("scan --text '{line}'")).stdout;
    assert!(words.contains("rule     4 (text)"), "{words}");
    assert!(words.contains("accepted unit TH200-00000001"), "{words}");
    let refused = station.run("config check --label nothing");
    assert_eq!(refused.status, 1);
    assert!(refused.stdout.contains("refused  E-SCAN-LABEL"), "{refused:?}");
}

#[test]
fn what_is_piped_in_is_one_scan() {
    let station = Station::new();
    station.write("typed", "TH200-00000001\n");
    let mut command = station.command("scan --json");
    let run = Run::of(command.stdin(File::open(station.path("typed")).unwrap()));
    assert_eq!(run.json_line()["serial"], SERIAL);
}

#[test]
fn odd_patterns_and_ranges_are_warned_of() {
    let warned = |pattern: &str, wanted: &[&str]| {
        let station = Station::with("TH200-[0-9]{8}", pattern);
        let run = station.ok("config check");
        for text in wanted {
            assert!(run.stderr.contains(text), "{text:?} is not in {}", run.stderr);
        }
    };
    warned("[A-Za-z]{6}", &["'A' and 'a'", "it takes NOREAD", "warning[E-CONFIG-PATTERN]"]);
    warned("[A-Z0-9-]+", &["1 to 64 characters", "it takes NOREAD, NO-READ, ERROR"]);
    let station = Station::with("id = \"line-1\"", "id = \"line-1\"\nserial_range = \"X1..X9\"");
    let run = station.ok("config check");
    assert!(run.stderr.contains("no serial of TH200-[0-9]{8} lies in X1..X9"), "{run:?}");
    let calm = Station::new().ok("config check").stderr;
    assert!(!calm.contains("serial"), "{calm}");
}

/// A scanner: the far end of a pseudo-terminal.
struct Scanner {
    sends: File,
    /// Held open, so that the far end is there before the station is.
    _port: OwnedFd,
}

impl Scanner {
    /// Plugs one in at `scanner` in the station's directory.
    fn plug(station: &Station) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let port = ioctl_tiocgptpeer(&master, flags).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        std::os::unix::fs::symlink(path, station.path("scanner")).unwrap();
        Self { sends: File::from(master), _port: port }
    }

    fn pull(&mut self, bytes: &[u8]) {
        self.sends.write_all(bytes).unwrap();
    }
}

/// Waits until a process has this thread: its scanner is open by then, and what comes is read.
fn wait_for_thread(child: &Child, name: &str) {
    let tasks = format!("/proc/{}/task", child.id());
    let has_it = || {
        let tasks = std::fs::read_dir(&tasks).unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .any(|comm| comm.trim() == name)
    };
    let until = Instant::now() + Duration::from_secs(60);
    while !has_it() {
        assert!(Instant::now() < until, "no thread {name}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// A batch at a scanner's port, with a device in slot A; ended by a signal.
struct AtPort {
    child: Option<Child>,
    out: std::sync::mpsc::Receiver<Value>,
    scanner: Scanner,
}

impl AtPort {
    fn start(station: &Station) -> Self {
        let scanner = Scanner::plug(station);
        let mut command = station.command("batch --scanner scanner --json");
        command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        let (tell, out) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            use std::io::BufRead;
            for line in stdout.lines().map_while(Result::ok) {
                tell.send(serde_json::from_str(&line).unwrap()).ok();
            }
        });
        wait_for_thread(&child, "labels");
        Self { child: Some(child), out, scanner }
    }

    /// Sends one scan and gives the line that answers it.
    fn scan(&mut self, bytes: &[u8]) -> Value {
        self.scanner.pull(bytes);
        let answer = self.out.recv_timeout(Duration::from_secs(30));
        answer.unwrap_or_else(|_| panic!("nothing answers {}", String::from_utf8_lossy(bytes)))
    }

    /// Ends the batch; what it said on standard error.
    fn end(mut self) -> String {
        let child = self.child.take().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    }
}

#[test]
fn one_pull_of_the_trigger_is_one_scan_at_a_port() {
    let station = ready();
    let _device = plug(&station, "slot-a", "");
    let mut line = AtPort::start(&station);
    // The line asks for labels when it has looked at its slots; a scanner does not wait.
    let lines = line.scan(b"TH200-00000001\rTH200-00000002\rTH200-00000003\r");
    assert_eq!((&lines["outcome"], &lines["code"]), (&"refused".into(), &"E-SCAN-LINES".into()));
    let comment = line.scan(b"# TH200-00000001\r");
    assert_eq!(comment["code"], "E-SCAN-CHARACTERS", "{comment}");
    let named = line.scan(b"A\tTH200-00000001\r");
    assert_eq!(named["outcome"], "refused", "{named}");
    let long = line.scan(&[b"x".repeat(3000), b"\r".to_vec()].concat());
    assert_eq!(long["code"], "E-SCAN-TOO-LONG", "{long}");
    // It was answered before its end came; nobody pulls the trigger again so soon.
    std::thread::park_timeout(Duration::from_millis(500));
    let seven: Vec<u8> =
        b"TH200-00000001\r".iter().map(|b| b | ((b.count_ones() as u8 & 1) << 7)).collect();
    let parity = line.scan(&seven);
    assert_eq!(parity["code"], "E-SCAN-PARITY", "{parity}");
    assert!(parity["message"].as_str().unwrap().contains("parity = \"even\""), "{parity}");
    // Without a terminator it ends with silence.
    let pass = line.scan(b"]C0TH200-00000001");
    assert_eq!((&pass["serial"], &pass["outcome"]), (&SERIAL.into(), &"pass".into()), "{pass}");
    let stderr = line.end();
    assert_eq!(stderr.matches("warning[E-SCAN-NO-END]").count(), 1, "{stderr}");
    let unit = station.ok(&format!("unit show {SERIAL} --json")).json_line();
    assert_eq!(unit["attempts"][0]["label"]["text"], "]C0TH200-00000001", "{unit}");
    assert!(unit["attempts"][0]["label"]["rule"].is_null(), "{unit}");
}

#[test]
fn a_scanner_of_seven_bits_that_ends_its_scans_with_a_tab_is_read_where_it_is_set_so() {
    let station = ready();
    let set = "[scanner]\nends = \"tab\"\ndata_bits = 7\nparity = \"even\"\n\n[[slots]]";
    station.change("[[slots]]", set);
    let _device = plug(&station, "slot-a", "");
    let mut line = AtPort::start(&station);
    let seven: Vec<u8> =
        b"TH200-00000001\t".iter().map(|b| b | ((b.count_ones() as u8 & 1) << 7)).collect();
    let pass = line.scan(&seven);
    assert_eq!((&pass["serial"], &pass["outcome"]), (&SERIAL.into(), &"pass".into()), "{pass}");
    let stderr = line.end();
    assert!(!stderr.contains("E-SCAN"), "{stderr}");
    // A text that stands for it is taken as the port takes it.
    for words in ["scan --json --text", "config check --json --label"] {
        let mut command = station.command(words);
        let told = Run::of(command.arg(OsStr::from_bytes(&seven))).json_line();
        assert_eq!((&told["serial"], &told["verdict"]), (&SERIAL.into(), &"accepted".into()));
    }
}

#[test]
fn a_label_that_names_its_device_is_for_that_device() {
    let station = ready();
    station.change("[[slots]]", RULES);
    let first = plug(&station, "slot-a", "--seed 1");
    let hardware = {
        let ports = station.ok("ports --json").json();
        let port = ports.iter().find(|port| port["slot"] == "A").unwrap();
        port["hardware_id"].as_str().unwrap_or_else(|| panic!("{port}")).to_owned()
    };
    let mut line = AtPort::start(&station);
    let other = line.scan(b"SN:TH200-00000001;MAC:00155d01a2b3\r");
    assert_eq!(other["code"], "E-SCAN-OTHER-DEVICE", "{other}");
    assert!(other["message"].as_str().unwrap().contains(&hardware), "{other}");
    let own = format!("SN:TH200-00000001;MAC:{}\r", hardware.to_uppercase());
    let pass = line.scan(own.as_bytes());
    assert_eq!((&pass["serial"], &pass["outcome"]), (&SERIAL.into(), &"pass".into()), "{pass}");
    line.end();
    drop(first);
    let unit = station.ok(&format!("unit show {SERIAL} --json")).json_line();
    let label = &unit["attempts"][0]["label"];
    assert_eq!(label["rule"], 4, "{unit}");
    assert!(label["text"].as_str().unwrap().ends_with("\\r"), "{unit}");
    assert!(station.ok("ledger verify").status == 0);
}

#[test]
fn a_list_has_serials_whatever_the_labels_are() {
    let station = ready();
    station.change("[[slots]]", RULES);
    let _device = plug(&station, "slot-a", "");
    let batch = batch(&station, &format!("# lot 7\nA\t{SERIAL}\n"), "");
    assert_eq!(batch.unit(SERIAL)["outcome"], "pass", "{:?}", batch.run);
}
