//! Values that a filter is given by name.

use jaq_json::Val;
use json_fields::Outline;

use crate::failure::Wrong;
use crate::read;

/// Named values for a filter, as JSON texts that have been checked.
#[derive(Clone, Debug, Default)]
pub struct Arguments(Vec<(String, String)>);

impl Arguments {
    /// `--arg`: a string.
    pub fn push_text(&mut self, name: &str, text: &str) {
        let mut json = Vec::new();
        json_fields::write_string(text, &mut json);
        self.0.push((format!("${name}"), String::from_utf8_lossy(&json).into_owned()));
    }

    /// `--argjson`: any JSON value.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn push_json(&mut self, name: &str, json: &str) -> Result<(), Wrong> {
        json_fields::validate(json.as_bytes())
            .map_err(|why| Wrong { message: format!("--argjson {name}: {json:?} is not JSON: {why}"), hint: None })?;
        self.0.push((format!("${name}"), json.to_owned()));
        Ok(())
    }

    /// Returns the names with their dollar, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the JSON text of the value of a name with its dollar; the last one counts.
    pub(crate) fn json(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(other, _)| other == name).map(|(_, json)| json.as_str())
    }

    /// The values. They cannot be shared by threads, so each worker reads them once.
    pub(crate) fn values(&self) -> Vec<Val> {
        let mut outline = Outline::default();
        let mut value = |json: &[u8]| outline.read(json).map_or(Val::Null, |()| read::value(&outline, json));
        self.0.iter().map(|(_, json)| value(json.as_bytes())).collect()
    }
}
