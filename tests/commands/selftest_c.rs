//! `station selftest` on the C device: as it stands, and with bugs seeded in its source.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

use crate::board::{Board, honest, spoilt};
use crate::selftest::Report;
use crate::station::{Run, Station};

fn board(station: &Station, program: &Path) -> Board {
    Board::power_on(program, &station.path("flash"))
}

#[test]
fn the_c_device_passes_and_is_blank_afterwards() {
    let station = Station::new();
    let board = board(&station, &honest());
    for _ in 0..2 {
        Report::of(&station, board.port(), "").passed(0);
    }
    // Headers, images and lock: nothing of what was burned is left.
    assert!(board.flash().iter().all(|byte| *byte == 0xff));
}

#[test]
fn the_c_device_passes_the_lock_too_and_is_locked() {
    let station = Station::new();
    let board = board(&station, &honest());
    let report = Report::of(&station, board.port(), "--lock");
    report.passed(0);
    assert!(report.with("pass").contains(&"lock-refuses"), "{}", report.run.stdout);
    let again = format!("selftest --port {} --overwrite", board.port());
    station.fails(&again, "E-DEV-LOCKED", 1);
}

/// Demands that a device with a bug in its source is found by this check.
fn found(name: &str, changes: &[(&str, &str)], check: &str) {
    let station = Station::new();
    let board = board(&station, &spoilt(name, changes));
    Report::of(&station, board.port(), "").found_by(check);
}

#[test]
fn a_device_that_does_not_check_the_crc() {
    let check = "           && take_u32(device->frame + length - CRC_LENGTH)
                  == station_crc32(0u, device->frame, length - CRC_LENGTH);";
    found("crc", &[(check, "           && device->resetting == false;")], "frame-bad-crc");
}

#[test]
fn a_device_that_takes_the_tail_of_a_long_frame_for_a_message() {
    let discards = "            device->discarding = true;";
    let starts_anew = "            device->frame_length = 0u;";
    found("overflow", &[(discards, starts_anew)], "frame-too-long");
}

#[test]
fn a_device_that_answers_twice() {
    let once = "    send_frame(device, FRAME_OVERHEAD + length);";
    found("twice", &[(once, &format!("{once}\n{once}"))], "one-reply");
}

#[test]
fn a_device_whose_check_of_a_chunk_is_off_by_one() {
    let right = "length > device->staged.total - device->next";
    let change = (right, "length > device->staged.total - device->next + 1u");
    found("off-by-one", &[change], "chunk-beyond-total");
}

#[test]
fn a_device_that_writes_a_chunk_again() {
    let right = "if (take_u32(body) == device->next) {";
    found("again", &[(right, "if (take_u32(body) <= device->next) {")], "chunk-duplicate");
}

#[test]
fn a_device_that_writes_its_header_first() {
    let begin = "static struct outcome begin(struct station_device *device)\n{";
    let declared = "static uint32_t highest_generation(struct station_device *device);
static struct outcome write_header(struct station_device *device, uint8_t slot, const struct header *header);
";
    let opened = "    device->staged = table;
    device->transfer_open = true;";
    let first = "    {
        struct header header;
        header.generation = highest_generation(device) + 1u;
        header.table = table;
        (void)write_header(device, spare_slot(device), &header);
    }
";
    let changes = [
        (begin, format!("{declared}{begin}")),
        (opened, format!("{first}{opened}")),
        ("    written = write_header(device, slot, &header);", "    written = answer(0u);".into()),
    ];
    let changes: Vec<(&str, &str)> =
        changes.iter().map(|(old, new)| (*old, new.as_str())).collect();
    found("header-first", &changes, "restart-drops-staged");
}

#[test]
fn a_device_that_commits_without_reading_back() {
    let check = "    return image_verifies(device, spare_slot(device), &device->staged)
           && hash_certificate";
    found("no-read-back", &[(check, "    return hash_certificate")], "commit-corrupt");
}

#[test]
fn a_device_that_keeps_what_was_staged_in_another_session() {
    let right = "    device->session = session;\n    drop_transfer(device);";
    found("session", &[(right, "    device->session = session;")], "session-new");
}

#[test]
fn a_device_that_gives_its_key_away() {
    let right = "if (kind == KIND_KEY || kind == KIND_PKCS8_KEY) {";
    found("key", &[(right, "if (kind == KIND_KEY && !device->has_active) {")], "read-key");
}

#[test]
fn a_device_that_takes_longer_than_it_says() {
    let prove = "static struct outcome prove(struct station_device *device)\n{";
    let slow = "int usleep(unsigned microseconds);
static struct outcome prove(struct station_device *device)
{";
    let blank = "    if (!device->has_active) {
        return refuse(NO_IDENTITY, 0u);
    }
    failure = hash_image_part";
    let sleeps = "    if (!device->has_active) {
        return refuse(NO_IDENTITY, 0u);
    }
    (void)usleep(700000u);
    failure = hash_image_part";
    found("slow", &[(prove, slow), (blank, sleeps)], "busy-times");
}

#[test]
fn a_device_that_takes_session_zero_for_one_that_is_open() {
    let right = "if (session == 0u || (type != IDENTIFY && session != device->session)) {";
    let wrong = "if (type == IDENTIFY ? session == 0u : session != device->session) {";
    found("session-zero", &[(right, wrong)], "session-zero-booted");
}

#[test]
fn a_device_that_gives_its_key_away_from_the_second_byte_on() {
    let right = "if (kind == KIND_KEY || kind == KIND_PKCS8_KEY) {";
    found(
        "key-part",
        &[(right, "if (kind == KIND_KEY && take_u32(body + 1) == 0u) {")],
        "read-key",
    );
}

#[test]
fn a_device_that_compares_sequence_numbers() {
    let right = "    if (!is_offered(device, type)) {
        return refuse(UNSUPPORTED, type);
    }
    if (!length_is_right";
    let counts = "    {
        static uint32_t last = 0u;
        uint32_t seq = (uint32_t)device->frame[2] | ((uint32_t)device->frame[3] << 8);
        if (type != IDENTIFY && last != 0u && (seq < last || seq > last + 500u)) {
            return refuse(NO_SESSION, 0u);
        }
        last = seq;
    }
";
    found("seq", &[(right, &format!("{counts}{right}"))], "seq-wraps");
}

#[test]
fn a_device_that_writes_its_subject_as_a_printable_string() {
    let right = "#define DER_UTF8_STRING 0x0cu";
    found("printable", &[(right, "#define DER_UTF8_STRING 0x13u")], "csr");
}

/// Runs with power cuts; at each instruction `cut` gets the board once its flash changes.
fn with_power_cuts(cuts: u32, mut cut: impl FnMut(&mut Board)) -> Report {
    let station = Station::new();
    let mut board = board(&station, &honest());
    let line = format!("selftest --port {} --json --power-cut {cuts}", board.port());
    let mut command = station.command(&line);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stdout = String::new();
    for _ in 0..cuts {
        stdout += &until_instruction(&mut lines);
        let before = board.flash();
        let until = Instant::now() + Duration::from_secs(60);
        while board.flash() == before {
            assert!(Instant::now() < until, "nothing is burned");
            std::thread::yield_now();
        }
        cut(&mut board);
    }
    for line in lines {
        stdout += &(line.unwrap() + "\n");
    }
    let status = child.wait().unwrap().code().unwrap_or(-1);
    Report::read(Run { status, stdout, stderr: String::new() })
}

fn until_instruction(lines: &mut std::io::Lines<BufReader<ChildStdout>>) -> String {
    let mut before = String::new();
    for line in lines {
        let line = line.unwrap();
        before += &(line.clone() + "\n");
        if line.contains(r#""event":"instruction""#) {
            return before;
        }
    }
    panic!("no instruction in {before}");
}

#[test]
fn the_c_device_holds_the_old_or_the_new_identity_after_power_cuts() {
    let report = with_power_cuts(4, |board| {
        board.power_off();
        board.power_back();
    });
    report.passed(0);
    assert!(report.with("pass").contains(&"power-cut"), "{}", report.run.stdout);
}

#[test]
fn a_device_that_holds_neither_after_a_power_cut() {
    let report = with_power_cuts(1, |board| {
        board.power_off();
        board.forget();
        board.power_back();
    });
    report.found_by("power-cut");
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let station = Station::new();
    let board = board(&station, &honest());
    let line = format!("selftest --port {} --json --power-cut", board.port());
    let mut command = station.command(&line);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    until_instruction(&mut lines);
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("error[E-STOPPED]"), "{output:?}");
}

#[test]
fn the_c_device_behind_the_stations_own_pseudo_terminal() {
    use rustix::process::{Pid, Signal, kill_process};
    let station = Station::new();
    let program = honest();
    let mut command = station.command("sim firmware --link board --state power --baud 0 --json --");
    command.arg(&program).arg("flash").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut ready = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    lines.read_line(&mut ready).unwrap();
    assert!(ready.contains("\"ready\""), "{ready}");
    Report::of(&station, "board", "").passed(0);
    assert!(station.path("power/flash").is_file(), "it runs in the folder that was named");
    // Its power is cut and given back by hand.
    station.ok("sim pull board");
    assert!(!station.path("board").exists());
    station.fails("sim pull board", "E-USAGE", 2);
    station.ok("sim put board");
    Report::of(&station, "board", "").passed(0);
    // And it is given an identity, as docs/firmware.md has it.
    station.change("port = \"slot-a\"", "port = \"board\"");
    station.make_authority();
    std::fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.write("list", "TH200-00000001\n");
    let made = station.ok("batch --serials list --json");
    assert!(made.stdout.contains("\"outcome\":\"pass\""), "{made:?}");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!station.path("board").exists() && !station.path("board.control").exists());
}

#[test]
fn a_line_that_is_mute_at_the_program_s_first_start_and_whole_at_its_second() {
    use rustix::process::{Pid, Signal, kill_process};
    let station = Station::new();
    let line =
        "sim firmware --link board --state power --baud 0 --fault mute@1,latency=2 --json --";
    let mut command = station.command(line);
    command.arg(honest()).arg("flash").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.contains("\"ready\""), "{ready}");
    let mute = station.run("selftest --port board");
    assert!(mute.status == 1 && mute.stdout.contains("no answer to IDENTIFY"), "{mute:?}");
    station.ok("sim pull board");
    station.ok("sim put board");
    Report::of(&station, "board", "").passed(0);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
    let listed = station.ok("sim firmware --fault list");
    assert!(listed.stdout.contains("lossy=2"), "{listed:?}");
    station.fails("sim firmware --link board --fault hush -- cat", "E-USAGE", 2);
    station.fails("sim firmware --fault mute -- cat", "E-USAGE", 2);
    station.fails("sim firmware --link board --fault mute", "E-USAGE", 2);
}

#[test]
fn a_program_that_ends_by_itself_is_told_and_one_that_is_none_too() {
    let station = Station::new();
    let ended = station.fails("sim firmware --link board -- true", "E-PORT-OPEN", 5);
    assert!(ended.stderr.contains("the program ended"), "{ended:?}");
    station.fails("sim firmware --link board -- ./nothing-here", "E-PORT-OPEN", 5);
}
