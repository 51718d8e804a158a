//! What every command has: the options, the configuration, standard output.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use crate::app::clock::SystemClock;
use crate::batch::Style;
use crate::cli::{ColorWhen, Global};
use crate::config::{self, Config};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::log::LogBook;
use crate::domain::long_work;
use crate::shell::{self, Failure, Output, Progress};
use crate::text::Language;

/// What every command has.
#[derive(Debug)]
pub struct Context {
    /// The options of every command.
    pub global: Global,
    /// Standard output.
    pub out: Output,
    /// Whether standard error takes colour.
    pub color: bool,
    /// What a screen shows of the log.
    pub log: LogBook,
}

impl Context {
    /// A command's surroundings by its options.
    pub fn new(global: Global) -> Self {
        let color = wants_color(global.color);
        Self { out: Output::stdout(global.json), color, log: LogBook::default(), global }
    }

    /// The machine's clocks.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::start())
    }

    /// What the wall clock says.
    pub fn now(&self) -> Timestamp {
        SystemClock::start().now().wall
    }

    /// How units are printed.
    pub fn style(&self) -> Style {
        let color = match self.global.color {
            ColorWhen::Auto => self.color && io::stdout().is_terminal(),
            _ => self.color,
        };
        if self.out.is_json() {
            Style::Json
        } else {
            Style::People { color, language: shell::language() }
        }
    }

    /// Whether the operator's screen has colours.
    pub fn colors_on_screen(&self) -> bool {
        match self.global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => !no_color(),
        }
    }

    /// How far long work is, where a person watches.
    pub fn progress(&self) -> Progress {
        Progress::on_terminal(!self.global.quiet && !self.out.is_json())
    }

    /// Does what takes long, and shows how far it is.
    pub fn watching<R>(&self, work: impl FnOnce() -> R) -> R {
        let mut progress = self.progress();
        long_work::hear(Box::new(move |done, total| progress.at(done, Some(total), "")), work)
    }

    /// Reads and checks station.toml.
    pub fn config(&self) -> Result<Config, Failure> {
        let config = Config::load(&self.global.config, self.global.data_dir.as_deref());
        let config = config.inspect_err(|_| {
            // Whoever wrote it in it reads in it what is wrong with it.
            if Config::asks_for_chinese(&self.global.config) {
                shell::speak(Language::Chinese);
            }
        })?;
        shell::speak(match config.station.language {
            config::Language::English => Language::English,
            config::Language::Chinese => Language::Chinese,
        });
        Ok(config)
    }
}

fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Whether standard error takes colour.
pub(super) fn wants_color(when: ColorWhen) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => !no_color() && io::stderr().is_terminal(),
    }
}
