//! A PostgreSQL of the machine's own, started in a directory for a demo: a Unix socket that
//! nobody else may use, no port.
//!
//! PostgreSQL refuses to run as root; then it runs as `postgres`, or as `nobody`.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::domain::code::Code;
use crate::domain::say::Say;
use crate::say;
use crate::shell::Failure;

/// A socket's path is no longer than so many bytes.
const LONGEST_PATH: usize = 90;

/// One that runs; it ends when this is dropped.
pub(super) struct Postgres {
    child: Child,
    dir: PathBuf,
    /// Removed in the end, where it lies in no directory that somebody keeps.
    scratch: Option<PathBuf>,
}

/// The user that it runs as, where this process is root's.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

fn failed(what: Say, error: &(dyn std::error::Error + 'static)) -> Failure {
    let whose = say!("PostgreSQL for the demo", "演示用的 PostgreSQL");
    Failure::said(Code::FleetDatabase, whose.then(&what)).caused_by(error)
}

/// The newest that is installed.
fn programs() -> Result<PathBuf, Failure> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
    let found = versions.filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        path.join("bin/initdb").exists().then(|| (version, path.join("bin")))
    });
    let in_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|dir| dir.join("initdb").exists())
    };
    found.max().map(|(_, path)| path).or_else(in_path).ok_or_else(|| {
        Failure::said(
            Code::FleetDatabase,
            say!("there is no PostgreSQL on this machine", "本机没有 PostgreSQL"),
        )
        .with_help(say!(
            "install Debian's package postgresql, or run `fleet serve --database URL`",
            "安装 Debian 的 postgresql 软件包，或运行 `fleet serve --database URL`"
        ))
    })
}

/// `postgres` or `nobody`, where this process is root's.
fn other_user() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let text = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |name: &str| {
        text.lines().find_map(|line| {
            let parts: Vec<&str> = line.split(':').collect();
            let [found, _, uid, gid, ..] = parts.as_slice() else { return None };
            let user = User { uid: uid.parse().ok()?, gid: gid.parse().ok()? };
            (*found == name).then_some(user)
        })
    };
    of("postgres").or_else(|| of("nobody"))
}

/// Whether another user may go through all directories down to this one.
fn is_open(dir: &Path) -> bool {
    dir.ancestors().all(|dir| fs::metadata(dir).is_ok_and(|found| found.mode() & 0o001 != 0))
}

impl Postgres {
    /// Makes one in `dir`, or elsewhere where that can't be, and starts it.
    pub(super) fn start(dir: &Path) -> Result<Self, Failure> {
        let programs = programs()?;
        let user = other_user();
        let long = dir.as_os_str().len() > LONGEST_PATH;
        let elsewhere = long || (user.is_some() && !is_open(dir));
        let scratch = elsewhere
            .then(|| std::env::temp_dir().join(format!("station-fleet-{}", std::process::id())));
        let dir = scratch.clone().unwrap_or_else(|| dir.join("postgres"));
        let made = fs::DirBuilder::new().mode(0o700).create(&dir);
        made.map_err(|error| failed(say!("its directory can't be made", "目录无法建立"), &error))?;
        if let Some(User { uid, gid }) = user {
            let given = chown(&dir, Some(uid), Some(gid));
            given.map_err(|error| {
                failed(say!("its directory can't be given to it", "目录无法交给它"), &error)
            })?;
        }
        let mut initdb = command(&programs.join("initdb"), user, &dir);
        initdb.arg("-D").arg(dir.join("data")).args(["-U", "fleet", "-A", "trust", "-E", "UTF8"]);
        let made = initdb
            .output()
            .map_err(|error| failed(say!("initdb can't run", "initdb 无法运行"), &error))?;
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr).trim().to_owned();
            return Err(Failure::new(Code::FleetDatabase, format!("initdb: {why}")));
        }
        let child = serve(&programs, user, &dir)?;
        Ok(Self { child, dir, scratch })
    }

    /// Its address.
    pub(super) fn url(&self) -> String {
        format!("postgresql:///postgres?host={}&user=fleet", self.dir.display())
    }

    /// Whether it has ended, which it should not by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

fn command(program: &Path, user: Option<User>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    // It looks for its own directory, which another user could not enter.
    command.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A terminal may name a locale that the system has not: initdb refuses that.
    command.env("LC_ALL", "C");
    if let Some(User { uid, gid }) = user {
        command.uid(uid).gid(gid);
    }
    command
}

fn serve(programs: &Path, user: Option<User>, dir: &Path) -> Result<Child, Failure> {
    let log = fs::File::create(dir.join("log"));
    let log =
        log.map_err(|error| failed(say!("its log can't be written", "日志无法写入"), &error))?;
    let mut server = command(&programs.join("postgres"), user, dir);
    server.arg("-D").arg(dir.join("data")).arg("-k").arg(dir);
    server.args(["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"]);
    // What it shares goes with its directory, also where it is killed.
    server.args(["-c", "dynamic_shared_memory_type=mmap"]);
    let errors = log
        .try_clone()
        .map_err(|error| failed(say!("its log can't be written", "日志无法写入"), &error))?;
    // A signal to the demo's terminal is for the demo, which ends this itself.
    server.stdout(log).stderr(errors).process_group(0);
    server.spawn().map_err(|error| failed(say!("it can't be started", "无法启动"), &error))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT: it ends its connections and writes everything down.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // One that is gone needs no signal.
            let _ = kill_process(pid, Signal::INT);
        }
        // It ends within seconds; its status says nothing.
        let _ = self.child.wait();
        if let Some(scratch) = &self.scratch {
            // What is left in the system's temporary directory harms nobody.
            let _ = fs::remove_dir_all(scratch);
        }
    }
}

/// A directory that others may go through, since the database's user must.
pub(super) fn open_to_others(dir: &Path) -> std::io::Result<()> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o711))
}
