use super::*;

#[test]
fn a_header_is_one_line_of_ascii() {
    assert_eq!(encoded_words("Latency"), "Latency");
    assert_eq!(encoded_words("a\r\nBcc: x@y"), "a  Bcc: x@y");
    let words = encoded_words(&"Übersicht 5 µs ".repeat(6));
    assert!(words.lines().all(|line| line.len() <= 76 && line.is_ascii()), "{words}");
    assert_eq!(encoded_words("é"), "=?utf-8?B?w6k=?=");
    assert_eq!(encoded_words("=?utf-8?B?w6k=?="), "=?utf-8?B?PT91dGYtOD9CP3c2az0/PQ==?=");
}

#[test]
fn a_date_is_that_of_mails() {
    assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 +0000");
    assert_eq!(date(1_796_083_200 + 3661), "Tue, 01 Dec 2026 01:01:01 +0000");
}

#[test]
fn an_address_cannot_add_a_header() {
    let head = Head { to: Some("a@b\r\nBcc: c@d".to_owned()), date_s: 0 };
    let mail = mail(&head, &Picture { title: "t".to_owned(), ..Picture::default() }, b"png");
    assert!(mail.starts_with("To: a@b  Bcc: c@d\r\nSubject: t\r\nDate: Thu,"), "{mail}");
    assert!(mail.lines().all(|line| line.len() <= 78));
}
