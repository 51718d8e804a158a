//! The labels of finished units, and their printer.

use super::finding::Finding;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::say;

/// Checks that the printer is there, and that no label waits for somebody.
pub fn labels(printer: Result<(), Fault>, open: u32) -> Finding {
    const NAME: &str = "labels";
    match (printer, open) {
        (Err(fault), _) => Finding::warn(NAME, fault),
        (Ok(()), 0) => Finding::ok(
            NAME,
            say!("the printer is there, and no label is open", "打印机可用，没有未完成的标签"),
        ),
        (Ok(()), open) => Finding::warn(NAME, open_labels(open)),
    }
}

/// What is said of labels that wait for somebody.
pub fn open_labels(open: u32) -> Fault {
    let what = say!(
        "{open} labels are open; `station label list` names them",
        "有 {open} 张标签未完成；`station label list` 列出它们"
    );
    Fault::said(Code::LabelOpen, what)
}
