//! Errors of the Kafka client as one line for people and one exit code.
//!
//! What a restart can mend (a broker that is gone, a time-out, a fenced producer) is temporary, 75. What a
//! restart only repeats (wrong password, no such topic, not allowed) is 1.

use millpipe::Error;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

/// Whether running the same again can only give the same.
pub fn is_permanent(code: Code) -> bool {
    is_refusal(code)
        || matches!(
            code,
            Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::UnknownGroup
                | Code::InvalidTopic
                | Code::InvalidPartitions
                | Code::InvalidReplicationFactor
                | Code::InvalidConfig
                | Code::InvalidArgument
                | Code::InvalidGroupId
                | Code::InvalidSessionTimeout
                | Code::InvalidTimestamp
                | Code::InvalidTransactionTimeout
                | Code::InvalidRecord
                | Code::InconsistentGroupProtocol
                | Code::MessageSizeTooLarge
                | Code::OffsetOutOfRange
                | Code::AutoOffsetReset
                | Code::PolicyViolation
                | Code::UnsupportedVersion
                | Code::UnsupportedFeature
                | Code::UnsupportedForMessageFormat
        )
}

/// Whether the broker knows us and says no, or does not believe who we are.
pub fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::IllegalSASLState
            | Code::SSL
            | Code::SecurityDisabled
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
    )
}

/// Whether it only says that no broker can be reached just now; the client goes on trying.
pub fn is_connection(code: Code) -> bool {
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::BrokerNotAvailable
            | Code::NetworkException
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NodeUpdate
    )
}

/// Whether the client mends it by itself: a leader or coordinator that moves, a group in change.
pub fn is_passing(code: Code) -> bool {
    is_connection(code)
        || matches!(
            code,
            Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::ReplicaNotAvailable
                | Code::KafkaStorageError
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::OffsetNotAvailable
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::NotCoordinator
                | Code::RebalanceInProgress
                | Code::IllegalGeneration
                | Code::UnknownMemberId
                | Code::MemberIdRequired
                | Code::WaitingForCoordinator
                | Code::InProgress
                | Code::PreviousInProgress
                | Code::Retry
        )
}

/// The client's words for a code, without its name and origin: `unknown topic or partition`.
pub fn describe(code: Code) -> String {
    let text = code.to_string();
    let inner = match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => &text[open + 1..close],
        _ => &text,
    };
    let inner = inner.strip_prefix("Broker: ").or_else(|| inner.strip_prefix("Local: ")).unwrap_or(inner);
    lower_first(inner)
}

/// The error that ends a tool: `what: why`.
pub fn error(what: impl std::fmt::Display, error: &KafkaError) -> Error {
    match (error, error.rdkafka_error_code()) {
        (KafkaError::ClientCreation(why), _) => Error::usage(format_args!("{what}: {}", lower_first(why))),
        (_, Some(code)) => from_code(what, code),
        (KafkaError::AdminOp(code), None) => from_code(what, *code),
        (other, None) => Error::temporary(format_args!("{what}: {other}")),
    }
}

/// The error without saying what failed.
pub fn plain(error: &KafkaError) -> Error {
    error.rdkafka_error_code().map_or_else(|| Error::temporary(error), from_bare_code)
}

/// As [`plain`], from a bare code.
pub fn from_bare_code(code: Code) -> Error {
    let message = describe(code);
    if is_permanent(code) { Error::data(message) } else { Error::temporary(message) }
}

/// As [`error`], from a bare code.
pub fn from_code(what: impl std::fmt::Display, code: Code) -> Error {
    let error = from_bare_code(code);
    Error { message: format!("{what}: {}", error.message), ..error }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        // An abbreviation stays as it is.
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain([second]).chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millpipe::Exit;

    #[test]
    fn a_missing_topic_is_permanent_and_a_lost_broker_temporary() {
        let gone = from_code("read", Code::AllBrokersDown);
        assert_eq!((gone.exit, gone.message.as_str()), (Exit::Temporary, "read: all broker connections are down"));
        let missing = from_code("topic \"t\"", Code::UnknownTopicOrPartition);
        assert_eq!((missing.exit, missing.message.as_str()), (Exit::Data, "topic \"t\": unknown topic or partition"));
    }

    #[test]
    fn a_wrong_password_is_permanent() {
        assert_eq!(from_code("x", Code::Authentication).exit, Exit::Data);
    }
}
