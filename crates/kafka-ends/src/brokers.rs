//! The form of `bootstrap.servers`: what is no broker's address is said at once, and not after a long wait for nobody.

use millpipe::Error;

/// What the client takes before an address.
const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];
const FORM: &str = "-b HOST:PORT, or several: -b kafka-1:9092,kafka-2:9092";

/// Checks a list of brokers.
///
/// # Errors
/// Usage. A list with a password in it is not shown.
pub fn check(brokers: &str) -> Result<(), Error> {
    if brokers.contains('@') {
        return Err(Error::usage("brokers with a user in them (not shown): a broker is HOST:PORT").hint(
            "sasl.username and sasl.password go into the file of -F, or into MILLPIPE_KAFKA_SASL_USERNAME and \
             MILLPIPE_KAFKA_SASL_PASSWORD",
        ));
    }
    let mut addresses = brokers.split(',').map(str::trim).filter(|address| !address.is_empty()).peekable();
    if addresses.peek().is_none() {
        return Err(Error::usage("no broker given").hint(FORM));
    }
    match addresses.find_map(|address| Some((address, fault(address)?))) {
        Some((address, fault)) => Err(Error::usage(format_args!("broker \"{address}\": {fault}")).hint(FORM)),
        None => Ok(()),
    }
}

fn fault(address: &str) -> Option<&'static str> {
    let (protocol, address) = address.split_once("://").map_or((None, address), |(name, rest)| (Some(name), rest));
    if protocol.is_some_and(|protocol| !PROTOCOLS.contains(&protocol.to_ascii_lowercase().as_str())) {
        return Some("Kafka is not spoken over that, a broker is HOST:PORT");
    }
    if address.contains(['/', '?', '#']) || address.contains(char::is_whitespace) {
        return Some("a broker is HOST:PORT, without a path");
    }
    let (host, port) = match address.rfind(']') {
        Some(end) => (&address[..=end], &address[end + 1..]),
        None => address.rfind(':').map_or((address, ""), |colon| address.split_at(colon)),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    match port.strip_prefix(':') {
        _ if host.is_empty() => Some("a broker is HOST:PORT, and there is no host"),
        // The client takes Kafka's own port then.
        None if port.is_empty() => None,
        Some(port) if is_port(port) => None,
        _ => Some("a broker is HOST:PORT, and that is no port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_hosts_with_ports() {
        for good in
            ["a:1", "a", "a:9092,b:9093", " a:1 , b:2 ,", "[::1]:9092", "SSL://a:1", "sasl_ssl://a", "10.0.0.1:9"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_no_broker_is_said_with_the_form() {
        let cases = [
            ("http://a:9092", "broker \"http://a:9092\": Kafka is not spoken over that"),
            ("a:1,kafka://b", "broker \"kafka://b\": Kafka is not spoken over that"),
            ("a:9092/topic", "broker \"a:9092/topic\": a broker is HOST:PORT, without a path"),
            ("a 9092", "without a path"),
            (":9092", "there is no host"),
            ("a:", "that is no port"),
            ("a:b", "that is no port"),
            ("a:0", "that is no port"),
            ("a:99999", "that is no port"),
            ("[::1]9092", "that is no port"),
            (" , ", "no broker given"),
        ];
        for (text, words) in cases {
            let error = check(text).unwrap_err();
            assert!(error.message.contains(words), "{text}: {error}");
            assert!(error.hint.unwrap().contains("-b HOST:PORT"), "{text}");
        }
    }

    #[test]
    fn a_password_among_the_brokers_is_not_shown() {
        for text in ["me:hunter2@a:9092", "a:1,SASL_SSL://me:hunter2@b:1"] {
            let error = check(text).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert!(error.hint.unwrap().starts_with("sasl.username and sasl.password"));
        }
    }
}
