//! The program as a user runs it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::prose::prose_in;

/// What a run said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Its lines as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// The last of them.
    pub(crate) fn last(&self) -> Value {
        self.json().pop().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// That it went well.
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    /// That it ended with this code and status.
    pub(crate) fn refused(self, code: &str, status: i32) -> Self {
        assert!(self.err.contains(&format!("error[{code}]")), "{self:?}");
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// The program, with nothing of the test's surroundings that it would listen to.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
    command.env_remove("STATION_FLEET_DATABASE").env("LANG", "C").stdin(Stdio::null());
    // Of an order key that a trial makes and throws away.
    command.env("STATION_ORDERS_PASSPHRASE", "a phrase for trials");
    command
}

/// Runs it with `--json`; what only looks at the store is said in Chinese after it.
pub(crate) fn run(args: &[&str]) -> Run {
    let ran = run_to_its_end(program().arg("--json").args(args));
    let looks = ["status", "find", "verify", "report"];
    let is_a_look = args.first() == Some(&"fleet") && looks.contains(&args[1]);
    if ran.status == 0 && is_a_look && args.contains(&"--database") {
        says_in_chinese(args);
    }
    ran
}

/// Runs it where the terminal is a Chinese one, for a person: no line has English prose in it.
pub(crate) fn says_in_chinese(args: &[&str]) {
    let ran = run_to_its_end(program().env("LC_ALL", "zh_CN.UTF-8").args(args)).well();
    let said = ran.out + &ran.err;
    let found = prose_in(&said);
    assert!(found.is_empty(), "{args:?}\n{found:#?}\nin {said}");
}

fn run_to_its_end(command: &mut Command) -> Run {
    let out = command.output().unwrap();
    Run {
        status: out.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&out.stdout).into_owned(),
        err: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

/// The same over a station.
pub(crate) fn at(dir: &Path, args: &[&str]) -> Run {
    let config = dir.join("station.toml");
    let config = config.to_str().unwrap();
    run(&[&["--config", config], args].concat())
}
