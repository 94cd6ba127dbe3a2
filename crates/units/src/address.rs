//! The address at which a program listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Where to listen: `HOST:PORT` with an address as host, or a port alone for this machine only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.strip_prefix("http://").unwrap_or(text);
        if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
            return Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        let named = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        let address = named.map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        address.or_else(|| text.parse().ok()).map(Self).ok_or_else(|| {
            format!("{text:?} is no address; say 8080, 127.0.0.1:8080, or 0.0.0.0:8080 for all of the network")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_on_this_machine_if_nothing_else_is_said() {
        let of = |text: &str| text.parse::<ListenAddress>().map(|address| address.0.to_string());
        assert_eq!(of("9469"), Ok("127.0.0.1:9469".to_owned()));
        assert_eq!(of(":9469"), Ok("127.0.0.1:9469".to_owned()));
        assert_eq!(of("localhost:9469"), Ok("127.0.0.1:9469".to_owned()));
        assert_eq!(of("0.0.0.0:9469"), Ok("0.0.0.0:9469".to_owned()));
        assert_eq!(of("http://127.0.0.1:8080"), Ok("127.0.0.1:8080".to_owned()));
        assert_eq!(of("[::1]:9469"), Ok("[::1]:9469".to_owned()));
        for wrong in ["", "host:9469", "127.0.0.1", "99999"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
