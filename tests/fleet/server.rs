//! `station fleet serve`, to be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::database::Database;
use crate::program::{program, run};

pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// At a free port.
    pub(crate) fn start(database: &Database, more: &[&str]) -> Self {
        Self::at("127.0.0.1:0", database, more).expect("the server ended")
    }

    /// At an address; none where it ended, since the database is away.
    pub(crate) fn at(listen: &str, database: &Database, more: &[&str]) -> Option<Self> {
        let mut command = program();
        command.args(["--json", "fleet", "serve", "--database", &database.url()]);
        command.args(["--listen", listen]).args(more);
        // The whole suite once against the strict schema: `tests/soak --fleet` does.
        if let (Ok(parts), false) =
            (std::env::var("FLEET_PARTITIONS"), more.contains(&"--partitions"))
        {
            command.args(["--partitions", &parts]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Option<Value> = serde_json::from_str(&line).ok();
        match ready {
            Some(ready) => Some(Self { child, url: ready["url"].as_str().unwrap().to_owned() }),
            None => {
                child.wait().unwrap();
                None
            }
        }
    }

    /// Its address without the scheme.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: it may end at any time.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// A code for a station.
pub(crate) fn code(database: &Database, station: &str) -> String {
    let made = run(&["fleet", "code", "--database", &database.url(), "--station", station]).well();
    made.last()["code"].as_str().unwrap().to_owned()
}
