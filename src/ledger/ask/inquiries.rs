//! One reader shared by every slot: questions run one after the other in its thread.

use std::sync::mpsc::{self, Sender};

use crate::domain::device::Fault;
use crate::error::LedgerError;

use super::reader::Reader;

type Question = Box<dyn FnOnce(&Reader) + Send>;

/// A door to the reader thread; every slot has its own. The thread ends with the last.
#[derive(Debug, Clone)]
pub struct Inquiries {
    questions: Sender<Question>,
}

impl Inquiries {
    /// Starts the thread that owns the reader.
    pub fn start(reader: Reader) -> Result<Inquiries, LedgerError> {
        let (questions, waiting) = mpsc::channel::<Question>();
        let work = move || {
            for question in waiting {
                question(&reader);
            }
        };
        let thread = std::thread::Builder::new().name("ledger-reader".to_owned()).spawn(work);
        thread.map_err(|source| LedgerError::Thread { what: "reader", source })?;
        Ok(Inquiries { questions })
    }

    /// Asks the reader and waits for its answer.
    pub fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = mpsc::sync_channel(1);
        let question: Question = Box::new(move |reader| {
            // Whoever asked may have stopped waiting.
            let _ = answer.send(question(reader));
        });
        let gone = || Fault::from(LedgerError::ReaderGone);
        self.questions.send(question).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())
    }
}
