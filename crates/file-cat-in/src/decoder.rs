//! Decompression step by step: bytes in, bytes out, no file in sight.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw;
use zstd::stream::raw::Operation;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// A frame without content; only the lowest four bits of its first byte vary.
const ZSTD_SKIPPABLE: &[u8] = &[0x50, 0x2a, 0x4d, 0x18];
/// What zstd itself knows as limits of a window, as powers of two.
const WINDOW_LOG_MIN: u32 = 10;
const WINDOW_LOG_MAX: u32 = 31;
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
    Zstd(raw::Decoder<'static>, u64),
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
    pub fn zstd(window_bytes: u64) -> io::Result<Self> {
        let mut decoder = raw::Decoder::new()?;
        let log = window_bytes.max(1).ilog2().clamp(WINDOW_LOG_MIN, WINDOW_LOG_MAX);
        decoder.set_parameter(raw::DParameter::WindowLogMax(log))?;
        Ok(Self { kind: Kind::Zstd(decoder, 1 << log), is_within: false })
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
            Kind::Zstd(decoder, window_bytes) => {
                let mut input = raw::InBuffer::around(from);
                let mut output = raw::OutBuffer::around(into);
                let hint = decoder.run(&mut input, &mut output).map_err(|error| zstd_failed(&error, *window_bytes))?;
                let step = Step { taken: input.pos(), given: output.pos() };
                if step.taken > 0 || step.given > 0 {
                    self.is_within = hint != 0;
                }
                Ok(step)
            }
        }
    }
}

/// What zstd says is all that tells a window that is too large from damage.
fn zstd_failed(error: &io::Error, window_bytes: u64) -> io::Error {
    let said = error.to_string();
    if said.contains("too much memory") {
        let window = window_bytes >> 20;
        let what = format!(
            "its zstd window is larger than {window} MiB, the most that is taken (--zstd-window): it was written by zstd --long"
        );
        return io::Error::new(io::ErrorKind::InvalidData, what);
    }
    if said.contains("not enough memory") {
        return io::Error::new(io::ErrorKind::OutOfMemory, "there is not enough memory for its zstd window");
    }
    bad("zstd")
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

    /// One frame with this window, of one block that is not compressed, its length not told before it.
    fn frame(window_log: u8, text: &[u8]) -> Vec<u8> {
        let block = (u32::try_from(text.len()).unwrap() << 3 | 1).to_le_bytes();
        [ZSTD, &[0, (window_log - 10) << 3], &block[..3], text].concat()
    }

    fn decoded(window_bytes: u64, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let (mut decoder, mut taken, mut text) = (Decoder::zstd(window_bytes)?, 0, Vec::new());
        loop {
            let mut room = [0; 64];
            let step = decoder.step(&bytes[taken..], &mut room)?;
            if step.taken == 0 && step.given == 0 {
                return Ok(text);
            }
            taken += step.taken;
            text.extend_from_slice(&room[..step.given]);
        }
    }

    #[test]
    fn a_zstd_window_of_any_length_is_taken_up_to_the_limit() {
        for log in [10, 27, 28, 31] {
            assert_eq!(decoded(2 << 30, &frame(log, b"{}\n")).unwrap(), b"{}\n", "{log}");
        }
        for (window_bytes, log, shown) in
            [(2 << 30, 32, "2048 MiB"), (128 << 20, 28, "128 MiB"), (200 << 20, 28, "128 MiB")]
        {
            let error = decoded(window_bytes, &frame(log, b"{}\n")).unwrap_err().to_string();
            assert!(error.contains(&format!("larger than {shown}, the most that is taken (--zstd-window)")), "{error}");
        }
        let damaged = [ZSTD, &[0xff; 20]].concat();
        assert_eq!(decoded(2 << 30, &damaged).unwrap_err().to_string(), "its zstd data is damaged");
    }
}
