//! A symbol of SVG as a picture of grey pixels: enough of SVG for what the station draws.

use rxing::helpers::detect_in_luma_with_hints;
use rxing::{BarcodeFormat, DecodeHints, Exceptions};

/// Pixels a module.
const SCALE: usize = 4;

/// Pixels of a symbol with one row of modules: it is stretched.
const BAR: usize = 60;

/// Light pixels around everything.
const MARGIN: usize = 16;

/// Pixels, row by row: 0 is dark.
pub(crate) struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Draws the symbol in a label.
    pub(crate) fn of(svg: &str) -> Self {
        let (_, behind) = svg.split_once("viewBox=\"0 0 ").unwrap();
        let mut numbers = behind.split(['"', ' ']).map(|number| number.parse::<usize>().unwrap());
        let (wide, high) = (numbers.next().unwrap(), numbers.next().unwrap());
        let row = if high == 1 { BAR } else { SCALE };
        let (width, height) = (wide * SCALE + 2 * MARGIN, high * row + 2 * MARGIN);
        let mut picture = Self { width, height, pixels: vec![0xff; width * height] };
        let (_, path) = svg.split_once(" d=\"").unwrap();
        for run in path.split('"').next().unwrap().split('M').skip(1) {
            let (at, length) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let length: usize = length.split('v').next().unwrap().parse().unwrap();
            picture.darken(x.parse().unwrap(), y.parse().unwrap(), length, row);
        }
        picture
    }

    fn darken(&mut self, x: usize, y: usize, length: usize, row: usize) {
        for line in MARGIN + y * row..MARGIN + (y + 1) * row {
            let from = line * self.width + MARGIN + x * SCALE;
            self.pixels[from..from + length * SCALE].fill(0);
        }
    }

    /// What a decoder reads.
    pub(crate) fn read(self, format: BarcodeFormat) -> Result<String, Exceptions> {
        let (width, height) = (self.width.try_into().unwrap(), self.height.try_into().unwrap());
        let mut hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
        let read = detect_in_luma_with_hints(self.pixels, width, height, Some(format), &mut hints)?;
        Ok(read.getText().to_owned())
    }
}
