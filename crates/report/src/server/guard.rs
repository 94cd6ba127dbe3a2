//! Who may see the page: those who ask this machine by its own name, or know the token.

use std::net::SocketAddr;

/// What a request must have.
#[derive(Clone, Debug)]
pub struct Guard {
    address: SocketAddr,
    token: Option<String>,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The name in `Host` is not one of this machine's loopback: a page of another origin may have had its name point here (DNS
    /// rebinding).
    Host,
    Token,
}

impl Guard {
    /// Guards a page at this address.
    #[must_use]
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { address, token }
    }

    /// Checks a request's `Host` and its token.
    ///
    /// # Errors
    /// When it is refused.
    pub fn check(&self, host: Option<&str>, token: Option<&str>) -> Result<(), Refusal> {
        match &self.token {
            // Without the token a request is refused, whatever name it asks for.
            Some(wanted) if !is_same(wanted, token.unwrap_or_default()) => Err(Refusal::Token),
            Some(_) => Ok(()),
            None if self.is_own(host.unwrap_or_default()) => Ok(()),
            None => Err(Refusal::Host),
        }
    }

    fn is_own(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let own = self.address.ip().to_string();
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost") || ["127.0.0.1", "::1", &own].contains(&name)
    }
}

/// Compares in a time that does not tell how much of it is right.
fn is_same(wanted: &str, given: &str) -> bool {
    let pairs = wanted.bytes().zip(given.bytes());
    wanted.len() == given.len() && pairs.fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_loopback_are_answered() {
        let guard = Guard::new("127.0.0.2:8080".parse().unwrap(), None);
        for host in ["localhost:8080", "127.0.0.1:8080", "127.0.0.2:8080", "LocalHost", "[::1]:8080", "127.0.0.1"] {
            assert_eq!(guard.check(Some(host), None), Ok(()), "{host}");
        }
        for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:80", ""] {
            assert_eq!(guard.check(Some(host), None), Err(Refusal::Host), "{host}");
        }
        assert_eq!(guard.check(None, None), Err(Refusal::Host));
    }

    #[test]
    fn with_a_token_the_token_counts() {
        let guard = Guard::new("0.0.0.0:8080".parse().unwrap(), Some("secret".to_owned()));
        assert_eq!(guard.check(Some("any.example"), Some("secret")), Ok(()));
        for token in [None, Some(""), Some("Secret"), Some("secre"), Some("secrets")] {
            assert_eq!(guard.check(Some("localhost"), token), Err(Refusal::Token), "{token:?}");
        }
    }
}
