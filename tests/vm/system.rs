//! A station's PC from its package to its purge: Debian's own systemd, udev and ModemManager,
//! and the kernel's drivers. Each trial goes on where the one before it ended, as a person does
//! who follows docs/install.md; commands are that page's, as it has them. The console is in
//! [`super::kiosk`].

use serde_json::Value;

use super::bench::{Bench, DATA, PASSPHRASE, Port, Slot};
use super::places::wait_for;

pub(crate) const HOME: &str = "/etc/provisioning-station";
const STORE: &str = "/etc/credstore.encrypted";

/// Units of the batch.
const UNITS: usize = 20;

/// Debian starts, and says how long that took.
pub(crate) fn the_pc_comes_up(bench: &mut Bench) {
    let state =
        bench.shell.run("systemctl is-system-running --wait; systemctl --failed --no-legend");
    assert_eq!(state.output.trim(), "running");
    println!("  {}", bench.shell.run("systemd-analyze time | head -n 1").output);
}

/// Whose boards ModemManager asks whether they are modems, Debian's policy being strict: those of
/// makers of modems.
const QUECTEL: &str = "0x2c7c";
const UNKNOWN: &str = "0x1209";

/// Without the package ModemManager asks such a board: so the trial behind the installation
/// proves something.
pub(crate) fn modem_manager_looks(bench: &mut Bench) {
    let talkative = "/etc/systemd/system/ModemManager.service.d";
    bench.shell.run(&format!("mkdir -p {talkative}")).expect(0);
    let start = "[Service]\nExecStart=\nExecStart=/usr/sbin/ModemManager --debug\n";
    bench.write_at(&format!("{talkative}/trials.conf"), start);
    bench.shell.run("systemctl daemon-reload && systemctl restart ModemManager").expect(0);
    bench.board_is_of(QUECTEL);
    bench.devices(Port::Board);
    wait_for(bench, &format!("[ -n \"$({MODEM_MANAGER_ON_THE_BOARD})\" ]"));
    let said = bench.shell.run(MODEM_MANAGER_ON_THE_BOARD).output;
    assert!(said.contains("port allowed"), "{said}");
    println!("  {}", said.lines().last().unwrap_or_default());
    bench.wire(Port::Board).wait_for_guest();
    bench.clear();
}

/// What ModemManager said of the board's port since it was started last, as a command of the shell.
const MODEM_MANAGER_ON_THE_BOARD: &str = "journalctl --no-pager -o cat \
    _SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID ModemManager) | grep filter.*ttyACM0";

pub(crate) fn the_package_installs(bench: &mut Bench) {
    install(bench, "first");
    bench.shell.run("id station | grep -q dialout").expect(0);
    let modes = bench.shell.run(&format!("stat -c '%U %a' {DATA} {HOME}")).expect(0);
    assert_eq!(modes, "station 700\nstation 750");
    let states = "systemctl is-enabled station station-sync.timer station-view";
    assert_eq!(bench.shell.run(states).output, "disabled\ndisabled\ndisabled");
}

/// The rules as udev carries them out for an adapter and a board.
pub(crate) fn the_rules_are_in_effect(bench: &mut Bench) {
    bench.pull_adapter();
    bench.put_adapter_back();
    wait_for(bench, "[ \"$(cat /sys/class/tty/ttyUSB0/device/latency_timer)\" = 1 ]");
    bench.shell.run("systemctl restart ModemManager").expect(0);
    bench.board_is_of(QUECTEL);
    bench.devices(Port::Board);
    wait_for(bench, "[ -e /dev/ttyACM0 ]");
    bench.shell.run("udevadm settle").expect(0);
    for port in ["ttyUSB0", "ttyACM0"] {
        let said = bench.shell.run(&format!("udevadm info /dev/{port}")).expect(0);
        assert!(said.contains("ID_MM_PORT_IGNORE=1"), "{said}");
        assert!(said.contains("/dev/station/"), "{said}");
        let of = bench.shell.run(&format!("stat -c '%G %a' /dev/{port}")).expect(0);
        assert_eq!(of, "dialout 660");
    }
    let said = bench.shell.run("udevadm info /sys/bus/usb/devices/1-1").expect(0);
    assert!(said.contains("ID_MM_DEVICE_IGNORE=1"), "{said}");
    // Its filter lets the port pass still; it asks nothing there.
    wait_for(bench, &format!("[ -n \"$({MODEM_MANAGER_ON_THE_BOARD})\" ]"));
    assert!(!bench.wire(Port::Board).heard_guest(), "somebody wrote to the board");
    bench.clear();
    bench.board_is_of(UNKNOWN);
}

/// Each is encrypted for this machine and given to who needs it.
pub(crate) fn secrets_are_made(bench: &mut Bench) {
    bench.shell.run(&format!("mkdir -p -m 0700 {STORE}")).expect(0);
    let name = "station_journal_secret";
    let journal =
        format!("openssl rand -hex 32 | systemd-creds encrypt --name={name} - {STORE}/{name}");
    bench.shell.run(&journal).expect(0);
    for (name, secret) in [
        ("station_authority_passphrase", PASSPHRASE),
        // The emulated cloud's own, which it prints.
        ("station_cloud_secret_id", "AKIDemulatedcloud"),
        ("station_cloud_secret_key", "for-the-emulated-cloud-alone"),
    ] {
        let make =
            format!("printf %s '{secret}' | systemd-creds encrypt --name={name} - {STORE}/{name}");
        bench.shell.run(&make).expect(0);
    }
    let found = bench.shell.run(&format!("grep -rl '{PASSPHRASE}' {STORE} {HOME} /var/lib"));
    assert_eq!(found.output, "");
}

/// Every red line says what mends it; each is mended so, until none is left.
pub(crate) fn the_doctor_leads_to_green(bench: &mut Bench) {
    bench.configure(&[Slot::at(Port::Adapter)]);
    bench.pull_adapter();
    let mut mended = Vec::new();
    while let Some((check, help)) = red(bench) {
        println!("  red: {check}: {help}");
        assert!(!mended.contains(&check), "{check} is red still");
        mend(bench, &check, &help);
        mended.push(check);
    }
    assert_eq!(mended, ["authority", "broker", "ports"]);
    let said = bench.station("doctor").expect(0);
    println!("  {}", said.replace('\n', "\n  "));
    bench.configure(&Port::ALL.map(Slot::at));
    bench.clear();
}

/// As the line says.
fn mend(bench: &mut Bench, check: &str, help: &str) {
    match check {
        "authority" => {
            assert!(help.contains("station authority init"), "{help}");
            bench.station("authority init --common-name 'Example line 1 CA'").expect(0);
        }
        "broker" => {
            assert!(help.contains("correct that value"), "{help}");
            let copy = format!("runuser -u station -- cp {HOME}/ca.pem {HOME}/server-root.pem");
            bench.shell.run(&copy).expect(0);
        }
        "ports" => {
            assert!(help.contains("plug the adapter in"), "{help}");
            bench.put_adapter_back();
            wait_for(bench, "[ -e /dev/ttyUSB0 ]");
        }
        _ => panic!("{}", bench.station("doctor").output),
    }
}

/// The first red line: what was looked at, and what mends it.
fn red(bench: &mut Bench) -> Option<(String, String)> {
    let said = bench.station("--json doctor").output;
    assert!(said.contains("\"check\""), "{said}");
    let mut lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let red = lines.find(|line| line["status"] == "fail")?;
    let word = |name: &str| red[name].as_str().unwrap_or_default().to_owned();
    Some((word("check"), word("help")))
}

/// Twenty units over three drivers, as the user of the package.
pub(crate) fn a_batch_passes(bench: &mut Bench) {
    Port::ALL.iter().for_each(|port| bench.devices(*port));
    bench.batch(UNITS);
    bench.verify();
    // A board's node is root's until udev has seen it.
    bench.shell.run("! grep 'out of service' /tmp/errors").expect(0);
    let root = bench.shell.run(&format!("find {DATA} {HOME} ! -user station"));
    assert_eq!(root.output, format!("{HOME}/station.toml.example"), "what the line can't open");
}

const AT_ONCE: &str = "/etc/systemd/system/station-sync.timer.d";

/// At its hour, and what a person reads of it.
pub(crate) fn the_timer_registers(bench: &mut Bench) {
    // A few minutes before it, and before anything begins whose clock must agree: the cloud refuses
    // requests of another day.
    let night = |time: &str| format!("date -s \"$(date +%F) {time}\"");
    bench.shell.run("systemctl stop systemd-timesyncd; date -s tomorrow").expect(0);
    bench.shell.run(&night("01:26:00")).expect(0);
    let cloud = "systemd-run -q --unit=cloud --uid=station -p StandardOutput=file:/tmp/cloud \
                 /usr/local/lib/trials/simulator sim cloud --listen 127.0.0.1:8443 \
                 --state /var/tmp/cloud";
    bench.shell.run(cloud).expect(0);
    wait_for(bench, "grep -q instance_id /tmp/cloud");
    // As it says on its first lines.
    let section =
        format!("grep -A3 '\\[cloud\\]' /tmp/cloud | sed 's/^ *//' >>{HOME}/station.toml");
    bench.shell.run(&section).expect(0);
    bench.station("authority register").expect(0);
    // Half an hour of its night, which keeps many stations from beginning at once.
    bench.shell.run(&format!("mkdir -p {AT_ONCE}")).expect(0);
    bench.write_at(&format!("{AT_ONCE}/trials.conf"), "[Timer]\nRandomizedDelaySec=0\n");
    bench
        .shell
        .run("systemctl daemon-reload && systemctl enable --now station-sync.timer")
        .expect(0);
    let next = bench.shell.run("systemctl show -P NextElapseUSecRealtime station-sync.timer");
    println!("  due {}", next.output);
    // What is left of the minutes, if anything: a cloud bears five of them.
    bench.shell.run(&format!("[ $(date +%H%M) -gt 129 ] || {}", night("01:29:50"))).expect(0);
    let ended = "journalctl -u station-sync | grep -q -E 'Finished|Failed'";
    wait_for(bench, ended);
    println!("  {}", journal(bench, "station-sync").replace('\n', "\n  "));
    bench.shell.run("systemctl show -P Result station-sync | grep -x success").expect(0);
    let registered = "SELECT count(*) FROM units WHERE state = 'registered'";
    assert_eq!(sql(bench, registered), UNITS.to_string());
    bench.shell.run("systemctl disable --now station-sync.timer; systemctl stop cloud").expect(0);
}

/// What a statement finds in the ledger.
pub(crate) fn sql(bench: &mut Bench, statement: &str) -> String {
    bench.shell.run(&select(statement)).expect(0)
}

/// The same as a command.
pub(crate) fn select(statement: &str) -> String {
    // Where no ledger is yet, none is made.
    format!("runuser -u station -- sqlite3 -readonly {DATA}/ledger.db \"{statement}\"")
}

/// The line in a browser, as the page starts it.
pub(crate) fn the_view_answers(bench: &mut Bench) {
    bench.shell.run("systemctl enable --now station-view.service").expect(0);
    wait_for(bench, "busybox wget -q -O /tmp/view http://127.0.0.1:8090/");
    bench.shell.run("grep -qi '<html' /tmp/view").expect(0);
    bench.shell.run("systemctl disable --now station-view.service").expect(0);
}

/// As systemd judges what runs, and not the files alone.
pub(crate) fn the_services_are_closed(bench: &mut Bench) {
    for unit in ["station", "station-sync", "station-view"] {
        bench.shell.run(&format!("systemd-analyze verify --man=no {unit}.service")).expect(0);
        let judge = format!("systemd-analyze security --no-pager --threshold=20 {unit}.service");
        let said = bench.shell.run(&judge).expect(0);
        println!("  {}", said.lines().last().unwrap_or_default());
    }
}

pub(crate) fn a_purge_keeps_the_ledger(bench: &mut Bench) {
    bench.shell.run("apt-get purge -y station").expect(0);
    let kept = format!(
        "[ ! -e /usr/bin/station ] && [ -s {DATA}/ledger.db ] && [ -s {HOME}/ca.key ] && \
         [ -s {HOME}/station.toml ] && id station"
    );
    bench.shell.run(&kept).expect(0);
}

/// By apt, as the page has it.
pub(crate) fn install(bench: &mut Bench, which: &str) {
    let command =
        format!("cd /packages/{which} && apt-get install -y --allow-downgrades ./station_*.deb");
    bench.shell.run(&command).expect(0);
}

pub(crate) fn journal(bench: &mut Bench, unit: &str) -> String {
    let lines = format!("journalctl --no-pager -o short-iso -u {unit} | tail -n 12");
    bench.shell.run(&lines).output
}
