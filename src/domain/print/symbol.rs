//! Symbols as grids of dark and light modules.

use std::fmt;

use qrcode::{Color, EcLevel, QrCode};

use super::code128;
use super::error::PrintError;

/// A symbol that the station draws itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Symbol {
    Qr,
    DataMatrix,
    Code128,
}

/// The modules of a symbol, row by row.
pub(super) struct Grid {
    pub(super) width: usize,
    pub(super) dark: Vec<bool>,
}

impl Grid {
    pub(super) fn height(&self) -> usize {
        self.dark.len() / self.width.max(1)
    }
}

impl Symbol {
    pub(super) const ALL: &'static [Symbol] = &[Symbol::Qr, Symbol::DataMatrix, Symbol::Code128];

    /// The word behind a place's colon.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Symbol::Qr => "qr",
            Symbol::DataMatrix => "datamatrix",
            Symbol::Code128 => "code128",
        }
    }

    /// The light modules to its left and right that its standard asks for.
    pub(super) const fn quiet(self) -> usize {
        match self {
            Symbol::Qr => 4,
            Symbol::DataMatrix => 1,
            Symbol::Code128 => 10,
        }
    }

    /// And those above and below.
    pub(super) const fn quiet_above(self) -> usize {
        match self {
            Symbol::Code128 => 0,
            other => other.quiet(),
        }
    }

    /// Its modules for a text of ASCII characters.
    pub(super) fn draw(self, text: &str) -> Result<Grid, PrintError> {
        let grid = match self {
            Symbol::Qr => qr(text),
            Symbol::DataMatrix => data_matrix(text),
            Symbol::Code128 => code128::modules(text).map(|dark| Grid { width: dark.len(), dark }),
        };
        let length = text.chars().count();
        grid.ok_or(PrintError::TooLong { symbol: self.as_str(), length })
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A QR code with 15 % of error correction, as labels have it.
fn qr(text: &str) -> Option<Grid> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
    Some(Grid { width: code.width(), dark })
}

fn data_matrix(text: &str) -> Option<Grid> {
    let code = datamatrix::DataMatrix::encode(text.as_bytes(), datamatrix::SymbolList::default());
    let bitmap = code.ok()?.bitmap();
    let (width, height) = (bitmap.width(), bitmap.height());
    let mut dark = vec![false; width * height];
    for (x, y) in bitmap.pixels() {
        if let Some(module) = dark.get_mut(y * width + x) {
            *module = true;
        }
    }
    Some(Grid { width, dark })
}
