//! What is simulated: devices and the cloud.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::modem::Modem;

/// `station sim …`
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// Simulated devices, one after another, behind a pseudo-terminal
    #[command(after_help = SIM_DEVICE_EXAMPLES)]
    Device(SimDevice),
    /// A device's firmware, built as a program for this machine, behind a pseudo-terminal
    #[command(after_help = SIM_FIRMWARE_EXAMPLES)]
    Firmware(SimFirmware),
    /// Simulated modems, one after another, behind a pseudo-terminal
    #[command(after_help = SIM_MODEM_EXAMPLES)]
    Modem(SimModem),
    /// Simulated Espressif chips, one after another, behind a pseudo-terminal
    #[command(after_help = SIM_ESP_EXAMPLES)]
    Esp(SimEsp),
    /// Take a simulated device out of its slot
    #[command(after_help = SIM_HAND_EXAMPLES)]
    Pull(SimHand),
    /// Put a simulated device back that was taken out
    #[command(after_help = SIM_HAND_EXAMPLES)]
    Put(SimHand),
    /// Take a simulated device out and put it into another slot
    #[command(after_help = SIM_HAND_EXAMPLES)]
    Move(SimMove),
    /// Put the next blank simulated device into a slot that was emptied
    #[command(after_help = SIM_HAND_EXAMPLES)]
    Next(SimHand),
    /// A local emulation of the cloud's API
    #[command(after_help = SIM_CLOUD_EXAMPLES)]
    Cloud(SimCloud),
}

const SIM_DEVICE_EXAMPLES: &str = "\
When a unit is done and the station has let go of the port, the next blank device is plugged
in. With --stay-ms it stays for a moment first, so that PASS can be read. Prints one line for
each link when it is ready, stops on SIGTERM.

Devices can be moved by hand: `station sim pull`, `put`, `move` and `next`. They speak to
PATH.control, a socket that takes one line (pull, put, next, move PATH) and answers with one
line of JSON. A slot whose device was pulled stays empty until something is put in.

Examples:
  station sim device --link ./slot-a --state ./devices --units 10
  station sim device --link ./slot-a --link ./slot-b --fault withhold-once=prove@2
  station sim pull ./slot-a
  station sim put ./slot-b
  station sim device --fault list";

const SIM_FIRMWARE_EXAMPLES: &str = "\
CMD is started with its line at standard input and output; what it writes to standard error is
shown. --fault is about the line and the power, since nothing is known here of what CMD says:
lies to order are those of `station sim device`. `station sim pull PATH` cuts its power,
`station sim put PATH` gives it back. It ends when CMD ends by itself, with status 5, and stops
on SIGTERM.

Example, the C device of this project as a program:
  serve=$(firmware-interface/c/host/serve.sh /tmp/board)
  station sim firmware --link ./slot-a -- $serve /tmp/board/flash
  station selftest --port ./slot-a
The same on a line that loses two packets in a hundred, and with a power cut at first:
  station sim firmware --link ./slot-a --fault lossy=2,cut=4096@1 -- $serve /tmp/board/flash";

/// `station sim firmware`
#[derive(Debug, Clone, Args)]
pub struct SimFirmware {
    /// Where the port appears: a link to the pseudo-terminal
    #[arg(long, value_name = "PATH", required_unless_present = "fault")]
    pub link: Option<PathBuf>,
    /// The directory in which CMD runs, made if missing [default: this one]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Bits a second of the line; 0 for no pacing
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    pub baud: u32,
    /// What is wrong with its line since its Nth start: `name[=value][@N | @P%]`,
    /// comma-separated; `list` names them
    #[arg(long, value_name = "SPEC")]
    pub fault: Option<String>,
    /// From what probabilities are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The program and its arguments
    #[arg(last = true, required_unless_present = "fault", value_name = "CMD")]
    pub command: Vec<OsString>,
}

const SIM_MODEM_EXAMPLES: &str = "\
They answer AT commands as their makers' manuals say, and are strict. What they store, keys too,
is in one file each under --state, which only you may read. A modem that restarted with a key
and a certificate makes place for the next one when the station has let go of the port; one that
never came so far stays. `station sim pull`, `put` and `next` move them by hand.

Examples:
  station sim modem --kind nrf91 --link ./slot-a --state ./modems --units 10
  station sim modem --kind quectel --link ./slot-a --fault power=2@1
  station sim modem --kind nrf91 --fault list";

/// `station sim modem`
#[derive(Debug, Clone, Args)]
pub struct SimModem {
    /// Whose modems they are: nrf91, quectel, simcom or esp-at
    #[arg(long, value_name = "KIND")]
    pub kind: Option<Modem>,
    /// Where the port appears: a link to the pseudo-terminal
    #[arg(long, value_name = "PATH")]
    pub link: Option<PathBuf>,
    /// Keep the modems' flash in this directory; without it, in memory alone
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Bits a second of the line; 0 for no pacing
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    pub baud: u32,
    /// How many modems there are
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub units: u32,
    /// What is wrong with them: `name[=value][@N | @P%]`, comma-separated; `list` names them
    #[arg(long, value_name = "SPEC")]
    pub fault: Option<String>,
    /// From what probabilities and IMEIs are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Milliseconds from a restart to the first answer
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub boot_ms: u64,
    /// Milliseconds for each change of the flash
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub write_ms: u64,
    /// A modem that is done stays in its slot
    #[arg(long)]
    pub stay: bool,
}

const SIM_ESP_EXAMPLES: &str = "\
A chip comes with the boot pin held, so it is in its loader, as on a fixture; a reset by its
watchdog or by FLASH_END starts its application, which speaks the framed protocol. Its flash is
one file in DIR, named after its MAC. When a unit is done and the station has let go of the port,
the next blank chip is put in. `station sim pull`, `put` and `next` move chips by hand.

A pseudo-terminal has no DTR and RTS: PATH.lines is a socket that takes datagrams of two bytes,
their levels. Espressif's esptool works on it as on a board, without its stub:
  esptool --port ./slot-a --before no-reset --after no-reset --no-stub flash-id

Examples:
  station sim esp --link ./slot-a --state ./devices --units 10
  station sim esp --link ./slot-a --chip esp32s3 --fault power=3@2
  station sim esp --fault list";

/// `station sim esp`
#[derive(Debug, Clone, Args)]
pub struct SimEsp {
    /// Where the port appears: a link to the pseudo-terminal
    #[arg(long, value_name = "PATH")]
    pub link: Option<PathBuf>,
    /// Keep the chips' flash in this directory; without it, in memory alone
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// How many chips there are
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub units: u32,
    /// What is wrong with them: `name[=value][@N | @P%]`, comma-separated; `list` names them
    #[arg(long, value_name = "SPEC")]
    pub fault: Option<String>,
    /// From what probabilities and ids are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Which chip: esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c6, esp32h2
    #[arg(long, value_name = "NAME", default_value = "esp32c3")]
    pub chip: String,
    /// KiB of flash, a power of two
    #[arg(long, value_name = "N", default_value_t = 4096)]
    #[arg(value_parser = clap::value_parser!(u32).range(256..=16384))]
    pub flash_kib: u32,
    /// Milliseconds to erase a sector of 4096 bytes
    #[arg(long, value_name = "N", default_value_t = 45)]
    pub erase_ms: u64,
    /// Microseconds to write a page of 256 bytes
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub page_us: u64,
    /// Milliseconds from a reset to the application's first answer
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub boot_ms: u64,
    /// Milliseconds to sign
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub prove_ms: u64,
    /// Bytes take no time on the line; else they take what the rate says that the station sets
    #[arg(long)]
    pub unpaced: bool,
}

const SIM_HAND_EXAMPLES: &str = "\
LINK is that of a running `station sim device`, or of a demo: `ports/A` in its directory. A
device that is taken out lies on the bench of its simulator, and `put` takes what was laid
there last. Slots of one `station sim device` share a bench. What stands in a slot into which
another device is put goes to the bench.

To practise HOLD: let a device withhold its proof, see HOLD, take it out, put it back.
  station sim device --link ./slot-a --link ./slot-b --units 5 --fault withhold-once=prove@1
  station sim pull ./slot-a
  station sim next ./slot-a
  station sim put ./slot-b";

/// `station sim pull`, `put` and `next`
#[derive(Debug, Clone, Args)]
pub struct SimHand {
    /// The slot's link, as given to `station sim device`
    #[arg(value_name = "LINK")]
    pub link: PathBuf,
}

/// `station sim move`
#[derive(Debug, Clone, Args)]
pub struct SimMove {
    /// The link of the slot that the device is in
    #[arg(value_name = "FROM")]
    pub from: PathBuf,
    /// The link of the slot that it goes to
    #[arg(value_name = "TO")]
    pub to: PathBuf,
}

/// `station sim device`
#[derive(Debug, Clone, Args)]
pub struct SimDevice {
    /// Where the port appears: a link to the pseudo-terminal. May be given more than once;
    /// each has as many devices
    #[arg(long, value_name = "PATH")]
    pub link: Vec<PathBuf>,
    /// Keep the devices' flash in this directory; without it, in memory alone
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Bits a second of the line; 0 for no pacing
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    pub baud: u32,
    /// How many devices there are in each slot
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub units: u32,
    /// What is wrong with them: `name[=value][@N | @P%]`, comma-separated; `list` names them
    #[arg(long, value_name = "SPEC")]
    pub fault: Option<String>,
    /// From what probabilities and hardware ids are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The devices can make their keys themselves
    #[arg(long)]
    pub keygen: bool,
    /// Such a key is the same each time, as one in a secure element is
    #[arg(long, requires = "keygen")]
    pub keep_key: bool,
    /// The model that the devices report
    #[arg(long, value_name = "NAME", default_value = "SIM-1")]
    pub model: String,
    /// Milliseconds before each reply, beyond its work
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub latency_ms: u64,
    /// Milliseconds to erase the storage
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub erase_ms: u64,
    /// Milliseconds to write one chunk
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub chunk_ms: u64,
    /// Milliseconds to write a header
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub commit_ms: u64,
    /// Milliseconds to sign
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub prove_ms: u64,
    /// Milliseconds from a reset to the first answer
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub boot_ms: u64,
    /// Chunks that a device takes unanswered, 1 to 8
    #[arg(long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=8))]
    pub window: u8,
    /// Bytes of data in the largest chunk that a device takes, 65 to 1000
    #[arg(long, value_name = "N", default_value_t = 512)]
    #[arg(value_parser = clap::value_parser!(u16).range(65..=1000))]
    pub max_chunk: u16,
    /// Milliseconds for which a device that is done stays in its slot
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub stay_ms: u64,
    /// Milliseconds for which the slot is empty between two devices
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub swap_ms: u64,
}

const SIM_CLOUD_EXAMPLES: &str = "\
It emulates the certificate and instance actions of TDMQ for MQTT, version 2024-05-16, and is
strict. Prints one line when it is ready, stops on SIGTERM. What it answered is in the state
file, and is there again after a power cut. Behind the first line stands what to write into
station.toml, and the credentials where they are the emulation's own.

Callers sign with STATION_SIM_CLOUD_SECRET_ID and STATION_SIM_CLOUD_SECRET_KEY (and
STATION_SIM_CLOUD_TOKEN, if it is set); where these are not set, with STATION_CLOUD_SECRET_ID
and so on; where those are not set either, with AKIDemulatedcloud and
for-the-emulated-cloud-alone, which the demo uses. With STATION_SIM_CLOUD_REVOKER_SECRET_ID
and STATION_SIM_CLOUD_REVOKER_SECRET_KEY only that key may deactivate and revoke.

Examples:
  station sim cloud --listen 127.0.0.1:8443 --state ./cloud.state
  station sim cloud --listen 127.0.0.1:0 --state ./cloud.state --fault reset-after@10% --seed 7
  station sim cloud --fault list";

/// `station sim cloud`
#[derive(Debug, Clone, Args)]
pub struct SimCloud {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Keep what it knows in this file; without it, in memory alone
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// What is wrong with it: `name[=value][@N | @P%]`, comma-separated; `list` names them
    #[arg(long, value_name = "SPEC")]
    pub fault: Option<String>,
    /// Registrations that it takes in a second, 0 for any number [default: 15]
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// From what probabilities are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Write each request that is received to this file: time, action, code
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// The id of its instance
    #[arg(long, value_name = "ID", default_value = "mqtt-emulated")]
    pub instance: String,
    /// The region of its instance
    #[arg(long, value_name = "REGION", default_value = "ap-guangzhou")]
    pub region: String,
    /// How its instance learns of client certificates
    #[arg(long, value_name = "MODE", value_enum, default_value_t = SimCloudMode::Manual)]
    pub mode: SimCloudMode,
    /// TLS, mTLS or BYOC (one device, one certificate)
    #[arg(long, value_name = "MODE", default_value = "BYOC")]
    pub x509_mode: String,
    /// BASIC, PRO or PLATINUM
    #[arg(long, value_name = "EDITION", default_value = "PRO")]
    pub edition: String,
    /// RUNNING, or another for an instance that is not ready
    #[arg(long, value_name = "STATUS", default_value = "RUNNING")]
    pub status: String,
    /// How many CAs its instance takes
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub max_ca: u32,
    /// The TLS versions that its instance speaks
    #[arg(long, value_name = "LIST", default_value = "TLSv1.3,TLSv1.2")]
    pub tls: String,
    /// The host of its instance's endpoints
    #[arg(long, value_name = "HOST")]
    #[arg(default_value = "mqtt-emulated-gz-public.mqtt.example.com")]
    pub endpoint_host: String,
    /// How it prints serial numbers; it takes no other spelling
    #[arg(long, value_name = "FORM", value_enum, default_value_t = SimSerialForm::Padded)]
    pub serial_form: SimSerialForm,
    /// What it answers to what is registered already
    #[arg(long, value_name = "ANSWER", value_enum, default_value_t = SimDuplicate::Exists)]
    pub duplicate: SimDuplicate,
}

/// How an emulated instance learns of client certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimCloudMode {
    /// Through the API
    Manual,
    /// They register themselves at their first connection
    Automatic,
}

/// How the emulated cloud prints serial numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimSerialForm {
    /// With an even number of digits: 0eef
    Padded,
    /// Without leading zeros: eef
    Plain,
}

/// What the emulated cloud answers to a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimDuplicate {
    /// UnsupportedOperation.ResourceAlreadyExists
    Exists,
    /// FailedOperation
    Failed,
    /// Success where it is the same certificate
    Success,
}
