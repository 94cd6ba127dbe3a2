//! Decompression step by step: bytes in, bytes out, no file in sight.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw;
use zstd::stream::raw::Operation;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// A frame without content; only the lowest four bits of its first byte vary.
const ZSTD_SKIPPABLE: &[u8] = &[0x50, 0x2a, 0x4d, 0x18];
/// With the header of gzip around it.
const WINDOW_BITS: u8 = 15;

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Plain,
    Gzip,
    Zstd,
}

impl Format {
    /// None when there are too few bytes to tell.
    pub fn of(start: &[u8]) -> Option<Self> {
        let mut skippable = start.to_vec();
        if let Some(first) = skippable.first_mut() {
            *first &= 0xf0;
        }
        let known =
            [(GZIP, start, Self::Gzip), (ZSTD, start, Self::Zstd), (ZSTD_SKIPPABLE, &skippable[..], Self::Zstd)];
        for (magic, start, format) in known {
            if start.starts_with(magic) {
                return Some(format);
            }
            if magic.starts_with(start) {
                return None;
            }
        }
        Some(Self::Plain)
    }
}

/// Of a gzip file the members, of a zstd file the frames, one after the other.
pub struct Decoder {
    kind: Kind,
    /// In the middle of a member or frame: a file that ends here is not whole.
    pub is_within: bool,
}

enum Kind {
    Gzip(Box<Decompress>),
    Zstd(raw::Decoder<'static>),
}

/// How many bytes a step took and gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub taken: usize,
    pub given: usize,
}

impl Decoder {
    pub fn gzip() -> Self {
        Self { kind: Kind::Gzip(Box::new(Decompress::new_gzip(WINDOW_BITS))), is_within: false }
    }

    /// # Errors
    /// When there is no memory for it.
    pub fn zstd() -> io::Result<Self> {
        Ok(Self { kind: Kind::Zstd(raw::Decoder::new()?), is_within: false })
    }

    /// Decodes some of `from` into `into`. Neither taking nor giving anything, it needs more.
    ///
    /// # Errors
    /// `InvalidData` for what is not in the format.
    pub fn step(&mut self, from: &[u8], into: &mut [u8]) -> io::Result<Step> {
        match &mut self.kind {
            Kind::Gzip(decompress) => {
                // Tape drives and some tools fill up with zeros behind a member.
                let zeros = if self.is_within { 0 } else { from.iter().take_while(|byte| **byte == 0).count() };
                let from = &from[zeros..];
                if from.is_empty() && !self.is_within {
                    return Ok(Step { taken: zeros, given: 0 });
                }
                let (taken, given) = (decompress.total_in(), decompress.total_out());
                let status = decompress.decompress(from, into, FlushDecompress::None).map_err(|_| bad("gzip"))?;
                let moved = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
                let step = Step {
                    taken: zeros + moved(decompress.total_in(), taken),
                    given: moved(decompress.total_out(), given),
                };
                self.is_within = status != Status::StreamEnd;
                if !self.is_within {
                    **decompress = Decompress::new_gzip(WINDOW_BITS);
                }
                Ok(step)
            }
            Kind::Zstd(decoder) => {
                let mut input = raw::InBuffer::around(from);
                let mut output = raw::OutBuffer::around(into);
                let hint = decoder.run(&mut input, &mut output).map_err(|_| bad("zstd"))?;
                let step = Step { taken: input.pos(), given: output.pos() };
                if step.taken > 0 || step.given > 0 {
                    self.is_within = hint != 0;
                }
                Ok(step)
            }
        }
    }
}

fn bad(format: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("its {format} data is damaged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_format() {
        let cases: [(&[u8], Option<Format>); 9] = [
            (b"", None),
            (b"{", Some(Format::Plain)),
            (b"1\n", Some(Format::Plain)),
            (b"\x1f", None),
            (b"\x1f\x8b\x08", Some(Format::Gzip)),
            (b"\x28", None),
            (b"(a)\n", Some(Format::Plain)),
            (b"\x28\xb5\x2f\xfd", Some(Format::Zstd)),
            (b"\x5a\x2a\x4d\x18", Some(Format::Zstd)),
        ];
        for (start, format) in cases {
            assert_eq!(Format::of(start), format, "{start:x?}");
        }
    }
}
