//! What asks the CA's token can't be broken off: whoever waits for it is told so.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::pki::{KeyPlace, TOKEN_PATIENCE};
use crate::say;
use crate::shell;

/// Does what asks for the key of an authority. Where a token gives no answer for a while, that is
/// said, and waited on.
pub fn patiently<T>(key: &KeyPlace, ask: impl FnOnce() -> T) -> T {
    if let KeyPlace::File(_) = key {
        return ask();
    }
    let (answered, answer) = mpsc::channel::<()>();
    let watch = move || {
        if answer.recv_timeout(TOKEN_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            shell::remark(silent());
        }
    };
    // Without the thread nobody is told, and nothing else is lost.
    let _ = thread::Builder::new().name("patience".to_owned()).spawn(watch);
    let asked = ask();
    drop(answered);
    asked
}

fn silent() -> Fault {
    let seconds = TOKEN_PATIENCE.as_secs();
    let detail = say!(
        "the CA's token has given no answer for {seconds} s; the station waits for it",
        "CA 的令牌已有 {seconds} 秒没有回答；本站在等它"
    );
    Fault::said(Code::HsmToken, detail)
}
