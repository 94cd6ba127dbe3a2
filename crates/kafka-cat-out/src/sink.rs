//! The sink: what it is made of, and the turns of its life.

use kafka_ends::Properties;
use millpipe::{Barrier, Error, Fault, Hello, Mark, Out, Sink, Truth, no_dead_letter};

use crate::cli::Cli;
use crate::client::{DEFAULTS, RESERVED};
use crate::delivery::Delivery;
use crate::epochs::Epochs;
use crate::message::Reader;
use crate::router::TopicRouter;
use crate::topics::Topic;

/// The last stage of a pipe: writes to topics.
pub struct KafkaSink {
    reader: Reader,
    router: TopicRouter,
    delivery: Delivery,
    /// Where rejected lines go.
    dead_letter: Option<String>,
    /// What is still to be done before the first message.
    connecting: Option<Connecting>,
    /// `--transactional-id`
    transactional_id: Option<String>,
    /// In a stream with checkpoints.
    epochs: Option<Epochs>,
}

/// What the user said of topics and client.
struct Connecting {
    can_create: bool,
    /// Lines may name further topics.
    routes: bool,
    properties: Properties,
}

impl KafkaSink {
    /// Makes the client, and asks nobody yet.
    ///
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        cli.check()?;
        let properties = cli.kafka.properties(environment)?;
        properties.refuse(RESERVED)?;
        let mut config = properties.over(DEFAULTS);
        config.set("partitioner", &cli.partitioner);
        config.set("queue.buffering.max.kbytes", (cli.buffer.as_usize() / 1024).to_string());
        Ok(Self {
            reader: Reader::new(cli),
            router: TopicRouter::new(cli),
            delivery: Delivery::new(cli, config, &properties)?,
            dead_letter: cli.dead_letter.clone(),
            connecting: Some(Connecting {
                can_create: cli.create.is_some(),
                routes: cli.topic.is_none() || cli.topic_field.is_some(),
                properties,
            }),
            transactional_id: cli.transactional_id.clone(),
            epochs: None,
        })
    }
}

impl Sink for KafkaSink {
    /// Finds out whether there is a broker and the topic, and what that takes.
    fn connect(&mut self) -> Result<(), Fault> {
        let Some(Connecting { can_create, routes, properties }) = self.connecting.take() else { return Ok(()) };
        let delivery = &mut self.delivery;
        let to = self.router.default_topic().map(|topic| delivery.must_exist(topic, can_create)).transpose()?;
        if let Some(topic) = &self.dead_letter {
            let found = delivery.must_exist(topic, can_create)?;
            must_take_letters(delivery.topic(found))?;
        }
        delivery.limit_sizes(to.and_then(|found| delivery.topic(found).rules.batch_bytes_max), &properties)?;
        if !routes {
            delivery.close_topics();
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let mut draft = self.reader.read(line).map_err(Fault::Bad)?;
        let topic = self.router.topic_of(&mut draft, &mut self.delivery)?;
        self.delivery.send_line(topic, &draft, out)
    }

    fn chunk_over(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.delivery.send_batches(out)
    }

    fn rest(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.delivery.send_what_lingers(out)
    }

    fn idle(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.delivery.in_flight().poll(out)
    }

    fn finish(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.delivery.flush(out)
    }

    fn give_up(&mut self, out: &mut Out) {
        self.delivery.give_up(out);
    }

    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault> {
        let topic = self.router.default_topic().or(self.dead_letter.as_deref());
        let (epochs, truth) = Epochs::begin(hello, self.transactional_id.as_deref(), topic, &mut self.delivery, out)?;
        self.epochs = Some(epochs);
        Ok(truth)
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        match &self.epochs {
            Some(epochs) => epochs.commit(barrier, &mut self.delivery, out),
            None => self.delivery.flush(out),
        }
    }

    fn reject(&mut self, reject: &Mark, out: &mut Out) -> Result<(), Fault> {
        let Some(topic) = &self.dead_letter else {
            return Err(no_dead_letter(reject).into());
        };
        match self.delivery.send_letter(topic, reject, out) {
            Err(Fault::Bad(why)) => Err(Error::data(format_args!("topic \"{topic}\": {why}")).into()),
            sent => sent,
        }
    }

    fn target(&self) -> &'static str {
        "kafka"
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn held(&self) -> u64 {
        self.delivery.held()
    }
}

fn must_take_letters(topic: &Topic) -> Result<(), Error> {
    if !topic.rules.needs_key {
        return Ok(());
    }
    let name = &topic.name;
    Err(Error::data(format_args!("--dead-letter: topic \"{name}\" is compacted, and rejected lines have no key"))
        .hint("a topic with cleanup.policy=delete"))
}
