//! The flags that a state depends on.

use std::fmt::{self, Display};

/// Writes flags as a user would type them: a snapshot can be restored with the same ones only.
///
/// Limits, lateness and what happens to bad and late lines may change from run to run: they do not belong here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateFlags(String);

impl StateFlags {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds ` FLAG VALUE`.
    #[must_use]
    pub fn with(self, flag: &str, value: impl Display) -> Self {
        self.text(format_args!("{flag} {value}"))
    }

    /// Adds ` FLAG 'VALUE'`, for values that a shell would take apart.
    #[must_use]
    pub fn quoted(self, flag: &str, value: impl Display) -> Self {
        self.text(format_args!("{flag} '{value}'"))
    }

    /// Adds ` FLAG VALUE` if there is a value.
    #[must_use]
    pub fn maybe(self, flag: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(flag, value),
            None => self,
        }
    }

    /// Adds ` FLAG` if it was given.
    #[must_use]
    pub fn switch(self, flag: &str, is_given: bool) -> Self {
        if is_given { self.text(flag) } else { self }
    }

    /// Adds flags that are text already.
    #[must_use]
    pub fn text(mut self, flags: impl Display) -> Self {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(&flags.to_string());
        self
    }
}

impl Display for StateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<StateFlags> for String {
    fn from(flags: StateFlags) -> Self {
        flags.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_in_order_as_they_are_typed() {
        let flags = StateFlags::new()
            .with("-n", 3)
            .quoted("--by", ".a,.b")
            .maybe("--rank", None::<&str>)
            .maybe("--within", Some("10m"))
            .switch("--ties", true)
            .switch("--window", false)
            .text("--time .t --time-unit auto");
        assert_eq!(String::from(flags), "-n 3 --by '.a,.b' --within 10m --ties --time .t --time-unit auto");
        assert_eq!(StateFlags::new().to_string(), "");
    }
}
