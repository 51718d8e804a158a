//! Hand-offs written twice, and read back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::domain::certificate::{Certificate, CertificateState, Proof};
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::{CertificateSn, Fingerprint, ImageDigest, PublicKey, Serial};
use crate::domain::record::CertificateRow;
use crate::domain::state::RegistrationState;
use crate::ledger::outbox::Known;
use crate::ledger::views::ExportRow;

fn row(number: u8) -> ExportRow {
    // A DER that holds something: a SEQUENCE with one INTEGER.
    let der = [0x30, 3, 2, 1, number];
    let certificate = Certificate {
        sn: CertificateSn::from_bytes(&[0x10 + number; 16]).unwrap(),
        der: Arc::from(&der[..]),
        fingerprint: crate::pki::fingerprint_of(&der),
        public_key: PublicKey::new([4; 65]),
        issuer: Fingerprint::new([7; 32]),
        not_before: Timestamp(0),
        not_after: Timestamp::NO_EXPIRY,
    };
    let serial: Serial = format!("TH200-0000000{number}").parse().unwrap();
    ExportRow {
        row: CertificateRow {
            client_id: serial.as_str().parse().unwrap(),
            serial,
            image: ImageDigest::new([1; 32]),
            state: CertificateState::Proven,
            certificate: Arc::new(certificate),
        },
        proof: Some(if number == 2 { Proof::ReadBack } else { Proof::Possession }),
        work_order: (number == 2).then(|| "WO-1".parse().unwrap()),
        registered: false,
    }
}

fn known(row: &ExportRow) -> Known {
    let CertificateRow { serial, client_id, certificate, .. } = &row.row;
    Known {
        serial: serial.clone(),
        client_id: client_id.clone(),
        sn: certificate.sn,
        fingerprint: certificate.fingerprint,
        certificate: CertificateState::Proven,
        registration: RegistrationState::Waiting,
        status: None,
        open: true,
    }
}

fn write(path: &Path, format: Format) -> Exported {
    let mut export = Export::create(path, format, "line-1", "TH200").unwrap();
    export.add(&row(1)).unwrap();
    export.add(&row(2)).unwrap();
    export.finish().unwrap()
}

const FORMATS: [Format; 3] = [Format::PemZip, Format::Csv, Format::Ndjson];

#[test]
fn the_same_certificates_make_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join("out");
        let first = write(&path, format);
        let read = |path: &Option<PathBuf>| path.as_ref().map(|path| fs::read(path).unwrap());
        let (bytes, manifest) = (fs::read(&path).unwrap(), read(&first.manifest));
        fs::remove_file(&path).unwrap();
        first.manifest.iter().for_each(|path| fs::remove_file(path).unwrap());
        let second = write(&path, format);
        assert_eq!(first, second);
        assert_eq!((bytes, manifest), (fs::read(&path).unwrap(), read(&second.manifest)));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            if format == Format::PemZip { 1 } else { 2 }
        );
        fs::remove_file(&path).unwrap();
        second.manifest.iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}

#[test]
fn what_was_written_is_claimed_again_by_the_file_and_by_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join(format.as_str());
        let exported = write(&path, format);
        assert_eq!(exported.certificates, 2);
        assert_eq!(exported.by_proof["read-back"], 1);
        for file in [Some(&path), exported.manifest.as_ref()].into_iter().flatten() {
            let claims = read_claims(file).unwrap();
            assert_eq!(claims.len(), 2, "{}", file.display());
            for (read, row) in claims.iter().zip([row(1), row(2)]) {
                let claim = read.claim.as_ref().unwrap();
                let sn = row.row.certificate.sn;
                assert_eq!(claim.certificate_sn, Some(sn));
                assert_eq!(judge(claim, Some(&known(&row))), Verdict::Record(sn));
            }
        }
    }
}

#[test]
fn a_manifest_has_the_digest_of_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let manifest = write(&path, Format::Csv).manifest.unwrap();
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    assert_eq!(manifest["file"], "out.csv");
    assert_eq!(manifest["sha256"], manifest::sha256(&fs::read(&path).unwrap()));
    assert_eq!(manifest["certificates"][1]["proof"], "read-back");
    assert_eq!(manifest["certificates"][1]["work_order"], "WO-1");

    let path = folder.path().join("out.zip");
    write(&path, Format::PemZip);
    let mut zip = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
    let text = |zip: &mut zip::ZipArchive<fs::File>, name: &str| {
        std::io::read_to_string(zip.by_name(name).unwrap()).unwrap()
    };
    let manifest: serde_json::Value =
        serde_json::from_str(&text(&mut zip, "manifest.json")).unwrap();
    for entry in manifest["certificates"].as_array().unwrap() {
        let pem = text(&mut zip, entry["file"].as_str().unwrap());
        assert_eq!(entry["sha256"], manifest::sha256(pem.as_bytes()));
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    }
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    for taken in [path.clone(), folder.path().join("out.csv.manifest.json")] {
        fs::write(&taken, "precious").unwrap();
        let refused = Export::create(&path, Format::Csv, "line-1", "TH200").err().unwrap();
        assert!(matches!(refused, HandoffError::Write { path, .. } if path == taken));
        assert_eq!(fs::read_to_string(&taken).unwrap(), "precious");
        fs::remove_file(&taken).unwrap();
    }
}

fn claims(text: impl AsRef<[u8]>) -> Result<Vec<Read>, HandoffError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    fs::write(&path, text).unwrap();
    read_claims(&path)
}

#[test]
fn a_table_that_a_spreadsheet_wrote_is_understood() {
    let fingerprint = row(1).row.certificate.fingerprint.to_string();
    let pairs: Vec<&str> = (0..32).map(|pair| &fingerprint[pair * 2..pair * 2 + 2]).collect();
    let colons = pairs.join(":").to_uppercase();
    let text = format!("\u{feff}Serial;Fingerprint\r\nTH200-00000001;{colons}\r\n;x\r\n");
    let read = claims(&text).unwrap();
    let claim = read[0].claim.as_ref().unwrap();
    assert_eq!(claim.fingerprint.to_string(), fingerprint);
    assert_eq!(claim.serial.as_deref(), Some("TH200-00000001"));
    // One row that is wrong takes none of the others with it.
    assert!(read[1].claim.is_err());
    assert_eq!((read[0].place, read[1].place), (2, 3));
}

#[test]
fn a_table_with_tabs_in_utf_16_with_empty_rows_and_padded_numbers_is_understood() {
    let certificate = &row(1).row.certificate;
    let (fingerprint, sn) = (certificate.fingerprint, certificate.sn);
    let text = format!(
        "serial\tfingerprint_sha256\tcertificate_sn\r\nTH200-00000001\t{fingerprint}\t00{sn}\r\n\t\t\r\n"
    );
    let wide = |text: &str| -> Vec<u8> {
        ['\u{feff}']
            .into_iter()
            .chain(text.chars())
            .flat_map(|c| (c as u16).to_le_bytes())
            .collect()
    };
    for read in [claims(&text).unwrap(), claims(wide(&text)).unwrap()] {
        assert_eq!(read.len(), 1, "an empty row is none");
        let claim = read[0].claim.as_ref().unwrap();
        assert_eq!((claim.fingerprint, claim.certificate_sn), (fingerprint, Some(sn)));
    }
}

#[test]
fn what_is_no_hand_off_is_refused_whole() {
    for text in ["", "serial,client_id\nx,y\n", "{\"manifest\":2,\"certificates\":[]}"] {
        assert!(matches!(claims(text), Err(HandoffError::Form { .. })), "{text:?}");
    }
    let missing = read_claims(Path::new("/nowhere/at/all"));
    assert!(matches!(missing, Err(HandoffError::Read { .. })));
}

#[test]
fn a_claim_is_refused_where_the_ledger_knows_better() {
    let row = row(1);
    let claim = Claim {
        fingerprint: row.row.certificate.fingerprint,
        certificate_sn: None,
        serial: None,
        client_id: None,
    };
    let code = |claim: &Claim, known: Option<&Known>| match judge(claim, known) {
        Verdict::Refused { code, .. } => Some(code),
        _ => None,
    };
    let known = known(&row);
    assert_eq!(code(&claim, None), Some(Code::UnitUnknown));
    assert_eq!(code(&claim, Some(&known)), None);
    let other = Claim { fingerprint: Fingerprint::new([9; 32]), ..claim.clone() };
    assert_eq!(code(&other, Some(&known)), Some(Code::HandoffMismatch));
    let other = Claim { serial: Some("TH200-00000009".to_owned()), ..claim.clone() };
    assert_eq!(code(&other, Some(&known)), Some(Code::HandoffMismatch));
    let other = Claim { client_id: Some("TH200-00000009".to_owned()), ..claim.clone() };
    assert_eq!(code(&other, Some(&known)), Some(Code::HandoffMismatch));
    for state in [CertificateState::Void, CertificateState::Uncertain, CertificateState::Superseded]
    {
        let known = Known { certificate: state, ..known.clone() };
        assert_eq!(code(&claim, Some(&known)), Some(Code::UnitState));
    }
    let registered = Known { registration: RegistrationState::Registered, ..known };
    assert_eq!(judge(&claim, Some(&registered)), Verdict::Already);
}

#[test]
fn an_archive_that_unpacks_to_far_more_than_it_is_is_refused() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("back.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    zip.start_file("manifest.json", zip::write::SimpleFileOptions::default()).unwrap();
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..=128 {
        zip.write_all(&blanks).unwrap();
    }
    zip.finish().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1 << 20);
    let Err(HandoffError::Read { source, .. }) = read_claims(&path) else { panic!("it was read") };
    assert!(source.to_string().contains("longer than 128 MiB"), "{source}");
}

#[test]
fn more_rows_than_are_taken_are_refused_in_every_form() {
    let list = "{\"manifest\":1,\"certificates\":[0,0,0,0]}";
    for text in ["fingerprint\nx\nx\nx\nx\n", "{}\n{}\n{}\n{}\n", list] {
        assert_eq!(read::claims_in::<4>(text).unwrap().len(), 4);
        let why = read::claims_in::<3>(text).unwrap_err();
        assert_eq!(why.english, "it has more than 3 rows; hand it back in parts");
    }
}

#[test]
fn what_counts_for_nothing_in_a_manifest_is_not_kept() {
    let fingerprint = row(1).row.certificate.fingerprint;
    let text = format!(
        "{{\"manifest\":1,\"x\":[[]],\"certificates\":[7,{{\"serial\":[1,{{}}],\
         \"fingerprint\":\"{fingerprint}\",\"pem\":{{\"a\":1}}}}]}}"
    );
    let read = claims(&text).unwrap();
    assert!(read[0].claim.is_err());
    let claim = read[1].claim.as_ref().unwrap();
    assert_eq!((claim.fingerprint, &claim.serial), (fingerprint, &None));
}

#[test]
fn a_first_line_that_names_endless_columns_is_refused() {
    let text = format!("fingerprint{}\n", ",".repeat(crate::domain::bounds::NAMES));
    let Err(HandoffError::Form { why, .. }) = claims(&text) else { panic!("it was read") };
    assert_eq!(why.english, "its first line has more than 16384 characters");
}

#[test]
fn a_cell_that_is_far_too_long_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("back.csv");
    fs::write(&path, format!("fingerprint_sha256,serial\n{},U-1\n", "f".repeat(1 << 20))).unwrap();
    let read = read_claims(&path).unwrap();
    let why = read[0].claim.as_ref().unwrap_err();
    assert_eq!(why.english, "fingerprint_sha256 has more than 1024 characters");
}
