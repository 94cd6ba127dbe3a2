//! The head of an HTTP request, and what is answered to it.

use std::net::IpAddr;

/// A head is at most so long.
pub const HEAD_BYTES_MAX: usize = 8 * 1_024;

/// What a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The metrics; without them for HEAD.
    Metrics {
        with_body: bool,
    },
    /// A word on where they are.
    Index,
    /// `Host` is a name that is none of ours: a page of another site asks, by a name that its owner has pointed here.
    ForeignHost,
    NotFound,
    NotAllowed,
    BadRequest,
}

/// Returns where the head ends, when all of it is there.
pub fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n")
}

/// Decides what a request gets. `hosts` are names that are ours beside localhost and addresses.
pub fn answer(head: &[u8], hosts: &[String]) -> Answer {
    let Ok(head) = std::str::from_utf8(head) else { return Answer::BadRequest };
    let mut lines = head.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = words[..] else { return Answer::BadRequest };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Answer::BadRequest;
    }
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let mut named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| value.trim());
    let is_ours = match (named.next(), named.next()) {
        (Some(host), None) => is_our_host(host, hosts),
        // HTTP/1.0 has none.
        (None, _) => version == "HTTP/1.0",
        _ => return Answer::BadRequest,
    };
    match (is_ours, method, target.split('?').next().unwrap_or_default()) {
        (false, ..) => Answer::ForeignHost,
        (true, "GET", "/metrics") => Answer::Metrics { with_body: true },
        (true, "HEAD", "/metrics") => Answer::Metrics { with_body: false },
        (true, "GET", "/") => Answer::Index,
        (true, "GET" | "HEAD", _) => Answer::NotFound,
        _ => Answer::NotAllowed,
    }
}

/// An address cannot be pointed elsewhere, as a name can.
fn is_our_host(host: &str, hosts: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || hosts.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Answer {
        answer(head.replace('\n', "\r\n").as_bytes(), &["web-1".to_owned()])
    }

    #[test]
    fn metrics_are_given_to_those_who_ask_here() {
        let all = Answer::Metrics { with_body: true };
        for host in ["localhost", "LOCALHOST:9469", "127.0.0.1:9469", "[::1]:9469", "web-1:9469", "10.0.0.7"] {
            assert_eq!(of(&format!("GET /metrics HTTP/1.1\nAccept: */*\nhost: {host}")), all, "{host}");
        }
        assert_eq!(of("GET /metrics?x=1 HTTP/1.1\nHost: localhost"), all);
        assert_eq!(of("GET /metrics HTTP/1.0"), all);
        assert_eq!(of("HEAD /metrics HTTP/1.1\nHost: localhost"), Answer::Metrics { with_body: false });
        assert_eq!(of("GET / HTTP/1.1\nHost: localhost"), Answer::Index);
    }

    #[test]
    fn a_name_that_another_has_pointed_here_is_refused() {
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
            assert_eq!(of(&format!("GET /metrics HTTP/1.1\nHost: {host}")), Answer::ForeignHost, "{host}");
        }
        assert_eq!(of("GET /metrics HTTP/1.1"), Answer::ForeignHost);
        assert_eq!(of("GET /metrics HTTP/1.1\nHost: localhost\nHost: evil.example"), Answer::BadRequest);
    }

    #[test]
    fn what_is_no_request_for_metrics() {
        assert_eq!(of("GET /other HTTP/1.1\nHost: localhost"), Answer::NotFound);
        assert_eq!(of("POST /metrics HTTP/1.1\nHost: localhost"), Answer::NotAllowed);
        for head in
            ["", "GET", "GET /metrics", "GET metrics HTTP/1.1\nHost: localhost", "GET /metrics HTTP/2\nHost: localhost"]
        {
            assert_eq!(of(head), Answer::BadRequest, "{head:?}");
        }
        assert_eq!(answer(b"GET /\xff HTTP/1.1", &[]), Answer::BadRequest);
        assert_eq!((end_of_head(b"a\r\n\r\nb"), end_of_head(b"a\r\n")), (Some(1), None));
    }
}
