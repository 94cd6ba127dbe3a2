//! Reads all of a line that is needed: its annotation, its time, its key, its values.

use accumulators::Values;
use event_time::{TimeParser, TimeUnit};
use json_fields::{Field, Scanner};
use millpipe::Fault;

use crate::annotation::{self, Annotation, Annotations};
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
    pub values: Values,
    pub key: Vec<u8>,
    time: TimeParser,
    scanner: Scanner,
    /// For lines that begin with a known annotation.
    behind_annotation: Option<Scanner>,
    annotations: Annotations,
}

impl LineReader {
    pub fn new(job: &Job) -> LineReader {
        let time = job.time.as_ref();
        let paths: Vec<_> = annotation::paths()
            .chain(job.by.iter().cloned())
            .chain(job.plan.paths().iter().cloned())
            .chain(time.map(|(path, _)| path.clone()))
            .collect();
        let scanner = Scanner::new(&paths);
        LineReader {
            values: Values::default(),
            key: Vec::new(),
            time: TimeParser::new(time.map_or(TimeUnit::default(), |(_, unit)| *unit)),
            behind_annotation: scanner.inside_object(),
            scanner,
            annotations: Annotations::default(),
        }
    }

    /// # Errors
    /// `Bad`: the key and the values are of no use then.
    #[inline]
    pub fn read(&mut self, job: &Job, line: &[u8]) -> Result<Read, Fault> {
        // Most lines begin as one of the last few did: the rest is scanned, and the annotation known.
        if let Some(scanner) = &mut self.behind_annotation
            && let Some((annotation, front)) = self.annotations.front(line)
            && let Some(rest) = line.get(front..)
            && let Ok(fields) = scanner.scan(rest)
            && let (&[None, None, None, None], fields) = fields.as_slice().split_at(annotation::NAMES.len())
        {
            let into = (&mut self.values, &mut self.key, &mut self.time);
            let time_ms = read_fields(job, fields, rest, into)?;
            return Ok(Read { annotation: Some(annotation), time_ms, front });
        }
        let fields = self.scanner.scan(line).map_err(Fault::bad)?.as_slice();
        let (places, fields) = fields.split_at(annotation::NAMES.len());
        let annotation = self.annotations.read(places, line)?;
        let into = (&mut self.values, &mut self.key, &mut self.time);
        let time_ms = read_fields(job, fields, line, into)?;
        Ok(Read { annotation, time_ms, front: 0 })
    }
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
    let time_ms = match (&job.time, time) {
        (Some(_), [Some(field)]) => Some(parser.parse_field(field.text(line)).map_err(Fault::bad)?),
        (Some((path, _)), _) => return Err(Fault::bad(format_args!("no field {:?}", path.name()))),
        (None, _) => None,
    };
    values.read(&job.plan, wanted, line).map_err(Fault::bad)?;
    keys::read(by, line, key);
    Ok(time_ms)
}
