//! Properties of the Kafka client: where they come from, which are secret, which are not the user's to set.

use std::collections::BTreeMap;
use std::fmt;

use millpipe::Error;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

/// Environment variables that start with this are properties: `MILLPIPE_KAFKA_SASL_PASSWORD` is `sasl.password`.
pub const ENVIRONMENT_PREFIX: &str = "MILLPIPE_KAFKA_";

/// A property that a tool sets itself, and what to use instead.
#[derive(Clone, Copy, Debug)]
pub struct Reserved {
    pub property: &'static str,
    pub hint: &'static str,
}

/// Properties by name. What is inserted later wins.
#[derive(Clone, Default)]
pub struct Properties(BTreeMap<String, String>);

/// Names only: a value can be a password.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Properties {
    /// Takes one property after checking that the client knows it and takes the value.
    ///
    /// # Errors
    /// Usage: unknown name, or a value that the client does not take (shown only when it is no secret).
    pub fn insert(&mut self, property: &str, value: &str) -> Result<(), Error> {
        check(property, value)?;
        self.0.insert(property.to_owned(), value.to_owned());
        Ok(())
    }

    /// Takes `KEY=VALUE`, as `-X` has it.
    ///
    /// # Errors
    /// As [`Properties::insert`]; the text itself is not shown, it may hold a secret.
    pub fn insert_pair(&mut self, pair: &str) -> Result<(), Error> {
        let (property, value) = pair.split_once('=').ok_or_else(|| Error::usage("-X needs KEY=VALUE"))?;
        self.insert(property.trim(), value)
    }

    /// Takes the lines of a properties file: `key=value`, `#` comments, empty lines.
    ///
    /// # Errors
    /// As [`Properties::insert`], with the file's name and the line.
    pub fn insert_file(&mut self, name: &str, text: &str) -> Result<(), Error> {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place =
                |error: Error| Error { message: format!("{name}: line {}: {}", index + 1, error.message), ..error };
            let (property, value) = line.split_once('=').ok_or_else(|| place(Error::usage("not KEY=VALUE")))?;
            self.insert(property.trim(), value.trim()).map_err(place)?;
        }
        Ok(())
    }

    /// Takes those variables whose name starts with [`ENVIRONMENT_PREFIX`].
    ///
    /// # Errors
    /// As [`Properties::insert`], with the variable's name.
    pub fn insert_environment(&mut self, variables: impl Iterator<Item = (String, String)>) -> Result<(), Error> {
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
                continue;
            };
            let property = rest.to_ascii_lowercase().replace('_', ".");
            self.insert(&property, &value)
                .map_err(|error| Error { message: format!("{name}: {}", error.message), ..error })?;
        }
        Ok(())
    }

    /// Refuses properties that the tool sets itself.
    ///
    /// # Errors
    /// Usage, with the way to say it instead.
    pub fn refuse(&self, reserved: &[Reserved]) -> Result<(), Error> {
        match reserved.iter().find(|r| self.0.contains_key(r.property)) {
            None => Ok(()),
            Some(found) => {
                Err(Error::usage(format_args!("property \"{}\" cannot be set", found.property)).hint(found.hint))
            }
        }
    }

    pub fn contains(&self, property: &str) -> bool {
        self.0.contains_key(property)
    }

    /// What was said of a property.
    pub fn get(&self, property: &str) -> Option<&str> {
        self.0.get(property).map(String::as_str)
    }

    /// The properties over a tool's defaults.
    pub fn over(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        // What matters comes as an error; a log line would only be one more event to serve before it.
        config.set_log_level(RDKafkaLogLevel::Emerg);
        for (property, value) in defaults {
            config.set(*property, *value);
        }
        for (property, value) in &self.0 {
            config.set(property, value);
        }
        config
    }
}

fn check(property: &str, value: &str) -> Result<(), Error> {
    let mut alone = ClientConfig::new();
    alone.set(property, value);
    match alone.create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => Err(unknown(property)),
        Err(_) if is_secret(property) => {
            Err(Error::usage(format_args!("property \"{property}\": invalid value (not shown)")))
        }
        Err(_) => Err(Error::usage(format_args!("property \"{property}\": invalid value \"{value}\""))),
    }
}

fn unknown(property: &str) -> Error {
    let error = Error::usage(format_args!("unknown property \"{property}\""));
    if property == "sasl.jaas.config" {
        return error.hint("say it with sasl.username and sasl.password");
    }
    error.hint("the names are librdkafka's: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md")
}

/// Whether a property's value must never be shown.
pub fn is_secret(property: &str) -> bool {
    ["password", "passphrase", "secret", "key.pem", "ssl_key", "oauthbearer.config"]
        .iter()
        .any(|part| property.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use millpipe::Exit;

    #[test]
    fn an_unknown_property_is_a_usage_error_with_its_name() {
        let error = Properties::default().insert_pair("no.such=1").unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(error.message, "unknown property \"no.such\"");
    }

    #[test]
    fn a_bad_value_is_shown_but_a_secret_one_is_not() {
        let mut properties = Properties::default();
        let error = properties.insert_pair("linger.ms=fast").unwrap_err();
        assert_eq!(error.message, "property \"linger.ms\": invalid value \"fast\"");
        let error = properties.insert_pair("sasl.password=a\0b").unwrap_err();
        assert!(!error.message.contains('a') || !error.message.contains("a\0b"));
        assert!(error.message.contains("not shown"), "{}", error.message);
    }

    #[test]
    fn a_file_has_comments_and_its_line_is_named_without_its_text() {
        let mut properties = Properties::default();
        properties.insert_file("c.conf", "# who\nsasl.username = me\n\nsasl.password=a=b#c\n").unwrap();
        let config = properties.over(&[]);
        assert_eq!(config.get("sasl.username"), Some("me"));
        assert_eq!(config.get("sasl.password"), Some("a=b#c"));
        let error = properties.insert_file("c.conf", "\nhunter2\n").unwrap_err();
        assert_eq!(error.message, "c.conf: line 2: not KEY=VALUE");
    }

    #[test]
    fn the_environment_spells_dots_as_underscores() {
        let mut properties = Properties::default();
        let variables = [("MILLPIPE_KAFKA_SASL_PASSWORD", "x"), ("PATH", "/bin")];
        let variables = variables.map(|(n, v)| (n.to_owned(), v.to_owned()));
        properties.insert_environment(variables.into_iter()).unwrap();
        assert_eq!(properties.over(&[]).get("sasl.password"), Some("x"));
    }

    #[test]
    fn debug_output_has_names_only() {
        let mut properties = Properties::default();
        properties.insert("sasl.password", "hunter2").unwrap();
        assert_eq!(format!("{properties:?}"), "{\"sasl.password\"}");
    }

    #[test]
    fn a_reserved_property_is_refused_with_the_way_out() {
        let mut properties = Properties::default();
        properties.insert("group.id", "g").unwrap();
        let reserved = [Reserved { property: "group.id", hint: "use -G" }];
        let error = properties.refuse(&reserved).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("use -G"));
    }
}
