//! The lines of an output: of a file, or of all files of a folder.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use millpipe::Error;

/// A longer line is no line.
const LINE_BYTES_MAX: u64 = 64 << 20;
const BUFFER_BYTES: usize = 1 << 18;

/// An output, to be read as often as needed.
#[derive(Clone, Debug)]
pub struct Output(Vec<PathBuf>);

impl Output {
    /// A file, or what is in a folder and its folders, in the order of names; hidden ones are left out,
    /// those that end in .gz or .zst are read as what is in them.
    ///
    /// # Errors
    /// When it is not there.
    pub fn at(path: &Path) -> Result<Self, Error> {
        let data = fs::metadata(path).map_err(|e| Error::io(path.display(), &e))?;
        let mut files = Vec::new();
        if data.is_dir() {
            list(path, &mut files)?;
            files.sort();
        } else {
            files.push(path.to_owned());
        }
        Ok(Self(files))
    }

    pub fn reader(&self) -> LineReader {
        LineReader { files: self.0.clone().into(), open: None }
    }

    /// Calls with each line.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn for_each(&self, mut each: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut reader = self.reader();
        let mut line = Vec::new();
        while reader.next(&mut line)? {
            each(&line);
        }
        Ok(())
    }
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |e| Error::io(dir.display(), &e);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let file = File::open(path)?;
    let reader: Box<dyn Read> = match path.extension().and_then(OsStr::to_str) {
        Some("gz") => Box::new(MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, reader)))
}

/// Line after line.
pub struct LineReader {
    files: VecDeque<PathBuf>,
    open: Option<(PathBuf, Box<dyn BufRead>)>,
}

impl LineReader {
    /// Puts the next line, without its newline, in place of the last one; false at the end. Blank lines are none; the last
    /// line of a file needs no newline.
    ///
    /// # Errors
    /// When a file cannot be read, or a line is longer than 64 MiB.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, Error> {
        loop {
            let Some((path, file)) = &mut self.open else {
                let Some(path) = self.files.pop_front() else { return Ok(false) };
                let file = open(&path).map_err(|e| Error::io(path.display(), &e))?;
                self.open = Some((path, file));
                continue;
            };
            line.clear();
            let read = file.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', line);
            if read.map_err(|e| Error::io(path.display(), &e))? == 0 {
                self.open = None;
                continue;
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if line.len() as u64 > LINE_BYTES_MAX {
                return Err(Error::data(format_args!("{}: a line is longer than 64MiB", path.display())));
            }
            if !line.is_empty() {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Vec<String> {
        let mut lines = Vec::new();
        Output::at(path).unwrap().for_each(|line| lines.push(String::from_utf8_lossy(line).into_owned())).unwrap();
        lines
    }

    #[test]
    fn a_folder_is_its_files_in_the_order_of_their_names_without_the_hidden_ones() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::create_dir(folder.path().join(".old")).unwrap();
        write("c", "4\n");
        write("b/2", "3\n");
        write("a", "1\n\n2");
        write(".hidden", "x\n");
        write(".old/1", "x\n");
        assert_eq!(read(folder.path()), ["1", "2", "3", "4"]);
        assert_eq!(read(&folder.path().join("a")), ["1", "2"]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Output::at(&folder.path().join("x")).unwrap_err();
        assert!(missing.message.ends_with("/x: No such file or directory"), "{missing}");
    }

    #[test]
    fn compressed_files_are_read_as_what_is_in_them() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(folder.path().join(name)).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file("1.gz"), flate2::Compression::fast());
        packed.write_all(b"1\n2\n").unwrap();
        packed.finish().unwrap();
        zstd::stream::copy_encode(&b"3\n"[..], file("2.zst"), 1).unwrap();
        assert_eq!(read(folder.path()), ["1", "2", "3"]);
    }
}
