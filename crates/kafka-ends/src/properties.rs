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

const NAMES: &str =
    "the names are librdkafka's: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md";
/// No property has a longer name.
const NAME_BYTES_MAX: usize = 80;

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
    /// Usage: unknown name, or a value that the client does not take. Values are never shown.
    pub fn insert(&mut self, property: &str, value: &str) -> Result<(), Error> {
        // Two names of one property, of which the last word counts.
        let property = if property == "metadata.broker.list" { "bootstrap.servers" } else { property };
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
    // In a Java program's file a line can begin with a value.
    if !is_name(property) {
        return Err(Error::usage("no name of a property (not shown)").hint(NAMES));
    }
    let mut alone = ClientConfig::new();
    alone.set(property, value);
    let what = match alone.create_native_config() {
        Ok(_) => return Ok(()),
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            Error::usage(format_args!("unknown property \"{property}\""))
        }
        // It can be a password, whatever the property's name is: not even a part of it is shown.
        Err(_) => Error::usage(format_args!("property \"{property}\": invalid value (not shown)")),
    };
    Err(what.hint(ours(property).unwrap_or(NAMES)))
}

fn is_name(property: &str) -> bool {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !property.is_empty() && property.len() <= NAME_BYTES_MAX && property.bytes().all(is_taken)
}

/// What to say instead of a property of Java's clients.
fn ours(property: &str) -> Option<&'static str> {
    Some(match property {
        "sasl.jaas.config" => "Java's: say it with sasl.username and sasl.password",
        "sasl.login.callback.handler.class" | "sasl.client.callback.handler.class" => {
            "Java's: say it with sasl.oauthbearer.method=oidc, sasl.oauthbearer.token.endpoint.url, \
             sasl.oauthbearer.client.id and sasl.oauthbearer.client.secret"
        }
        name if name.starts_with("ssl.truststore.") => "Java's: ssl.ca.location names a file of certificates (PEM)",
        "ssl.keystore.type" | "ssl.keystore.key" | "ssl.keystore.certificate.chain" => {
            "Java's: ssl.certificate.location and ssl.key.location name files (PEM), ssl.keystore.location one of PKCS#12"
        }
        "key.serializer" | "value.serializer" | "key.deserializer" | "value.deserializer" | "max.poll.records" => {
            "Java's: leave it out, it is not needed here"
        }
        "fetch.max.wait.ms" => "Java's: fetch.wait.max.ms",
        "max.request.size" => "Java's: message.max.bytes",
        "receive.buffer.bytes" => "Java's: socket.receive.buffer.bytes",
        "send.buffer.bytes" => "Java's: socket.send.buffer.bytes",
        "buffer.memory" => "Java's: use --buffer",
        "partitioner.class" => "Java's: use --partitioner",
        "max.block.ms" | "default.api.timeout.ms" => "Java's: use --broker-timeout",
        _ => return None,
    })
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
    fn no_value_is_shown_whatever_is_wrong_with_it() {
        let jaas = "sasl.jaas.config=org.apache.kafka.Plain required username=\"me\" password=\"hunter2\";";
        let spaced = jaas.replacen('=', " ", 1);
        let lines = [
            jaas,
            &spaced,
            "linger.ms=hunter2",
            "sasl.password=hunter2\0",
            "security.protocol=hunter2",
            "sasl.oauthbearer.client.secret.hunter=hunter2",
            "hunter2 password=x",
            "acks=hunter2",
        ];
        for line in lines {
            let mut properties = Properties::default();
            let of_flag = properties.insert_pair(line).unwrap_err();
            let of_file = properties.insert_file("c.conf", line).unwrap_err();
            let name = format!("MILLPIPE_KAFKA_{}", line.split_once('=').unwrap().0.to_uppercase().replace('.', "_"));
            let value = line.split_once('=').unwrap().1.to_owned();
            let of_environment = properties.insert_environment(std::iter::once((name, value)));
            for error in [of_flag, of_file].into_iter().chain(of_environment.err()) {
                let said = format!("{error:?}");
                assert!(!said.contains("hunter2\"") && !said.contains("password="), "{line}: {said}");
                assert!(error.hint.is_some(), "{said}");
            }
        }
    }

    #[test]
    fn who_brings_a_java_clients_file_is_told_our_names() {
        let cases = [
            ("sasl.jaas.config=x", "sasl.username and sasl.password"),
            ("ssl.truststore.location=/x", "ssl.ca.location"),
            ("ssl.truststore.password=x", "ssl.ca.location"),
            ("key.serializer=x", "leave it out"),
            ("max.request.size=5", "message.max.bytes"),
        ];
        for (line, words) in cases {
            let error = Properties::default().insert_pair(line).unwrap_err();
            assert!(error.hint.as_ref().unwrap().contains(words), "{line}: {error:?}");
        }
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
