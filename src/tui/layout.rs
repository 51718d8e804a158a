//! Where everything stands: the frame around a page, and the grid of slots.

use ratatui::layout::{Constraint, Layout, Rect};

/// The smallest terminal that shows anything useful.
pub(super) const SMALLEST: (u16, u16) = (60, 15);

/// Lines above the rows of the history.
pub(super) const HISTORY_HEAD: u16 = 2;

/// The parts of the screen, from top to bottom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) header: Rect,
    pub(super) body: Rect,
    /// What was refused, or what the focused slot says.
    pub(super) message: Rect,
    /// What is being typed, or what to scan now.
    pub(super) scan: Rect,
    pub(super) footer: Rect,
}

/// The most lines of a message: the page keeps the other half of what there is.
pub(super) fn most_of_message(height: u16) -> u16 {
    (height.saturating_sub(6) / 2).max(2)
}

/// Divides a terminal of this size, with so many lines for a message and what to scan.
pub(super) fn frame((width, height): (u16, u16), message: u16, scan: u16) -> Frame {
    let all = Rect::new(0, 0, width, height);
    let rows = [3, 0, message.max(1), scan.max(1), 2].map(|rows| match rows {
        0 => Constraint::Min(0),
        rows => Constraint::Length(rows),
    });
    let [header, body, message, scan, footer] = Layout::vertical(rows).areas(all);
    Frame { header, body, message, scan, footer }
}

/// How much room a tile has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    /// A name, a serial and a word.
    Small,
    /// Small letters of blocks.
    Medium,
    /// Large letters of blocks.
    Large,
}

/// The least width and height of each.
const SIZES: [(Room, u16, u16); 3] =
    [(Room::Large, 38, 11), (Room::Medium, 26, 8), (Room::Small, 19, 4)];

/// Columns and rows of a verdict in large letters with its margin.
pub(super) const LETTERS: (u16, u16) = (25, 7);

/// Lines of a large tile around its letters: its bar, the serial, what happened, what to do.
const AROUND_LETTERS: u16 = 7;

/// How often a point of a letter is repeated in a row, and a row below itself, in an area of
/// this size: the letters grow with the room and keep about their shape.
pub(super) fn scale((columns, rows): (u16, u16)) -> (usize, usize) {
    let high = (rows / LETTERS.1).clamp(1, 4);
    let wide = (columns / LETTERS.0).clamp(1, 2 * high);
    (wide.into(), high.min(wide).into())
}

/// How the tiles stand on their pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) room: Room,
    pub(super) columns: usize,
    pub(super) rows: usize,
    area: Rect,
}

impl Grid {
    /// The largest tiles with which all of them fit; pages of small ones where none do.
    pub(super) fn of(area: Rect, tiles: usize) -> Grid {
        let tiles = tiles.max(1);
        let fitting = |width: u16, height: u16| {
            let columns = usize::from(area.width / width).max(1);
            let rows = usize::from(area.height / height).max(1);
            (columns, rows)
        };
        let found = SIZES.iter().find(|(_, width, height)| {
            let (columns, rows) = fitting(*width, *height);
            columns * rows >= tiles && area.width >= *width && area.height >= *height
        });
        let (room, width, height) = *found.unwrap_or(&SIZES[2]);
        let (columns, rows) = fitting(width, height);
        let (columns, rows) = match room {
            Room::Large => largest(area, tiles, (columns, rows)),
            // As even as possible: nine tiles stand as three times three, not as five and four.
            Room::Medium | Room::Small => {
                let needed = tiles.div_ceil(columns).min(rows);
                (columns.min(tiles.div_ceil(needed)), needed)
            }
        };
        Grid { room, columns, rows, area }
    }

    /// How many tiles a page has.
    pub(super) const fn per_page(&self) -> usize {
        self.columns * self.rows
    }

    /// Where the tile at that place of a page stands.
    pub(super) fn place(&self, index: usize) -> Rect {
        let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let (column, row) = (count(index % self.columns), count(index / self.columns));
        let width = self.area.width / count(self.columns).max(1);
        let height = self.area.height / count(self.rows).max(1);
        let gap = u16::from(self.columns > 1);
        Rect::new(
            self.area.x + column * width,
            self.area.y + row * height,
            width.saturating_sub(gap),
            height.saturating_sub(u16::from(height > 4)),
        )
        .intersection(self.area)
    }
}

/// Columns and rows in which the letters of so many tiles are largest; of those alike the one
/// with the fewest rows.
fn largest(area: Rect, tiles: usize, (columns, rows): (usize, usize)) -> (usize, usize) {
    let letters = |(columns, rows): (usize, usize)| {
        let part = |whole: u16, of: usize| whole / u16::try_from(of).unwrap_or(u16::MAX).max(1);
        let room = (part(area.width, columns) - 1, part(area.height, rows));
        let (wide, high) = scale((room.0, room.1.saturating_sub(AROUND_LETTERS)));
        wide * high
    };
    let ways = (1..=columns.min(tiles)).map(|columns| {
        let needed = tiles.div_ceil(columns);
        (tiles.div_ceil(needed), needed)
    });
    let fitting = ways.filter(|(_, needed)| *needed <= rows);
    fitting.max_by_key(|way| (letters(*way), std::cmp::Reverse(way.1))).unwrap_or((columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(width: u16, height: u16, tiles: usize) -> Grid {
        Grid::of(frame((width, height), 2, 1).body, tiles)
    }

    #[test]
    fn few_slots_have_large_tiles_and_many_have_small_ones() {
        assert_eq!(grid(80, 24, 1).room, Room::Large);
        assert_eq!(grid(80, 24, 2).room, Room::Large);
        assert_eq!(grid(80, 24, 6).room, Room::Medium);
        assert_eq!(grid(80, 24, 16).room, Room::Small);
        assert_eq!(grid(120, 40, 12).room, Room::Medium);
        assert_eq!(grid(120, 40, 32).room, Room::Small);
    }

    #[test]
    fn letters_grow_with_the_room() {
        assert_eq!(scale((39, 12)), (1, 1));
        assert_eq!(scale((60, 12)), (2, 1));
        assert_eq!(scale((99, 25)), (3, 3));
        assert_eq!(scale((198, 40)), (7, 4));
    }

    #[test]
    fn large_tiles_stand_so_that_their_letters_are_largest() {
        let shape = |width, height, tiles| {
            let grid = grid(width, height, tiles);
            (grid.columns, grid.rows)
        };
        assert_eq!(shape(200, 60, 4), (2, 2), "not four in a row with empty rows below");
        assert_eq!(shape(200, 60, 6), (3, 2));
        assert_eq!(shape(200, 60, 2), (2, 1));
        assert_eq!(shape(120, 40, 4), (2, 2));
        assert_eq!(shape(120, 40, 3), (2, 2));
        assert_eq!(shape(80, 24, 2), (2, 1));
    }

    #[test]
    fn every_number_of_slots_has_its_place_on_some_page() {
        for (width, height) in [(80, 24), (120, 40), (200, 60), (60, 15)] {
            let body = frame((width, height), 2, 1).body;
            for tiles in 1..=64 {
                let grid = grid(width, height, tiles);
                for index in 0..grid.per_page() {
                    let place = grid.place(index);
                    assert!(place.width >= 18 && place.height >= 3, "{tiles}: {place:?}");
                    assert_eq!(place.intersection(body), place);
                    for other in 0..index {
                        assert!(!place.intersects(grid.place(other)));
                    }
                }
            }
        }
    }

    #[test]
    fn what_fits_stands_on_one_page() {
        assert!(grid(120, 40, 32).per_page() >= 32);
        assert!(grid(200, 60, 64).per_page() >= 64);
    }
}
