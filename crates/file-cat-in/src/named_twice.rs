//! A file with several names among the arguments: it is read once, which is said once.

use std::collections::HashSet;

use millpipe::{Error, Out};

use crate::found::FileId;
use crate::source::FileSource;

/// So many names are shown.
const SHOWN_MAX: usize = 4;

impl FileSource {
    /// Says by which names the first of these files was found, and how many others there are.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub(crate) fn say_named_twice(&mut self, files: &HashSet<FileId>, out: &mut Out) -> Result<(), Error> {
        if files.is_empty() || std::mem::replace(&mut self.said_named_twice, true) {
            return Ok(());
        }
        let mut found = Vec::new();
        for argument in &self.arguments {
            found.extend(argument.list()?);
        }
        let Some(first) = found.iter().find(|found| files.contains(&found.id)).map(|found| found.id) else {
            return Ok(());
        };
        let mut names: Vec<String> = Vec::new();
        let same = found.iter().filter(|found| found.id == first);
        for name in same.map(|found| found.path.display().to_string()) {
            if !names.contains(&name) && names.len() < SHOWN_MAX {
                names.push(name);
            }
        }
        let others = match files.len() - 1 {
            0 => String::new(),
            1 => "; so is another file".to_owned(),
            others => format!("; so are {others} other files"),
        };
        out.warn(format_args!("{}: named twice, read once{others}", names.join(", ")));
        Ok(())
    }
}
