//! Tables out of text: CSV and NDJSON.

use std::collections::BTreeSet;
use std::io::Read;

use csv::{ReaderBuilder, StringRecord};
use json_fields::{Outline, decode_string, write_string};
use line_values::{Expression, LineValues};
use millpipe::without_byte_order_mark;
use units::ByteSize;
use values::Number;

use crate::csv_quotes::CheckedQuotes;
use crate::table::{Duplicates, Limits, Table};

/// How to read a table.
#[derive(Clone, Debug)]
pub struct TableReader {
    pub format: Format,
    /// The columns of the key.
    pub key: Vec<Expression>,
    /// The columns to take, with their names; all but those of the key without.
    pub fields: Option<Vec<Expression>>,
    pub prefix: String,
    pub duplicates: Duplicates,
    pub keys_max: usize,
    pub buffer: ByteSize,
}

/// What the text is.
#[derive(Clone, Debug)]
pub enum Format {
    Csv(Csv),
    Ndjson,
}

/// How a CSV is written.
#[derive(Clone, Debug)]
pub struct Csv {
    pub delimiter: u8,
    /// The names of its columns; none when it has a header.
    pub columns: Option<Vec<String>>,
    /// Fields that are JSON numbers are numbers.
    pub numbers: bool,
}

impl TableReader {
    /// # Errors
    /// What is wrong with the text, and where; with a hint in a second line where there is one.
    pub fn read(&self, from: &mut dyn Read) -> Result<Table, String> {
        match &self.format {
            Format::Csv(csv) => self.read_csv(csv, from),
            Format::Ndjson => self.read_ndjson(from),
        }
    }

    fn limits(&self) -> Limits {
        Limits { keys_max: self.keys_max, buffer: self.buffer }
    }

    fn read_csv(&self, csv: &Csv, from: &mut dyn Read) -> Result<Table, String> {
        let mut builder = ReaderBuilder::new();
        let from = CheckedQuotes::new(from, csv.delimiter);
        let mut reader = builder.delimiter(csv.delimiter).has_headers(csv.columns.is_none()).from_reader(from);
        let header: Vec<String> = match &csv.columns {
            Some(columns) => columns.clone(),
            None => reader.headers().map_err(|e| e.to_string())?.iter().map(|name| name.trim().to_owned()).collect(),
        };
        // A byte order mark is no part of a name.
        let header: Vec<String> = header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        if header.is_empty() {
            return Err(
                "is empty: a CSV begins with a header\nhint: --columns names the columns of one without".to_owned()
            );
        }
        let key = self.key.iter().map(|column| find(&header, column)).collect::<Result<Vec<_>, _>>()?;
        let fields = self.csv_fields(&header, &key)?;
        let names = fields.iter().map(|field| field.0.clone()).collect();
        let mut table = Table::of_texts(names, self.duplicates == Duplicates::All);
        let (mut row, mut texts, mut members) = (StringRecord::new(), Vec::new(), Vec::new());
        while reader.read_record(&mut row).map_err(|e| e.to_string())? {
            let line = row.position().map_or(0, csv::Position::line);
            if row.len() != header.len() {
                return Err(format!("line {line}: {} fields for {} columns", row.len(), header.len()));
            }
            texts.clear();
            for (number, column) in key.iter().enumerate() {
                if number > 0 {
                    texts.push(b'\n');
                }
                write_string(&row[*column], &mut texts);
            }
            members.clear();
            for (name, column) in &fields {
                write_name(name, &mut members);
                match Number::parse(row[*column].as_bytes()) {
                    Ok(_) if csv.numbers => members.extend_from_slice(row[*column].as_bytes()),
                    _ => write_string(&row[*column], &mut members),
                }
            }
            table.add(&texts, &members, self.duplicates, self.limits(), &format_args!("line {line}"))?;
        }
        Ok(table)
    }

    /// The names of members, and which columns they are.
    fn csv_fields(&self, header: &[String], key: &[usize]) -> Result<Vec<(String, usize)>, String> {
        let named = |name: &str| format!("{}{name}", self.prefix);
        let all = || header.iter().enumerate().filter(|(at, _)| !key.contains(at)).map(|(at, name)| (named(name), at));
        let fields = match &self.fields {
            None => all().collect(),
            Some(fields) => fields
                .iter()
                .map(|field| Ok((named(&field.name()), find(header, field)?)))
                .collect::<Result<Vec<_>, String>>()?,
        };
        different(fields.iter().map(|(name, _)| name))?;
        Ok(fields)
    }

    fn read_ndjson(&self, from: &mut dyn Read) -> Result<Table, String> {
        let mut text = Vec::new();
        from.read_to_end(&mut text).map_err(|e| e.to_string())?;
        let fields = self.fields.as_deref();
        let names: Vec<String> =
            fields.unwrap_or_default().iter().map(|field| format!("{}{}", self.prefix, field.name())).collect();
        different(names.iter())?;
        let mut values = LineValues::new(self.key.iter().chain(fields.unwrap_or_default()));
        let (mut outline, mut all_names) = (Outline::default(), BTreeSet::new());
        let mut table = Table::default();
        let (mut key, mut members) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(without_byte_order_mark(&text).split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let wrong = |why: &dyn std::fmt::Display| format!("line {number}: {why}");
            let found = values.read(line).map_err(|why| wrong(&why))?;
            if found.object().is_none() {
                return Err(wrong(&"not an object"));
            }
            for (at, column) in self.key.iter().enumerate() {
                if found.get(at).is_none_or(|value| value.is_null()) {
                    return Err(wrong(&format_args!("no {column}, which is of the key")));
                }
            }
            key.clear();
            found.write_key(0..self.key.len(), &mut key);
            members.clear();
            match fields {
                None => {
                    outline.read(line).map_err(|why| wrong(&why))?;
                    self.write_others(line, &outline, &mut all_names, &mut members);
                }
                Some(_) => {
                    for (at, name) in names.iter().enumerate() {
                        write_name(name, &mut members);
                        let value = found.get(self.key.len() + at);
                        members.extend_from_slice(value.map_or(b"null", |value| value.text()));
                    }
                }
            }
            table.add(&key, &members, self.duplicates, self.limits(), &format_args!("line {number}"))?;
        }
        table.names = if fields.is_some() { names } else { all_names.into_iter().collect() };
        Ok(table)
    }

    /// All members of a row but those of the key; of two with one name the last one counts.
    fn write_others(&self, line: &[u8], outline: &Outline, names: &mut BTreeSet<String>, members: &mut Vec<u8>) {
        let tokens = outline.tokens();
        let mut own: Vec<(String, &[u8])> = Vec::new();
        let mut at = 1;
        while let (Some(key), Some(value)) = (tokens.get(at), tokens.get(at + 1)) {
            let name = decode_string(key.field.text(line)).into_owned();
            own.retain(|(other, _)| *other != name);
            own.push((name, value.field.text(line)));
            at = value.next;
        }
        let is_key =
            |name: &String| self.key.iter().any(|column| column.path().is_some_and(|path| path.name() == *name));
        for (name, value) in own.into_iter().filter(|(name, _)| !is_key(name)) {
            let name = format!("{}{name}", self.prefix);
            write_name(&name, members);
            members.extend_from_slice(value);
            names.insert(name);
        }
    }
}

/// `"name":`, with a comma before it if it is not the first.
pub fn write_name(name: &str, members: &mut Vec<u8>) {
    if !members.is_empty() {
        members.push(b',');
    }
    write_string(name, members);
    members.push(b':');
}

/// The number of a column.
fn find(header: &[String], column: &Expression) -> Result<usize, String> {
    let name = column
        .path()
        .map(json_fields::FieldPath::name)
        .ok_or_else(|| format!("{column} is no column: a CSV has no expressions, only names"))?;
    let found = header.iter().position(|other| *other == name);
    found.ok_or_else(|| match header {
        [only] => format!("no column {name:?}; there is only {only:?}{}", other_delimiter(only)),
        _ => format!("no column {name:?}; there are {}", header.join(", ")),
    })
}

/// The hint for a header that is one column, as it has something else between its columns.
#[cold]
fn other_delimiter(only: &str) -> String {
    let found = [(';', "';'"), ('\t', "$'\\t'"), ('|', "'|'"), (',', ",")].into_iter().find(|(c, _)| only.contains(*c));
    found.map(|(_, typed)| format!("\nhint: --delimiter {typed} says what stands between columns")).unwrap_or_default()
}

fn different<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            return Err(format!("two columns are named {name:?}: --fields chooses and renames"));
        }
    }
    Ok(())
}
