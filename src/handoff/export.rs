//! Certificates written for the console: a zip of PEM files, or one table.
//!
//! Everything is written beside its place and moved there when it is whole; a file that is
//! there already is never replaced.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::error::HandoffError;
use super::manifest::{Entry, Head, VERSION, sha256};
use crate::domain::certificate::Proof;
use crate::domain::ids::to_hex;
use crate::ledger::views::ExportRow;
use crate::pki;

/// The manifest's name within a zip.
pub(super) const MANIFEST: &str = "manifest.json";

/// The columns of the CSV.
const COLUMNS: [&str; 11] = [
    "serial",
    "client_id",
    "certificate_sn",
    "fingerprint_sha256",
    "proof",
    "work_order",
    "registered",
    "issuer_sha256",
    "not_before",
    "not_after",
    "pem",
];

/// In which form certificates are handed off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A zip with one PEM file for each, and the manifest.
    PemZip,
    /// A table with commas, and the manifest beside it.
    Csv,
    /// One JSON object a line, and the manifest beside it.
    Ndjson,
}

impl Format {
    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::PemZip => "pem-zip",
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
        }
    }
}

/// What was handed off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// How many certificates.
    pub certificates: u64,
    /// How many of them by each proof, by its word.
    pub by_proof: BTreeMap<&'static str, u64>,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// Where the manifest lies, if it is not in the file itself.
    pub manifest: Option<PathBuf>,
}

/// A hand-off that is being written.
pub struct Export<'a> {
    station: &'a str,
    product: &'a str,
    format: Format,
    path: &'a Path,
    body: Body,
    /// The lines of the manifest.
    entries: Vec<String>,
    by_proof: BTreeMap<&'static str, u64>,
}

enum Body {
    Zip(Box<ZipWriter<BufWriter<File>>>),
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Ndjson(BufWriter<File>),
}

impl<'a> Export<'a> {
    /// Begins a hand-off of this station's product at `path`, where nothing may be.
    pub fn create(
        path: &'a Path,
        format: Format,
        station: &'a str,
        product: &'a str,
    ) -> Result<Self, HandoffError> {
        let taken = [path.to_owned(), beside(path)].into_iter().find(|path| path.exists());
        if let Some(path) = taken {
            let source = io::ErrorKind::AlreadyExists.into();
            return Err(HandoffError::Write { path, source });
        }
        let file = create(&partial(path)).map_err(failed(path))?;
        let file = BufWriter::new(file);
        let body = match format {
            Format::PemZip => Body::Zip(Box::new(ZipWriter::new(file))),
            Format::Csv => {
                let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(file);
                table.write_record(COLUMNS).map_err(|error| failed(path)(error.into()))?;
                Body::Csv(Box::new(table))
            }
            Format::Ndjson => Body::Ndjson(file),
        };
        let (entries, by_proof) = (Vec::new(), BTreeMap::new());
        Ok(Self { station, product, format, path, body, entries, by_proof })
    }

    /// Adds a certificate; those of one hand-off come in the order of their serials.
    pub fn add(&mut self, row: &ExportRow) -> Result<(), HandoffError> {
        let pem = pki::certificate_pem(&row.row.certificate.der).map_err(HandoffError::Pem)?;
        *self.by_proof.entry(row.proof.unwrap_or(Proof::None).as_str()).or_default() += 1;
        let mut entry = Entry::of(row);
        match &mut self.body {
            Body::Zip(zip) => {
                let name = format!("certificates/{}.pem", row.row.client_id);
                put(zip, &name, pem.as_bytes()).map_err(failed(self.path))?;
                entry.file = Some(&name);
                entry.sha256 = Some(sha256(pem.as_bytes()));
                self.entries.push(json(&entry).map_err(failed(self.path))?);
            }
            Body::Csv(table) => {
                write_record(table, &entry, &pem)
                    .map_err(|error| failed(self.path)(error.into()))?;
                self.entries.push(json(&entry).map_err(failed(self.path))?);
            }
            Body::Ndjson(lines) => {
                self.entries.push(json(&entry).map_err(failed(self.path))?);
                entry.pem = Some(&pem);
                let line = json(&entry).map_err(failed(self.path))?;
                writeln!(lines, "{line}").map_err(failed(self.path))?;
            }
        }
        Ok(())
    }

    /// Ends the hand-off: the manifest is written, and all of it put in its place.
    pub fn finish(self) -> Result<Exported, HandoffError> {
        let path = self.path;
        let certificates = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        let head = Head {
            manifest: VERSION,
            station: self.station,
            product: self.product,
            format: self.format.as_str(),
            file: None,
            sha256: None,
        };
        let whole = |head| manifest(head, &self.entries).map_err(failed(path));
        let (file, beside_it) = match self.body {
            Body::Zip(mut zip) => {
                put(&mut zip, MANIFEST, whole(&head)?.as_bytes()).map_err(failed(path))?;
                (zip.finish().map_err(|error| failed(path)(error.into()))?, false)
            }
            Body::Csv(table) => {
                (table.into_inner().map_err(|error| failed(path)(error.into_error()))?, true)
            }
            Body::Ndjson(lines) => (lines, true),
        };
        sync(file).map_err(failed(path))?;
        let sha256 = digest(&partial(path)).map_err(failed(path))?;
        let manifest = beside_it.then(|| beside(path));
        if let Some(manifest) = &manifest {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let head = Head { file: Some(&name), sha256: Some(&sha256), ..head };
            let mut file = create(&partial(manifest)).map_err(failed(manifest))?;
            file.write_all(whole(&head)?.as_bytes())
                .and_then(|()| file.sync_all())
                .and_then(|()| fs::rename(partial(manifest), manifest))
                .map_err(failed(manifest))?;
        }
        fs::rename(partial(path), path).map_err(failed(path))?;
        Ok(Exported { certificates, by_proof: self.by_proof, sha256, manifest })
    }
}

/// For its owner alone, whatever the process's mask: a list of serials and client ids. What
/// was cut off before is begun anew, and never through a link.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> HandoffError {
    let path = path.to_owned();
    move |source| HandoffError::Write { path: path.clone(), source }
}

/// Where a file is written until it is whole.
fn partial(path: &Path) -> PathBuf {
    with_suffix(path, ".part")
}

/// The manifest of a table.
fn beside(path: &Path) -> PathBuf {
    with_suffix(path, ".manifest.json")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Puts a file into a zip. Stored and of no time: whoever writes it again gets its bytes.
fn put(zip: &mut ZipWriter<BufWriter<File>>, name: &str, text: &[u8]) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    zip.start_file(name, options)?;
    zip.write_all(text)
}

fn json(entry: &Entry<'_>) -> io::Result<String> {
    Ok(serde_json::to_string(entry)?)
}

fn write_record(
    table: &mut csv::Writer<BufWriter<File>>,
    entry: &Entry<'_>,
    pem: &str,
) -> csv::Result<()> {
    table.write_record([
        entry.serial.as_str(),
        entry.client_id.as_str(),
        &entry.certificate_sn.to_string(),
        &entry.fingerprint_sha256.to_string(),
        entry.proof,
        entry.work_order.map_or("", |order| order.as_str()),
        if entry.registered { "true" } else { "false" },
        &entry.issuer_sha256.to_string(),
        &entry.not_before,
        &entry.not_after,
        pem,
    ])
}

/// The manifest as text, one certificate a line.
fn manifest(head: &Head<'_>, entries: &[String]) -> io::Result<String> {
    let head = serde_json::to_string(head)?;
    let head = head.trim_end_matches('}');
    Ok(format!("{head},\"certificates\":[\n{}\n]}}\n", entries.join(",\n")))
}

fn sync(file: BufWriter<File>) -> io::Result<()> {
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn digest(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut file = File::open(path)?;
    let mut block = vec![0; 64 * 1_024];
    loop {
        match io::Read::read(&mut file, &mut block)? {
            0 => return Ok(to_hex(&digest.finalize())),
            length => digest.update(&block[..length]),
        }
    }
}
