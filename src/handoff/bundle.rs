//! A lot's bundle: what a customer needs to check a lot offline, in one zip, and the check.
//!
//! `VERIFY.md` in it says how to do that without this program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::domain::bounds;
use crate::domain::cause::{Told, cause, system_in_chinese};
use crate::domain::certificate::Proof;
use crate::domain::evidence::HeadVerifier;
use crate::domain::ids::{PublicKey, to_hex};
use crate::domain::lot::{JournalLine, SignedHeadText};
use crate::domain::say::{Phrase, Say};
use crate::ledger::views::ExportRow;
use crate::pki;
use crate::say;

/// How to verify it by hand; written into each bundle.
pub const INSTRUCTIONS: &str = include_str!("verify.md");

/// What stands before an entry and before a head in what is hashed and signed.
const ENTRY_TAG: &[u8] = b"provisioning-station journal entry 1\n";
const HEAD_TAG: &[u8] = b"provisioning-station journal head 1\n";

const NO_HEAD: Phrase =
    Phrase { english: "head.json is no signed head", chinese: "head.json 不是签名的头" };
const NO_BEGINNING: Phrase = Phrase {
    english: "journal.txt does not begin with what came before it",
    chinese: "journal.txt 没有从它前面的内容开始",
};

/// The kinds of the entries that show a unit.
const ISSUED: u16 = 6;
const PROVEN: u16 = 8;

/// A bundle that is being written.
pub struct Bundle<W: Write + io::Seek> {
    zip: ZipWriter<W>,
    sums: String,
    open: Option<(String, Sha256)>,
}

impl Bundle<BufWriter<File>> {
    /// Into this file.
    pub fn into_file(file: File) -> Self {
        Self { zip: ZipWriter::new(BufWriter::new(file)), sums: String::new(), open: None }
    }
}

impl<W: Write + io::Seek> Bundle<W> {
    /// Begins a file; what is written from here on is in it. Of no time: the same lot makes the
    /// same bytes.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(true)
            .unix_permissions(0o644);
        self.zip.start_file(name, options)?;
        self.open = Some((name.to_owned(), Sha256::new()));
        Ok(())
    }

    fn end(&mut self) {
        if let Some((name, digest)) = self.open.take() {
            self.sums.push_str(&format!("{}  {name}\n", to_hex(&digest.finalize())));
        }
    }

    /// A whole file.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.begin(name)?;
        self.write_all(bytes)
    }

    /// One entry of the journal, as a line.
    pub fn entry(&mut self, line: &JournalLine) -> io::Result<()> {
        writeln!(self, "{} {} {}", line.seq, to_hex(&line.entry), to_hex(&line.hash))
    }

    /// Ends it: the digests of all files are written.
    pub fn finish(mut self) -> io::Result<W> {
        self.end();
        let sums = std::mem::take(&mut self.sums);
        self.put("SHA256SUMS", sums.as_bytes())?;
        Ok(self.zip.finish()?)
    }
}

impl<W: Write + io::Seek> Write for Bundle<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.zip.write(bytes)?;
        if let Some((_, digest)) = &mut self.open {
            digest.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// Files of every bundle.
const OF_EACH: [&str; 3] = ["SHA256SUMS", "head.json", "journal.txt"];

/// The columns of a lot's table of units.
const COLUMNS: [&str; 7] =
    ["serial", "client_id", "certificate_sn", "fingerprint_sha256", "proof", "registered", "file"];

/// A lot's table of units, texts as they are: it is for who verifies, not for a spreadsheet.
pub struct UnitTable(csv::Writer<Vec<u8>>);

impl UnitTable {
    /// An empty one.
    pub fn begin() -> io::Result<Self> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(COLUMNS)?;
        Ok(Self(table))
    }

    /// Adds a unit.
    pub fn add(&mut self, row: &ExportRow) -> io::Result<()> {
        let certificate = &row.row.certificate;
        Ok(self.0.write_record([
            row.row.serial.as_str(),
            row.row.client_id.as_str(),
            &certificate.sn.to_string(),
            &certificate.fingerprint.to_string(),
            row.proof.unwrap_or(Proof::None).as_str(),
            if row.registered { "true" } else { "false" },
            &certificate_file(row),
        ])?)
    }

    /// Its bytes.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Where a unit's certificate lies in the bundle; its number has no letter that a path minds.
pub fn certificate_file(row: &ExportRow) -> String {
    format!("certificates/{}.pem", row.row.certificate.sn)
}

/// What a bundle shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Units whose certificate was issued and proven within the chain.
    pub units: u64,
    /// Entries of the chain.
    pub entries: u64,
    /// The head.
    pub head: SignedHeadText,
    /// SHA-256 of the CA certificate's DER, lowercase hex: is it the one that you trust?
    pub authority: String,
}

/// Why a bundle shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It can't be read.
    #[error("the bundle can't be read")]
    Read(#[from] io::Error),
    /// It is some other file.
    #[error("it is no bundle: {0}")]
    NoBundle(Say),
    /// Something in it does not hold.
    #[error("{0}")]
    Wrong(Say),
}

impl Told for BundleError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Read(error) => format!("这个包无法读取：{}", system_in_chinese(error)),
            Self::NoBundle(why) => format!("它不是交付包：{}", why.chinese),
            Self::Wrong(what) => what.chinese.clone(),
        })
    }
}

const fn wrong<T>(what: Say) -> Result<T, BundleError> {
    Err(BundleError::Wrong(what))
}

fn missing(name: &str) -> BundleError {
    BundleError::Wrong(say!("{name} is missing", "缺少 {name}"))
}

#[derive(Deserialize)]
struct UnitRow {
    serial: String,
    fingerprint_sha256: String,
    file: String,
}

/// A bundle that is being read.
struct Reading {
    zip: ZipArchive<File>,
    /// Bytes that may still be unpacked: what an archive promises of its files need not be true.
    left: u64,
}

impl Reading {
    /// A whole file of at most so many bytes.
    fn bytes(&mut self, name: &str, longest: u64) -> Result<Vec<u8>, BundleError> {
        let file = named(&mut self.zip, name)?;
        let bytes = bounds::read_whole(file, longest.min(self.left))?;
        self.left -= bytes.len() as u64;
        Ok(bytes)
    }

    /// A file's SHA-256, whatever is in it.
    fn digest(&mut self, name: &str) -> Result<String, BundleError> {
        let mut digest = Sha256::new();
        let mut file = named(&mut self.zip, name)?.take(bounds::BUNDLE.min(self.left) + 1);
        let length = io::copy(&mut file, &mut HashOf(&mut digest))?;
        if file.limit() == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, Say::from(TOO_MUCH)).into());
        }
        self.left -= length;
        Ok(to_hex(&digest.finalize()))
    }

    /// A bundle from which a file was taken still has others of it; another archive has none.
    fn look_like_a_bundle(&self) -> Result<(), BundleError> {
        let files = self.zip.len();
        if files > bounds::BUNDLE_FILES {
            let most = bounds::BUNDLE_FILES;
            return Err(BundleError::NoBundle(say!(
                "it has {files} files, at most {most} are read",
                "它有 {files} 个文件，最多读取 {most} 个"
            )));
        }
        match OF_EACH.iter().any(|name| self.zip.index_for_name(name).is_some()) {
            true => Ok(()),
            false => {
                let names = OF_EACH.join(", ");
                Err(BundleError::NoBundle(say!("it has none of {names}", "其中没有 {names}")))
            }
        }
    }

    /// Each file is as it was written, and nothing was added.
    fn sums(&mut self) -> Result<(), BundleError> {
        let sums = String::from_utf8_lossy(&self.bytes("SHA256SUMS", bounds::LIST)?).into_owned();
        let mut known: BTreeMap<&str, &str> = sums
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(sum, name)| (name, sum))
            .collect();
        let names = self.zip.file_names().map(|name| name.map(Cow::into_owned));
        let names: Vec<String> = names.collect::<Result<_, _>>().map_err(io::Error::from)?;
        for name in names.iter().filter(|name| *name != "SHA256SUMS") {
            let found = self.digest(name)?;
            match known.remove(name.as_str()) {
                Some(sum) if sum == found => {}
                Some(_) => return wrong(say!("{name} was changed", "{name} 被改动")),
                None => return wrong(say!("{name} was added", "{name} 是添加的")),
            }
        }
        known.keys().next().map_or(Ok(()), |name| Err(missing(name)))
    }
}

fn named<'a>(
    zip: &'a mut ZipArchive<File>,
    name: &str,
) -> Result<zip::read::ZipFile<'a, File>, BundleError> {
    zip.by_name(name).map_err(|_| missing(name))
}

/// What is said of a file that unpacks to more than is read.
const TOO_MUCH: Phrase = Phrase {
    english: "it unpacks to more than is read",
    chinese: "解压后超过最多读取的大小",
};

/// Hashes what is written.
struct HashOf<'a>(&'a mut Sha256);

impl Write for HashOf<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Verifies a bundle by itself: its files, the chain of entries, the signature over its end, the
/// CA's word for the key, and each unit's certificate.
pub fn verify(path: &Path, verifier: &dyn HeadVerifier) -> Result<Verified, BundleError> {
    let zip = ZipArchive::new(bounds::open(path)?);
    let zip = zip.map_err(|error| BundleError::NoBundle(cause(&error)))?;
    let mut reading = Reading { zip, left: bounds::BUNDLE_WHOLE };
    reading.look_like_a_bundle()?;
    reading.sums()?;
    let head: SignedHeadText =
        serde_json::from_slice(&reading.bytes("head.json", bounds::SETTINGS)?)
            .map_err(|_| BundleError::Wrong(NO_HEAD.into()))?;
    let shown =
        chain(&String::from_utf8_lossy(&reading.bytes("journal.txt", bounds::BUNDLE)?), &head)?;
    signed(&head, verifier)?;
    let ca = der(&reading.bytes("ca.pem", bounds::CERTIFICATES)?, "ca.pem")?;
    let journal = der(&reading.bytes("journal-key.pem", bounds::CERTIFICATES)?, "journal-key.pem")?;
    let named = pki::journal_key_of(&journal, &ca).map_err(|error| {
        let named = Say::same("journal-key.pem");
        BundleError::Wrong(named.then(&error.sentence()))
    })?;
    if to_hex(named.public_key.as_bytes()) != head.public_key
        || named.station.as_str() != head.station
    {
        return wrong(say!("the CA certified another journal key", "CA 签发的是另一个日志密钥"));
    }
    let table = reading.bytes("units.csv", bounds::LIST)?;
    let mut units = 0;
    for row in csv::Reader::from_reader(table.as_slice()).deserialize() {
        let row: UnitRow =
            row.map_err(|error| BundleError::Wrong(Say::same("units.csv").then(&cause(&error))))?;
        let certificate = der(&reading.bytes(&row.file, bounds::CERTIFICATES)?, &row.file)?;
        if to_hex(&Sha256::digest(&certificate)) != row.fingerprint_sha256 {
            return wrong(say!(
                "{} is not the certificate of {}",
                "{} 不是 {} 的证书",
                row.file,
                row.serial
            ));
        }
        let attempt = shown.issued.get(&row.fingerprint_sha256);
        if attempt.is_none_or(|attempt| attempt.0 != row.serial || !shown.proven.contains(attempt))
        {
            return wrong(say!(
                "the journal does not show {} as proven with it",
                "日志没有记录 {} 以它通过验证",
                row.serial
            ));
        }
        units += 1;
    }
    let authority = to_hex(&Sha256::digest(&ca));
    Ok(Verified { units, entries: shown.entries, head, authority })
}

/// What a chain of entries shows.
#[derive(Default)]
struct Shown {
    entries: u64,
    /// The unit and its attempt, by the fingerprint of the certificate.
    issued: BTreeMap<String, (String, u64)>,
    proven: std::collections::BTreeSet<(String, u64)>,
}

fn chain(text: &str, head: &SignedHeadText) -> Result<Shown, BundleError> {
    let mut lines = text.lines();
    let begin: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let ([number, "-", hash], mut shown) = (begin.as_slice(), Shown::default()) else {
        return wrong(NO_BEGINNING.into());
    };
    let mut before: (u64, Vec<u8>) = match (number.parse(), bytes_of(hash)) {
        (Ok(number), Some(hash)) => (number, hash),
        _ => return wrong(NO_BEGINNING.into()),
    };
    for line in lines {
        let mut words = line.split(' ');
        let entry = words.nth(1).and_then(bytes_of).unwrap_or_default();
        let hash =
            Sha256::new().chain_update(ENTRY_TAG).chain_update(&before.1).chain_update(&entry);
        let hash = hash.finalize().to_vec();
        let number = before.0 + 1;
        let carries = entry.get(..8).is_some_and(|bytes| bytes == number.to_be_bytes());
        if !carries || words.next() != Some(&to_hex(&hash)) {
            return wrong(say!(
                "entry {number} does not follow from what stands before it",
                "第 {number} 条接不上前面的内容"
            ));
        }
        shown.add(&entry);
        before = (number, hash);
    }
    match before.0 == head.seq && to_hex(&before.1) == head.hash {
        true => Ok(shown),
        false => wrong(say!("the chain does not end at the signed head", "链没有止于签名的头")),
    }
}

impl Shown {
    fn add(&mut self, entry: &[u8]) {
        self.entries += 1;
        let kind = entry.get(16..18).map(|kind| u16::from_be_bytes([kind[0], kind[1]]));
        if !matches!(kind, Some(ISSUED | PROVEN)) {
            return;
        }
        let value: Value =
            entry.get(22..).and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default();
        let record = &value["record"];
        let attempt = &record["attempt"];
        let (Some(serial), Some(number)) =
            (attempt["serial"].as_str(), attempt["attempt"].as_u64())
        else {
            return;
        };
        let attempt = (serial.to_owned(), number);
        match (kind, record["fingerprint"].as_str()) {
            (Some(ISSUED), Some(fingerprint)) => {
                drop(self.issued.insert(fingerprint.to_owned(), attempt))
            }
            _ => drop(self.proven.insert(attempt)),
        }
    }
}

fn signed(head: &SignedHeadText, verifier: &dyn HeadVerifier) -> Result<(), BundleError> {
    let parts = (
        bytes_of(&head.instance),
        bytes_of(&head.hash),
        bytes_of(&head.signature),
        bytes_of(&head.public_key),
    );
    let (Some(instance), Some(hash), Some(signature), Some(key)) = parts else {
        return wrong(NO_HEAD.into());
    };
    let message = [HEAD_TAG, &instance, &head.seq.to_be_bytes(), &hash].concat();
    let (signature, key) = (<[u8; 64]>::try_from(signature), PublicKey::from_bytes(&key));
    let holds = match (signature, key) {
        (Ok(signature), Ok(key)) => verifier.verify(&key, &message, &signature).is_some(),
        _ => false,
    };
    match holds {
        true => Ok(()),
        false => wrong(say!("the head's signature does not hold", "头的签名核对不通过")),
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    hex.as_bytes().chunks(2).map(pair).collect()
}

fn der(pem: &[u8], name: &str) -> Result<Vec<u8>, BundleError> {
    let found = pki::certificates_in(pem).ok().and_then(|found| found.into_iter().next());
    found.map_or_else(|| wrong(say!("{name} is no certificate", "{name} 不是证书")), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of such files.
    fn archive(files: &[(&str, &[u8])]) -> Reading {
        let mut zip = ZipWriter::new(tempfile::tempfile().unwrap());
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        Reading { zip: ZipArchive::new(zip.finish().unwrap()).unwrap(), left: 1000 }
    }

    #[test]
    fn no_more_is_unpacked_than_all_files_of_a_bundle_may_have() {
        let mut reading = archive(&[("a", &[7; 600]), ("b", &[7; 600]), ("c", &[7; 400])]);
        assert_eq!(reading.digest("a").unwrap(), to_hex(&Sha256::digest([7; 600])));
        for too_much in [reading.digest("b").map(drop), reading.bytes("b", 5000).map(drop)] {
            let Err(BundleError::Read(error)) = too_much else { panic!("it was unpacked") };
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
        assert_eq!(reading.bytes("c", 400).unwrap(), [7; 400]);
        assert!(reading.bytes("c", 399).is_err());
    }

    #[test]
    fn an_archive_of_other_files_is_no_bundle_and_one_that_lacks_a_file_is_a_wrong_one() {
        let other = archive(&[("letter.txt", b"dear")]).look_like_a_bundle();
        assert!(matches!(other, Err(BundleError::NoBundle(_))), "{other:?}");
        let mut lacking = archive(&[("head.json", b"{}")]);
        lacking.look_like_a_bundle().unwrap();
        assert!(matches!(lacking.sums(), Err(BundleError::Wrong(_))));
    }

    #[test]
    fn an_archive_of_more_files_than_a_lot_has_is_no_bundle() {
        let mut zip = ZipWriter::new(tempfile::tempfile().unwrap());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for number in 0..=bounds::BUNDLE_FILES {
            zip.start_file(number.to_string(), options).unwrap();
        }
        let zip = ZipArchive::new(zip.finish().unwrap()).unwrap();
        let Err(BundleError::NoBundle(why)) = (Reading { zip, left: 1000 }).look_like_a_bundle()
        else {
            panic!("it was taken")
        };
        assert_eq!(why.english, "it has 200001 files, at most 200000 are read");
    }
}
