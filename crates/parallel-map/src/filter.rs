//! A jq filter as a map over lines.

use std::cell::RefCell;

use jq_filters::{Failure, Program};
use millpipe::{Error, Fault, Map, Out, PREFIX};

/// A filter with what one worker needs to run it.
pub struct Filter(RefCell<jq_filters::Filter>);

impl Filter {
    /// The results of one line may have so many bytes.
    #[must_use]
    pub fn new(program: &Program, output_bytes_max: usize) -> Filter {
        Filter(RefCell::new(program.filter(output_bytes_max)))
    }
}

impl Map for Filter {
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let mut filter = self.0.borrow_mut();
        let results = filter.run(line).map_err(|failure| match failure {
            Failure::Line(why) => Fault::Bad(why),
            halt @ Failure::Halt(_) => Error::data(halt).into(),
        })?;
        for result in results.iter() {
            let buffer = out.buffer();
            match result.strip_prefix(PREFIX) {
                None => buffer.extend_from_slice(result),
                Some(rest) => {
                    // Data never becomes a mark.
                    buffer.extend_from_slice(b"{ ");
                    buffer.extend_from_slice(&PREFIX[1..]);
                    buffer.extend_from_slice(rest);
                }
            }
            out.end_result();
        }
        out.settle(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
