//! The flags that every Kafka tool has.

use std::path::PathBuf;

use millpipe::Error;
use units::DurationMs;

use crate::brokers;
use crate::properties::Properties;

/// Where the brokers are and how to talk to them. Later sources win: file, environment, flags.
#[derive(Clone, clap::Args)]
pub struct KafkaArgs {
    /// Brokers to ask first [env: MILLPIPE_KAFKA_BOOTSTRAP_SERVERS]
    #[arg(short, long, value_name = "HOST:PORT[,…]")]
    pub brokers: Option<String>,

    /// Set a property of librdkafka, as often as needed. Not for passwords: other users of this machine see
    /// a command line. Put them in the file of -F, or in the environment: MILLPIPE_KAFKA_SASL_PASSWORD is sasl.password
    #[arg(short = 'X', long = "property", value_name = "KEY=VALUE")]
    pub properties: Vec<String>,

    /// Read properties from a file of key=value lines (# starts a comment)
    #[arg(short = 'F', long = "properties-file", value_name = "FILE")]
    pub properties_file: Option<PathBuf>,

    /// Give up, with exit code 75, when no broker has answered for this long
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub broker_timeout: DurationMs,
}

impl KafkaArgs {
    /// All properties from the file, the environment and the flags.
    ///
    /// # Errors
    /// Usage: no broker named, an unknown property, a bad value, an unreadable file.
    pub fn properties(&self, environment: impl Iterator<Item = (String, String)>) -> Result<Properties, Error> {
        let mut properties = Properties::default();
        if let Some(path) = &self.properties_file {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| Error::io(&name, &error))?;
            properties.insert_file(&name, &text)?;
        }
        properties.insert_environment(environment)?;
        for pair in &self.properties {
            properties.insert_pair(pair)?;
        }
        if let Some(brokers) = &self.brokers {
            properties.insert("bootstrap.servers", brokers)?;
        }
        match properties.get("bootstrap.servers") {
            None => return Err(Error::usage("no broker given").hint("-b HOST:PORT")),
            Some(servers) => brokers::check(servers)?,
        }
        Ok(properties)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        kafka: KafkaArgs,
    }

    fn server(arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, Error> {
        let cli = Cli::try_parse_from([&["tool"], arguments].concat()).unwrap();
        let environment = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let config = cli.kafka.properties(environment)?.over(&[]);
        Ok(config.get("bootstrap.servers").unwrap().to_owned())
    }

    #[test]
    fn flags_win_over_the_environment() {
        let environment = [("MILLPIPE_KAFKA_BOOTSTRAP_SERVERS", "e:1")];
        assert_eq!(server(&[], &environment).unwrap(), "e:1");
        assert_eq!(server(&["-X", "bootstrap.servers=x:1"], &environment).unwrap(), "x:1");
        assert_eq!(server(&["-b", "b:1"], &environment).unwrap(), "b:1");
    }

    #[test]
    fn no_broker_is_a_usage_error_with_a_hint() {
        let error = server(&[], &[]).unwrap_err();
        assert_eq!(error.message, "no broker given");
        assert_eq!(error.hint.as_deref(), Some("-b HOST:PORT"));
    }
}
