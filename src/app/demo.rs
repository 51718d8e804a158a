//! A whole factory in one directory: simulated devices, a demo CA, a ledger, station.toml, and
//! an emulated cloud.

mod hands;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::cause::cause;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::ids::{IdError, to_hex};
use crate::pki::{self, AuthorityPlace, AuthorityRequest, KeyPlace, Passphrase, ValidFor};
use crate::say;
use crate::shell::Failure;
use crate::sim::cloud::{self, SimulatedCloud};
use crate::sim::{self, FaultSpec, SimulatedSlot, Stay, Timings, Workbench};

use super::clock::SystemClock;
use super::label::Eye;

pub use hands::Hands;

/// What is wrong with devices that a person watches: one in about fourteen.
const WATCHED_FAULTS: &str = "mute@2%,lie-key@3%,unplug=chunk:2@2%";

/// In one slot a device withholds its proof, once, and nothing else is wrong there: no demo is
/// without a HOLD.
const WATCHED_HOLD: &str = "withhold-once=prove@3";

/// Data bytes in a simulated device's largest chunk.
const MAX_CHUNK: u16 = 1000;

/// A factory that was laid out.
pub struct Factory {
    /// Where everything lies.
    pub dir: PathBuf,
    /// Removes the directory in the end, where nobody asked to keep it.
    keep: bool,
    slots: Vec<(String, SimulatedSlot)>,
    cloud: Option<SimulatedCloud>,
}

impl Drop for Factory {
    fn drop(&mut self) {
        self.slots.clear();
        self.cloud = None;
        if !self.keep {
            // What is left of a demo in the system's temporary directory harms nobody.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

impl Factory {
    /// Its station.toml.
    pub fn config(&self) -> PathBuf {
        self.dir.join("station.toml")
    }

    /// Where its emulated cloud keeps what it knows.
    pub fn cloud_state(&self) -> PathBuf {
        self.dir.join("cloud.state")
    }

    /// Reads each label that it prints.
    pub fn eye(&self) -> Eye {
        let labels = self.dir.join("labels");
        Arc::new(move |name| {
            let text = fs::read_to_string(labels.join(format!("{name}.zpl"))).ok()?;
            sim::read_label(&text)
        })
    }

    /// The address of its emulated cloud.
    pub fn cloud_address(&self) -> Option<String> {
        self.cloud.as_ref().map(|cloud| cloud.address().to_string())
    }

    /// A station of a fleet: one of several, by its name. No two of them have the same devices
    /// where their seeds differ.
    pub fn lay_out_as(name: &str, dir: &Path, units: u32, seed: u64) -> Result<Factory, Failure> {
        Self::lay_out_named(name, Some(dir), units, 2, &mut |_, options| options.seed = seed)
    }

    /// Makes the directory, CA, configuration, cloud and slots; each slot gets its share of units.
    pub fn lay_out(dir: Option<&Path>, units: u32, slots: u32) -> Result<Factory, Failure> {
        Self::lay_out_with(dir, units, slots, &mut |_, _| {})
    }

    /// The same for a screen: devices that take their time, stay for a moment when they are
    /// done, and now and then have a fault. They move by [`Factory::hands`] alone.
    pub fn lay_out_to_watch(
        dir: Option<&Path>,
        units: u32,
        slots: u32,
    ) -> Result<Factory, Failure> {
        let read = |text: &str| {
            FaultSpec::parse(text).map_err(|error| {
                Failure::said(
                    Code::Bug,
                    say!("the demo's faults can't be read", "演示的故障设定无法读取"),
                )
                .caused_by(&error)
            })
        };
        let (usual, with_hold) = (read(WATCHED_FAULTS)?, read(WATCHED_HOLD)?);
        let second = slot_name(slots.saturating_sub(1).min(1), slots);
        Self::lay_out_with(dir, units, slots, &mut |name, options| {
            options.faults = if name == second { with_hold.clone() } else { usual.clone() };
            options.timings = Timings {
                erase: Duration::from_millis(400),
                chunk: Duration::from_millis(500),
                commit: Duration::from_millis(200),
                prove: Duration::from_millis(300),
                boot: Duration::from_millis(600),
            };
            options.stay = Stay::UntilTaken;
        })
    }

    /// The same with other devices: `change` is given each slot's name and devices.
    pub fn lay_out_with(
        dir: Option<&Path>,
        units: u32,
        slots: u32,
        change: &mut dyn FnMut(&str, &mut sim::Options),
    ) -> Result<Factory, Failure> {
        Self::lay_out_named("demo", dir, units, slots, change)
    }

    fn lay_out_named(
        station: &str,
        dir: Option<&Path>,
        units: u32,
        slots: u32,
        change: &mut dyn FnMut(&str, &mut sim::Options),
    ) -> Result<Factory, Failure> {
        let (dir, keep) = match dir {
            Some(dir) => (std::path::absolute(dir).map_err(failed(dir))?, true),
            None => (temporary(), false),
        };
        make_empty(&dir)?;
        let mut factory = Factory { dir, keep, slots: Vec::new(), cloud: None };
        let secret = random_text()?;
        write_private(&factory.dir.join("demo-passphrase"), &secret)?;
        authorities(&factory.dir, &secret)?;
        let names: Vec<String> = (0..slots).map(|index| slot_name(index, slots)).collect();
        let cloud = factory.open_cloud()?;
        let text = configuration(station, &names, &cloud.url());
        factory.cloud = Some(cloud);
        fs::write(factory.config(), text).map_err(failed(&factory.dir))?;
        for directory in ["ports", "devices"] {
            let path = factory.dir.join(directory);
            DirBuilder::new().mode(0o700).create(&path).map_err(failed(&path))?;
        }
        let bench = Workbench::default();
        for (index, name) in (0..).zip(&names) {
            let share = units / slots + u32::from(index < units % slots);
            if share > 0 {
                let mut options = devices(&factory.dir, name, share);
                options.bench = Some(bench.clone());
                change(name, &mut options);
                factory.slots.push((name.clone(), plug_in(name, options)?));
            }
        }
        Ok(factory)
    }
}

impl Factory {
    /// Hands that move its devices.
    pub fn hands(&self) -> Result<Hands, Failure> {
        let slot = |(name, slot): &(String, SimulatedSlot)| {
            let name = name.parse().map_err(|error: IdError| {
                Failure::said(Code::Bug, say!("a slot has no name", "有工位没有名字"))
                    .caused_by(&error)
            })?;
            Ok((name, slot.handle()))
        };
        Hands::start(self.slots.iter().map(slot).collect::<Result<_, Failure>>()?)
    }

    /// Starts the emulated cloud on a free port, and writes down what is called with.
    fn open_cloud(&self) -> Result<SimulatedCloud, Failure> {
        let options =
            cloud::Options { state: Some(self.cloud_state()), ..cloud::Options::default() };
        let credentials = &options.credentials;
        write_private(&self.dir.join("demo-cloud-secret-id"), &credentials.secret_id)?;
        write_private(&self.dir.join("demo-cloud-secret-key"), &credentials.secret_key)?;
        cloud::start(options).map_err(|error| {
            Failure::said(
                Code::Output,
                say!("the demo's cloud can't be emulated", "演示的云端无法模拟"),
            )
            .caused_by(&error)
        })
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.to_owned();
    move |error| {
        let what = say!("the demo can't be laid out in {}", "演示无法在 {} 中建立", path.display());
        Failure::said(Code::Output, what).caused_by(&error)
    }
}

fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("station-demo-{}", std::process::id()))
}

fn make_empty(dir: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed(dir))?;
    match fs::read_dir(dir).map_err(failed(dir))?.next() {
        None => Ok(()),
        Some(_) => {
            let what = say!("{} is not empty", "{} 不是空的", dir.display());
            Err(Failure::said(Code::Usage, what)
                .with_help(say!("name a new or an empty directory", "指定一个新的或空的目录")))
        }
    }
}

fn random_text() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::said(Code::Bug, say!("no random numbers", "没有随机数").then(&cause(&error)))
    })?;
    Ok(to_hex(&bytes))
}

fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(0o600).open(path).map_err(failed(path))?;
    file.write_all(text.as_bytes()).map_err(failed(path))
}

/// The demo CA, and a root for a broker that does not exist, whose key is nowhere.
fn authorities(dir: &Path, secret: &str) -> Result<(), Failure> {
    let now = SystemClock::start().now().wall;
    let named = |common_name: &str| AuthorityRequest {
        common_name: common_name.to_owned(),
        valid_for: ValidFor::Years(30),
        backdate: pki::CA_BACKDATE,
        now,
    };
    let place = AuthorityPlace {
        certificate: dir.join("ca.pem"),
        key: KeyPlace::File(dir.join("ca.key")),
        chain: None,
    };
    let passphrase = Passphrase::new(secret.to_owned())?;
    pki::init(&place, &passphrase, &named("Demo Devices TH200 provisioning CA"))?;
    let root = pki::throw_away(&named("Demo Devices MQTT broker root CA"))?;
    let path = dir.join("server-root.pem");
    let pem = pki::certificate_pem(&root.certificate_der())?;
    fs::write(&path, pem).map_err(failed(&path))
}

/// A to Z while they suffice, numbers beyond.
fn slot_name(index: u32, slots: u32) -> String {
    match u8::try_from(index) {
        Ok(letter) if slots <= 26 => char::from(b'A' + letter).to_string(),
        _ => format!("S{:02}", index + 1),
    }
}

fn configuration(station: &str, slots: &[String], endpoint: &str) -> String {
    let beginning = r#"# Written by `station demo`. Every command works on it; the devices are simulated, and
# `station sim device --link ports/A --state devices` plugs one in again.

[station]
id = "STATION"
data_dir = "data"

[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"
model = "SIM-1"

[certificate]
organization = "DemoDevices"
organizational_unit = "TH200 temperature sensors"
valid_for = "20y"

[authority]
certificate = "ca.pem"
key = "ca.key"
# A real station keeps its passphrase elsewhere: this one is for the demo alone.
passphrase_file = "demo-passphrase"

[broker]
host = "mqtt-emulated-gz-public.mqtt.example.com"
server_root = "server-root.pem"

[scanner]
binding = "any"

# Each unit that passes gets a label: a file in place of paper. The demo's own eye scans it.
[label]
printer = "labels"
language = "zpl"
template = """
^XA^CI28^PW400^LL240
^FO20,30^BQN,2,6^FDQA,{qr}^FS
^FO200,50^A0N,30,30^FD{serial}^FS
^FO200,100^A0N,22,22^FD{fingerprint:8}^FS
^FO200,140^A0N,22,22^FD{date} {work_order}^FS
^XZ
"""
qr = "{serial}"
when = "pass"
"#;
    let mut text = beginning.replacen("STATION", station, 1);
    let instance = cloud::Instance::default();
    text.push_str(&format!(
        r#"
# An emulation that runs for as long as the demo. Start it again in this directory with
# `station sim cloud --listen {address} --state cloud.state`.
[cloud]
endpoint = "{endpoint}"
region = "{region}"
instance_id = "{id}"
secret_id_file = "demo-cloud-secret-id"
secret_key_file = "demo-cloud-secret-key"
"#,
        address = endpoint.trim_start_matches("http://"),
        region = instance.region,
        id = instance.id,
    ));
    for name in slots {
        text.push_str(&format!("\n[[slots]]\nname = \"{name}\"\nport = \"ports/{name}\"\n"));
    }
    text
}

fn devices(dir: &Path, name: &str, units: u32) -> sim::Options {
    let mut options = sim::Options::new(dir.join("ports").join(name));
    options.state_dir = Some(dir.join("devices"));
    options.name = Some(name.to_owned());
    options.units = units;
    options.max_chunk = MAX_CHUNK;
    options.seed = u64::from(std::process::id());
    options.control = true;
    options
}

fn plug_in(name: &str, options: sim::Options) -> Result<SimulatedSlot, Failure> {
    sim::start(options).map_err(|error| {
        Failure::said(
            Code::PortOpen,
            say!("slot {name} can't be simulated", "工位 {name} 无法模拟"),
        )
        .caused_by(&error)
    })
}

/// The serials of a demo run.
pub fn serials(units: u32) -> Vec<String> {
    serials_from(1, units)
}

/// The same from a number on.
pub fn serials_from(first: u32, units: u32) -> Vec<String> {
    (first..first + units).map(|number| format!("TH200-{number:08}")).collect()
}
