//! `--instance 2/8`: the share of one of several pipelines side by side.

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
    pub fn owns(self, topic_rank: usize, partition: i32) -> bool {
        let place = topic_rank + usize::try_from(partition).unwrap_or(0);
        place % self.of as usize + 1 == self.number as usize
    }
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
    fn each_partition_belongs_to_one_instance_and_each_has_about_as_many() {
        for of in 1..=5 {
            let mut shares = vec![0; of as usize];
            for (rank, partitions) in [4, 1, 7].into_iter().enumerate() {
                for partition in 0..partitions {
                    let owners: Vec<u32> =
                        (1..=of).filter(|&number| Instance { number, of }.owns(rank, partition)).collect();
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
        let owned: Vec<i32> = (0..9).filter(|&partition| second.owns(0, partition)).collect();
        assert_eq!(owned, [1, 4, 7]);
    }

    #[test]
    fn what_is_no_instance_is_refused() {
        for text in ["", "1", "0/2", "3/2", "1/0", "a/2", "-1/2", "1/2/3"] {
            assert!(text.parse::<Instance>().is_err(), "{text}");
        }
    }
}
