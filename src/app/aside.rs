//! What becomes of a ledger whose file is damaged: it is set aside, and nothing goes on.

use std::path::Path;

use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::ledger;
use crate::say;
use crate::shell::Failure;

/// Tells a failure; where it is that the ledger's file is damaged, the ledger is set aside,
/// and that is told with it. To be called when this process has closed the ledger.
pub fn told(data_dir: &Path, mut failure: Failure, now: Timestamp) -> Failure {
    if failure.code != Code::LedgerCorrupt {
        return failure;
    }
    let why = Fault::from(failure.clone()).detail;
    match ledger::set_aside_if_damaged(data_dir, &why, now) {
        Ok(Some(aside)) => {
            let moved = aside.display();
            failure.what = format!("{}; it was set aside as {moved}", failure.what);
            failure.chinese = failure.chinese.map(|own| format!("{own}；已移到 {moved}"));
            failure.with_help(
                say!("nothing was deleted and no new ledger begun: bring the newest backup back with \
                 `station ledger restore --newest`", "没有删除任何内容，也没有新建账本：用 `station ledger restore --newest` 恢复最新的备份"),
            )
        }
        Ok(None) => failure,
        // That was done, and told, before.
        Err(error) if error.code() == Code::LedgerSetAside => failure,
        Err(error) => {
            failure.what = format!("{}; it could not be set aside", failure.what);
            failure.chinese = failure.chinese.map(|own| format!("{own}；没能移开"));
            failure.caused_by(&Fault::from(error).sentence())
        }
    }
}
