//! The columns that fit.

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    Name,
    Bar,
    Now,
    LinesIn,
    LinesOut,
    Megabytes,
    Pipe,
    Held,
    Late,
    Rejected,
    State,
}

/// What a narrow screen shows first.
const BY_IMPORTANCE: [Column; 11] = [
    Column::Name,
    Column::Now,
    Column::LinesIn,
    Column::LinesOut,
    Column::Bar,
    Column::Pipe,
    Column::Held,
    Column::Late,
    Column::Rejected,
    Column::Megabytes,
    Column::State,
];

/// The signs before a row.
const MARKS: usize = 2;

/// What a wide screen gives to names and bars beyond what they need.
const NAME_MORE: usize = 26;
const BAR_MORE: usize = 20;

/// The columns of a screen with their widths, in the order in which they stand.
#[derive(Debug)]
pub struct Columns(Vec<(Column, usize)>);

impl Column {
    pub fn head(self) -> &'static str {
        match self {
            Self::Name => "stage",
            Self::Bar => "time spent",
            Self::Now => "now",
            Self::LinesIn => "in/s",
            Self::LinesOut => "out/s",
            Self::Megabytes => "MB/s",
            Self::Pipe => "pipe",
            Self::Held => "held",
            Self::Late => "late",
            Self::Rejected => "bad",
            Self::State => "state",
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Name => 14,
            Self::Bar => 10,
            Self::Now => 11,
            Self::Pipe => 4,
            Self::LinesIn | Self::LinesOut | Self::Held => 6,
            Self::Megabytes | Self::Late | Self::Rejected => 5,
            Self::State => 7,
        }
    }

    /// Cut or filled to a width: texts at the left, numbers at the right.
    pub fn place(self, text: &str, width: usize) -> String {
        let text: String = text.chars().take(width).collect();
        match self {
            Self::Name | Self::Now | Self::Bar => format!("{text:width$}"),
            _ => format!("{text:>width$}"),
        }
    }
}

impl Columns {
    pub fn for_width(width: usize) -> Self {
        // Where not even two fit, they share what there is.
        if width < MARKS + Column::Name.width() + 1 + Column::Now.width() {
            let room = width.saturating_sub(MARKS + 1);
            let name = room.div_ceil(2);
            return Self(vec![(Column::Name, name), (Column::Now, room - name)]);
        }
        let mut left = width - MARKS;
        let mut columns = Vec::new();
        for column in BY_IMPORTANCE {
            let takes = column.width() + usize::from(!columns.is_empty());
            if takes > left {
                break;
            }
            left -= takes;
            columns.push((column, column.width()));
        }
        columns.sort_unstable();
        for (column, more) in [(Column::Name, NAME_MORE), (Column::Bar, BAR_MORE)] {
            if let Some((_, width)) = columns.iter_mut().find(|(other, _)| *other == column) {
                *width += left.min(more);
                left -= left.min(more);
            }
        }
        Self(columns)
    }

    pub fn all(&self) -> impl Iterator<Item = (Column, usize)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_into_every_width() {
        for width in 0..300 {
            let columns = Columns::for_width(width);
            let taken: usize = columns.all().map(|(_, width)| width + 1).sum::<usize>() + MARKS - 1;
            assert!(taken <= width.max(MARKS + 1), "{width}: {columns:?}");
        }
        assert_eq!(Columns::for_width(80).0.len(), 9);
        assert_eq!(Columns::for_width(120).0.len(), 11);
    }
}
