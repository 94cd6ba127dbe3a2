//! `--instance 2/8`: the share of one of several pipelines side by side.
//!
//! Topics that are written by the same key have a key in partitions of one number. So it is the number alone that says
//! whose they are, as in Kafka Streams: whatever is joined by key, or counted over several topics, is in one instance.

use std::fmt;
use std::str::FromStr;

/// Number `number`, from 1, of `of` pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    pub number: u32,
    pub of: u32,
}

impl Instance {
    /// Whether it reads this partition of the `topic_rank`-th topic, in the order of their names.
    ///
    /// Partitions that are added to a topic later move none of the others to another instance.
    pub fn owns(self, topic_rank: usize, partition: i32, sharing: Sharing) -> bool {
        let number = usize::try_from(partition).unwrap_or(0);
        let place = match sharing {
            Sharing::ByNumber => number,
            Sharing::Spread => topic_rank + number,
        };
        place % self.of as usize + 1 == self.number as usize
    }
}

/// Which partitions of several topics are in one share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Those of one number.
    ByNumber,
    /// `--spread`: each topic begins with another instance, so that all have about as many.
    Spread,
}

impl FromStr for Instance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(number, of)| {
            let instance = Self { number: number.parse().ok()?, of: of.parse().ok()? };
            (1..=instance.of).contains(&instance.number).then_some(instance)
        });
        parsed.ok_or_else(|| format!("\"{text}\": write I/N, from 1/N to N/N"))
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_one_number_are_in_one_instance() {
        for of in 1..=5 {
            for partition in 0..9 {
                let owners = |rank| -> Vec<u32> {
                    (1..=of).filter(|&n| Instance { number: n, of }.owns(rank, partition, Sharing::ByNumber)).collect()
                };
                assert_eq!(owners(0).len(), 1);
                assert_eq!(owners(0), owners(1));
            }
        }
    }

    #[test]
    fn spread_each_partition_belongs_to_one_instance_and_each_has_about_as_many() {
        for of in 1..=5 {
            let mut shares = vec![0; of as usize];
            for (rank, partitions) in [4, 1, 7].into_iter().enumerate() {
                for partition in 0..partitions {
                    let owners: Vec<u32> = (1..=of)
                        .filter(|&number| Instance { number, of }.owns(rank, partition, Sharing::Spread))
                        .collect();
                    assert_eq!(owners.len(), 1);
                    shares[owners[0] as usize - 1] += 1;
                }
            }
            let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
            assert!(most - least <= 2, "{of}: {shares:?}");
        }
    }

    #[test]
    fn partitions_go_to_the_instances_in_turns() {
        let second: Instance = "2/3".parse().unwrap();
        let owned: Vec<i32> = (0..9).filter(|&partition| second.owns(0, partition, Sharing::ByNumber)).collect();
        assert_eq!(owned, [1, 4, 7]);
    }

    #[test]
    fn what_is_no_instance_is_refused() {
        for text in ["", "1", "0/2", "3/2", "1/0", "a/2", "-1/2", "1/2/3"] {
            assert!(text.parse::<Instance>().is_err(), "{text}");
        }
    }
}
