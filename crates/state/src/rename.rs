//! Another name for a stage's folder.

use std::str::FromStr;

use checkpoint::{check_stage_name, without_shard};

/// `OLD=NEW`. The folders of a stage in all shards (`4-aggregate.shard-0`) are renamed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub from: String,
    to: String,
}

impl Rename {
    pub fn applies_to(&self, name: &str) -> bool {
        name == self.from || without_shard(name) == self.from
    }

    /// The new name of a folder that this applies to.
    pub fn of(&self, name: &str) -> String {
        format!("{}{}", self.to, name.strip_prefix(self.from.as_str()).unwrap_or_default())
    }
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once('=').ok_or("say OLD=NEW: --rename 2-window=w")?;
        check_stage_name(to).map_err(|why| {
            format!("\"{to}\" is no name for a stage: {why}; say that of --as, or its place and tool (3-window)")
        })?;
        Ok(Self { from: from.to_owned(), to: to.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_renamed_in_all_shards_or_in_one() {
        let rename: Rename = "4-aggregate=totals".parse().unwrap();
        assert!(rename.applies_to("4-aggregate") && !rename.applies_to("14-aggregate"));
        assert!(rename.applies_to("4-aggregate.shard-0.3"));
        assert_eq!(rename.of("4-aggregate.shard-0.3"), "totals.shard-0.3");
        assert_eq!(rename.of("4-aggregate"), "totals");
        let one: Rename = "4-aggregate.shard-1=x".parse().unwrap();
        assert!(!one.applies_to("4-aggregate.shard-0"));
        assert_eq!(one.of("4-aggregate.shard-1"), "x");
    }

    #[test]
    fn a_name_that_no_stage_can_have_is_refused() {
        let too_long = format!("2-window={}", "w".repeat(101));
        for wrong in [
            "2-window",
            "2-window=",
            "2-window=../x",
            "2-window=committed",
            "2-window=exec-cat-out",
            "a=b c",
            &too_long,
        ] {
            assert!(wrong.parse::<Rename>().is_err(), "{wrong}");
        }
        assert!("w=3-window".parse::<Rename>().is_ok());
    }
}
