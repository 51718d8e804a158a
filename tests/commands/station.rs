//! A station of its own for each test: a directory, a station.toml, the real binary.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::quick_key;

/// A passphrase for tests; every CA under it is made in a test and thrown away.
pub(crate) const PASSPHRASE: &str = "open sesame";

/// The smallest station.toml that is right.
pub(crate) const CONFIG: &str = r#"[station]
id = "line-1"
data_dir = "data"

[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"

[certificate]
organization = "Example"
valid_for = "20y"

[authority]
certificate = "ca.pem"
key = "ca.key"

[broker]
host = "mqtt.example.com"
server_root = "server-root.pem"

[[slots]]
name = "A"
port = "slot-a"
"#;

/// A station in a directory of its own.
pub(crate) struct Station {
    dir: TempDir,
    config: RefCell<&'static str>,
    /// What persons gave as reasons and names: their own words, in any language.
    own_words: RefCell<Vec<String>>,
}

/// What a run of the binary left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Station {
    /// A station with the smallest configuration, and nothing else.
    pub(crate) fn new() -> Self {
        let station = Self {
            dir: tempfile::tempdir().unwrap(),
            config: RefCell::new("station.toml"),
            own_words: RefCell::default(),
        };
        station.write("station.toml", CONFIG);
        station
    }

    /// The same with one piece of the configuration replaced.
    pub(crate) fn with(old: &str, new: &str) -> Self {
        let station = Self::new();
        station.change(old, new);
        station
    }

    /// Makes another file the station's configuration.
    pub(crate) fn settle(&self, config: &'static str) {
        self.config.replace(config);
    }

    /// The station's configuration, by its name in the station's directory.
    pub(crate) fn config(&self) -> &'static str {
        *self.config.borrow()
    }

    /// `text` without what persons wrote themselves.
    pub(crate) fn without_own_words(&self, text: &str) -> String {
        let own = self.own_words.borrow();
        own.iter().fold(text.to_owned(), |text, words| text.replace(words, "…"))
    }

    /// Replaces a piece of the configuration.
    pub(crate) fn change(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.path("station.toml")).unwrap();
        assert!(text.contains(old), "{old}");
        self.write("station.toml", &text.replacen(old, new, 1));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a private file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The binary in the station's directory, with no variable of the tester's.
    pub(crate) fn command(&self, line: &str) -> Command {
        let quoted = words(line).into_iter().filter(|word| word.contains(' '));
        self.own_words.borrow_mut().extend(quoted);
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.current_dir(self.dir.path()).args(words(line)).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("STATION_") || name == "NO_COLOR" || name == "CREDENTIALS_DIRECTORY"
            {
                command.env_remove(name);
            }
        }
        command.env("STATION_CONFIG", *self.config.borrow());
        command
    }

    /// Runs the binary with the passphrase in its environment.
    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(self.command(line).env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE))
    }

    /// A CA as `authority init` makes it, the same for all tests of this process; its key costs
    /// little to open.
    pub(crate) fn make_authority(&self) {
        static FILES: OnceLock<[String; 2]> = OnceLock::new();
        let names = ["ca.pem", "ca.key"];
        let files = FILES.get_or_init(|| {
            let maker = Self::new();
            let made = maker.run("authority init");
            assert_eq!(made.status, 0, "{}", made.stderr);
            quick_key::encrypt_anew(&maker.path("ca.key"), PASSPHRASE);
            names.map(|name| fs::read_to_string(maker.path(name)).unwrap())
        });
        for (name, text) in names.iter().zip(files) {
            self.write(name, text);
        }
    }

    /// Runs it and demands that it succeeds.
    pub(crate) fn ok(&self, line: &str) -> Run {
        let before = self.copy_for_chinese(line);
        let run = self.run(line);
        assert_eq!(run.status, 0, "{line}: {}", run.stderr);
        if let Some(before) = before {
            self.says_in_chinese(line, before.path());
        }
        run
    }

    /// Runs it and demands that it ends with this code and status, told as it should be.
    pub(crate) fn fails(&self, line: &str, code: &str, status: i32) -> Run {
        let run = self.run(line).failed(code, status);
        self.refuses_in_chinese(line, code);
        run
    }
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output: Output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Demands an error with this code and status: what happened first, help last.
    pub(crate) fn failed(self, code: &str, status: i32) -> Self {
        let head = format!("error[{code}]: ");
        let told = self.stderr.lines().any(|line| line.starts_with(&head));
        assert!(told, "no {head}in {self:?}");
        assert_eq!(self.status, status, "{self:?}");
        let last = self.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("help: ") && last.len() > 20, "{self:?}");
        self
    }

    /// Demands this on standard output.
    pub(crate) fn says_out(&self, text: &str) {
        assert!(self.stdout.contains(text), "{text:?} is not in {self:?}");
    }

    /// Demands that standard error has this text.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is not in {:?}", self.stderr);
        self
    }

    /// Standard output as JSON lines.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The only JSON line of standard output.
    pub(crate) fn json_line(&self) -> Value {
        let mut lines = self.json();
        assert_eq!(lines.len(), 1, "{}", self.stdout);
        lines.remove(0)
    }
}

/// Words of a line; what stands in single quotes is one word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Runs OpenSSL, which must agree with the station.
pub(crate) fn openssl(dir: &Path, line: &str) -> Run {
    Run::of(Command::new("openssl").current_dir(dir).args(words(line)).stdin(Stdio::null()))
}
