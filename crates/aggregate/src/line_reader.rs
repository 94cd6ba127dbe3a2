//! Reads all of a line that is needed: its annotation, its time, its key, its values.

use std::sync::Arc;

use accumulators::{Inputs, Values};
use event_time::{ANNOTATION, Annotation, Annotations, TimeParser, annotation_paths, no_time};
use json_fields::{Field, FieldPath, Kind, Scanner};
use line_values::{Computed, Expression};
use millpipe::Fault;
use values::write_canonical;

use crate::changes;
use crate::job::Job;
use crate::keys;

/// What was read of a line beside its key and its values.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    pub annotation: Option<Annotation>,
    pub time_ms: Option<i64>,
    /// Where in the line the values' spans count from.
    pub front: usize,
}

/// The reader, with the key and the values of the line read last.
#[derive(Debug)]
pub struct LineReader {
    job: Arc<Job>,
    pub values: Values,
    pub key: Vec<u8>,
    /// With `--of-changes`: the line takes back an earlier one.
    pub is_taken_back: bool,
    time: TimeParser,
    scanner: Scanner,
    /// For lines that begin with a known annotation.
    behind_annotation: Option<Scanner>,
    annotations: Annotations,
}

impl LineReader {
    pub fn new(job: &Arc<Job>) -> LineReader {
        let time = job.time.as_ref();
        let paths: Vec<_> = annotation_paths()
            .chain(job.key_paths().cloned())
            .chain(job.plan.paths().iter().cloned())
            .chain(time.and_then(|time| time.of.path()).cloned())
            .chain(job.reads_changes.then(|| FieldPath::key(changes::OP)))
            .collect();
        let scanner = Scanner::new(&paths);
        LineReader {
            job: Arc::clone(job),
            values: Values::default(),
            key: Vec::new(),
            is_taken_back: false,
            time: time.map_or_else(TimeParser::default, |time| TimeParser::new(time.unit).in_zone(time.zone.clone())),
            behind_annotation: scanner.inside_object(),
            scanner,
            annotations: Annotations::default(),
        }
    }

    /// Reads a line of a [plain](Job::is_plain) job.
    ///
    /// # Errors
    /// `Bad`: the key and the values are of no use then.
    #[inline]
    pub fn read(&mut self, line: &[u8]) -> Result<Read, Fault> {
        self.find::<true>(line, None)
    }

    /// Reads a line of any job.
    ///
    /// # Errors
    /// As `read`, and `Bad` when a filter fails.
    #[inline(never)]
    pub fn read_computed(&mut self, line: &[u8], computed: &mut Computed) -> Result<Read, Fault> {
        computed.read(line).map_err(Fault::bad)?;
        self.find::<false>(line, Some(computed))
    }

    /// The way of plain jobs has nothing in it for others.
    #[inline]
    fn find<const IS_PLAIN: bool>(&mut self, line: &[u8], computed: Option<&Computed>) -> Result<Read, Fault> {
        let job = &*self.job;
        // Most lines begin as one of the last few did: the rest is scanned, and the annotation known.
        if let Some(scanner) = &mut self.behind_annotation
            && let Some((annotation, front)) = self.annotations.front(line)
            && let Some(rest) = line.get(front..)
            && let Ok(fields) = scanner.scan(rest)
            && let (&[None, None, None, None], fields) = fields.as_slice().split_at(ANNOTATION.len())
        {
            let into = (&mut self.values, &mut self.key, &mut self.time);
            let time_ms = match computed {
                Some(computed) if !IS_PLAIN => read_computed(job, fields, rest, computed, into)?,
                _ => read_fields(job, fields, rest, into)?,
            };
            if !IS_PLAIN && job.reads_changes {
                self.is_taken_back = changes::takes_back(fields.last().copied().flatten(), rest)?;
            }
            return Ok(Read { annotation: Some(annotation), time_ms, front });
        }
        let fields = self.scanner.scan(line).map_err(Fault::bad)?.as_slice();
        let (places, fields) = fields.split_at(ANNOTATION.len());
        let annotation = self.annotations.read(places, line)?;
        let into = (&mut self.values, &mut self.key, &mut self.time);
        let time_ms = match computed {
            Some(computed) if !IS_PLAIN => read_computed(job, fields, line, computed, into)?,
            _ => read_fields(job, fields, line, into)?,
        };
        if !IS_PLAIN && job.reads_changes {
            self.is_taken_back = changes::takes_back(fields.last().copied().flatten(), line)?;
        }
        Ok(Read { annotation, time_ms, front: 0 })
    }
}

/// What works out the keys' expressions, then the plan's, then the time, and conditions; none for a plain job.
pub fn computed(job: &Job) -> Option<Box<Computed>> {
    (!job.is_plain()).then(|| {
        let keys = job.by.iter().filter(|key| key.path().is_none());
        let time = job.time.iter().map(|time| &time.of).filter(|time| time.path().is_none());
        let expressions: Vec<Expression> = keys.chain(&job.expressions).chain(time).cloned().collect();
        Box::new(Computed::new(&expressions, &job.conditions))
    })
}

/// Takes what was found of `--by`, of the plan's paths and of `--time`, in that order; gives the time.
#[inline]
fn read_fields(
    job: &Job,
    fields: &[Option<Field>],
    line: &[u8],
    (values, key, parser): (&mut Values, &mut Vec<u8>, &mut TimeParser),
) -> Result<Option<i64>, Fault> {
    let (by, fields) = fields.split_at(job.by.len());
    let (wanted, time) = fields.split_at(job.plan.paths().len());
    let time_ms = match &job.time {
        None => None,
        Some(_) => Some(read_time(job, time.first().and_then(Option::as_ref), line, line, parser)?),
    };
    values.read(&job.plan, wanted, line).map_err(|error| Fault::bad(error.with_hint()))?;
    keys::read(by, line, key);
    Ok(time_ms)
}

/// `text` is what the field counts from.
#[inline]
fn read_time(
    job: &Job,
    field: Option<&Field>,
    text: &[u8],
    line: &[u8],
    parser: &mut TimeParser,
) -> Result<i64, Fault> {
    match field {
        Some(field) => parser.parse_field(field.text(text)).map_err(|error| Fault::bad(error.with_hint())),
        None => {
            Err(job.time.as_ref().map_or_else(|| Fault::bad("no time"), |time| Fault::bad(no_time(&time.of, line))))
        }
    }
}

/// The same where some of it is worked out by filters.
#[inline(never)]
fn read_computed(
    job: &Job,
    fields: &[Option<Field>],
    line: &[u8],
    computed: &Computed,
    (values, key, parser): (&mut Values, &mut Vec<u8>, &mut TimeParser),
) -> Result<Option<i64>, Fault> {
    let (by, fields) = fields.split_at(job.key_paths().count());
    let (paths, time) = fields.split_at(job.plan.paths().len());
    let time_ms = match job.time.as_ref().map(|time| time.of.path()) {
        None => None,
        Some(Some(_)) => Some(read_time(job, time.first().and_then(Option::as_ref), line, line, parser)?),
        Some(None) => {
            let time = computed.values().last().and_then(Option::as_ref).filter(|field| field.kind != Kind::Null);
            Some(read_time(job, time, computed.text(), line, parser)?)
        }
    };
    let (mut by, mut computed_by) = (by.iter(), computed.values().iter());
    key.clear();
    for (number, expression) in job.by.iter().enumerate() {
        if number > 0 {
            key.push(b'\n');
        }
        let (field, text) = match expression.path() {
            Some(_) => (by.next(), line),
            None => (computed_by.next(), computed.text()),
        };
        write_canonical(field.and_then(Option::as_ref), text, key);
    }
    let inputs = Inputs {
        line,
        paths,
        computed: computed.text(),
        expressions: computed_by.as_slice(),
        conditions: computed.truths(),
    };
    values.read_all(&job.plan, &inputs).map_err(|error| Fault::bad(error.with_hint()))?;
    Ok(time_ms)
}
