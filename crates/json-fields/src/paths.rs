//! Several fields, as one flag's value.

use std::fmt;
use std::str::FromStr;

use crate::path::{FieldPath, PathError};

/// A list of paths, as flags take it: see [`FieldPath::parse_list`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPaths(pub Vec<FieldPath>);

impl FromStr for FieldPaths {
    type Err = PathError;

    fn from_str(list: &str) -> Result<FieldPaths, PathError> {
        FieldPath::parse_list(list).map(FieldPaths)
    }
}

/// As a user would write it: what a state depends on.
impl fmt::Display for FieldPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, path) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{path}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        let shown = "user,.meta.site".parse::<FieldPaths>().unwrap().to_string();
        assert_eq!(shown, ".user,.meta.site");
        assert_eq!(shown.parse::<FieldPaths>().unwrap().to_string(), shown);
        assert!("".parse::<FieldPaths>().is_err() && "a,".parse::<FieldPaths>().is_err());
    }
}
