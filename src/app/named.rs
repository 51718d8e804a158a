//! Files that the command line names, which are no matter of station.toml.

use std::path::Path;

use crate::domain::code::Code;
use crate::pki;
use crate::say;
use crate::shell::Failure;

/// The certificates of a CA, each in DER; `E-INPUT` where the file can't be used.
pub fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    pki::read_certificates(path).map_err(|error| {
        Failure::told(Code::Input, &error).with_help(say!(
            "name the CA's certificate, PEM or DER, in a file that this user may read",
            "指定 CA 的证书文件（PEM 或 DER），并且当前用户可以读取"
        ))
    })
}
