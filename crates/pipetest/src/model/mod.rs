//! The file of tests: what it may say, and what is wrong with it. Nothing here touches a pipeline.

mod expect;
mod input;
mod output;
mod reading;
mod short;
mod source;
mod test;

pub use expect::{Expect, Pattern, StageExpect};
pub use input::{Input, Origin};
pub use output::{Order, Output, TopicOutput};
pub use reading::read;
pub use source::SourceText;
pub use test::{End, Test, TestFile};
