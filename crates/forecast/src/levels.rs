//! The flag `--interval`.

use std::fmt;
use std::str::FromStr;

/// How sure the bounds are, in percent.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels(Vec<Level>);

/// One level, and the names of its members.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub percent: f64,
    text: String,
}

const LEVELS_MAX: usize = 8;

impl Levels {
    #[must_use]
    pub fn as_slice(&self) -> &[Level] {
        &self.0
    }
}

impl Level {
    /// Returns the name of a member about this level: `lower_95`.
    #[must_use]
    pub fn name(&self, what: &str) -> String {
        format!("{what}_{}", self.text)
    }
}

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Levels, String> {
        if text == "none" {
            return Ok(Levels(Vec::new()));
        }
        let levels: Vec<Level> = text.split(',').map(level).collect::<Result<_, _>>()?;
        let is_twice = |level: &Level| levels.iter().filter(|other| other.text == level.text).count() > 1;
        if levels.len() > LEVELS_MAX || levels.iter().any(is_twice) {
            return Err(format!("say each level once, at most {LEVELS_MAX}"));
        }
        Ok(Levels(levels))
    }
}

fn level(text: &str) -> Result<Level, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent = text.parse().ok().filter(|percent| is_plain && 0.0 < *percent && *percent < 100.0);
    let percent = percent.ok_or("say levels in percent, above 0 and below 100: 80,95")?;
    Ok(Level { percent, text: text.to_owned() })
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let texts: Vec<&str> = self.0.iter().map(|level| level.text.as_str()).collect();
        f.write_str(&texts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_percents() {
        for text in ["80,95", "99.9", "none"] {
            assert_eq!(text.parse::<Levels>().unwrap().to_string(), text);
        }
        for text in ["", "0", "100", "95,95", "-5", "nan", "inf", "1e1", "80,", "1,2,3,4,5,6,7,8,9"] {
            assert!(text.parse::<Levels>().is_err(), "{text}");
        }
        assert_eq!("99.9".parse::<Levels>().unwrap().as_slice()[0].name("lower"), "lower_99.9");
    }
}
