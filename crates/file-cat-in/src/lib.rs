//! `file-cat-in`: files as a stream of lines.
//!
//! A line is a line of a file, as it is there. Files of one partition are read one after the other, partitions in turns of
//! 64 KiB (whole lines, at least one), so that what comes out depends on the files and the flags alone, not on how they
//! are read. Kept: for each file its place (see [`bookmark`]) and its unfinished last line. A line above `--max-line` is a
//! bad line, named by file and byte offset; so is one that is not UTF-8 with `--text`.
//!
//! | module | knows |
//! |---|---|
//! | [`argument`], [`glob_walk`] | which files there are |
//! | [`content`], [`decoder`] | the bytes of an open file, decompressed |
//! | [`bookmark`] | by which bytes a place in a file is known again |
//! | [`piece`], [`part`] | one file, and the files that are one partition |
//! | [`line_writer`] | from bytes to the output |
//! | [`final_lines`] | last lines without newline |
//! | [`look`], [`emptied`], [`rotation`] | what has changed in the folders |
//! | [`missed`], [`rank`], [`copies`], [`unwhole`] | files that were rotated away unseen: their order, and which of them are copies |
//! | [`position`], [`restore`] | going on after a crash |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod argument;
mod bookmark;
mod buffer;
pub mod cli;
mod content;
mod copies;
mod decoder;
mod emptied;
mod failure;
mod final_lines;
mod found;
mod glob_walk;
mod last_lines;
mod line_writer;
mod look;
mod missed;
mod named_twice;
mod part;
mod piece;
mod position;
mod rank;
mod restore;
mod rotation;
mod source;
mod unwhole;

#[cfg(test)]
mod tests;

pub use source::FileSource;
