//! How much may be kept, and what is said where that is not enough.

use std::fmt::Arguments;

use millpipe::Error;
use units::ByteSize;

use crate::job::{Bound, Job};
use crate::rows::Rows;

/// The most keys and memory.
#[derive(Clone, Copy, Debug)]
pub struct KeptLimits {
    keys_max: usize,
    memory_bytes_max: usize,
    /// Beyond the memory lines go to disk.
    spills: bool,
    bound: Bound,
}

impl KeptLimits {
    pub fn new(job: &Job) -> KeptLimits {
        let Job { keys_max, memory_bytes_max, spills, bound, .. } = *job;
        KeptLimits { keys_max, memory_bytes_max, spills, bound }
    }

    /// Sends lines to disk if they take too much memory and may go there.
    ///
    /// # Errors
    /// At a limit; the disk's. Where watermarks are lacking, the hint tells that lines go by them.
    #[inline]
    pub fn apply(&self, rows: &mut Rows, lacks_watermarks: bool) -> Result<(), Error> {
        let max = self.memory_bytes_max;
        if rows.keys() > self.keys_max {
            let what = format_args!("more than {} keys", self.keys_max);
            return Err(self.reached(what, "--max-keys N allows more", lacks_watermarks));
        }
        if rows.memory_bytes() <= max {
            return Ok(());
        }
        let size = ByteSize(max as u64);
        if !self.spills {
            let hint = "--buffer SIZE allows more, --memory SIZE sends lines to disk";
            return Err(self.reached(
                format_args!("the lines that are kept take more than {size}"),
                hint,
                lacks_watermarks,
            ));
        }
        rows.spill(max)?;
        if rows.index_bytes() > max {
            let what = format_args!("finding {} lines on disk takes more than {size}", rows.len());
            return Err(self.reached(what, "--memory SIZE allows more", lacks_watermarks));
        }
        Ok(())
    }

    #[cold]
    fn reached(&self, what: Arguments<'_>, hint: &str, lacks_watermarks: bool) -> Error {
        let way = match self.bound {
            _ if lacks_watermarks => "; lines go by watermarks: watermark --time FIELD in front makes them",
            Bound::Unbounded => {
                "; --within, --between, --window or --keep let lines go, --left-fields makes them shorter"
            }
            _ => "; --left-fields and --right-fields make lines shorter",
        };
        Error::data(what).hint(format_args!("{hint}{way}"))
    }
}
