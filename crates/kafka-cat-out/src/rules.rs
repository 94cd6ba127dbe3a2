//! What a topic takes. The broker refuses anything else for good, and all of a batch or transaction with it: so it is found
//! out before a message is sent, as far as the topic's settings tell.

use std::collections::BTreeMap;

use units::format_duration;

use crate::message::Draft;

/// What comes before the only record of a batch, at most: 61 bytes, and its length.
const BATCH_BYTES: usize = 66;
/// In a record: attributes, time and offset as differences to the batch's.
const RECORD_BYTES: usize = 3;

/// Topics of the brokers' own: they take nothing from others.
const OWN_TOPICS: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];
const NAME_BYTES_MAX: usize = 249;

/// The settings of a topic that say which messages it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The largest batch.
    pub batch_bytes_max: Option<usize>,
    /// A compacted topic takes no message without a key.
    pub needs_key: bool,
    /// How far before and after now a message's time may be.
    past_ms: i64,
    future_ms: i64,
}

impl Default for Rules {
    /// Nothing is known.
    fn default() -> Self {
        Self { batch_bytes_max: None, needs_key: false, past_ms: i64::MAX, future_ms: i64::MAX }
    }
}

impl Rules {
    /// From the topic's settings, as the broker names them.
    pub fn new(settings: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| settings.get(name).map_or("", String::as_str);
        let number = |name: &str| text(name).parse::<i64>().ok().filter(|ms| *ms >= 0).unwrap_or(i64::MAX);
        // With times of the broker's own, those of messages do not count.
        let limit = |name: &str| match text("message.timestamp.type") {
            "LogAppendTime" => i64::MAX,
            // The second is the name for both before Kafka 3.6.
            _ => number(name).min(number("message.timestamp.difference.max.ms")),
        };
        Self {
            batch_bytes_max: text("max.message.bytes").parse().ok(),
            needs_key: text("cleanup.policy").split(',').any(|policy| policy.trim() == "compact"),
            past_ms: limit("message.timestamp.before.max.ms"),
            future_ms: limit("message.timestamp.after.max.ms"),
        }
    }

    /// Why the topic does not take the message, if that is so.
    pub fn refusal(&self, draft: &Draft<'_>, now_ms: i64) -> Option<String> {
        if self.needs_key && draft.key.is_none() {
            return Some("no key: the topic is compacted, and takes no message without one".to_owned());
        }
        let time_ms = draft.timestamp_ms.filter(|ms| *ms >= 0)?;
        let (late_ms, early_ms) = (now_ms.saturating_sub(time_ms), time_ms.saturating_sub(now_ms));
        let said = |limit_ms: i64, side: &str, setting: &str| {
            format!(
                "timestamp {time_ms} is more than {} {side} now, which is as much as the topic takes ({setting})",
                format_duration(limit_ms)
            )
        };
        if early_ms > self.future_ms {
            return Some(said(self.future_ms, "after", "message.timestamp.after.max.ms"));
        }
        (late_ms > self.past_ms).then(|| said(self.past_ms, "before", "message.timestamp.before.max.ms"))
    }
}

/// How many bytes a batch with this message alone has, before it is compressed.
pub fn batch_bytes(draft: &Draft<'_>) -> usize {
    let field = |bytes: usize| varint_bytes(bytes) + bytes;
    let part = |part: Option<usize>| part.map_or(1, field);
    let key = part(draft.key.as_ref().map(|key| key.len()));
    let value = part(draft.value.as_ref().map(|value| value.len()));
    let header = |(name, value): &(String, Option<Vec<u8>>)| field(name.len()) + part(value.as_ref().map(Vec::len));
    let headers: usize = draft.headers.0.iter().map(header).sum();
    BATCH_BYTES + RECORD_BYTES + key + value + varint_bytes(draft.headers.0.len()) + headers
}

/// Kafka's signed numbers of any length: seven bits a byte, one for the sign.
fn varint_bytes(number: usize) -> usize {
    let bits = usize::BITS - number.leading_zeros() + 1;
    bits.div_ceil(7).max(1) as usize
}

/// Why nobody can write to a topic of this name, if that is so.
pub fn name_fault(topic: &str) -> Option<String> {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let shown: String = topic.chars().take(60).collect();
    if OWN_TOPICS.contains(&topic) {
        return Some(format!("topic \"{topic}\" is Kafka's own"));
    }
    let is_name = !matches!(topic, "" | "." | "..") && topic.len() <= NAME_BYTES_MAX && topic.bytes().all(is_taken);
    (!is_name).then(|| {
        format!(
            "\"{}\" is no name of a topic: 1 to {NAME_BYTES_MAX} letters, digits, dots, _ and -",
            shown.escape_debug()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    const NOW: i64 = 1_800_000_000_000;
    const HOUR: i64 = 3_600_000;

    fn rules(settings: &[(&str, &str)]) -> Rules {
        Rules::new(&settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn at(timestamp_ms: Option<i64>) -> Draft<'static> {
        Draft { timestamp_ms, key: Some(Cow::Borrowed(b"k")), ..Draft::default() }
    }

    #[test]
    fn a_compacted_topic_wants_a_key_and_an_empty_one_is_one() {
        for policy in ["compact", "delete,compact", "compact, delete"] {
            let rules = rules(&[("cleanup.policy", policy)]);
            assert!(rules.refusal(&Draft::default(), NOW).unwrap().starts_with("no key: "), "{policy}");
            let empty = Draft { key: Some(Cow::Borrowed(b"")), ..Draft::default() };
            assert_eq!(rules.refusal(&empty, NOW), None);
        }
        assert_eq!(rules(&[("cleanup.policy", "delete")]).refusal(&Draft::default(), NOW), None);
    }

    #[test]
    fn times_too_far_from_now_are_refused() {
        let hour = rules(&[("message.timestamp.after.max.ms", "3600000")]);
        for taken in [None, Some(-1), Some(1), Some(NOW), Some(NOW + HOUR)] {
            assert_eq!(hour.refusal(&at(taken), NOW), None, "{taken:?}");
        }
        let said = hour.refusal(&at(Some(NOW + HOUR + 1)), NOW).unwrap();
        assert!(
            said.contains("is more than 1h after now") && said.contains("message.timestamp.after.max.ms"),
            "{said}"
        );
        let before = rules(&[("message.timestamp.before.max.ms", "3600000")]);
        assert!(before.refusal(&at(Some(NOW - HOUR - 1)), NOW).unwrap().contains("is more than 1h before now"));
        assert_eq!(before.refusal(&at(Some(i64::MAX)), NOW), None);
        let older = rules(&[("message.timestamp.difference.max.ms", "3600000")]);
        assert!(older.refusal(&at(Some(NOW - HOUR - 1)), NOW).is_some());
        assert!(older.refusal(&at(Some(NOW + HOUR + 1)), NOW).is_some());
        let own = rules(&[("message.timestamp.after.max.ms", "1"), ("message.timestamp.type", "LogAppendTime")]);
        assert_eq!(own.refusal(&at(Some(i64::MAX)), NOW), None, "the broker puts its own time");
    }

    #[test]
    fn numbers_have_as_many_bytes_as_kafka_writes() {
        let cases = [(0, 1), (63, 1), (64, 2), (8191, 2), (8192, 3), (1_048_575, 3), (1_048_576, 4)];
        for (number, bytes) in cases {
            assert_eq!(varint_bytes(number), bytes, "{number}");
        }
    }

    #[test]
    fn names_that_no_topic_can_have_are_found() {
        for name in ["", ".", "..", "a b", "a/b", "ü", "a\n", &"x".repeat(250), "__consumer_offsets"] {
            assert!(name_fault(name).is_some(), "{name}");
        }
        for name in ["a", "a.b_c-D9", &"x".repeat(249), "__mine"] {
            assert_eq!(name_fault(name), None, "{name}");
        }
        assert!(name_fault("a\nb").unwrap().starts_with("\"a\\nb\" is no name of a topic"));
    }
}
