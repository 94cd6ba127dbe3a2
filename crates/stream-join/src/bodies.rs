//! Bodies: what stands between the braces of an object, as it was written.

use json_fields::{Outline, decode_string, without_members, write_string};

/// An object that begins with this needs a space before it, or it would be a mark.
const MARK_BEGINS: &[u8] = b"\"$\":";

/// The body of a line that is an object whose opening brace ends there.
#[inline]
pub fn body(line: &[u8], object: usize) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte == b'}').unwrap_or(object);
    line.get(object..end).unwrap_or_default()
}

#[inline]
pub fn is_blank(body: &[u8]) -> bool {
    body.first() != Some(&b'"') && body.iter().all(u8::is_ascii_whitespace)
}

/// Appends an object made of bodies.
#[inline]
pub fn write_object(bodies: &[&[u8]], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut is_first = true;
    for body in bodies {
        if bodies.len() > 1 && is_blank(body) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        } else if body.starts_with(MARK_BEGINS) {
            out.push(b' ');
        }
        out.extend_from_slice(body);
    }
    out.push(b'}');
}

/// Appends a body without the members of these names.
pub fn write_without(body: &[u8], names: &[&str], out: &mut Vec<u8>) {
    let object = [b"{", body, b"}"].concat();
    let mut rest = Vec::new();
    without_members(&object, names, &mut rest);
    out.extend_from_slice(rest.get(1..rest.len() - 1).unwrap_or_default());
}

/// Appends a body with a prefix in front of each member's name.
pub fn write_prefixed(body: &[u8], prefix: &str, outline: &mut Outline, out: &mut Vec<u8>) {
    let mut quoted = Vec::new();
    write_string(prefix, &mut quoted);
    quoted.pop();
    let mut from = 0;
    for_each_key(body, outline, |start, _| {
        out.extend_from_slice(&body[from..start]);
        out.extend_from_slice(&quoted);
        from = start + 1;
    });
    out.extend_from_slice(&body[from..]);
}

/// The names of a body's members.
pub fn names(body: &[u8], outline: &mut Outline) -> Vec<String> {
    let mut names = Vec::new();
    for_each_key(body, outline, |start, end| names.push(decode_string(&body[start..end]).into_owned()));
    names
}

/// Appends the names of a body's members, as they are written, one behind the other.
pub fn write_raw_names(body: &[u8], outline: &mut Outline, out: &mut Vec<u8>) {
    for_each_key(body, outline, |start, end| out.extend_from_slice(&body[start..end]));
}

/// Gives the span of each member's name, with its quotes.
fn for_each_key(body: &[u8], outline: &mut Outline, mut key: impl FnMut(usize, usize)) {
    let object = [b"{", body, b"}"].concat();
    // Bodies are of lines that were scanned.
    if outline.read(&object).is_err() {
        return;
    }
    let tokens = outline.tokens();
    let (mut at, end) = (1, tokens.first().map_or(0, |object| object.next));
    while at + 1 < end {
        let name = tokens[at].field;
        key(name.start - 1, name.end - 1);
        at = tokens[at + 1].next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_object_is_put_together_from_bodies() {
        assert_eq!(body(b"{\"a\":1} \r", 1), b"\"a\":1");
        assert_eq!(body(b" { \"a\":{} }", 2), b" \"a\":{} ");
        assert_eq!(text(|out| write_object(&[b"\"a\":1", b" ", b" \"b\":2 "], out)), "{\"a\":1, \"b\":2 }");
        assert_eq!(text(|out| write_object(&[b"", b""], out)), "{}");
        assert_eq!(text(|out| write_object(&[b"  "], out)), "{  }");
        assert_eq!(text(|out| write_object(&[b"", b"\"$\":1", b"\"$\":2"], out)), "{ \"$\":1,\"$\":2}");
    }

    #[test]
    fn names_are_found_prefixed_and_left_out() {
        let body = br#""a":{"x":[1,{}]}, "\u0062" : "b","c":[]"#;
        assert_eq!(names(body, &mut Outline::default()), ["a", "b", "c"]);
        let prefixed = text(|out| write_prefixed(body, "r_\"", &mut Outline::default(), out));
        assert_eq!(prefixed, r#""r_\"a":{"x":[1,{}]}, "r_\"\u0062" : "b","r_\"c":[]"#);
        assert_eq!(text(|out| write_without(body, &["b", "a"], out)), r#""c":[]"#);
        assert_eq!(text(|out| write_without(body, &["a", "b", "c"], out)), "");
        assert_eq!(names(b" ", &mut Outline::default()), [""; 0]);
    }
}
