//! What a program can see of the house: its style, its structure, its lists of tools, its pages.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod architecture;
mod flags;
mod functions;
mod modules;
mod pages;
mod prose;
mod register;
mod source;
mod structure;
mod tidy;
mod words;
