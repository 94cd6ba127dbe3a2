//! The ends of pipes: all that reads, writes and waits for a file descriptor.

pub mod drain;
pub mod flood;
pub mod incoming;
pub mod input;
pub mod output;
pub mod poll;
pub mod read_buffer;
pub mod sizes;
pub mod stderr;
pub mod stdio;
