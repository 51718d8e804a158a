//! A mosquitto of the station's own, on this machine alone, that is gone when it is dropped.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::domain::cause::cause;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::identity::TlsVersion;
use crate::domain::say::Say;
use crate::say;

/// How long it may take to listen.
const START: Duration = Duration::from_secs(10);

/// How long its log may take to arrive.
const LOG: Duration = Duration::from_secs(2);

/// How often it is looked whether it listens.
const LOOK: Duration = Duration::from_millis(10);

/// How many ports are tried: another program may take one before mosquitto does.
const PORTS: u32 = 3;

/// Lines of its log that an error tells.
const TOLD: usize = 6;

/// Debian keeps it where an ordinary user's PATH does not lead.
const ELSEWHERE: &str = "/usr/sbin/mosquitto";

/// What a broker is to show and to demand.
#[derive(Debug, Clone, Copy)]
pub struct Demands<'a> {
    /// Its own certificate and what stands above it, PEM.
    pub certificate: &'a str,
    /// Its key, PEM in clear. It is handed over in memory and reaches no file system.
    pub key: &'a str,
    /// The CAs whose clients it takes, PEM.
    pub client_authorities: &'a str,
    /// Lists of revoked certificates, one of each CA that issues clients, PEM.
    pub revoked: &'a str,
    /// The oldest TLS version that it speaks.
    pub tls_min: TlsVersion,
    /// The newest one.
    pub tls_max: TlsVersion,
}

/// Why there is no mosquitto.
#[derive(Debug, thiserror::Error)]
pub enum MosquittoError {
    /// It is not installed.
    #[error("there is no mosquitto {place}")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// Its files can't be written, or it can't be started.
    #[error("mosquitto can't be started")]
    Start(#[source] io::Error),
    /// It ended, or did not listen in time.
    #[error("mosquitto does not listen: {log}")]
    Silent {
        /// The end of its log.
        log: String,
    },
}

impl From<MosquittoError> for Fault {
    fn from(error: MosquittoError) -> Self {
        let code = match error {
            MosquittoError::Missing { .. } => Code::BrokerMissing,
            MosquittoError::Start(_) | MosquittoError::Silent { .. } => Code::BrokerStart,
        };
        let said = match &error {
            MosquittoError::Missing { place } => {
                say!("{error}", "没有找到 mosquitto：{place}")
            }
            MosquittoError::Start(source) => {
                let why = cause(source);
                Say { english: error.to_string(), chinese: "mosquitto 无法启动".to_owned() }
                    .then(&why)
            }
            MosquittoError::Silent { log } => say!("{error}", "mosquitto 没有监听：{log}"),
        };
        Fault::said(code, said)
    }
}

/// A mosquitto that runs.
pub struct Mosquitto {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Mosquitto {
    /// Starts one with its files in `folder`, and waits until it listens. Without a program
    /// it is the machine's own.
    pub fn start(
        program: Option<&Path>,
        folder: &Path,
        demands: &Demands<'_>,
    ) -> Result<Self, MosquittoError> {
        let program = match program {
            Some(program) if !program.is_file() => {
                return Err(MosquittoError::Missing { place: format!("at {}", program.display()) });
            }
            Some(program) => program.to_owned(),
            None => installed().ok_or_else(|| MosquittoError::Missing {
                place: format!("in PATH, and none at {ELSEWHERE}"),
            })?,
        };
        let mut outcome = Err(MosquittoError::Silent { log: String::new() });
        for _ in 0..PORTS {
            outcome = Self::start_once(&program, folder, demands);
            match &outcome {
                Err(MosquittoError::Silent { log }) if log.contains("Address already in use") => {}
                _ => break,
            }
        }
        outcome
    }

    fn start_once(
        program: &Path,
        folder: &Path,
        demands: &Demands<'_>,
    ) -> Result<Self, MosquittoError> {
        let address = free_address().map_err(MosquittoError::Start)?;
        let key = key_in_memory(demands.key).map_err(MosquittoError::Start)?;
        let config = write_files(folder, demands, address.port(), key.as_raw_fd())
            .map_err(MosquittoError::Start)?;
        let mut child = Command::new(program)
            .arg("-c")
            .arg(config)
            // OpenSSL takes the newest version from here; mosquitto itself knows a lower end.
            .env("OPENSSL_CONF", folder.join("openssl.cnf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(MosquittoError::Start)?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let said = child.stderr.take();
        let mut mosquitto = Self { child, address, log: Arc::clone(&log) };
        // It ends with the process.
        let listen = move || {
            for line in said.into_iter().flat_map(|said| BufReader::new(said).lines()) {
                let Ok(line) = line else { return };
                log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        };
        let thread = thread::Builder::new().name("mosquitto".to_owned());
        thread.spawn(listen).map_err(MosquittoError::Start)?;
        match mosquitto.listens() {
            true => Ok(mosquitto),
            false => Err(MosquittoError::Silent { log: mosquitto.end_of_log() }),
        }
    }

    fn listens(&mut self) -> bool {
        let until = Instant::now() + START;
        while Instant::now() < until {
            if TcpStream::connect_timeout(&self.address, LOOK).is_ok() {
                return true;
            }
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            thread::park_timeout(LOOK);
        }
        false
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        log[log.len().saturating_sub(TOLD)..].join(" | ")
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether its log says that it took a client by this id and by this name, which it takes
    /// from the certificate's CN. Its log comes a moment after its answer.
    pub fn has_let_in(&self, client_id: &str, name: &str) -> bool {
        let (id, name) = (format!(" as {client_id} ("), format!("u'{name}')"));
        let until = Instant::now() + LOG;
        loop {
            if self.log().iter().any(|line| line.contains(&id) && line.contains(&name)) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            thread::park_timeout(LOOK);
        }
    }

    /// What it said so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> =
        std::env::split_paths(&path).map(|folder| folder.join("mosquitto")).collect();
    all.push(ELSEWHERE.into());
    all.into_iter().find(|program| program.is_file())
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A file in memory that a child process finds under its number.
fn key_in_memory(key: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create("broker.key", MemfdFlags::empty())?);
    file.write_all(key.as_bytes())?;
    Ok(file)
}

fn write_files(
    folder: &Path,
    demands: &Demands<'_>,
    port: u16,
    key: std::os::fd::RawFd,
) -> io::Result<PathBuf> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map(|()| path)
    };
    let certificate = write("broker.pem", demands.certificate)?;
    let authorities = write("clients.pem", demands.client_authorities)?;
    let revoked = write("revoked.crl", demands.revoked)?;
    let (min, max) = (demands.tls_min.as_str(), demands.tls_max.as_str());
    write(
        "openssl.cnf",
        &format!(
            "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = limits\n\
             [limits]\nMinProtocol = TLSv{min}\nMaxProtocol = TLSv{max}\n"
        ),
    )?;
    let config = format!(
        "per_listener_settings true\npersistence false\nlog_dest stderr\nlog_type all\n\
         listener {port} 127.0.0.1\ntls_version tlsv{min}\ncafile {}\ncertfile {}\n\
         keyfile /proc/self/fd/{key}\ncrlfile {}\nrequire_certificate true\n\
         use_identity_as_username true\n{}",
        authorities.display(),
        certificate.display(),
        revoked.display(),
        // Started by root it would become another user, who can't read the files.
        if rustix::process::geteuid().is_root() { "user root\n" } else { "" },
    );
    write("mosquitto.conf", &config)
}
