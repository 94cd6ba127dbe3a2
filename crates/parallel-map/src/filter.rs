//! A jq filter as a map over lines.

use std::cell::RefCell;

use jq_filters::{Failure, Program};
use millpipe::{Error, Fault, MAP_STACK_USABLE_BYTES, Map, Out, push_as_data};

/// A filter with what one worker needs to run it.
pub struct Filter(RefCell<jq_filters::Filter>);

impl Filter {
    /// The results of one line may have so many bytes.
    #[must_use]
    pub fn new(program: &Program, output_bytes_max: usize) -> Filter {
        Filter(RefCell::new(program.filter(output_bytes_max).with_stack(MAP_STACK_USABLE_BYTES)))
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
            push_as_data(result, out.buffer());
            out.end_result();
        }
        if results.is_empty() {
            out.leave_out(1);
        } else {
            out.settle(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
