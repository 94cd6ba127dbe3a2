//! What to go on from: facts in, decision out.

use checkpoint::{Committed, SAVEPOINT};
use stream::Error;

use crate::hello::Truth;

/// What a new run restores. `seen` is what the source saw of the target itself, `copy` is `DIR/committed`.
///
/// The copy can be one commit behind, so what was seen counts more; but a target that the source cannot see (`is_seen` of the
/// copy's) has only the copy. `group` is whose offsets were seen.
///
/// # Errors
/// When the two cannot be of one pipe.
pub fn decide(
    seen: Option<Truth>,
    copy: Option<&Committed>,
    is_seen: impl Fn(&str) -> bool,
    group: &str,
) -> Result<Truth, Error> {
    let copied = || Truth { id: copy.map(|copy| copy.id.clone()), ..Truth::default() };
    let Some(seen) = seen else { return Ok(copied()) };
    match (copy, &seen.id) {
        (None, _) => Ok(seen),
        (Some(copy), Some(id)) if copy.sink == SAVEPOINT && *id != copy.id => Err(Error::data(format_args!(
            "the state folder is a copy of checkpoint {}, the consumer group \"{group}\" is at {id}",
            copy.id
        ))
        .hint(format_args!(
            "to go on from the copy: another -G than \"{group}\" and another output; from {id}: the state folder of that run"
        ))),
        (Some(copy), _) if !is_seen(&copy.sink) => Ok(Truth { id: Some(copy.id.clone()), positions: seen.positions }),
        (Some(copy), None) => Err(Error::data(format_args!(
            "the state folder knows the commit {}, the consumer group \"{group}\" knows none",
            copy.id
        ))
        .hint("another -G or --state than before? A new pipeline begins with a new group and an empty folder")),
        (Some(_), Some(_)) => Ok(seen),
    }
}

/// Whether a run that restored this goes on from what the target says, now that no older run can change it.
///
/// This comparison is the heart of exactly-once: an older run's commit can arrive after the source has looked.
pub fn agrees(restored: &Truth, truth: &Truth) -> bool {
    let same_place =
        |(part, offset): (&String, &serde_json::Value)| truth.positions.get(part).is_none_or(|now| now == offset);
    restored.id == truth.id && restored.positions.iter().all(same_place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkpoint::CheckpointId;
    use serde_json::json;

    fn truth(seq: Option<u64>, offset: i64) -> Truth {
        let positions = json!({ "t/0": offset }).as_object().cloned().unwrap();
        Truth { id: seq.map(|seq| CheckpointId::new("r", seq)), positions }
    }

    fn decide_by_group(seen: Option<Truth>, copy: Option<&Committed>, group: &str) -> Result<Truth, Error> {
        decide(seen, copy, |sink| sink == "kafka", group)
    }

    fn copy(seq: u64, sink: &str) -> Committed {
        Committed { id: CheckpointId::new("r", seq), sink: sink.to_owned(), snapshots: Vec::new(), at: String::new() }
    }

    #[test]
    fn what_the_source_saw_counts_more_than_the_copy() {
        assert_eq!(
            decide_by_group(Some(truth(Some(8), 80)), Some(&copy(7, "kafka")), "g").unwrap(),
            truth(Some(8), 80)
        );
    }

    #[test]
    fn without_a_view_of_the_target_the_copy_counts() {
        assert_eq!(decide_by_group(None, Some(&copy(7, "kafka")), "").unwrap().id, Some(CheckpointId::new("r", 7)));
        assert_eq!(decide_by_group(None, None, "").unwrap(), Truth::default());
    }

    #[test]
    fn offsets_of_a_group_say_nothing_of_a_sink_of_files() {
        let decided = decide_by_group(Some(truth(None, 80)), Some(&copy(7, "files")), "g").unwrap();
        assert_eq!(decided.id, Some(CheckpointId::new("r", 7)));
    }

    #[test]
    fn a_group_without_a_commit_does_not_fit_a_folder_with_one() {
        let error = decide_by_group(Some(truth(None, 0)), Some(&copy(7, "kafka")), "g").unwrap_err();
        assert!(error.message.contains("r.7"), "{error}");
    }

    #[test]
    fn an_older_copy_does_not_go_on_under_the_same_group() {
        let error = decide_by_group(Some(truth(Some(8), 80)), Some(&copy(7, SAVEPOINT)), "job").unwrap_err();
        assert!(error.message.contains("copy of checkpoint r.7, the consumer group \"job\" is at r.8"), "{error}");
        assert!(error.hint.unwrap().contains("another -G than \"job\""));
        for seen in [truth(Some(7), 70), truth(None, 0)] {
            let decided = decide_by_group(Some(seen), Some(&copy(7, SAVEPOINT)), "job").unwrap();
            assert_eq!(decided.id, Some(CheckpointId::new("r", 7)));
        }
    }

    #[test]
    fn only_the_same_id_and_offsets_agree() {
        assert!(agrees(&truth(Some(7), 70), &truth(Some(7), 70)));
        assert!(!agrees(&truth(Some(7), 70), &truth(Some(8), 70)));
        assert!(!agrees(&truth(Some(7), 70), &truth(Some(7), 71)));
        assert!(!agrees(&truth(None, 70), &truth(Some(7), 70)));
        let files = Truth { id: Some(CheckpointId::new("r", 7)), ..Truth::default() };
        assert!(agrees(&truth(Some(7), 70), &files), "a target without offsets is compared by id");
    }
}
