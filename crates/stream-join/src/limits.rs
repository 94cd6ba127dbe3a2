//! How much may be kept, and what is said where that is not enough.

use std::fmt::Arguments;
use std::io;

use millpipe::{Error, Fault, Out};
use units::ByteSize;

use crate::StreamJoin;
use crate::job::Bound;

impl StreamJoin {
    /// Some lines are kept for ever, for want of watermarks.
    fn lacks_watermarks(&self) -> bool {
        !self.has_watermarks && self.job.bound != Bound::Unbounded
    }

    #[inline]
    pub(crate) fn check_limits(&mut self) -> Result<(), Fault> {
        let max = self.job.memory_bytes_max;
        if self.rows.keys.len() > self.job.keys_max {
            return Err(self.full(format_args!("more than {} keys", self.job.keys_max), "--max-keys N allows more"));
        }
        if self.rows.memory_bytes() <= max {
            return Ok(());
        }
        let size = ByteSize(max as u64);
        if !self.job.spills {
            let hint = "--buffer SIZE allows more, --memory SIZE sends lines to disk";
            return Err(self.full(format_args!("the lines that are kept take more than {size}"), hint));
        }
        self.rows.spill(max).map_err(|error| self.disk_error(&error))?;
        if self.rows.index_bytes() > max {
            let what = format_args!("finding {} lines on disk takes more than {size}", self.rows.len());
            return Err(self.full(what, "--memory SIZE allows more"));
        }
        Ok(())
    }

    #[cold]
    fn full(&self, what: Arguments<'_>, hint: &str) -> Fault {
        let way = match self.job.bound {
            _ if self.lacks_watermarks() => "; lines go by watermarks: watermark --time FIELD in front makes them",
            Bound::Unbounded => {
                "; --within, --between, --window or --keep let lines go, --left-fields makes them shorter"
            }
            _ => "; --left-fields and --right-fields make lines shorter",
        };
        Error::data(what).hint(format_args!("{hint}{way}")).into()
    }

    pub(crate) fn tidy(&mut self) -> Result<(), Fault> {
        Ok(self.rows.tidy().map_err(|error| self.disk_error(&error))?)
    }

    pub(crate) fn disk_error(&self, error: &io::Error) -> Error {
        Error::io(self.rows.log().disk_place(), error)
    }

    pub(crate) fn report(&self, out: &mut Out) {
        if self.lacks_watermarks() {
            out.warn(
                "no watermarks came, so all lines were kept to the end: watermark --time FIELD in front makes them",
            );
        }
        let written = self.rows.log().written_bytes();
        if written > 0 {
            out.warn(format_args!("{} of lines went to disk", ByteSize(written)));
        }
    }
}
