//! The FILEs of the command line, and what was said about them.

use std::collections::HashSet;

use millpipe::{Error, Out};

use crate::argument::Argument;
use crate::found::{FileId, Found};
use crate::part_list::PartList;

/// This many names of one file are shown.
const SHOWN_MAX: usize = 4;

pub struct ArgumentList {
    arguments: Vec<Argument>,
    /// Arguments that mean no file yet, which was said.
    waited_for: HashSet<usize>,
    /// That a file has several names was said.
    said_named_twice: bool,
}

impl ArgumentList {
    /// # Errors
    /// A glob that makes no sense.
    pub fn new(files: &[String]) -> Result<Self, Error> {
        let arguments = files.iter().map(|file| Argument::new(file)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { arguments, waited_for: HashSet::new(), said_named_twice: false })
    }

    pub fn len(&self) -> usize {
        self.arguments.len()
    }

    /// Lists the files that an argument means now.
    ///
    /// # Errors
    /// A folder, or one that cannot be read; where there is no file, unless it is waited for or was there before.
    pub fn list(&mut self, index: usize, follow: bool, parts: &PartList, out: &mut Out) -> Result<Vec<Found>, Error> {
        let listed = self.arguments[index].list()?;
        if !listed.is_empty() {
            self.waited_for.remove(&index);
        } else if follow {
            self.wait_for(index, out);
        } else {
            self.check_known(index, parts)?;
        }
        Ok(listed)
    }

    fn wait_for(&mut self, index: usize, out: &mut Out) {
        let argument = &self.arguments[index];
        if self.waited_for.insert(index) {
            let what = if argument.is_glob() { "no file matches" } else { "not there" };
            out.warn(format_args!("{}: {what}: waiting for it", argument.text));
        }
    }

    /// Passes if an argument without a file may have had one that was read before.
    fn check_known(&self, index: usize, parts: &PartList) -> Result<(), Error> {
        let argument = &self.arguments[index];
        let (text, is_glob) = (&argument.text, argument.is_glob());
        let is_known = is_glob && parts.is_restored() || parts.has_named(text);
        match (is_known, is_glob) {
            (true, _) => Ok(()),
            (false, true) => Err(Error::data(format_args!("no file matches \"{text}\""))),
            (false, false) => Err(Error::data(format_args!("{text}: No such file or directory"))),
        }
    }

    /// Says, once, by which names the first of these files was found, and how many others there are.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn report_named_twice(&mut self, files: &HashSet<FileId>, out: &mut Out) -> Result<(), Error> {
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
