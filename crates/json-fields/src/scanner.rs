//! The scanner: remembered shapes first, the full walk where they do not fit.

use crate::DEPTH_LIMIT;
use crate::error::ScanError;
use crate::field::{Field, Fields, Kind};
use crate::finder::{Finder, Frame};
use crate::path::FieldPath;
use crate::shapes::Shapes;
use crate::token::skip_space;
use crate::tree::{ROOT, Tree};
use crate::walk::{Events as _, walk, walk_inside_object};

/// Finds the wanted fields in line after line.
///
/// What it answers depends on the line alone, never on the lines before; only its speed does: lines of a shape
/// that came lately (the same keys in the same order, values of the same kinds) are found faster.
#[derive(Clone, Debug)]
pub struct Scanner {
    tree: Tree,
    depth_limit: usize,
    found: Vec<Option<Field>>,
    outer: Vec<Frame>,
    scalars: Vec<Field>,
    shapes: Shapes,
    remembers: bool,
    inside_object: bool,
}

impl Scanner {
    /// A scanner for these paths; the same path may be given more than once.
    #[must_use]
    pub fn new(paths: &[FieldPath]) -> Scanner {
        Scanner::of(Tree::new(paths, true))
    }

    /// A scanner for which `.a.b` is never the member `"a.b"`, as in jq.
    #[must_use]
    pub fn exact(paths: &[FieldPath]) -> Scanner {
        Scanner::of(Tree::new(paths, false))
    }

    fn of(tree: Tree) -> Scanner {
        Scanner {
            depth_limit: DEPTH_LIMIT,
            found: vec![None; tree.slots],
            outer: Vec::new(),
            scalars: Vec::new(),
            shapes: Shapes::default(),
            remembers: true,
            inside_object: false,
            tree,
        }
    }

    /// Allows `levels` of objects and arrays inside each other; more are an error.
    #[must_use]
    pub fn with_depth_limit(mut self, levels: usize) -> Scanner {
        self.depth_limit = levels;
        self.shapes = Shapes::default();
        self
    }

    /// Takes the full walk for every line; for tests and measurements.
    #[must_use]
    pub fn without_shapes(mut self) -> Scanner {
        self.remembers = false;
        self
    }

    /// The same scanner for what follows the first members of an object, from a name to the closing brace: for lines
    /// whose beginning is known to be well-formed members with a comma behind the last. Spans count from where the
    /// scan begins. None if a path wants the whole line.
    #[must_use]
    pub fn inside_object(&self) -> Option<Scanner> {
        let wants_line = self.tree.slot(ROOT) < self.tree.paths;
        (!wants_line).then(|| Scanner { inside_object: true, shapes: Shapes::default(), ..self.clone() })
    }

    /// Checks the whole line and finds the wanted fields. Space around the value is allowed (a `\r` at the end
    /// is space); the line comes without its newline.
    ///
    /// # Errors
    /// The first fault in the line. The next line can be scanned as if nothing had been.
    #[inline]
    pub fn scan(&mut self, line: &[u8]) -> Result<Fields<'_>, ScanError> {
        if self.remembers {
            if let Some(shape) = self.shapes.find(line, &mut self.found[..self.tree.paths])? {
                self.tree.repeat(&mut self.found);
                return Ok(Fields { slots: &self.found[..self.tree.paths], object: shape.object, empty: shape.empty });
            }
            if self.shapes.wants_to_learn(line) {
                return self.scan_fully::<true>(line);
            }
        }
        self.scan_fully::<false>(line)
    }

    #[inline(never)]
    fn scan_fully<const LEARN: bool>(&mut self, line: &[u8]) -> Result<Fields<'_>, ScanError> {
        let mut finder = Finder::<LEARN>::new(&self.tree, &mut self.found, &mut self.outer, &mut self.scalars);
        match self.inside_object {
            false => walk(line, self.depth_limit, &mut finder)?,
            true => {
                finder.open(0, Kind::Object);
                walk_inside_object(line, self.depth_limit, &mut finder)?;
                finder.object = None;
            }
        }
        let (object, repeated) = (finder.object, finder.repeated);
        let empty = object.is_some_and(|at| line.get(skip_space(line, at)) == Some(&b'}'));
        // Before the shape is learned: lines of one shape have the same members.
        self.tree.take_named_like_paths(&mut self.found);
        if LEARN && !repeated {
            let wanted = &self.found[..self.tree.paths];
            self.shapes.learn(line, wanted, &self.scalars, object, empty);
        }
        self.tree.repeat(&mut self.found);
        Ok(Fields { slots: &self.found[..self.tree.paths], object, empty })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fields, ScanError, Scanner};
    use crate::path::FieldPath;

    fn scanner() -> Scanner {
        Scanner::new(&FieldPath::parse_list("a,user.id").unwrap())
    }

    fn hits(lines: &[&str]) -> usize {
        let mut scanner = scanner();
        for line in lines {
            scanner.scan(line.as_bytes()).unwrap();
        }
        scanner.shapes.hits
    }

    #[test]
    fn a_line_of_a_known_shape_is_not_walked_again() {
        assert_eq!(hits(&[r#"{"a":1,"user":{"id":"x"}}"#, r#"{"a":-22.5e3,"user":{"id":"\u00e9 é"}}"#]), 1);
        assert_eq!(hits(&[r#"{"a":null,"b":[1,"x"]}"#, r#"{"a":false,"b":[22,""]}"#]), 1);
        assert_eq!(hits(&["{}", "{}", "[]", "[]", "1", "2"]), 3);
    }

    #[test]
    fn a_member_that_is_named_like_a_path_is_found_by_a_known_shape_too() {
        let named = r#"{"a":1,"user.id":"x"}"#;
        assert_eq!(hits(&[named, r#"{"a":2,"user.id":"y"}"#, named]), 2);
        assert_eq!(hits(&[r#"{"user":{"id":1},"user.id":2}"#, r#"{"user":{"id":3},"user.id":4}"#]), 1);
        let mut scanner = scanner();
        for (line, expected) in [
            (named, Some("\"x\"")),
            (named, Some("\"x\"")),
            (r#"{"user":{"id":1},"user.id":2}"#, Some("1")),
            (r#"{"user":{"id":3},"user.id":4}"#, Some("3")),
            (r#"{"user":{},"user.id":2}"#, Some("2")),
            (r#"{"user":{},"user.id":5}"#, Some("5")),
            (r#"{"a":1}"#, None),
            (r#"{"a":2}"#, None),
        ] {
            let fields = scanner.scan(line.as_bytes()).unwrap();
            let found = fields.get(1).map(|field| str::from_utf8(field.text(line.as_bytes())).unwrap());
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_another_shape() {
        assert_eq!(hits(&[r#"{"a":1}"#, r#"{"a":"1"}"#, r#"{"a":true}"#, r#"{"a":{}}"#]), 0);
    }

    #[test]
    fn four_shapes_that_take_turns_are_all_remembered() {
        let lines = [r#"{"a":1}"#, r#"{"b":1}"#, r#"{"c":1}"#, r#"{"d":1}"#];
        assert_eq!(hits(&lines.repeat(10)), 36);
    }

    #[test]
    fn lines_with_duplicates_or_nested_wanted_values_or_too_many_values_teach_nothing() {
        let long = format!(r#"{{"a":1,"pad":"{}"}}"#, "x".repeat(5000));
        let many = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(64));
        let many_unwanted = format!(r#"{{"b":[{}1]}}"#, "1,".repeat(64));
        for line in [r#"{"a":1,"a":2}"#, r#"{"a":{}}"#, &long, &many, &many_unwanted] {
            assert_eq!(hits(&[line, line, line]), 0, "{line}");
        }
    }

    #[test]
    fn shapes_are_let_be_while_they_do_not_pay_and_tried_again_later() {
        let mut scanner = scanner();
        for n in 0..10_000 {
            scanner.scan(format!(r#"{{"a":1,"k{n}":1}}"#).as_bytes()).unwrap();
        }
        assert_eq!(scanner.shapes.hits, 0);
        for _ in 0..20_000 {
            scanner.scan(br#"{"a":1}"#).unwrap();
        }
        assert!(scanner.shapes.hits > 15_000, "{} hits", scanner.shapes.hits);
    }

    #[test]
    fn the_rest_of_an_object_has_the_fields_that_the_whole_has() {
        let front = br#"{"n":{"a":7},"#;
        let (mut whole, mut rest) = (scanner(), scanner().inside_object().unwrap());
        let texts: [&[u8]; 9] = [
            br#""a":1,"user":{"id":"x"}}"#,
            br#" "a" : 2 , "b":[{"a":3}] } "#,
            br#""a":1,"a":2}"#,
            br#""b":"\u00e9"}"#,
            br#""a":1"#,
            br#""a":1}}"#,
            br#"}"#,
            br#""a""#,
            br#"1}"#,
        ];
        for text in texts.repeat(3) {
            let line = [front, text].concat();
            let shown = String::from_utf8_lossy(&line).into_owned();
            let values = |scanned: Result<Fields<'_>, ScanError>, text: &[u8]| -> Option<Vec<_>> {
                let fields = scanned.ok()?;
                Some(fields.as_slice().iter().map(|field| field.map(|field| field.text(text).to_vec())).collect())
            };
            assert_eq!(values(rest.scan(text), text), values(whole.scan(&line), &line), "{shown}");
        }
        assert!(rest.shapes.hits > 0);
        assert!(Scanner::new(&FieldPath::parse_list("a,.").unwrap()).inside_object().is_none());
    }

    #[test]
    fn a_fault_in_a_line_leaves_no_trace_in_the_next() {
        let mut scanner = scanner();
        for line in [r#"{"a":1,"user":{"id":2"#, r#"{"a":1,"user":[[["#, r#"{"a":01}"#] {
            assert!(scanner.scan(line.as_bytes()).is_err());
            let fields = scanner.scan(br#"{"b":1}"#).unwrap();
            assert_eq!(fields.as_slice(), [None, None]);
        }
    }
}
