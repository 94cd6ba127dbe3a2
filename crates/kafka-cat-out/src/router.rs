//! Which topic a message goes to.

use millpipe::Fault;

use crate::cli::Cli;
use crate::delivery::Delivery;
use crate::message::Draft;
use crate::topics::Topic;

/// Finds topics by what flags and lines say.
pub(crate) struct TopicRouter {
    /// Where lines go that name no topic; with an envelope, where all go.
    topic: Option<String>,
    /// Lines are envelopes.
    is_copy: bool,
    /// The index of `topic`, once it was found.
    index: Option<usize>,
}

impl TopicRouter {
    pub fn new(cli: &Cli) -> Self {
        Self { topic: cli.topic.clone(), is_copy: cli.envelope, index: None }
    }

    /// Returns the topic of lines that name none.
    pub fn default_topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    /// Returns the index of the message's topic, when that and the partition exist.
    ///
    /// # Errors
    /// Bad: they do not. Stop: no broker.
    pub fn topic_of(&mut self, draft: &mut Draft<'_>, delivery: &mut Delivery) -> Result<usize, Fault> {
        let index = match (&self.topic, draft.topic.take()) {
            (Some(topic), said) if self.is_copy || said.is_none() => match self.index {
                Some(index) => index,
                None => *self.index.insert(delivery.find(topic)?),
            },
            (_, Some(said)) => delivery.find(&said)?,
            (_, None) => return Err(Fault::bad("the line names no topic, and there is no -t")),
        };
        let Topic { name, partitions, .. } = delivery.topic(index);
        match draft.partition {
            Some(partition) if partition >= *partitions => {
                Err(Fault::bad(format_args!("topic \"{name}\" has no partition {partition}: it has {partitions}")))
            }
            _ => Ok(index),
        }
    }
}
