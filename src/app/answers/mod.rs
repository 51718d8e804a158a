//! Answers what the screen asks: one thread with a reader of its own, so that neither the
//! screen nor a slot waits for a search.
//!
//! `figures` looks things up, `acts` carries out what a person decides, `checks` runs what
//! takes long in threads of their own. Start with [`start`].

mod acts;
mod checks;
mod desk;
mod figures;
mod sync;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::config::Config;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::pages::{Answer, AnswerSink, Answered, AskSink, Asked, Question};
use crate::engine::{Lot, LotChooser, SignedIn};
use crate::ledger::{Ledger, Persons, Reader, Writer};
use crate::say;
use crate::shell::Failure;

/// What the answers come from.
pub struct Sources<'a> {
    /// station.toml.
    pub config: &'a Config,
    /// The line's ledger.
    pub ledger: &'a Ledger,
    /// The work order that the line makes.
    pub lot: Arc<Lot>,
    /// Chooses another.
    pub chooser: LotChooser,
    /// Who works at the line.
    pub signed_in: Arc<SignedIn>,
    /// The machine's clocks.
    pub clock: Arc<dyn Clock>,
}

/// What the thread works with.
struct Answers {
    config: Config,
    reader: Reader,
    persons: Persons,
    writer: Writer,
    lot: Arc<Lot>,
    chooser: LotChooser,
    signed_in: Arc<SignedIn>,
    clock: Arc<dyn Clock>,
    sink: Arc<AnswerSink>,
    desk: desk::SharedDesk,
}

/// Starts the thread; it ends when the sink that is given back is dropped.
pub fn start(sources: Sources<'_>, sink: AnswerSink) -> Result<AskSink, Failure> {
    let answers = Answers {
        config: sources.config.clone(),
        reader: sources.ledger.reader()?,
        persons: sources.ledger.persons()?,
        writer: sources.ledger.writer(),
        lot: sources.lot,
        chooser: sources.chooser,
        signed_in: sources.signed_in,
        clock: sources.clock,
        sink: Arc::new(sink),
        desk: Arc::default(),
    };
    let (asks, asked) = mpsc::channel();
    let thread = thread::Builder::new().name("answers".to_owned());
    let spawned = thread.spawn(move || answers.run(&asked));
    spawned.map_err(|error| {
        Failure::said(Code::Shortage, say!("no thread for answers", "查询得不到线程"))
            .caused_by(&error)
    })?;
    Ok(Box::new(move |question| asks.send(question).is_ok()))
}

impl Answers {
    fn run(&self, asked: &Receiver<Asked>) {
        for Asked { number, question } in asked {
            if question == Question::Checks {
                self.check(number);
                continue;
            }
            let answer = self.answer(question).map_err(Fault::from);
            (self.sink)(Answered { number, answer });
        }
        // Nobody asks any more: the screen is left, and what the cloud was asked is recorded.
        self.stop_sync();
    }

    fn answer(&self, question: Question) -> Result<Answer, Failure> {
        let now = self.now();
        Ok(match question {
            Question::Overview => Answer::Overview(Box::new(self.overview(now)?)),
            Question::History(query) => Answer::History(self.reader.history(&query)?),
            Question::Unit(serial) => Answer::Unit(self.reader.unit_story(&serial)?.map(Box::new)),
            Question::Statistics(period) => Answer::Statistics(Box::new(self.statistics(period)?)),
            Question::WorkOrders => Answer::WorkOrders(self.work_orders()?),
            Question::Operators => Answer::Operators(self.reader.operators(now)?),
            Question::Registrations => {
                let mut found = self.reader.registrations()?;
                found.run = self.sync_run();
                Answer::Registrations(Box::new(found))
            }
            Question::Act(act) => self.act(act, now)?,
            // Answered in a thread of their own.
            Question::Checks => Answer::Checks(Vec::new()),
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now().wall
    }
}
