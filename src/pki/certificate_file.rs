//! Files of certificates: PEM or DER in, DER out; and PEM for people.

use std::io;
use std::path::Path;
use std::sync::Arc;

use pkcs8::{Document, LineEnding};
use x509_parser::pem::Pem;

use super::ca_certificate::{check_is_ca, parse};
use super::error::PkiError;
use crate::domain::bounds;
use crate::domain::cause::cause;
use crate::domain::say::Say;
use crate::say;

/// A certificate as PEM, for the console and for people.
pub fn certificate_pem(der: &[u8]) -> Result<String, PkiError> {
    let unreadable = || PkiError::Sign {
        problem: say!("what was to be shown is not DER", "要写出的不是 DER"),
    };
    let document = Document::try_from(der).map_err(|_| unreadable())?;
    document.to_pem("CERTIFICATE", LineEnding::LF).map_err(|_| unreadable())
}

/// A file of certificates or of a key, which may not be longer than any such file is.
pub(super) fn read_pem(path: &Path) -> io::Result<Vec<u8>> {
    bounds::read_file(path, bounds::CERTIFICATES)
}

/// The certificates of a file, PEM or DER, at least one, in the order of the file.
pub fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, PkiError> {
    let refused = |problem| PkiError::CertificateFile { path: path.to_owned(), problem };
    let bytes = read_pem(path)
        .map_err(|error| refused(say!("can't be read", "无法读取").then(&cause(&error))))?;
    certificates_in(&bytes).map_err(refused)
}

/// The roots that a device is to trust, one DER behind the other.
///
/// A server's own certificate is refused: the device would have to be burned again at
/// each renewal.
pub fn server_roots(path: &Path) -> Result<Arc<[u8]>, PkiError> {
    let roots = read_certificates(path)?;
    for (index, der) in roots.iter().enumerate() {
        check_root(index + 1, der)
            .map_err(|problem| PkiError::CertificateFile { path: path.to_owned(), problem })?;
    }
    Ok(roots.concat().into())
}

fn check_root(number: usize, der: &[u8]) -> Result<(), Say> {
    let certificate = parse(der)
        .ok_or_else(|| say!("certificate {number} can't be read", "第 {number} 张证书无法读取"))?;
    check_is_ca(&certificate).map_err(|problem| {
        let subject = certificate.subject();
        let Say { english, chinese } = problem;
        Say {
            english: format!(
                "certificate {number} ({subject}) can't be a device's trusted root: it {english}"
            ),
            chinese: format!("第 {number} 张证书（{subject}）不能作为设备信任的根：{chinese}"),
        }
    })
}

/// The certificates in a file's bytes; anything else in it is refused.
pub fn certificates_in(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Say> {
    if parse(bytes).is_some() {
        return Ok(vec![bytes.to_vec()]);
    }
    let blocks: Result<Vec<Pem>, _> = Pem::iter_from_buffer(bytes).collect();
    let blocks =
        blocks.map_err(|_| say!("is not PEM, or its PEM is damaged", "不是 PEM，或 PEM 已损坏"))?;
    if blocks.is_empty() {
        return Err(say!("holds no certificate", "里面没有证书"));
    }
    blocks.into_iter().enumerate().map(|(index, block)| certificate_of(index + 1, block)).collect()
}

fn certificate_of(number: usize, block: Pem) -> Result<Vec<u8>, Say> {
    if block.label.ends_with("PRIVATE KEY") {
        return Err(say!(
            "holds a private key, which has no place in a file of certificates",
            "里面有私钥，证书文件中不应有私钥"
        ));
    }
    if block.label != "CERTIFICATE" || parse(&block.contents).is_none() {
        return Err(say!(
            "block {number} is not an X.509 certificate",
            "第 {number} 块不是 X.509 证书"
        ));
    }
    Ok(block.contents)
}
