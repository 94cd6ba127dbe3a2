//! Another name for a stage's folder.

use std::str::FromStr;

use checkpoint::is_folder_name;

/// `OLD=NEW`. The folders of a stage in all shards (`4-aggregate.shard-0`) are renamed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub from: String,
    to: String,
}

impl Rename {
    pub fn applies_to(&self, name: &str) -> bool {
        name == self.from || base(name) == self.from
    }

    /// The new name of a folder that this applies to.
    pub fn of(&self, name: &str) -> String {
        format!("{}{}", self.to, name.strip_prefix(self.from.as_str()).unwrap_or_default())
    }
}

fn base(name: &str) -> &str {
    name.split_once(".shard-").map_or(name, |(base, _)| base)
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once('=').ok_or("say OLD=NEW: --rename 2-window=w")?;
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !is_folder_name(to) || !to.bytes().all(is_good) {
            return Err(format!("\"{to}\" is no name for a stage: say that of --as, or its place and tool (3-window)"));
        }
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
        for wrong in ["2-window", "2-window=", "2-window=../x", "2-window=committed", "a=b c"] {
            assert!(wrong.parse::<Rename>().is_err(), "{wrong}");
        }
        assert!("w=3-window".parse::<Rename>().is_ok());
    }
}
