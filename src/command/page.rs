//! What every page of the command line has.

use crate::app::report_of;
use crate::cli::ReportLanguage;
use crate::config::Config;
use crate::text::Language;

/// The language of a page.
pub(super) fn language(config: &Config, asked: Option<ReportLanguage>) -> Language {
    match asked {
        Some(ReportLanguage::En) => Language::English,
        Some(ReportLanguage::ZhCn) => Language::Chinese,
        None => report_of::language(config),
    }
}
