//! The variables of a pattern, and subsets of them, by name.

/// A set of variables, a bit for each.
pub type Mask = u64;

/// All variables: any row of a match.
pub const ANY: Mask = Mask::MAX;

/// So many variables a pattern may have.
pub const VARIABLES_MAX: usize = 64;

/// The names that a pattern and `--subset` give.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    names: Vec<String>,
    subsets: Vec<(String, Mask)>,
}

impl Variables {
    /// Returns the number of a variable, a new one if it was not there; none when there are too many.
    pub fn number(&mut self, name: &str) -> Option<u8> {
        let known = self.find(name);
        if known.is_none() && self.names.len() < VARIABLES_MAX {
            self.names.push(name.to_owned());
        }
        self.find(name)
    }

    /// Returns the number of a variable.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<u8> {
        self.names.iter().position(|known| known == name).map(|number| number as u8)
    }

    /// Returns the variables that a name stands for: one, or those of a subset.
    #[must_use]
    pub fn mask(&self, name: &str) -> Option<Mask> {
        let subset = || self.subsets.iter().find(|(known, _)| known == name).map(|(_, mask)| *mask);
        self.find(name).map(|number| 1 << number).or_else(subset)
    }

    #[must_use]
    pub fn name(&self, number: u8) -> &str {
        &self.names[usize::from(number)]
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns the names of the variables and subsets with commas between them, for people.
    #[must_use]
    pub fn listed(&self) -> String {
        let subsets = self.subsets.iter().map(|(name, _)| name);
        self.names.iter().chain(subsets).cloned().collect::<Vec<_>>().join(", ")
    }

    /// Adds `U=C,D`, or as SQL writes it `U = (C, D)`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn add_subset(&mut self, text: &str) -> Result<(), String> {
        let (name, members) = text.split_once('=').ok_or("say --subset U=C,D")?;
        let name = name.trim();
        let members = members.trim();
        let members = members.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(members);
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(format!("{name:?} is no name"));
        }
        if self.mask(name).is_some() {
            return Err(format!("{name} is there already"));
        }
        let mut mask = 0;
        for member in members.split(',').map(str::trim) {
            mask |= self.find(member).map(|number| 1 << number).ok_or_else(|| self.unknown(member))?;
        }
        self.subsets.push((name.to_owned(), mask));
        Ok(())
    }

    /// Says that a name is not there.
    #[must_use]
    pub fn unknown(&self, name: &str) -> String {
        format!("the pattern has no variable {name:?}, but {}", self.listed())
    }
}

/// What names of variables are made of.
#[must_use]
pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_stands_for_its_variables() {
        let mut variables = Variables::default();
        for name in ["A", "B", "A", "C"] {
            variables.number(name).unwrap();
        }
        variables.add_subset("U = (B, C)").unwrap();
        variables.add_subset("W=A").unwrap();
        assert_eq!(
            ["A", "B", "C", "U", "W", "X"].map(|name| variables.mask(name)),
            [Some(1), Some(2), Some(4), Some(6), Some(1), None]
        );
        assert_eq!(variables.listed(), "A, B, C, U, W");
        let wrong = ["U", "V=D", "U=A", "=A", "a b=A"].map(|text| variables.add_subset(text).is_err());
        assert_eq!(wrong, [true; 5]);
    }

    #[test]
    fn there_are_at_most_64_variables() {
        let mut variables = Variables::default();
        let numbers: Vec<_> = (0..65).map(|n| variables.number(&format!("V{n}"))).collect();
        assert_eq!((numbers[63], numbers[64]), (Some(63), None));
    }
}
