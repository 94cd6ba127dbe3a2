//! `--partitions 0-3,7`: which partitions to read.

use std::fmt;
use std::str::FromStr;

/// Ranges of partition numbers, both ends included, in order and apart: the same set is always the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSet(Vec<(i32, i32)>);

impl PartitionSet {
    pub fn contains(&self, partition: i32) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&partition))
    }

    /// The smallest wanted number that a topic with this many partitions does not have.
    pub fn beyond(&self, partitions: i32) -> Option<i32> {
        self.0.iter().filter(|(_, last)| *last >= partitions).map(|(first, _)| (*first).max(partitions)).min()
    }
}

impl FromStr for PartitionSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\": write numbers and ranges, as in 0-3,7");
        let number = |part: &str| part.parse::<i32>().ok().filter(|number| *number >= 0).ok_or_else(wrong);
        let ranges = text
            .split(',')
            .map(|part| {
                let (first, last) = match part.split_once('-') {
                    Some((first, last)) => (number(first)?, number(last)?),
                    None => (number(part)?, number(part)?),
                };
                if first > last { Err(wrong()) } else { Ok((first, last)) }
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self(merged(ranges)))
    }
}

fn merged(mut ranges: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    ranges.sort_unstable();
    let mut merged: Vec<(i32, i32)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

impl fmt::Display for PartitionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends() {
        let set: PartitionSet = "0-3,7".parse().unwrap();
        let wanted: Vec<i32> = (0..10).filter(|&p| set.contains(p)).collect();
        assert_eq!(wanted, [0, 1, 2, 3, 7]);
    }

    #[test]
    fn a_partition_that_a_topic_does_not_have_is_found() {
        let set: PartitionSet = "0-3,7".parse().unwrap();
        assert_eq!(set.beyond(8), None);
        assert_eq!(set.beyond(7), Some(7));
        assert_eq!(set.beyond(2), Some(2));
    }

    #[test]
    fn the_same_set_is_the_same_text() {
        for text in ["0-3,7", "7,0-3", "0,1,2,3,7", "2-3,0-2,7-7"] {
            assert_eq!(text.parse::<PartitionSet>().unwrap().to_string(), "0-3,7", "{text}");
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "a", "3-0", "-1", "1-", "1,,2", "99999999999"] {
            assert!(text.parse::<PartitionSet>().is_err(), "{text}");
        }
    }
}
