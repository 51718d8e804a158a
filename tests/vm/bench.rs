//! A line in the guest, and what stands at its ports: an FTDI adapter, a 16550A and a board
//! with USB of its own, each with a wire and simulated devices.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use provisioning_station::sim::{
    self, Act, FaultSpec, HandError, Options, SimulatedSlot, Stay, Timings,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::guest::{Ended, Guest, LONG, Shell};
use super::wire::{Told, Wire};

/// What the CA's key is encrypted with.
pub(crate) const PASSPHRASE: &str = "a passphrase for trials";

/// What devices say that they may take: guest and devices share a host that may have much else
/// to do, and an answer that is late for that is no trial of a driver.
const UNHURRIED: Timings = {
    let second = Duration::from_secs(1);
    Timings { erase: second, chunk: second, commit: second, prove: second, boot: second }
};

/// Where the ledger is of a station that was installed by its package.
pub(crate) const DATA: &str = "/var/lib/provisioning-station";

/// Where the kernel makes a board of its parts.
const BOARD: &str = "/sys/kernel/config/usb_gadget/board";

/// There while the board is.
const BOARD_TTY: &str = "/sys/bus/usb/devices/3-1:1.0/tty";

/// A port of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// ftdi_sio, at the first socket of QEMU's USB controller.
    Adapter,
    /// 8250: a 16550A on PCI.
    Uart,
    /// cdc-acm: the guest is the board as well.
    Board,
    /// An adapter whose chip is a program in the guest: see `chips.c`.
    Chip,
    /// No driver at all: a pseudo-terminal in the guest, to hold the others against.
    Terminal,
}

impl Port {
    /// Those that are there from the beginning.
    pub(crate) const ALL: [Self; 3] = [Self::Adapter, Self::Uart, Self::Board];

    /// Those that a wire leads to.
    const WIRED: [Self; 5] = [Self::Adapter, Self::Uart, Self::Board, Self::Chip, Self::Terminal];

    /// The slot's name, the wire's, and QEMU's.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Adapter => "ftdi",
            Self::Uart => "uart",
            Self::Board => "board",
            Self::Chip => "chip",
            Self::Terminal => "pty",
        }
    }

    /// As station.toml has it; a chip's, for the first kind of them.
    pub(crate) const fn place(self) -> &'static str {
        match self {
            Self::Adapter => "usb:1-1",
            Self::Uart => "/dev/ttyS1",
            Self::Board => "usb:3-1",
            Self::Chip => "usb:4-1",
            Self::Terminal => "/run/pty",
        }
    }

    /// How its devices are seen to come and go.
    pub(crate) const fn presence(self) -> &'static str {
        match self {
            Self::Adapter | Self::Uart | Self::Chip | Self::Terminal => "poll",
            Self::Board => "port",
        }
    }
}

/// One slot of station.toml.
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) port: String,
    /// Further lines.
    pub(crate) lines: String,
}

impl Slot {
    /// As a port is usually configured.
    pub(crate) fn at(port: Port) -> Self {
        let lines = format!("presence = \"{}\"\n", port.presence());
        Self { name: port.name().to_owned(), port: port.place().to_owned(), lines }
    }

    pub(crate) fn with(mut self, lines: &str) -> Self {
        self.lines = lines.to_owned() + "\n";
        self
    }
}

/// Where the station is in the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a guest that is nothing else: root's, in its folder.
    Bare,
    /// Installed by the package, with systemd, and called as docs/install.md says.
    Installed,
}

impl Place {
    const fn home(self) -> &'static str {
        match self {
            Self::Bare => "/root",
            Self::Installed => "/etc/provisioning-station",
        }
    }

    /// A command of the station's, as the shell is given it.
    fn command(self, arguments: &str) -> String {
        let home = self.home();
        match self {
            Self::Bare => format!(
                "cd {home} && STATION_AUTHORITY_PASSPHRASE='{PASSPHRASE}' station {arguments}"
            ),
            Self::Installed => format!(
                "systemd-run -q --pipe --wait --collect --uid=station --working-directory={home} \
                 -p LoadCredentialEncrypted=station_journal_secret \
                 -p LoadCredentialEncrypted=station_authority_passphrase \
                 -p LoadCredentialEncrypted=station_cloud_secret_id \
                 -p LoadCredentialEncrypted=station_cloud_secret_key /usr/bin/station {arguments}"
            ),
        }
    }
}

/// The guest and all that belongs to it.
pub(crate) struct Bench {
    pub(crate) shell: Shell,
    pub(crate) line: Shell,
    pub(crate) guest: Guest,
    wires: Vec<Wire>,
    /// Devices at ports, by the name of the port.
    devices: Vec<(String, SimulatedSlot)>,
    folder: TempDir,
    /// Serials that were given out.
    serials: usize,
    seed: u64,
    adapter_is_in: bool,
    place: Place,
}

impl Bench {
    /// Boots the guest and makes a CA there.
    pub(crate) fn start(cache: &Path) -> Self {
        let mut bench = Self::boot(cache, None);
        bench.configure(&[Slot::at(Port::Adapter)]);
        bench.station("authority init --common-name Trials").expect(0);
        bench.shell.run("cp /root/ca.pem /root/server-root.pem").expect(0);
        bench
    }

    /// Boots the guest: a disk's own system where one is given.
    pub(crate) fn boot(cache: &Path, disk: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channels = Port::WIRED.map(Port::name);
        let mut guest = Guest::boot(
            cache,
            disk,
            &channels,
            &[
                "-chardev",
                "socket,id=board,path=board",
                "-device",
                "virtserialport,chardev=board,name=board",
                "-chardev",
                "socket,id=chip,path=chip",
                "-device",
                "virtserialport,chardev=chip,name=chip",
                "-chardev",
                "socket,id=pty,path=pty",
                "-device",
                "virtserialport,chardev=pty,name=pty",
                "-device",
                "qemu-xhci,id=xhci",
                "-chardev",
                "socket,id=ftdi,path=ftdi",
                "-device",
                "usb-serial,chardev=ftdi,id=ftdi,bus=xhci.0,port=1",
                "-chardev",
                "socket,id=uart,path=uart",
                "-device",
                "pci-serial,chardev=uart",
            ],
        );
        let shell = guest.shell("agent0");
        let line = guest.shell("agent1");
        let mut board = guest.shell("agent2");
        board.run(&make_board()).expect(0);
        let mut told = Some(comes_and_goes(board));
        let wires = Port::WIRED.map(|port| {
            let link = folder.path().join(port.name());
            let told = told.take_if(|_| port == Port::Board);
            Wire::lay(guest.channel(port.name()), &link, told)
        });
        let place = if disk.is_some() { Place::Installed } else { Place::Bare };
        Self {
            shell,
            line,
            guest,
            wires: wires.into(),
            devices: Vec::new(),
            folder,
            serials: 0,
            seed: 0,
            adapter_is_in: true,
            place,
        }
    }

    /// Writes station.toml for these slots.
    pub(crate) fn configure<'a>(&mut self, slots: impl IntoIterator<Item = &'a Slot>) {
        let slots: String = slots
            .into_iter()
            .map(|Slot { name, port, lines }| {
                format!("\n[[slots]]\nname = \"{name}\"\nport = \"{port}\"\n{lines}")
            })
            .collect();
        let lines = match self.place {
            Place::Bare => STATION_TOML.to_owned(),
            // The package's services may write nowhere else.
            Place::Installed => {
                let own = format!("data_dir = \"{DATA}\"");
                STATION_TOML.replace("data_dir = \"data\"", &own)
            }
        };
        self.write("station.toml", &(lines + &slots));
    }

    /// Writes a file beside station.toml.
    pub(crate) fn write(&mut self, name: &str, text: &str) {
        let path = format!("{}/{name}", self.place.home());
        self.write_at(&path, text);
        if self.place == Place::Installed {
            self.shell.run(&format!("chown station: {path}")).expect(0);
        }
    }

    /// Writes a file in the guest.
    pub(crate) fn write_at(&mut self, path: &str, text: &str) {
        let coded = STANDARD.encode(text);
        self.shell.run(&format!("echo {coded} | base64 -d >{path}")).expect(0);
    }

    /// Runs the station in the guest.
    pub(crate) fn station(&mut self, arguments: &str) -> Ended {
        let command = self.place.command(arguments);
        self.shell.run(&command)
    }

    /// The same, for another shell.
    pub(crate) fn bare_command(&self, arguments: &str) -> String {
        self.place.command(arguments)
    }

    /// A serial that was not used yet.
    pub(crate) fn serial(&mut self) -> String {
        self.serials += 1;
        format!("TH200-{:08}", self.serials)
    }

    /// The line behind a port.
    pub(crate) fn wire(&self, port: Port) -> &Wire {
        &self.wires[Port::WIRED.iter().position(|known| *known == port).unwrap()]
    }

    /// Lays sound devices at a port, the first of them in it.
    pub(crate) fn devices(&mut self, port: Port) {
        // A board's port is its own, and goes with it at a restart.
        let faults = if port == Port::Board { "usb-restart" } else { "" };
        let faults = FaultSpec::parse(faults).unwrap();
        self.devices_of(port, |options| Options { faults, ..options });
    }

    /// The same with other devices.
    pub(crate) fn devices_of(&mut self, port: Port, change: impl FnOnce(Options) -> Options) {
        let link = self.folder.path().join(port.name());
        self.devices_with(port.name(), link, change);
        self.wire(port).mend();
        self.wire(port).wait_for_device(true);
    }

    /// Who made the board; while it is not plugged in.
    pub(crate) fn board_is_of(&mut self, vendor: &str) {
        self.shell.run(&format!("echo {vendor} >{BOARD}/idVendor")).expect(0);
    }

    /// The same with other devices, at a wire that a trial laid itself.
    pub(crate) fn devices_with(
        &mut self,
        name: &str,
        link: PathBuf,
        change: impl FnOnce(Options) -> Options,
    ) {
        self.seed += 1;
        let options = Options {
            state_dir: Some(self.folder.path().join("flash")),
            name: Some(name.to_owned()),
            units: 1_000,
            baud: 0,
            declared: Some(UNHURRIED),
            seed: self.seed,
            stay: Stay::UntilTaken,
            ..Options::new(link)
        };
        let device = sim::start(change(options)).unwrap();
        self.devices.push((name.to_owned(), device));
    }

    /// The devices of a slot.
    pub(crate) fn device(&self, name: &str) -> &SimulatedSlot {
        let found = self.devices.iter().find(|(slot, _)| slot == name);
        &found.unwrap_or_else(|| panic!("no device in {name}")).1
    }

    /// A folder of the trials.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A hand takes the device of a slot out, where one is in, and puts the next one in.
    pub(crate) fn next_device(&self, name: &str) {
        self.take_away(name);
        self.put_next(name);
    }

    /// A hand takes the device of a slot out, where one is in, for good.
    pub(crate) fn take_away(&self, name: &str) {
        match self.device(name).handle().act(Act::TakeOut { comes_back: false }) {
            Ok(_) | Err(HandError::Empty) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// A new device into an empty slot.
    pub(crate) fn put_next(&self, name: &str) {
        self.device(name).handle().act(Act::Next).unwrap();
    }

    /// A hand takes the device of a slot out, to put it in again.
    pub(crate) fn take_out(&self, name: &str) {
        self.device(name).handle().act(Act::TakeOut { comes_back: true }).unwrap();
    }

    /// The same device again.
    pub(crate) fn put_back(&self, name: &str) {
        self.device(name).handle().act(Act::PutIn(None)).unwrap();
    }

    /// A hand pulls the adapter out of its socket.
    pub(crate) fn pull_adapter(&mut self) {
        self.guest.qmp.unplug("ftdi");
        self.adapter_is_in = false;
    }

    /// And puts it back.
    pub(crate) fn put_adapter_back(&mut self) {
        let device = json!({
            "driver": "usb-serial", "chardev": "ftdi", "id": "ftdi", "bus": "xhci.0", "port": "1",
        });
        self.guest.qmp.tell("device_add", device);
        self.adapter_is_in = true;
    }

    /// Provisions one unit by a batch of its own.
    #[track_caller]
    pub(crate) fn one_passes(&mut self) {
        let serial = self.serial();
        self.write("labels", &(serial + "\n"));
        let said = self.station("--json batch --serials labels").expect(0);
        assert!(said.contains("\"attempt\":1"), "{said}");
    }

    /// Starts a batch that is given its labels by [`Bench::scan`].
    pub(crate) fn begin(&mut self) {
        // Somebody holds the other end open between two labels.
        let open = "rm -f /tmp/labels && mkfifo /tmp/labels && (sleep 100000 >/tmp/labels & \
                    echo $! >/tmp/hand)";
        self.shell.run(&open.split_whitespace().collect::<Vec<_>>().join(" ")).expect(0);
        let batch = self.place.command("--json batch --serials - </tmp/labels 2>/tmp/errors");
        self.line.start(&batch);
    }

    /// Gives the batch a label.
    pub(crate) fn scan(&mut self, label: &str) {
        self.shell.run(&format!("printf '%b\\n' '{label}' >/tmp/labels")).expect(0);
    }

    /// How the next unit ended.
    pub(crate) fn unit(&mut self) -> Value {
        loop {
            match self.line.next(LONG) {
                Ok(line) if line.starts_with("{\"event\":\"unit\"") => {
                    return serde_json::from_str(&line).unwrap();
                }
                Ok(_) => {}
                Err(status) => panic!("the batch ended with {status}\n{}", self.story()),
            }
        }
    }

    /// A batch of so many units over every port, each with a label for its slot, and all of them
    /// passed; what the line said of each, in their order.
    #[track_caller]
    pub(crate) fn batch(&mut self, units: usize) -> Vec<Value> {
        self.begin();
        let scan = |bench: &mut Self, slot: &str| {
            let label = format!("{slot}\\t{}", bench.serial());
            bench.scan(&label);
        };
        Port::ALL.iter().for_each(|port| scan(self, port.name()));
        let mut all = Vec::new();
        for ended in 1..=units {
            let unit = self.unit();
            assert_eq!(unit["outcome"], "pass", "{unit}");
            let slot = unit["slot"].as_str().unwrap().to_owned();
            self.next_device(&slot);
            if ended + Port::ALL.len() <= units {
                scan(self, &slot);
            }
            all.push(unit);
        }
        let (status, sum) = self.finish();
        assert_eq!((status, &sum["passed"]), (0, &units.into()), "{sum}");
        all
    }

    /// Gives no more labels and waits for the batch; its exit status and its sum.
    pub(crate) fn finish(&mut self) -> (i32, Value) {
        self.shell.run("kill $(cat /tmp/hand)").expect(0);
        let Ended { status, output } = self.line.end();
        let last = output.lines().last().unwrap_or_default();
        let sum = serde_json::from_str(last).unwrap_or_else(|_| panic!("{}", self.story()));
        (status, sum)
    }

    /// The ledger holds what it holds by right.
    #[track_caller]
    pub(crate) fn verify(&mut self) {
        let said = self.station("--json ledger verify").expect(0);
        assert!(said.contains("\"valid\":true"), "{said}");
    }

    /// What happened last, for a person.
    pub(crate) fn story(&mut self) -> String {
        let errors = match self.shell.is_running() {
            true => "a command runs still".to_owned(),
            false => self.shell.run("tail -n 40 /tmp/errors; station ports").output,
        };
        format!(
            "--- the batch\n{}\n--- its errors, and the ports\n{errors}\n--- the console\n{}",
            self.line.said.join("\n"),
            self.guest.console()
        )
    }

    /// Takes everything away that a trial left.
    pub(crate) fn clear(&mut self) {
        if self.shell.is_running() {
            self.shell.end();
        }
        self.shell.run(match self.place {
            Place::Bare => "killall -q station sleep cat flock chips",
            // What the page's own commands started ends as systemd ends it.
            Place::Installed => "systemctl stop station 'run-u*.service'; killall -q sleep chips",
        });
        self.shell.run("pidof relay || (relay /dev/ttyGS0 /run/ports/board &)");
        if !self.adapter_is_in {
            self.put_adapter_back();
        }
        if self.line.is_running() {
            self.line.end();
        }
        self.devices.clear();
        for port in Port::WIRED {
            self.wire(port).wait_for_device(false);
            self.wire(port).mend();
        }
    }
}

/// A board whose device restarts, or is pulled, has no USB meanwhile.
fn comes_and_goes(mut board: Shell) -> Told {
    Box::new(move |there| {
        board.run(&turn(there)).expect(0);
    })
}

/// A board with a serial port of its own on USB, made of the kernel's parts; not plugged in.
fn make_board() -> String {
    format!(
        "(mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config) && mkdir -p {BOARD}/strings/0x409 \
         {BOARD}/functions/acm.0 {BOARD}/configs/c.1 && cd {BOARD} && echo 0x1209 >idVendor && \
         echo 1 >idProduct && echo 'Board under test' >strings/0x409/product && \
         ln -s functions/acm.0 configs/c.1/ && (relay /dev/ttyGS0 /run/ports/board &)"
    )
}

/// Plugs the board in, or out, and waits until the system knows. Its controller's soft_connect
/// would not do: after it no request reaches the gadget any more (6.1).
fn turn(there: bool) -> String {
    let (controller, test) = if there { ("dummy_udc.0", "!") } else { ("''", "") };
    format!(
        "echo {controller} >{BOARD}/UDC && while [ {test} -e {BOARD_TTY} ]; do usleep 5000; done"
    )
}

pub(crate) const STATION_TOML: &str = r#"
[station]
id = "vm-1"
data_dir = "data"
device_wait = "60s"

[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"

[certificate]
organization = "Example"
valid_for = "20y"

[authority]
kind = "file"
certificate = "ca.pem"
key = "ca.key"

[broker]
host = "mqtt.example.com"
port = 8883
server_root = "server-root.pem"

[ledger]
reserve = "1MiB"

[scanner]
binding = "any"
"#;
