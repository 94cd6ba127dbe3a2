//! `file-cat-in`: files as a stream of lines.
//!
//! A line is a line of a file, as it is there. Files of one partition are read one after the other, partitions in turns of
//! 64 KiB (whole lines, at least one), so that what comes out depends on the files and the flags alone, not on how they
//! are read. Kept: for each file its place (see [`bookmark`]) and its unfinished last line. A line above `--max-line` is a
//! bad line, named by file and byte offset; so is one that is not UTF-8 with `--text`.
//!
//! | module | knows |
//! |---|---|
//! | [`argument`], [`argument_list`], [`glob_walk`] | which files there are |
//! | [`content`], [`decoder`] | the bytes of an open file, decompressed |
//! | [`bookmark`] | by which bytes a place in a file is known again |
//! | [`file_cursor`], [`file_lines`] | a place in a file, and the lines from there on, also one without newline |
//! | [`piece`], [`part`], [`part_list`] | one file, the files that are one partition, and all partitions |
//! | [`line_writer`] | from bytes to the output |
//! | [`watcher`], [`new_files`], [`truncation`], [`rotation`] | changes in the folders |
//! | [`missed`], [`rank`], [`copies`], [`unwhole`] | files that were rotated away unseen: their order, and which of them are copies |
//! | [`position`], [`find_again`], [`restore`] | going on after a crash |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod argument;
mod argument_list;
mod bookmark;
mod buffer;
pub mod cli;
mod content;
mod copies;
mod decoder;
mod failure;
mod file_cursor;
mod file_lines;
mod file_times;
mod find_again;
mod found;
mod glob_walk;
mod last_lines;
mod line_writer;
mod missed;
mod new_files;
mod part;
mod part_list;
mod piece;
mod position;
mod rank;
mod restore;
mod rotation;
mod settings;
mod source;
mod truncation;
mod unfinished_line;
mod unwhole;
mod watcher;

#[cfg(test)]
mod tests;

pub use source::FileSource;
