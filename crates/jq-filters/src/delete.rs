//! `delpaths`, and with it `del`, as jq has them: all paths are those of the value as it came, and what is left stays in its order.
//! jaq deletes one path after another, and puts an object's last member into the gap.

use jaq_core::{Error, ValR};
use jaq_json::Val;
use jaq_std::ValT as _;

/// The value without what is at these paths.
pub fn delpaths(value: Val, paths: &Val) -> ValR<Val> {
    let Val::Arr(paths) = paths else { return Err(Error::str("paths must be specified as an array")) };
    let mut paths: Vec<&Val> = paths.iter().collect();
    // From the last to the first, so that no index moves what is still to be deleted.
    paths.sort_by(|a, b| b.cmp(a));
    paths.into_iter().try_fold(value, |value, path| match path {
        Val::Arr(keys) => delete(value, keys),
        _ => Err(Error::str("path must be specified as an array")),
    })
}

fn delete(mut value: Val, path: &[Val]) -> ValR<Val> {
    let Some((key, rest)) = path.split_first() else { return Ok(Val::Null) };
    match (&mut value, key) {
        (Val::Null, _) => {}
        (Val::Obj(members), Val::TStr(_) | Val::BStr(_)) => {
            let members = std::rc::Rc::make_mut(members);
            if rest.is_empty() {
                members.shift_remove(key);
            } else if let Some(member) = members.get_mut(key) {
                *member = delete(std::mem::take(member), rest)?;
            }
        }
        (Val::Arr(items), Val::Obj(range)) => {
            let names = ["start", "end"].map(Val::utf8_str);
            let [start, end] = names.each_ref().map(|name| range.get(name).filter(|bound| **bound != Val::Null));
            let at = |bound: &Val| bound.as_isize().map(|at| place(at, items.len()).unwrap_or(0).min(items.len()));
            let wrong = || Error::str("start and end of a slice must be integers");
            let start = start.map_or(Some(0), at).ok_or_else(wrong)?;
            let end = end.map_or(Some(items.len()), at).ok_or_else(wrong)?.max(start);
            let items = std::rc::Rc::make_mut(items);
            let removed: Vec<Val> = items.drain(start..end).collect();
            if !rest.is_empty() {
                let Val::Arr(left) = delete(removed.into_iter().collect(), rest)? else { return Ok(value) };
                items.splice(start..start, left.iter().cloned());
            }
        }
        (Val::Arr(items), Val::Num(_)) => {
            let Some(at) = key.as_isize().and_then(|at| place(at, items.len())).filter(|at| *at < items.len()) else {
                return Ok(value);
            };
            let items = std::rc::Rc::make_mut(items);
            if rest.is_empty() {
                items.remove(at);
            } else {
                items[at] = delete(std::mem::take(&mut items[at]), rest)?;
            }
        }
        _ => return Err(Error::str(format_args!("cannot delete {key} of {value}"))),
    }
    Ok(value)
}

/// A negative index counts from the end; none is before the begin.
pub fn place(at: isize, len: usize) -> Option<usize> {
    usize::try_from(at).ok().or_else(|| len.checked_sub(at.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use crate::arguments::Arguments;
    use crate::program::Program;

    fn run(code: &str, line: &str) -> String {
        let mut filter = Program::new(code, Arguments::default()).unwrap().without_raw().filter(1 << 16);
        match filter.run(line.as_bytes()) {
            Ok(results) => results.iter().map(|result| String::from_utf8_lossy(result).into_owned()).collect(),
            Err(failure) => format!("{failure:?}"),
        }
    }

    /// What jq 1.6 gives.
    #[test]
    fn what_is_left_stays_in_its_order() {
        let line = r#"{"c":[0,1,2,3,4],"b":{"y":1,"x":2,"z":3},"a":null,"d":4}"#;
        for (code, want) in [
            ("del(.c, .a)", r#"{"b":{"y":1,"x":2,"z":3},"d":4}"#),
            ("del(.b.y) | .b", r#"{"x":2,"z":3}"#),
            ("del(.c[0,1]) | .c", "[2,3,4]"),
            ("del(.c[1:3]) | .c", "[0,3,4]"),
            ("del(.c[-2:], .c[0]) | .c", "[1,2]"),
            ("del(.c[-1], .c[9], .c[-9]) | .c", "[0,1,2,3]"),
            ("del(.c[] | select(. % 2 == 0)) | .c", "[1,3]"),
            ("del(.c[1:][0]) | .c", "[0,2,3,4]"),
            ("del(.[\"a\", \"d\"]) | keys_unsorted", r#"["c","b"]"#),
            ("del(..|nulls) | has(\"a\")", "false"),
            ("del(.gone.deeper, .a.deeper) | .a", "null"),
            ("del(.)", "null"),
            ("del(empty) == .", "true"),
            ("delpaths([[\"b\",\"x\"],[\"b\"]]) | keys", r#"["a","c","d"]"#),
        ] {
            assert_eq!(run(code, line), want, "{code}");
        }
        assert!(run("delpaths([[\"d\",0]])", line).contains("cannot delete"), "{}", run("delpaths([[\"d\",0]])", line));
        assert!(run("delpaths(1)", line).contains("array"));
    }
}
