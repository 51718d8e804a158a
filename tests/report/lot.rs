//! A lot's bundle: followed by hand as its instructions say, with nothing but what they name,
//! and found out where something in it was changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use provisioning_station::app::demo::Factory;
use rxing::BarcodeFormat;

use crate::picture::Picture;

/// A lot of three units, in a bundle.
struct Lot {
    dir: tempfile::TempDir,
    _factory: Factory,
}

impl Lot {
    fn made() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let factory = Factory::lay_out(Some(&dir.path().join("station")), 3, 1).unwrap();
        let lot = Self { dir, _factory: factory };
        lot.ok("work-order create WO-7 --quantity 3");
        let serials: String = (1..=3).map(|number| format!("TH200-0000000{number}\n")).collect();
        fs::write(lot.path("labels.txt"), serials).unwrap();
        let labels = lot.path("labels.txt").display().to_string();
        lot.ok(&format!("batch --serials {labels} --work-order WO-7"));
        let (sheet, bundle) = (lot.path("sheet.html"), lot.path("lot.zip"));
        lot.ok(&format!(
            "report work-order WO-7 --certificate-of-conformity --out {} --bundle {}",
            sheet.display(),
            bundle.display()
        ));
        lot
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The binary over its station: its status, and what it wrote.
    fn run(&self, line: &str) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_station"))
            .arg("--config")
            .arg(self.path("station/station.toml"))
            .args(line.split_whitespace())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    fn ok(&self, line: &str) -> String {
        let (status, text) = self.run(line);
        assert_eq!(status, Some(0), "{line}: {text}");
        text
    }

    /// The bundle, unpacked.
    fn unpacked(&self) -> PathBuf {
        let folder = self.path("unpacked");
        python(&["-m", "zipfile", "-e"], &[&self.path("lot.zip"), &folder]);
        folder
    }

    /// A folder packed again, as somebody would who changed it.
    fn packed(&self, folder: &Path) -> PathBuf {
        let sums = "find . -type f ! -name SHA256SUMS | cut -c3- | xargs sha256sum > SHA256SUMS";
        assert!(shell(folder, sums).0);
        let zip = self.path("changed.zip");
        let pack = format!("rm -f {0}; python3 -m zipfile -c {0} *", zip.display());
        assert!(shell(folder, &pack).0);
        zip
    }
}

fn python(options: &[&str], paths: &[&Path]) {
    let output = Command::new("python3").args(options).args(paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Whether it succeeds, and what it says.
fn shell(folder: &Path, script: &str) -> (bool, String) {
    let output = Command::new("bash").current_dir(folder).args(["-euc", script]).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// The commands of a page, one after the other.
fn commands(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.collect()
}

#[test]
fn the_instructions_of_a_bundle_are_all_that_it_takes() {
    let lot = Lot::made();
    let folder = lot.unpacked();
    let page = fs::read_to_string(folder.join("VERIFY.md")).unwrap();
    let (holds, said) = shell(&folder, &commands(&page));
    assert!(holds, "{said}");
    assert!(said.contains("3 units") && said.contains("Verified OK"), "{said}");
    let summary = lot.ok(&format!("report verify {} --json", lot.path("lot.zip").display()));
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["units"], &summary["valid"]), (&3.into(), &true.into()));
    // The sheet names what the bundle holds.
    let sheet = fs::read_to_string(lot.path("sheet.html")).unwrap();
    for name in ["head", "authority_sha256"] {
        assert!(sheet.contains(summary[name].as_str().unwrap()), "{name}");
    }
    let (_, sum) = shell(&folder, "sha256sum units.csv | cut -c1-64");
    assert!(sheet.contains(sum.trim()) && sheet.contains("TH200-00000003"));
    assert!(sheet.contains("aria-label=\"QR code\""));
}

#[test]
fn the_code_on_the_sheet_is_read_and_names_this_lot_s_bundle() {
    let lot = Lot::made();
    let sheet = fs::read_to_string(lot.path("sheet.html")).unwrap();
    let (_, code) = sheet.split_once("class=\"qr\"").unwrap();
    let read = Picture::of(code).read(BarcodeFormat::QR_CODE).unwrap();
    let (_, sums) = shell(&lot.unpacked(), "sha256sum units.csv");
    let sum = sums.split(' ').next().unwrap();
    let words: Vec<&str> = read.split(' ').collect();
    let [form, order, count, units, seq, head, authority] = words[..] else { panic!("{read}") };
    assert_eq!([form, order, count, units], ["LOT1", "WO-7", "3", sum], "{read}");
    for said in [head, authority, &format!("entry {seq}")] {
        assert!(sheet.contains(said), "{said} does not stand on the sheet");
    }
}

#[test]
fn a_bundle_that_was_changed_is_found_out_by_hand_and_by_the_station() {
    let lot = Lot::made();
    let changes = [
        ("units.csv", "s/TH200-00000002/TH200-00000009/"),
        ("journal.txt", "$d"),
        ("journal.txt", "3s/ 0/ 1/"),
        // Another digit, whichever stands there.
        (
            "head.json",
            "s/\"signature\":\"f/\"signature\":\"0/;t;s/\"signature\":\"./\"signature\":\"f/",
        ),
        ("head.json", "s/\"station\":\"demo\"/\"station\":\"other\"/"),
    ];
    for (name, change) in changes {
        let folder = lot.unpacked();
        let page = fs::read_to_string(folder.join("VERIFY.md")).unwrap();
        assert!(shell(&folder, &format!("sed -i '{change}' {name}")).0);
        let (holds, said) = shell(&folder, &commands(&page));
        assert!(!holds && said.contains(name), "the sums tell it: {said}");
        let zip = lot.packed(&folder);
        let (status, said) = lot.run(&format!("report verify {}", zip.display()));
        assert_eq!(status, Some(4), "{change} in {name}: {said}");
        assert!(said.contains("E-LEDGER-JOURNAL"), "{said}");
        if !change.contains("station") {
            let (holds, said) = shell(&folder, &commands(&page));
            assert!(!holds, "{change} in {name}, with sums that fit: {said}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn another_ca_and_what_is_no_bundle_are_told() {
    let lot = Lot::made();
    let zip = lot.path("lot.zip");
    let own = lot.path("station/ca.pem");
    lot.ok(&format!("report verify {} --ca {}", zip.display(), own.display()));
    let other = Factory::lay_out(Some(&lot.path("other")), 0, 1).unwrap();
    let other = other.dir.join("ca.pem");
    let (status, said) =
        lot.run(&format!("report verify {} --ca {}", zip.display(), other.display()));
    assert!(status == Some(4) && said.contains("E-LEDGER-UNVOUCHED"), "{said}");
    let (status, said) = lot.run(&format!("report verify {}", own.display()));
    assert!(status == Some(2) && said.contains("E-INPUT"), "{said}");
    assert!(said.contains("it is no bundle"), "{said}");
    let (status, said) = lot.run("report verify nowhere.zip");
    assert!(status == Some(2) && said.contains("E-INPUT"), "{said}");
    // A bundle that is there is never replaced.
    let again =
        format!("report work-order WO-7 --certificate-of-conformity --bundle {}", zip.display());
    let (status, said) = lot.run(&again);
    assert!(status == Some(1) && said.contains("E-OUTPUT"), "{said}");
}
