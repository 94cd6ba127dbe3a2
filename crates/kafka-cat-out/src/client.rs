//! The producer's properties: defaults, what the user may not say, what transactions and topics ask for.

use kafka_ends::{Properties, Reserved, failure};
use millpipe::Error;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::producer::BaseProducer;
use units::format_duration;

use crate::context::{LOG_CONNECTIONS, OutContext};

/// The client takes limits of messages between these.
const MESSAGE_BYTES_MAX: std::ops::RangeInclusive<usize> = 1000..=1_000_000_000;
const BATCH_BYTES: usize = 1_000_000;
const TRANSACTION_TIMEOUT: &str = "transaction.timeout.ms";
const TRANSACTION_TIMEOUT_MS: i64 = 60_000;

pub const RESERVED: &[Reserved] = &[
    Reserved { property: "delivery.report.only.error", hint: "it is always on" },
    Reserved { property: "partitioner", hint: "use --partitioner" },
    Reserved { property: "queue.buffering.max.kbytes", hint: "use --buffer" },
    Reserved { property: "transactional.id", hint: "use --transactional-id, here or at kafka-cat-in" },
];

pub const DEFAULTS: &[(&str, &str)] = &[
    ("client.id", "kafka-cat-out"),
    ("enable.idempotence", "true"),
    // What is no longer the client's and was not reported is acknowledged: so nothing is done for each message.
    ("delivery.report.only.error", "true"),
    ("compression.type", "lz4"),
    // As long as Java's producers have it. With nothing more to read the sink does not wait so long.
    ("linger.ms", "5"),
    ("batch.num.messages", "10000"),
    ("batch.size", "1000000"),
    // What brokers take unless they are told otherwise.
    ("message.max.bytes", "1048588"),
    ("queue.buffering.max.messages", "500000"),
    // The client also waits half of this before it connects at all.
    ("reconnect.backoff.ms", "20"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// # Errors
/// When the properties do not make a client.
pub fn client(config: &ClientConfig) -> Result<BaseProducer<OutContext>, Error> {
    config
        .create_with_context(OutContext::default())
        .map_err(|error| failure::error("cannot make a Kafka client", &error))
}

/// The topic says how large its messages may be: so one that is too large is found here, with its line, and a
/// batch of small ones is never refused for its size. True when the properties changed.
pub fn limit_sizes(config: &mut ClientConfig, bytes_max: Option<usize>, said: &Properties) -> bool {
    let Some(bytes_max) = bytes_max else { return false };
    let bytes_max = bytes_max.clamp(*MESSAGE_BYTES_MAX.start(), *MESSAGE_BYTES_MAX.end());
    let mut changed = false;
    for (property, bytes) in [("message.max.bytes", bytes_max), ("batch.size", bytes_max.min(BATCH_BYTES))] {
        let bytes = bytes.to_string();
        if !said.contains(property) && config.get(property) != Some(&bytes) {
            config.set(property, bytes);
            changed = true;
        }
    }
    changed
}

/// A limit among the properties.
pub fn limit(config: &ClientConfig, property: &str) -> usize {
    config.get(property).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The properties of a producer with transactions, one for each interval.
///
/// # Errors
/// Usage: a transaction would end before its epoch does.
pub fn transactional(config: &ClientConfig, id: &str, interval_ms: u64) -> Result<ClientConfig, Error> {
    let mut config = config.clone();
    config.set("transactional.id", id);
    // Only by its log lines does a client say that it has lost a connection, and may have asked twice.
    config.set("debug", LOG_CONNECTIONS).set_log_level(RDKafkaLogLevel::Debug);
    let interval_ms = i64::try_from(interval_ms).unwrap_or(i64::MAX);
    let timeout_ms = transaction_timeout_ms(interval_ms, config.get(TRANSACTION_TIMEOUT))?;
    config.set(TRANSACTION_TIMEOUT, timeout_ms.to_string());
    Ok(config)
}

/// Long enough for an epoch and for some trouble at its end.
fn transaction_timeout_ms(interval_ms: i64, said: Option<&str>) -> Result<i64, Error> {
    let said = said.and_then(|text| text.parse::<i64>().ok());
    match said {
        Some(ms) if ms <= interval_ms => {
            let interval = format_duration(interval_ms);
            Err(Error::usage(format_args!(
                "{TRANSACTION_TIMEOUT}={ms} is not longer than the --interval of {interval}"
            )))
        }
        Some(ms) => Ok(ms),
        None => Ok(TRANSACTION_TIMEOUT_MS.max(interval_ms.saturating_mul(3))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millpipe::Exit;

    #[test]
    fn a_transaction_lasts_longer_than_its_epoch() {
        assert_eq!(transaction_timeout_ms(1000, None), Ok(60_000));
        assert_eq!(transaction_timeout_ms(60_000, None), Ok(180_000));
        assert_eq!(transaction_timeout_ms(1000, Some("5000")), Ok(5000));
        let error = transaction_timeout_ms(5000, Some("5000")).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(error.message, "transaction.timeout.ms=5000 is not longer than the --interval of 5s");
    }
}
