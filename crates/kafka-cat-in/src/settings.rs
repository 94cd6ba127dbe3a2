//! The client's properties, and how far it reads ahead.

use std::sync::Arc;

use kafka_ends::{Properties, Reserved, failure};
use millpipe::Error;
use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;

use crate::cli::Cli;
use crate::context::{Bell, InContext};
use crate::queue::AT_A_TIME;

/// Properties that would break what the tool promises, or that a flag says.
const RESERVED: &[Reserved] = &[
    Reserved { property: "group.id", hint: "use -G" },
    Reserved { property: "enable.auto.commit", hint: "offsets are committed after the lines were written" },
    Reserved { property: "enable.auto.offset.store", hint: "offsets are committed after the lines were written" },
    Reserved { property: "enable.partition.eof", hint: "it is always on" },
    Reserved { property: "queued.max.messages.kbytes", hint: "use --buffer" },
];

const DEFAULTS: &[(&str, &str)] = &[
    ("client.id", "kafka-cat-in"),
    ("isolation.level", "read_committed"),
    // An offset that is gone must not become another one in silence.
    ("auto.offset.reset", "error"),
    // With a full queue the client looks again after this; its default, a second, would be felt.
    ("fetch.queue.backoff.ms", "10"),
    // Small messages cost the client several times their size: this and the messages ahead hold a partition to 20 MiB.
    ("fetch.message.max.bytes", "524288"),
    ("fetch.error.backoff.ms", "100"),
    // The client also waits half of this before it connects at all.
    ("reconnect.backoff.ms", "20"),
    ("reconnect.backoff.max.ms", "1000"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    AT_A_TIME,
];

/// With fewer messages waiting than these, more of the partition is fetched. It takes some milliseconds to read them: with a
/// quarter of it the client was found waiting for its own next look at a full queue.
const AHEAD: &str = "queued.min.messages";
const AHEAD_EACH: usize = 20_000;
/// The same for all partitions together, so that a topic of a thousand does not take the memory of a thousand.
const AHEAD_ALL: usize = 320_000;
const AHEAD_EACH_MIN: usize = 1_000;

/// What clients are made with.
pub(crate) struct Settings {
    pub config: ClientConfig,
    has_group: bool,
    ahead_is_said: bool,
    ahead: usize,
}

impl Settings {
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, properties: &Properties) -> Result<Self, Error> {
        properties.refuse(RESERVED)?;
        let mut config = properties.over(DEFAULTS);
        // The client wants a name of a group even where none is used.
        config.set("group.id", cli.group.as_deref().unwrap_or("kafka-cat-in"));
        config.set("queued.max.messages.kbytes", cli.buffer.as_usize().div_ceil(1024).to_string());
        let ahead_is_said = properties.contains(AHEAD);
        if !ahead_is_said {
            config.set(AHEAD, AHEAD_EACH.to_string());
        }
        Ok(Self { config, has_group: cli.group.is_some(), ahead_is_said, ahead: AHEAD_EACH })
    }

    pub fn brokers(&self) -> String {
        self.config.get("bootstrap.servers").unwrap_or_default().to_owned()
    }

    /// Makes a client; the bell rings when it has something. Nothing is asked over the network yet.
    ///
    /// # Errors
    /// When the properties do not make one.
    pub fn consumer(&self, bell: &Arc<Bell>) -> Result<Arc<BaseConsumer<InContext>>, Error> {
        let mut consumer: BaseConsumer<InContext> = self
            .config
            .create_with_context(InContext::new(self.has_group))
            .map_err(|error| failure::error("cannot make a Kafka client", &error))?;
        let rings = Arc::clone(bell);
        consumer.set_nonempty_callback(move || rings.ring());
        Ok(Arc::new(consumer))
    }

    /// So many partitions will be read. True when a client must be made anew for it: this is a property of all of it.
    pub fn read_ahead_for(&mut self, partitions: usize) -> bool {
        let ahead = (AHEAD_ALL / partitions.max(1)).clamp(AHEAD_EACH_MIN, AHEAD_EACH);
        if self.ahead_is_said || ahead == self.ahead {
            return false;
        }
        self.ahead = ahead;
        self.config.set(AHEAD, ahead.to_string());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn settings(arguments: &str) -> Settings {
        let arguments = ["kafka-cat-in", "-b", "x:1", "-t", "t"].into_iter().chain(arguments.split_whitespace());
        let cli = Cli::try_parse_from(arguments).unwrap();
        Settings::new(&cli, &cli.kafka.properties(std::iter::empty()).unwrap()).unwrap()
    }

    #[test]
    fn many_partitions_share_what_is_read_ahead() {
        let mut settings = settings("");
        let mut ahead =
            |partitions| (settings.read_ahead_for(partitions), settings.config.get(AHEAD).unwrap().to_owned());
        assert_eq!(ahead(1), (false, "20000".to_owned()));
        assert_eq!(ahead(16), (false, "20000".to_owned()));
        assert_eq!(ahead(64), (true, "5000".to_owned()));
        assert_eq!(ahead(64), (false, "5000".to_owned()));
        assert_eq!(ahead(100_000), (true, "1000".to_owned()));
    }

    #[test]
    fn who_says_how_much_has_it_so() {
        let mut settings = settings("-X queued.min.messages=7");
        assert!(!settings.read_ahead_for(64));
        assert_eq!(settings.config.get(AHEAD), Some("7"));
    }
}
