//! A PostgreSQL in a scratch directory, run by an ordinary user, killed and started again.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longer than any machine takes to start it.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Database {
    dir: TempDir,
    child: Option<Child>,
}

fn bin(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("Debian's postgresql is needed");
    let newest = versions.map(|entry| entry.unwrap().path()).max().unwrap();
    newest.join("bin").join(name)
}

/// The database's user: root is refused.
fn user() -> Option<(u32, u32)> {
    let is_root = rustix::process::geteuid().is_root();
    let text = fs::read_to_string("/etc/passwd").unwrap();
    let line = text.lines().find(|line| line.starts_with("postgres:"))?;
    let parts: Vec<&str> = line.split(':').collect();
    is_root.then(|| (parts[2].parse().unwrap(), parts[3].parse().unwrap()))
}

fn as_user(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).stdin(Stdio::null());
    if let Some((uid, gid)) = user() {
        command.uid(uid).gid(gid);
    }
    command
}

impl Database {
    pub(crate) fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        if let Some((uid, gid)) = user() {
            chown(dir.path(), Some(uid), Some(gid)).unwrap();
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let mut initdb = as_user(&bin("initdb"), dir.path());
        initdb.args(["-D", "data", "-U", "fleet", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut database = Self { dir, child: None };
        database.serve();
        database
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql:///postgres?host={}&user=fleet", self.dir.path().display())
    }

    /// Starts the server, and waits until it answers.
    pub(crate) fn serve(&mut self) {
        let log = self.dir.path().join("log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut server = as_user(&bin("postgres"), self.dir.path());
        server.args(["-D", "data", "-k"]).arg(self.dir.path());
        server.args(["-c", "listen_addresses=", "-c", "max_connections=60"]);
        // What it shares goes with its directory: it is killed, and /dev/shm would keep it.
        server.args(["-c", "dynamic_shared_memory_type=mmap"]);
        server.stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        self.child = Some(server.spawn().unwrap());
        let begun = Instant::now();
        while self.try_sql("SELECT 1").is_none() {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not answer");
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some() {
                // The one before holds its shared memory for a moment.
                return self.serve();
            }
            thread::yield_now();
        }
    }

    /// Ends all of it at once, as a power cut does.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let group = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        child.wait().unwrap();
    }

    fn try_sql(&self, sql: &str) -> Option<String> {
        let mut psql = Command::new("psql");
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-U", "fleet", "-d", "postgres", "-h"]);
        let out = psql.arg(self.dir.path()).args(["-c", sql]).output().unwrap();
        out.status.success().then(|| String::from_utf8(out.stdout).unwrap().trim().to_owned())
    }

    /// What the database says, its values parted by `|`.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).unwrap_or_else(|| panic!("{sql}"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.kill();
    }
}
