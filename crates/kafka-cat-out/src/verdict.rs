//! What a failed step of a transaction means: facts in, decision out.

use kafka_ends::failure;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

/// What is known of the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub code: Code,
    pub is_retriable: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same call again: the client goes on with it where it was.
    Again,
    /// A younger producer has our name, or the broker has given us up.
    TakenOver,
    /// The epoch is lost; the next run does it again.
    Over,
}

impl Facts {
    pub fn of(error: &KafkaError) -> Self {
        match error {
            KafkaError::Transaction(inner) => Self { code: inner.code(), is_retriable: inner.is_retriable() },
            other => {
                let code = other.rdkafka_error_code().unwrap_or(Code::Fail);
                Self { code, is_retriable: failure::is_passing(code) }
            }
        }
    }

    pub fn verdict(self) -> Verdict {
        if is_taken_over(self.code) {
            Verdict::TakenOver
        } else if self.is_retriable && !failure::is_permanent(self.code) {
            Verdict::Again
        } else {
            Verdict::Over
        }
    }
}

/// Whether the broker no longer takes anything from this producer. A transaction that it has timed out looks the same.
pub fn is_taken_over(code: Code) -> bool {
    matches!(
        code,
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::TransactionCoordinatorFenced
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_is_tried_again() {
        let cases = [
            (Code::OperationTimedOut, true, Verdict::Again),
            (Code::CoordinatorLoadInProgress, true, Verdict::Again),
            (Code::ConcurrentTransactions, true, Verdict::Again),
            // It needs an abort, whatever else it is.
            (Code::OperationTimedOut, false, Verdict::Over),
            (Code::State, false, Verdict::Over),
            (Code::UnknownTopicOrPartition, true, Verdict::Over),
            (Code::TransactionalIdAuthorizationFailed, false, Verdict::Over),
            (Code::Fenced, false, Verdict::TakenOver),
            (Code::InvalidProducerEpoch, true, Verdict::TakenOver),
        ];
        for (code, is_retriable, verdict) in cases {
            assert_eq!(Facts { code, is_retriable }.verdict(), verdict, "{code:?}");
        }
    }

    #[test]
    fn a_client_error_of_another_kind_is_known_by_its_code() {
        assert_eq!(Facts::of(&KafkaError::Flush(Code::OperationTimedOut)).verdict(), Verdict::Again);
        assert_eq!(Facts::of(&KafkaError::MessageProduction(Code::State)).verdict(), Verdict::Over);
    }
}
