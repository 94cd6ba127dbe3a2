//! Compression, a block of lines at a time.

use std::borrow::Cow;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// `--compress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Compress {
    /// As gzip does, for `zcat`
    Gz,
    /// As zstd does, for `zstdcat`; smaller and faster
    Zst,
}

/// Lines that are written at once.
const PLAIN_BLOCK_BYTES: usize = 128 << 10;
/// Lines that are compressed at once: larger ones would gain little.
const PACKED_BLOCK_BYTES: usize = 512 << 10;
const ZST_LEVEL: i32 = 3;

/// Compresses blocks. Each is a gzip member or a zstd frame of its own: a file of several is valid, and one that is
/// cut off between two is valid too.
pub enum Packer {
    Plain,
    Gz,
    Zst(zstd::bulk::Compressor<'static>),
}

impl Packer {
    /// # Errors
    /// When there is no memory for it.
    pub fn new(compress: Option<Compress>) -> io::Result<Self> {
        Ok(match compress {
            None => Self::Plain,
            Some(Compress::Gz) => Self::Gz,
            Some(Compress::Zst) => {
                let mut compressor = zstd::bulk::Compressor::new(ZST_LEVEL)?;
                compressor.include_checksum(true)?;
                Self::Zst(compressor)
            }
        })
    }

    /// How files of it end.
    pub fn ending(&self) -> &'static str {
        match self {
            Self::Plain => ".ndjson",
            Self::Gz => ".ndjson.gz",
            Self::Zst(_) => ".ndjson.zst",
        }
    }

    pub fn block_bytes(&self) -> usize {
        if matches!(self, Self::Plain) { PLAIN_BLOCK_BYTES } else { PACKED_BLOCK_BYTES }
    }

    /// # Errors
    /// When there is no memory for it.
    pub fn pack<'a>(&mut self, lines: &'a [u8]) -> io::Result<Cow<'a, [u8]>> {
        Ok(match self {
            Self::Plain => Cow::Borrowed(lines),
            Self::Gz => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 4), Compression::default());
                encoder.write_all(lines)?;
                Cow::Owned(encoder.finish()?)
            }
            Self::Zst(compressor) => Cow::Owned(compressor.compress(lines)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn blocks_one_after_the_other_are_one_valid_file() {
        for how in [Compress::Gz, Compress::Zst] {
            let mut packer = Packer::new(Some(how)).unwrap();
            let file = [packer.pack(b"one\n").unwrap(), packer.pack(b"two\n").unwrap()].concat();
            let mut text = String::new();
            match how {
                Compress::Gz => {
                    flate2::read::MultiGzDecoder::new(&*file).read_to_string(&mut text).map(|_| ()).unwrap()
                }
                Compress::Zst => text = String::from_utf8(zstd::decode_all(&*file).unwrap()).unwrap(),
            }
            assert_eq!(text, "one\ntwo\n");
        }
    }
}
