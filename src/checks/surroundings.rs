//! What a line finds around it on its machine and does not own: who runs it, who sets the
//! clock, what else looks at its adapters, which letters its console has.
//!
//! Each is told only where it can be known, and none of them stops a line: it would run, and
//! badly.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::finding::Finding;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::link::discovery;
use crate::say;

/// There where systemd is the first process.
const SYSTEMD: &str = "/run/systemd/system";

/// Where udev keeps what its rules said of a device.
const UDEV: &str = "/run/udev/data";

/// Whether the clock follows another one. None where there is no systemd to ask.
pub fn time() -> Option<Finding> {
    if !Path::new(SYSTEMD).is_dir() {
        return None;
    }
    let mut ask = Command::new("timedatectl");
    ask.args(["show", "--property=NTPSynchronized", "--value"]);
    let answer = ask.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    time_by(String::from_utf8_lossy(&answer.stdout).trim())
}

fn time_by(answer: &str) -> Option<Finding> {
    const NAME: &str = "time";
    match answer {
        "yes" => Some(Finding::ok(NAME, say!("the clock is synchronised", "时钟已同步"))),
        "no" => {
            let detail = say!(
                "nothing sets this machine's clock, which dates every certificate",
                "没有程序校准本机时钟，而每张证书的日期都取自它"
            );
            Some(Finding::warn(NAME, Fault::said(Code::ClockUnsynced, detail)))
        }
        _ => None,
    }
}

/// Whether root works on files of somebody else, who could not open afterwards what root made.
pub fn user(data_dir: &Path) -> Option<Finding> {
    let owner = fs::metadata(data_dir).ok()?.uid();
    user_by(rustix::process::getuid().as_raw(), owner, data_dir)
}

fn user_by(runs_as: u32, owner: u32, data_dir: &Path) -> Option<Finding> {
    let place = data_dir.display();
    let detail = say!(
        "this is root, and {place} belongs to user {owner}: what root leaves there the line \
         can't open",
        "现在是 root，而 {place} 属于用户 {owner}：root 在那里留下的文件产线打不开"
    );
    (runs_as == 0 && owner != 0)
        .then(|| Finding::warn("user", Fault::said(Code::RunAsRoot, detail)))
}

/// What is known of a port beside what opening it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Adapter {
    path: PathBuf,
    /// How long its chip keeps what it received, in milliseconds, where it has such a timer.
    latency: Option<u32>,
    /// Its udev rules tell a modem manager to leave it alone.
    is_left_alone: bool,
}

/// Whether something slows the slots' adapters down or takes them away. None where none of
/// them is there. The ports were opened before, which sets their timers where that is allowed.
pub fn adapters(ports: &[String]) -> Option<Finding> {
    let found: Vec<Adapter> = ports.iter().filter_map(|port| adapter(port)).collect();
    adapters_by(&found, modem_manager_runs())
}

fn adapters_by(adapters: &[Adapter], modem_manager_runs: bool) -> Option<Finding> {
    const NAME: &str = "adapters";
    let first = adapters.first()?;
    let exposed = adapters.iter().filter(|adapter| !adapter.is_left_alone);
    if let Some(adapter) = exposed.take(1).next().filter(|_| modem_manager_runs) {
        let detail = say!(
            "ModemManager runs and asks {} whether it is a modem when it is plugged in",
            "ModemManager 在运行，{} 插入时会被它当作调制解调器询问",
            adapter.path.display()
        );
        return Some(Finding::warn(NAME, Fault::said(Code::PortModem, detail)));
    }
    let slow = adapters.iter().find(|adapter| adapter.latency.is_some_and(|ms| ms > 1));
    if let Some(Adapter { path, latency: Some(latency), .. }) = slow {
        let detail = say!(
            "{} holds received bytes back for {latency} ms",
            "{} 会把收到的字节扣住 {latency} 毫秒",
            path.display()
        );
        return Some(Finding::warn(NAME, Fault::said(Code::PortLatency, detail)));
    }
    let (count, path) = (adapters.len(), first.path.display());
    Some(Finding::ok(
        NAME,
        say!(
            "nothing holds {count} of them back, {path} and what follows",
            "{count} 个适配器（{path} 等）未受其他程序影响"
        ),
    ))
}

/// An adapter on USB at this port.
fn adapter(port: &str) -> Option<Adapter> {
    let path = discovery::resolve(port).ok()?.canonicalize().ok()?;
    let name = path.file_name()?.to_str()?;
    let is_usb = name.starts_with("ttyUSB") || name.starts_with("ttyACM");
    let timer = format!("/sys/class/tty/{name}/device/latency_timer");
    let latency = fs::read_to_string(timer).ok().and_then(|text| text.trim().parse().ok());
    let device = fs::metadata(&path).ok()?.rdev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let known = fs::read_to_string(format!("{UDEV}/c{major}:{minor}")).unwrap_or_default();
    is_usb.then(|| Adapter { path, latency, is_left_alone: is_left_alone(&known) })
}

fn is_left_alone(known: &str) -> bool {
    known.lines().any(|line| matches!(line, "E:ID_MM_PORT_IGNORE=1" | "E:ID_MM_DEVICE_IGNORE=1"))
}

fn modem_manager_runs() -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut names =
        processes.filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok());
    names.any(|name| name.trim() == "ModemManager")
}

/// Whether a screen in Chinese has the letters: the kernel's own console has none. None where
/// no screen is looked at here, or it is in English.
pub fn letters(in_chinese: bool, terminal: Option<&str>) -> Option<Finding> {
    let detail = say!(
        "the screen is in Chinese, and the kernel's console has no Chinese letters",
        "屏幕是中文的，而内核控制台没有中文字形"
    );
    (in_chinese && terminal == Some("linux"))
        .then(|| Finding::warn("letters", Fault::said(Code::ConsoleLetters, detail)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;

    fn code(finding: Option<Finding>) -> Option<(Status, Option<Code>)> {
        finding.map(|finding| (finding.status, finding.code))
    }

    fn warned(code: Code) -> Option<(Status, Option<Code>)> {
        Some((Status::Warn, Some(code)))
    }

    #[test]
    fn a_clock_that_nothing_sets_is_amber_and_an_answer_that_says_nothing_is_no_finding() {
        assert_eq!(code(time_by("yes")), Some((Status::Ok, None)));
        assert_eq!(code(time_by("no")), warned(Code::ClockUnsynced));
        assert_eq!(code(time_by("")), None);
    }

    #[test]
    fn root_is_told_only_where_the_files_are_somebody_else_s() {
        let place = Path::new("/var/lib/provisioning-station");
        assert_eq!(code(user_by(0, 997, place)), warned(Code::RunAsRoot));
        assert_eq!(code(user_by(0, 0, place)), None);
        assert_eq!(code(user_by(997, 997, place)), None);
    }

    fn at(path: &str, latency: Option<u32>, is_left_alone: bool) -> Adapter {
        Adapter { path: path.into(), latency, is_left_alone }
    }

    #[test]
    fn adapters_are_amber_where_a_modem_manager_asks_them_or_their_chips_collect() {
        let quick = at("/dev/ttyUSB0", Some(1), false);
        let slow = at("/dev/ttyUSB1", Some(16), true);
        let board = at("/dev/ttyACM0", None, true);
        assert_eq!(code(adapters_by(&[], true)), None);
        assert_eq!(
            code(adapters_by(&[quick.clone(), board.clone()], false)),
            Some((Status::Ok, None))
        );
        assert_eq!(code(adapters_by(&[board.clone(), quick], true)), warned(Code::PortModem));
        assert_eq!(code(adapters_by(&[board, slow], true)), warned(Code::PortLatency));
    }

    #[test]
    fn what_udev_knows_of_a_port_says_whether_it_is_left_alone() {
        assert!(is_left_alone("S:station/x\nE:ID_MM_PORT_IGNORE=1\n"));
        assert!(is_left_alone("E:ID_MM_DEVICE_IGNORE=1\n"));
        assert!(!is_left_alone("E:ID_MM_CANDIDATE=1\n"));
    }

    #[test]
    fn chinese_on_the_kernel_s_console_is_amber() {
        assert_eq!(code(letters(true, Some("linux"))), warned(Code::ConsoleLetters));
        assert_eq!(code(letters(true, Some("xterm-256color"))), None);
        assert_eq!(code(letters(false, Some("linux"))), None);
    }
}
