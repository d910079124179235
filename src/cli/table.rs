//! How are columns aligned, and what may stand in them?
//!
//! A table has at most 80 columns where its texts can be cut to it. Titles come from files, so a terminal must not obey them: control
//! characters, and those that turn the direction of writing, are shown as `\u{202e}`.

use super::output::{Column, Set};

/// The width of a table.
const WIDTH: usize = 80;
/// No text is cut below this.
const LEAST: usize = 8;

/// The rows under their header, one line each; a column of texts that may be cut is left out where no row has one.
pub(super) fn render(columns: &[Column], rows: &[Vec<String>]) -> String {
    let shown: Vec<bool> = (0..columns.len())
        .map(|c| columns[c].set != Set::Cut || rows.iter().any(|row| !row[c].is_empty()))
        .collect();
    let only = |row: &[String]| -> Vec<String> {
        let cells = row.iter().zip(&shown).filter(|(_, shown)| **shown);
        cells.map(|(cell, _)| cell.clone()).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| only(row)).collect();
    let columns = columns.iter().zip(&shown).filter(|(_, shown)| **shown);
    aligned(
        &columns.map(|(column, _)| *column).collect::<Vec<_>>(),
        &rows,
    )
}

fn aligned(columns: &[Column], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = columns.iter().map(|c| width(c.name)).collect();
    for row in rows {
        for (wide, cell) in widths.iter_mut().zip(row) {
            *wide = width(cell).max(*wide);
        }
    }
    shrink(columns, &mut widths);
    let names: Vec<String> = columns.iter().map(|column| column.name.into()).collect();
    let mut text = String::new();
    for row in std::iter::once(&names).chain(rows) {
        let mut line = String::new();
        for ((column, &wide), cell) in columns.iter().zip(&widths).zip(row) {
            let cell = cut(cell, wide);
            let space = " ".repeat(wide - width(&cell));
            let (before, after) = match column.set {
                Set::Right => (space.as_str(), ""),
                Set::Left | Set::Cut => ("", space.as_str()),
            };
            line.push_str(&format!("{before}{cell}{after}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Takes columns from the widest text that may be cut until the line fits.
fn shrink(columns: &[Column], widths: &mut [usize]) {
    let gaps = 2 * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > WIDTH {
        let widest = (0..widths.len())
            .filter(|&c| columns[c].set == Set::Cut && widths[c] > LEAST)
            .max_by_key(|&c| widths[c]);
        match widest {
            Some(c) => widths[c] -= 1,
            None => break,
        }
    }
}

/// `text`, or as much of it as fits before an ellipsis.
fn cut(text: &str, wide: usize) -> String {
    if width(text) <= wide {
        return text.into();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += char_width(*c);
        used <= wide
    };
    let mut start: String = text.chars().take_while(fits).collect();
    start.push('…');
    start
}

/// The columns that a terminal gives to `text`.
fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// 0 for marks that stand on another character, 2 for the wide characters of East Asia and pictures, 1 for the rest.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// `text` with what a terminal would obey escaped.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns_direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let breaks_line = matches!(c, '\u{2028}' | '\u{2029}');
        if c.is_control() || turns_direction || breaks_line {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column {
            name: "rank",
            set: Set::Right,
        },
        Column {
            name: "title",
            set: Set::Cut,
        },
        Column {
            name: "item",
            set: Set::Left,
        },
    ];

    fn rows(titles: &[&str]) -> Vec<Vec<String>> {
        let row =
            |(n, title): (usize, &&str)| vec![(n + 9).to_string(), (*title).into(), "x".into()];
        titles.iter().enumerate().map(row).collect()
    }

    #[test]
    fn columns_are_aligned() {
        let text = render(&COLUMNS, &rows(&["Kolya", "千と千尋", "Amélie"]));
        let wanted = "\
rank  title     item
   9  Kolya     x
  10  千と千尋  x
  11  Amélie    x
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_column_of_titles_without_one_is_left_out() {
        assert_eq!(render(&COLUMNS, &rows(&[""])), "rank  item\n   9  x\n");
        let some = render(&COLUMNS, &rows(&["", "Up"]));
        assert_eq!(some, "rank  title  item\n   9         x\n  10  Up     x\n");
    }

    #[test]
    fn a_long_title_is_cut_and_an_id_is_not() {
        let long = "wide ".repeat(40);
        let text = render(&COLUMNS, &rows(&[&long]));
        for line in text.lines() {
            assert!(width(line) <= WIDTH, "{line}");
        }
        assert!(text.contains("wide…  x") || text.contains("…  x"), "{text}");
        let mut ids = rows(&["short"]);
        ids[0][2] = "i".repeat(100);
        assert!(render(&COLUMNS, &ids).contains(&"i".repeat(100)));
    }

    #[test]
    fn nothing_in_a_title_reaches_the_terminal_as_a_command() {
        assert_eq!(
            safe("a\u{1b}[31m\nb\u{202e}c\u{7}"),
            r"a\u{1b}[31m\nb\u{202e}c\u{7}"
        );
        assert_eq!(safe("עברית – Amélie"), "עברית – Amélie");
    }
}
