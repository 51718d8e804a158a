//! PASS, FAIL and HOLD in letters that are read from two metres.
//!
//! Each word has a shape of its own besides its colour: PASS is plain, FAIL is cut out of a
//! solid field, HOLD stands on a hatched one.

use super::super::model::Mark;

/// Columns and rows of one letter.
const LETTER: (usize, usize) = (5, 5);

/// Columns of a word of four letters.
pub(super) const WORD: usize = 4 * LETTER.0 + 3;

fn letter(c: char) -> [u8; LETTER.1] {
    match c {
        'P' => [0b11110, 0b10001, 0b11110, 0b10000, 0b10000],
        'A' => [0b01110, 0b10001, 0b11111, 0b10001, 0b10001],
        'S' => [0b11111, 0b10000, 0b11111, 0b00001, 0b11111],
        'F' => [0b11111, 0b10000, 0b11110, 0b10000, 0b10000],
        'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b01110],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'H' => [0b10001, 0b10001, 0b11111, 0b10001, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b01110],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b11110],
        _ => [0; LETTER.1],
    }
}

const fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Pass => "PASS",
        Mark::Fail => "FAIL",
        Mark::Hold => "HOLD",
    }
}

/// Whether each point of the word is set; a margin of one point around it is not.
fn points(mark: Mark) -> Vec<Vec<bool>> {
    let margin = || vec![false; WORD + 2];
    let mut rows = vec![margin()];
    for row in 0..LETTER.1 {
        let mut points = vec![false];
        for (index, c) in word(mark).chars().enumerate() {
            if index > 0 {
                points.push(false);
            }
            let bits = letter(c)[row];
            points.extend((0..LETTER.0).rev().map(|bit| bits >> bit & 1 == 1));
        }
        points.push(false);
        rows.push(points);
    }
    rows.push(margin());
    rows
}

/// Seven rows of 25 columns, each point as often as the scale says.
pub(super) fn large(mark: Mark, (wide, high): (usize, usize)) -> Vec<String> {
    let (set, clear) = match mark {
        Mark::Pass => ('█', ' '),
        Mark::Fail => (' ', '█'),
        Mark::Hold => ('█', '░'),
    };
    let point = |on: bool| std::iter::repeat_n(if on { set } else { clear }, wide);
    let row = |row: Vec<bool>| row.into_iter().flat_map(point).collect::<String>();
    points(mark).into_iter().map(row).flat_map(|row| std::iter::repeat_n(row, high)).collect()
}

/// Three rows of 25 columns: two points one above the other in each character.
pub(super) fn small(mark: Mark) -> Vec<String> {
    let all = points(mark);
    let negative = mark == Mark::Fail;
    let point = |row: usize, column: usize| {
        all.get(row).and_then(|points| points.get(column)).is_some_and(|on| on != &negative)
    };
    let character = |row: usize, column: usize| match (point(row, column), point(row + 1, column)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) if mark == Mark::Hold => '░',
        (false, false) => ' ',
    };
    [1, 3, 5].map(|row| (0..WORD + 2).map(|column| character(row, column)).collect()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_words_have_shapes_of_their_own() {
        let count =
            |mark, wanted| large(mark, (1, 1)).concat().chars().filter(|c| *c == wanted).count();
        assert_eq!(large(Mark::Pass, (1, 1))[1], " ████   ███  █████ █████ ");
        assert_eq!(count(Mark::Pass, '░'), 0);
        assert!(count(Mark::Fail, '█') > count(Mark::Pass, '█'));
        assert!(count(Mark::Hold, '░') > 0);
        for mark in [Mark::Pass, Mark::Fail, Mark::Hold] {
            assert!(
                large(mark, (1, 1)).iter().chain(&small(mark)).all(|row| row.chars().count() == 25)
            );
            assert_eq!((large(mark, (2, 2)).len(), small(mark).len()), (14, 3));
        }
    }
}
