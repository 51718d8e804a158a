//! Secrets: from the environment, a file, a systemd credential or a person's keyboard.
//!
//! A secret never comes from the command line, where every user of the machine can read
//! it, and never reaches a log: [`Secret`] has no text form. What a secret opens is not
//! this module's matter. Start with [`Wanted`].
//!
//! Before a secret is taken into memory the process is made unreadable for its own user
//! ([`Surroundings::shut_out_readers`]): no command can hold one and leave a core dump.
//!
//! A process can't take a variable out of its own environment without `unsafe` (another
//! thread may be reading it), so a secret given there stays readable for this user and
//! root in `/proc/PID/environ`. A file or a systemd credential is the better way.

use station_domain::{self as domain, say};
use station_vault as vault;

pub mod pin;

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::domain::bounds;
use crate::domain::cause::Told;
use crate::domain::code::Code;
use crate::domain::ids::to_hex;
use crate::domain::say::Say;
use crate::vault::VaultError;

/// The longest secret that is read: whoever points to a larger file points to a wrong one.
const MAX_LENGTH: u64 = 4096;

/// A secret's bytes, wiped when dropped.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Don't copy them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It was given in none of the ways.
    #[error("{what} was not given")]
    Missing {
        /// What it is, in words.
        what: &'static str,
        /// All the ways to give it.
        ways: Say,
    },
    /// The file that should hold it can't be read.
    #[error("{what}: {} can't be read", path.display())]
    File {
        /// What it is, in words.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file that holds it can be read by others.
    #[error("{what}: {} has mode {mode:03o}, only its owner may read it", path.display())]
    Mode {
        /// What it is, in words.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds nothing, or far too much.
    #[error("{what}: {} holds no secret: it has {length} bytes", path.display())]
    Length {
        /// What it is, in words.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Its length.
        length: u64,
    },
    /// The two texts that were typed differ.
    #[error("{what}: the two texts differ")]
    Differ {
        /// What it is, in words.
        what: &'static str,
    },
    /// The process can't be kept from being read by others.
    #[error("{what} is not read")]
    Readable {
        /// What it is, in words.
        what: &'static str,
        /// Which step failed.
        source: VaultError,
    },
    /// A new one can't be made or kept.
    #[error("{what}: {} can't be made", path.display())]
    Make {
        /// What it is, in words.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SecretError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            SecretError::Mode { .. } => Code::SecretMode,
            SecretError::Readable { source, .. } => source.code(),
            _ => Code::SecretMissing,
        }
    }

    /// What to do now, where this error knows more than its code.
    pub fn help(&self) -> Option<Say> {
        match self {
            SecretError::Missing { ways, .. } => {
                let Say { english, chinese } = ways;
                let english = format!("give it by {english}");
                Some(Say { english, chinese: format!("给出的方式：{chinese}") })
            }
            SecretError::Mode { path, .. } => {
                Some(say!("run `chmod 600 {}`", "运行 `chmod 600 {}`", path.display()))
            }
            _ => None,
        }
    }
}

impl Told for SecretError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Missing { what, .. } => format!("没有给出{}", in_chinese(what)),
            Self::File { what, path, .. } => {
                format!("{}：{} 无法读取", in_chinese(what), path.display())
            }
            Self::Mode { what, path, mode } => format!(
                "{}：{} 的权限是 {mode:03o}，只应由所有者读取",
                in_chinese(what),
                path.display()
            ),
            Self::Length { what, path, length } => format!(
                "{}：{} 里没有内容或不是口令：它有 {length} 字节",
                in_chinese(what),
                path.display()
            ),
            Self::Differ { what } => format!("{}：两次输入不同", in_chinese(what)),
            Self::Readable { what, source } => {
                let why = source.chinese().unwrap_or_else(|| source.to_string());
                format!("{}没有读取：{why}", in_chinese(what))
            }
            Self::Make { what, path, .. } => {
                format!("{}：{} 无法生成", in_chinese(what), path.display())
            }
        })
    }
}

/// What a secret is, in Chinese.
fn in_chinese(what: &str) -> &str {
    let known = [
        ("the passphrase of the CA key", "CA 密钥的口令"),
        ("the token's PIN", "令牌的 PIN"),
        ("the passphrase of the broker's key", "代理服务器密钥的口令"),
        ("the passphrase of the order key", "订货密钥的口令"),
        ("the journal secret", "日志口令"),
        ("the approving PIN", "批准用的 PIN"),
        ("the new PIN", "新 PIN"),
        ("the password of the fleet's database", "总库数据库的密码"),
        ("the token of the fleet's page", "总库页面的令牌"),
        ("the key of the fleet's certificate", "总库证书的密钥"),
        ("the cloud's secret id", "云端 secret id"),
        ("the cloud's secret key", "云端 secret key"),
        ("the view's token", "看板的令牌"),
        ("the key of the view's certificate", "看板证书的密钥"),
        ("the cloud's token", "云端 token"),
        ("the revoker's secret id", "吊销者的 secret id"),
        ("the revoker's secret key", "吊销者的 secret key"),
    ];
    known.iter().find(|(english, _)| *english == what).map_or(what, |(_, chinese)| *chinese)
}

/// Where secrets may come from; tests put their own behind it.
pub trait Surroundings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// Asks a person, without echo; none where no person is there.
    fn ask(&self, prompt: &str) -> Option<io::Result<String>>;

    /// Keeps others out of the process's memory, from before the first secret is in it.
    fn shut_out_readers(&self) -> Result<(), VaultError>;
}

/// The process's own environment and terminal.
#[derive(Debug, Clone, Copy)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn ask(&self, prompt: &str) -> Option<io::Result<String>> {
        // A pipe on either side means that nobody watches, whatever /dev/tty says.
        let person = io::stdin().is_terminal() && io::stderr().is_terminal();
        person.then(|| rpassword::prompt_password(prompt))
    }

    fn shut_out_readers(&self) -> Result<(), VaultError> {
        vault::harden_process()
    }
}

/// A secret that is wanted, with the names under which it may be given.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What it is, in words.
    pub what: &'static str,
    /// The name of its variable; its systemd credential has the same in lower case.
    pub variable: &'static str,
    /// The key of station.toml that names its file.
    pub key: &'static str,
    /// The file that station.toml names.
    pub file: Option<&'a Path>,
}

/// The passphrase of the CA's key.
pub fn authority_passphrase(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the passphrase of the CA key",
        variable: "STATION_AUTHORITY_PASSPHRASE",
        key: "[authority] passphrase_file",
        file,
    }
}

/// The user PIN of the token that holds the CA's key.
pub fn token_pin(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the token's PIN",
        variable: "STATION_PKCS11_PIN",
        key: "[authority] pin_file",
        file,
    }
}

/// The passphrase of the key of the station's own broker.
pub fn broker_passphrase(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the passphrase of the broker's key",
        variable: "STATION_CONNECT_PASSPHRASE",
        key: "[connect] passphrase_file",
        file,
    }
}

/// The passphrase of the order key.
pub fn orders_passphrase(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the passphrase of the order key",
        variable: "STATION_ORDERS_PASSPHRASE",
        key: "[work_orders] passphrase_file",
        file,
    }
}

/// The secret that encrypts the journal key.
pub fn journal_secret(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the journal secret",
        variable: "STATION_JOURNAL_SECRET",
        key: "[ledger] journal_secret_file",
        file,
    }
}

/// The PIN of the person who approves an act.
pub fn operator_pin(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the approving PIN",
        variable: "STATION_OPERATOR_PIN",
        key: "[station] operator_pin_file",
        file,
    }
}

/// The PIN that a person is to have from now on.
pub fn new_operator_pin(file: Option<&Path>) -> Wanted<'_> {
    Wanted { what: "the new PIN", variable: "STATION_OPERATOR_NEW_PIN", key: "--pin-file", file }
}

/// The password of the fleet's database.
pub fn fleet_database_password() -> Wanted<'static> {
    Wanted {
        what: "the password of the fleet's database",
        variable: "STATION_FLEET_DATABASE_PASSWORD",
        key: "nothing",
        file: None,
    }
}

/// The token of those who may look at the fleet's page.
pub fn fleet_token(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the token of the fleet's page",
        variable: "STATION_FLEET_TOKEN",
        key: "--token-file",
        file,
    }
}

/// The key of the fleet's certificate.
pub fn fleet_key(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the key of the fleet's certificate",
        variable: "STATION_FLEET_KEY",
        key: "--key",
        file,
    }
}

/// The secret id by which the cloud knows the station.
pub fn cloud_secret_id(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the cloud's secret id",
        variable: "STATION_CLOUD_SECRET_ID",
        key: "[cloud] secret_id_file",
        file,
    }
}

/// The secret key that belongs to it.
pub fn cloud_secret_key(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the cloud's secret key",
        variable: "STATION_CLOUD_SECRET_KEY",
        key: "[cloud] secret_key_file",
        file,
    }
}

/// The token of those who may look at the view.
pub fn view_token(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the view's token",
        variable: "STATION_VIEW_TOKEN",
        key: "[view] token_file",
        file,
    }
}

/// The key of the view's certificate.
pub fn view_key(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the key of the view's certificate",
        variable: "STATION_VIEW_KEY",
        key: "[view] key",
        file,
    }
}

/// The token of temporary credentials.
pub fn cloud_token(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the cloud's token",
        variable: "STATION_CLOUD_TOKEN",
        key: "[cloud] token_file",
        file,
    }
}

/// The secret id of who may deactivate and revoke.
pub fn revoker_secret_id(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the revoker's secret id",
        variable: "STATION_CLOUD_REVOKER_SECRET_ID",
        key: "[cloud] revoker_secret_id_file",
        file,
    }
}

/// The secret key that belongs to it.
pub fn revoker_secret_key(file: Option<&Path>) -> Wanted<'_> {
    Wanted {
        what: "the revoker's secret key",
        variable: "STATION_CLOUD_REVOKER_SECRET_KEY",
        key: "[cloud] revoker_secret_key_file",
        file,
    }
}

/// Whether a secret that was never made may be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfAbsent {
    /// Yes: nothing depends on an older one.
    Make,
    /// No: something was encrypted with the one that is absent.
    Refuse,
}

impl Wanted<'_> {
    /// The secret as configured, or as a person types it.
    pub fn read(&self, from: &dyn Surroundings) -> Result<Secret, SecretError> {
        if let Some(secret) = self.configured(from)? {
            return Ok(secret);
        }
        match self.asked(from, "")? {
            Some(secret) => Ok(secret),
            None => Err(self.missing()),
        }
    }

    /// The secret as configured; none where it is given in none of the ways. Nobody is asked.
    pub fn read_if_given(&self, from: &dyn Surroundings) -> Result<Option<Secret>, SecretError> {
        self.configured(from)
    }

    /// The secret as configured, or as a person types it twice, for something new.
    pub fn read_new(&self, from: &dyn Surroundings) -> Result<Secret, SecretError> {
        if let Some(secret) = self.configured(from)? {
            return Ok(secret);
        }
        let Some(first) = self.asked(from, ", a new one")? else { return Err(self.missing()) };
        match self.asked(from, ", once more")? {
            Some(second) if second.as_bytes() == first.as_bytes() => Ok(first),
            _ => Err(SecretError::Differ { what: self.what }),
        }
    }

    /// The secret as configured, or the one kept at `path`; where that is not there either,
    /// `absent` says whether a random one is made and kept there. Nobody is asked.
    pub fn read_or_keep(
        &self,
        from: &dyn Surroundings,
        path: &Path,
        absent: IfAbsent,
    ) -> Result<Secret, SecretError> {
        if let Some(secret) = self.configured(from)? {
            return Ok(secret);
        }
        if fs::symlink_metadata(path).is_err() {
            match absent {
                IfAbsent::Make => self.make(path)?,
                IfAbsent::Refuse => return Err(self.missing()),
            }
        }
        self.private_file(path)
    }

    /// The secret as configured; nobody is asked.
    pub fn configured_only(&self, from: &dyn Surroundings) -> Result<Option<Secret>, SecretError> {
        self.configured(from)
    }

    fn configured(&self, from: &dyn Surroundings) -> Result<Option<Secret>, SecretError> {
        let what = self.what;
        from.shut_out_readers().map_err(|source| SecretError::Readable { what, source })?;
        let given = from.variable(self.variable).filter(|value| !value.is_empty());
        if let Some(value) = given {
            return Ok(Some(Secret::new(value.into_vec())));
        }
        if let Some(path) = self.file {
            return self.private_file(path).map(Some);
        }
        let Some(directory) = from.variable("CREDENTIALS_DIRECTORY") else { return Ok(None) };
        let path = Path::new(&directory).join(self.variable.to_lowercase());
        match path.exists() {
            // systemd guards the directory; with an access list the mode shows a group.
            true => self.contents(&path, self.open(&path)?).map(Some),
            false => Ok(None),
        }
    }

    fn asked(&self, from: &dyn Surroundings, again: &str) -> Result<Option<Secret>, SecretError> {
        match from.ask(&format!("{}{again}: ", self.what)) {
            Some(Ok(text)) if !text.is_empty() => Ok(Some(Secret::new(text.into_bytes()))),
            Some(Err(source)) => {
                Err(SecretError::File { what: self.what, path: "/dev/tty".into(), source })
            }
            Some(Ok(_)) | None => Ok(None),
        }
    }

    fn missing(&self) -> SecretError {
        let Self { what, variable, key, .. } = *self;
        let credential = variable.to_lowercase();
        let ways = say!(
            "the variable {variable}, a file of mode 0600 that {key} names, the systemd \
             credential {credential}, or at a terminal",
            "环境变量 {variable}，{key} 指定的权限为 0600 的文件，systemd 凭据 {credential}，或在终端上\
             输入"
        );
        SecretError::Missing { what, ways }
    }

    fn open(&self, path: &Path) -> Result<File, SecretError> {
        let failed = |source| SecretError::File { what: self.what, path: path.to_owned(), source };
        let file = bounds::open(path).map_err(failed)?;
        match file.metadata().map_err(failed)?.is_file() {
            true => Ok(file),
            // The file of a secret has a mode.
            false => Err(failed(io::Error::other(say!("it is no file", "它不是文件")))),
        }
    }

    fn private_file(&self, path: &Path) -> Result<Secret, SecretError> {
        let file = self.open(path)?;
        let failed = |source| SecretError::File { what: self.what, path: path.to_owned(), source };
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        match mode & 0o077 {
            0 => self.contents(path, file),
            _ => Err(SecretError::Mode { what: self.what, path: path.to_owned(), mode }),
        }
    }

    fn contents(&self, path: &Path, file: File) -> Result<Secret, SecretError> {
        let failed = |source| SecretError::File { what: self.what, path: path.to_owned(), source };
        let length =
            |length| SecretError::Length { what: self.what, path: path.to_owned(), length };
        let size = file.metadata().map_err(failed)?.len();
        if size > MAX_LENGTH {
            return Err(length(size));
        }
        // Room for all of it at once: a vector that grows leaves copies behind.
        let mut secret = Secret::new(Vec::with_capacity(MAX_LENGTH as usize + 1));
        file.take(MAX_LENGTH).read_to_end(&mut secret.0).map_err(failed)?;
        for ending in [b'\n', b'\r'] {
            if secret.0.last() == Some(&ending) {
                secret.0.pop();
            }
        }
        match secret.0.is_empty() {
            true => Err(length(size)),
            false => Ok(secret),
        }
    }

    fn make(&self, path: &Path) -> Result<(), SecretError> {
        make_random(path).map_err(|source| SecretError::Make {
            what: self.what,
            path: path.to_owned(),
            source,
        })
    }
}

/// Makes a file of 32 random bytes in hexadecimal: whole or not at all, and never over
/// another, so that of two processes that start at once both read the same.
fn make_random(path: &Path) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut()).map_err(io::Error::other)?;
    let text = Zeroizing::new(to_hex(random.as_ref()) + "\n");
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
