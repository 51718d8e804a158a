//! p11-kit between the station and a token: its proxy with modules of a test alone, and its server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::token::{LABEL, PIN, module};
use super::{Factory, Finished, LONG, Process};

/// Where Debian has p11-kit's own modules.
pub(crate) const PROXY: &str = "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so";
pub(crate) const CLIENT: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";

/// Where p11-kit looks for what is registered; in a mount namespace of its own it is ours.
const REGISTERED: &str = "/usr/share/p11-kit/modules";

/// Modules that are registered for the commands of one test.
pub(crate) struct Registered(PathBuf);

impl Registered {
    pub(crate) fn new(factory: &Factory) -> Self {
        let folder = factory.path("registered");
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn add(&self, name: &str, text: &str) {
        fs::write(self.0.join(format!("{name}.module")), text).unwrap();
    }

    /// Runs a command of the station where these modules, and no others, are registered.
    pub(crate) fn run(&self, factory: &Factory, arguments: &[&str]) -> Finished {
        let script = format!("mount --bind {} {REGISTERED} && exec \"$@\"", self.0.display());
        let station = factory.command(arguments);
        let mut shell = Command::new("unshare");
        shell.args(["-rm", "sh", "-c", &script, "sh"]);
        shell.arg(station.get_program()).args(station.get_args());
        shell.envs(station.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Process::start(shell).finish(LONG)
    }
}

/// A database of NSS with a user PIN, or without any log-in; its module, for p11-kit.
pub(crate) fn nss(factory: &Factory, pin: Option<&str>) -> String {
    let folder = factory.path("nss");
    fs::create_dir_all(&folder).unwrap();
    let database = format!("sql:{}", folder.display());
    let mut certutil = Command::new("certutil");
    certutil.args(["-N", "-d", &database]);
    match pin {
        Some(pin) => {
            fs::write(folder.join("pin"), pin).unwrap();
            certutil.arg("-f").arg(folder.join("pin"));
        }
        None => drop(certutil.arg("--empty-password")),
    }
    let made = certutil.output().expect("certutil, of the package libnss3-tools");
    assert!(made.status.success(), "{made:?}");
    format!(
        "module: /usr/lib/x86_64-linux-gnu/libsoftokn3.so\n\
         x-init-reserved: configdir='{database}' certPrefix='' keyPrefix='' secmod='secmod.db' \
         dbTokenDescription='{LABEL}' flags=\n"
    )
}

/// Points the factory's authority to a key in the token behind this module.
pub(crate) fn authority_behind(factory: &mut Factory, module: &str) {
    factory.set("STATION_PKCS11_PIN", PIN);
    factory.change(
        "kind = \"file\"\ncertificate = \"ca.pem\"\nkey = \"ca.key\"",
        &format!(
            "kind = \"pkcs11\"\ncertificate = \"token-ca.pem\"\nmodule = \"{module}\"\n\
             token_label = \"{LABEL}\"\nkey_label = \"ca\""
        ),
    );
}

/// p11-kit's server before SoftHSM2.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(socket: &Path, softhsm_config: &Path) -> Self {
        let _ = fs::remove_file(socket);
        let mut child = Command::new("p11-kit")
            .args(["server", "--foreground", "--provider", module(), "--name"])
            .arg(socket)
            .arg(format!("pkcs11:token={LABEL}"))
            .env("SOFTHSM2_CONF", softhsm_config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("p11-kit, of the package of that name");
        // It says where it listens once it does.
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains("P11_KIT_SERVER_ADDRESS"), "{said}");
        Self { child, address: format!("unix:path={}", socket.display()) }
    }
}

impl Server {
    /// Has the process stand still that takes its clients in, or go on.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Has the processes that serve its clients stand still, or go on.
    pub(crate) fn signal_those_who_serve(&self, signal: Signal) {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let serving: Vec<i32> = children.split(' ').filter_map(|id| id.parse().ok()).collect();
        assert!(!serving.is_empty(), "nobody is served");
        for id in serving {
            kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
