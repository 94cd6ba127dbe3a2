//! Foreign programs: processes, their pipes, what they say.

pub mod child;
pub mod command;
pub mod processes;
pub mod stderr_tail;
pub mod sub_pipe;
