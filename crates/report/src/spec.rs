//! What is drawn: panels, their values, and the limits of what is kept.

use line_values::Expression;

/// How a panel shows its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The last value, large, with a small line of those before it.
    Number,
    Line,
    /// The last value of each series as a bar; without `--by` a bar for each x.
    Bar,
    /// A row of cells for each series: the darker or lighter, the larger its largest value in that piece of x.
    Heat,
    /// A row for each key: the last line of it.
    Table,
}

/// One panel.
#[derive(Clone, Debug)]
pub struct PanelSpec {
    pub kind: Kind,
    /// Its values, by number among those of the settings; the columns of a table.
    pub values: Vec<usize>,
    /// What its values are called.
    pub names: Vec<String>,
    /// What stands above it.
    pub title: String,
}

/// A panel as a flag or a file wants it.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub kind: Kind,
    /// None for a table: its columns are the key and the values of all other panels.
    pub values: Vec<Expression>,
    /// None: the names of its values.
    pub title: Option<String>,
}

/// The columns of a table; none: the key and all values.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns(pub Vec<Expression>);

impl std::str::FromStr for Columns {
    type Err = line_values::WrongExpression;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        Expression::parse_list(text).map(Self)
    }
}

/// How many keys a panel may show.
pub const TOP: std::ops::RangeInclusive<i64> = 1..=200;

/// By what the series are ranked of which the first are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Rank {
    /// The last value
    #[default]
    Last,
    /// The sum of all values
    Total,
}

/// All that the command line says about what is drawn.
#[derive(Clone, Debug)]
pub struct Settings {
    pub title: String,
    /// None: the first of `window_start`, `timestamp`, `time` that a line has.
    pub x: Option<Expression>,
    pub by: Vec<Expression>,
    /// The values of all panels and the columns of the table, each once.
    pub values: Vec<Expression>,
    pub panels: Vec<PanelSpec>,
    /// The lower and the upper end of a band around a line.
    pub band: Option<(Expression, Expression)>,
    pub anomaly: Option<Expression>,
    pub top: usize,
    pub rank: Rank,
    /// Points kept for each series.
    pub points_max: usize,
    pub keys_max: usize,
    /// How far back from the newest x points are kept, in milliseconds.
    pub span_ms: Option<f64>,
}

impl Settings {
    /// Returns the number of an expression among the values, adding it if it is new.
    pub fn value(&mut self, expression: &Expression) -> usize {
        let found = self.values.iter().position(|value| value == expression);
        found.unwrap_or_else(|| {
            self.values.push(expression.clone());
            self.values.len() - 1
        })
    }

    /// Adds panels, in this order. A table that says no columns has the key and the values of all other panels.
    pub fn add_panels(&mut self, panels: Vec<Wanted>) {
        let others = panels.iter().filter(|panel| panel.kind != Kind::Table);
        for value in others.flat_map(|panel| &panel.values) {
            self.value(value);
        }
        let all: Vec<Expression> = self.by.iter().chain(&self.values).cloned().collect();
        for panel in panels {
            let values = if panel.values.is_empty() { &all } else { &panel.values };
            self.add_panel(panel.kind, values, panel.title);
        }
    }

    fn add_panel(&mut self, kind: Kind, expressions: &[Expression], title: Option<String>) {
        let names: Vec<String> = expressions.iter().map(Expression::name).collect();
        let keys: Vec<String> = self.by.iter().map(Expression::name).collect();
        let own = || match kind {
            Kind::Table if keys.is_empty() => "last lines".to_owned(),
            Kind::Table => format!("last line of each {}", keys.join(", ")),
            _ => names.join(", "),
        };
        let values = expressions.iter().map(|expression| self.value(expression)).collect();
        let title = title.unwrap_or_else(own);
        self.panels.push(PanelSpec { kind, values, names, title });
    }
}
