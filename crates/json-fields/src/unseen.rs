//! Fields that a flag names and that no line has had: most often a slip of the pen.

use crate::outline::Outline;
use crate::text::decode_string;

/// Members of a line that are shown.
const NAMES_MAX: usize = 12;

/// Watches for fields, until each of them was in some line.
#[derive(Clone, Debug, Default)]
pub struct Unseen {
    /// Those that were in no line so far: the caller's number, and the name.
    fields: Vec<(usize, String)>,
    /// Counted as long as there are such.
    lines: u64,
    /// Of the first line.
    members: Vec<String>,
    /// The first line is looked at even when no field is watched for.
    wants_members: bool,
}

impl Unseen {
    /// Watches for these, each with the number that `look` is asked by.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = (usize, String)>) -> Unseen {
        Unseen { fields: fields.into_iter().collect(), ..Unseen::default() }
    }

    /// Whether there are such fields still: what `has` needs for [`Unseen::look`] must not cost a line more than this.
    #[inline]
    #[must_use]
    pub fn is_watching(&self) -> bool {
        !self.fields.is_empty() || self.wants_members
    }

    /// Looks at a line that has the fields of these numbers, with values that are not null.
    #[inline]
    pub fn look(&mut self, line: &[u8], has: impl Fn(usize) -> bool) {
        if self.is_watching() {
            self.look_closer(line, &has);
        }
    }

    #[cold]
    fn look_closer(&mut self, line: &[u8], has: &dyn Fn(usize) -> bool) {
        self.lines += 1;
        self.fields.retain(|(number, _)| !has(*number));
        if self.lines == 1 {
            self.members = member_names(line);
            self.wants_members = false;
            // A field that was null in all lines is no slip: it need not be watched.
            let members = &self.members;
            self.fields.retain(|(_, name)| !members.contains(name));
        }
    }

    /// What to tell people at the end: nothing where each field was in some line, or there was no line. `lines` is what the lines
    /// are called.
    #[must_use]
    pub fn remark(&self, lines: &str) -> Option<String> {
        let (_, first) = self.fields.first().filter(|_| self.lines > 0)?;
        let names: Vec<String> = self.fields.iter().map(|(_, name)| format!("{name:?}")).collect();
        let have = if self.members.is_empty() { "no members".to_owned() } else { listed(&self.members) };
        let hint = match self.likely(first) {
            Some(member) => format!("did you mean {member:?}?"),
            None => "a field inside another one is written .outer.inner, one of any name .\"a name\"".to_owned(),
        };
        let lines = if self.lines == 1 { lines.strip_suffix('s').unwrap_or(lines) } else { lines };
        Some(format!("{} {lines}, none had {}; the lines have: {have}\nhint: {hint}", self.lines, names.join(" or ")))
    }

    /// The member that may have been meant.
    fn likely(&self, name: &str) -> Option<&String> {
        self.members.iter().find(|member| is_like(member, name))
    }

    /// From the first line on its members are known, for [`Unseen::members_beside`].
    #[must_use]
    pub fn with_members(self) -> Unseen {
        Unseen { wants_members: true, ..self }
    }

    /// What to say of another field that no line had: what the lines have, and in a second line what may have been meant.
    #[must_use]
    pub fn members_beside(&self, name: &str) -> String {
        let have = format!("the lines have: {}", listed(&self.members));
        match self.likely(name) {
            Some(member) => format!("{have}\nhint: did you mean {member:?}?"),
            None => have,
        }
    }
}

/// Names for a message. One with a control character is quoted: a terminal would obey it.
fn listed(names: &[String]) -> String {
    let shown = |name: &String| if name.contains(char::is_control) { format!("{name:?}") } else { name.clone() };
    names.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The names of the members of a line, the first ones of many.
fn member_names(line: &[u8]) -> Vec<String> {
    let mut outline = Outline::default();
    if outline.read(line).is_err() {
        return Vec::new();
    }
    let tokens = outline.tokens();
    let (mut at, mut names) = (1, Vec::new());
    let end = tokens.first().map_or(0, |value| value.next);
    if line.trim_ascii_start().first() != Some(&b'{') {
        return names;
    }
    while at + 1 < end {
        if names.len() == NAMES_MAX {
            names.push("…".to_owned());
            break;
        }
        names.push(decode_string(tokens[at].field.text(line)).into_owned());
        at = tokens[at + 1].next;
    }
    names
}

/// Returns true if one may have been meant by the other: the same in other case, or with one letter in three wrong, missing or added.
#[must_use]
pub fn is_like(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    a == b || a.len().abs_diff(b.len()) <= 2 && distance(&a, &b) <= (a.len().min(b.len()) / 3).min(2)
}

/// How many letters have to be changed, put in, taken out, or exchanged with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect(), vec![0; b.len() + 1]];
    for (i, x) in a.iter().enumerate() {
        let [before, above, row] = &mut rows;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            row[j + 1] = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && (x, a[i - 1]) == (&b[j - 1], *y) {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remark(fields: &[&str], lines: &[&str]) -> Option<String> {
        let mut unseen = Unseen::new(fields.iter().map(|name| (*name).to_owned()).enumerate());
        for line in lines {
            let has = |number: usize| line.contains(&format!("\"{}\":", fields[number])) && !line.contains("null");
            unseen.look(line.as_bytes(), has);
        }
        unseen.remark("lines")
    }

    #[test]
    fn a_name_with_a_control_character_is_quoted() {
        let said = remark(&["b"], &["{\"\\u001b[31mx\":1,\"a\":2}"]).unwrap();
        assert!(said.contains(r#"the lines have: "\u{1b}[31mx", a"#), "{said}");
    }

    #[test]
    fn a_field_that_no_line_had_is_told_with_what_the_lines_have() {
        let lines = [r#"{"path":"/","at":{"x":1},"ms":[1,2]}"#, r#"{"other":1}"#];
        let said = remark(&["pathh"], &lines).unwrap();
        assert_eq!(said, "2 lines, none had \"pathh\"; the lines have: path, at, ms\nhint: did you mean \"path\"?");
        assert!(remark(&["ptah"], &lines).unwrap().ends_with("did you mean \"path\"?"), "two letters are exchanged");
        let said = remark(&["path", "user", "b"], &lines).unwrap();
        assert!(
            said.starts_with("2 lines, none had \"user\" or \"b\"; the lines have: path, at, ms\nhint: a field"),
            "{said}"
        );
    }

    #[test]
    fn a_field_of_one_line_is_enough() {
        assert_eq!(remark(&["a", "b"], &[r#"{"a":1}"#, r#"{"x":1}"#, r#"{"b":1}"#]), None);
        assert_eq!(remark(&["a"], &[]), None);
        assert_eq!(remark(&["a"], &[r#"{"a":null}"#]), None);
    }

    #[test]
    fn lines_without_members_and_with_many() {
        for line in ["{}", "[1,2]", "7", "\"a\""] {
            assert!(remark(&["a b"], &[line]).unwrap().contains("the lines have: no members"), "{line}");
        }
        let many: Vec<String> = (0..20).map(|n| format!("\"m{n}\":{n}")).collect();
        let said = remark(&["zzz"], &[&format!(" {{{}}}", many.join(","))]).unwrap();
        assert!(said.contains("m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, …\n"), "{said}");
    }

    #[test]
    fn names_are_alike_up_to_two_letters() {
        for (a, b) in [("path", "pathh"), ("user", "User"), ("timestamp", "timestmap"), ("ordr", "order"), ("id", "ID")]
        {
            assert!(is_like(a, b), "{a} {b}");
        }
        for (a, b) in [("a", "bcd"), ("user", "path"), ("id", "at"), ("", "abc")] {
            assert!(!is_like(a, b), "{a} {b}");
        }
    }
}
