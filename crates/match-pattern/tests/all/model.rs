//! Against a model that tries one way after the other, as SQL says it, and knows no state.

use clap::Parser;
use match_pattern::cli::Cli;
use proptest::prelude::*;
use serde_json::Value;
use testkit::play_with;

/// A pattern over the variables A, B and C.
#[derive(Clone, Debug)]
enum Node {
    Row(usize),
    Empty,
    Start,
    End,
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    Permute(Vec<Node>),
    Repeat(Box<Node>, usize, usize, bool),
}

const MANY: usize = 99;

fn text(node: &Node) -> String {
    let join = |parts: &[Node], by: &str| parts.iter().map(text).collect::<Vec<_>>().join(by);
    match node {
        Node::Row(variable) => ["A", "B", "C"][*variable].into(),
        Node::Empty => "()".into(),
        Node::Start => "^".into(),
        Node::End => "$".into(),
        Node::Sequence(parts) => format!("({})", join(parts, " ")),
        Node::Choice(parts) => format!("({})", join(parts, " | ")),
        Node::Permute(parts) => format!("PERMUTE({})", join(parts, ", ")),
        Node::Repeat(body, min, max, is_greedy) => {
            let max = if *max == MANY { String::new() } else { max.to_string() };
            format!("({}){{{min},{max}}}{}", text(body), if *is_greedy { "" } else { "?" })
        }
    }
}

fn pattern() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        8 => (0..3usize).prop_map(Node::Row),
        1 => Just(Node::Empty),
        1 => prop_oneof![Just(Node::Start), Just(Node::End)],
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 2..4);
        let bounds = (0..3usize, prop_oneof![Just(MANY), 1..4usize], any::<bool>());
        prop_oneof![
            3 => parts.clone().prop_map(Node::Sequence),
            2 => parts.clone().prop_map(Node::Choice),
            1 => parts.prop_map(Node::Permute),
            3 => (inner, bounds).prop_map(|(body, (min, max, is_greedy))| {
                Node::Repeat(Box::new(body), min, max.max(min).max(1), is_greedy)
            }),
        ]
    })
}

/// How the conditions look at rows.
#[derive(Clone, Copy, Debug)]
enum Conditions {
    Line,
    Near,
    Match,
}

impl Conditions {
    fn text(self) -> &'static str {
        match self {
            Conditions::Line => "A: .v < 3, B: .v > 1",
            Conditions::Near => "A: .v < 4, B: .v >= PREV(.v), C: NEXT(.v) != 2",
            Conditions::Match => "A: COUNT(A.*) < 3, B: .v != FIRST(A.v), C: SUM(.v) > 4",
        }
    }

    /// `labels` has the label of the row `at` too.
    fn holds(self, rows: &[Row], start: usize, labels: &[usize], at: usize) -> bool {
        let (variable, v) = (*labels.last().unwrap(), rows[at].v);
        let previous = at.checked_sub(1).map(|at| rows[at].v);
        match (self, variable) {
            (Conditions::Line, 0) => v < 3,
            (Conditions::Line, 1) => v > 1,
            (Conditions::Near, 0) => v < 4,
            (Conditions::Near, 1) => previous.is_none_or(|previous| v >= previous),
            (Conditions::Near, 2) => rows.get(at + 1).is_none_or(|next| next.v != 2),
            (Conditions::Match, 0) => labels.iter().filter(|label| **label == 0).count() < 3,
            (Conditions::Match, 1) => {
                labels.iter().position(|label| *label == 0).is_none_or(|first| v != rows[start + first].v)
            }
            (Conditions::Match, 2) => rows[start..=at].iter().map(|row| row.v).sum::<i64>() > 4,
            _ => true,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    v: i64,
    time: i64,
}

struct Model<'m> {
    rows: &'m [Row],
    conditions: Conditions,
    within: Option<i64>,
    start: usize,
    /// Steps that are left, as ways multiply.
    left: usize,
}

type Rest<'r> = &'r mut dyn FnMut(&mut Model<'_>, &mut Vec<usize>) -> bool;

impl Model<'_> {
    fn go(&mut self, node: &Node, labels: &mut Vec<usize>, rest: Rest<'_>) -> bool {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return false;
        }
        let at = self.start + labels.len();
        match node {
            Node::Empty => rest(self, labels),
            Node::Start => at == 0 && rest(self, labels),
            Node::End => at == self.rows.len() && rest(self, labels),
            Node::Row(variable) => {
                if at >= self.rows.len()
                    || self.within.is_some_and(|within| self.rows[at].time - self.rows[self.start].time >= within)
                {
                    return false;
                }
                labels.push(*variable);
                let is_found = self.conditions.holds(self.rows, self.start, labels, at) && rest(self, labels);
                if !is_found {
                    labels.pop();
                }
                is_found
            }
            Node::Sequence(parts) => self.sequence(&parts.iter().collect::<Vec<_>>(), labels, rest),
            Node::Choice(parts) => parts.iter().any(|part| self.go(part, labels, rest)),
            Node::Permute(parts) => self.permute(parts, &mut Vec::new(), labels, rest),
            Node::Repeat(body, min, max, is_greedy) => self.repeat(body, *min, *max, *is_greedy, labels, rest),
        }
    }

    fn sequence(&mut self, parts: &[&Node], labels: &mut Vec<usize>, rest: Rest<'_>) -> bool {
        match parts {
            [] => rest(self, labels),
            [first, others @ ..] => {
                self.go(first, labels, &mut |model: &mut Model<'_>, labels| model.sequence(others, labels, rest))
            }
        }
    }

    fn permute(&mut self, parts: &[Node], order: &mut Vec<usize>, labels: &mut Vec<usize>, rest: Rest<'_>) -> bool {
        if order.len() == parts.len() {
            let parts: Vec<&Node> = order.iter().map(|part| &parts[*part]).collect();
            return self.sequence(&parts, labels, rest);
        }
        for part in 0..parts.len() {
            if !order.contains(&part) {
                order.push(part);
                let is_found = self.permute(parts, order, labels, rest);
                order.pop();
                if is_found {
                    return true;
                }
            }
        }
        false
    }

    fn repeat(
        &mut self,
        body: &Node,
        min: usize,
        max: usize,
        is_greedy: bool,
        labels: &mut Vec<usize>,
        rest: Rest<'_>,
    ) -> bool {
        if min > 0 {
            let fewer = if max == MANY { MANY } else { max - 1 };
            return self.go(body, labels, &mut |model: &mut Model<'_>, labels| {
                model.repeat(body, min - 1, fewer, is_greedy, labels, rest)
            });
        }
        if !is_greedy && rest(self, labels) {
            return true;
        }
        let before = labels.len();
        let fewer = if max == MANY { MANY } else { max.saturating_sub(1) };
        // Once more for no row leads nowhere new.
        let more = max > 0
            && self.go(body, labels, &mut |model: &mut Model<'_>, labels| {
                labels.len() > before && model.repeat(body, 0, fewer, is_greedy, labels, rest)
            });
        more || is_greedy && rest(self, labels)
    }
}

/// The matches: the first row, and the variables. None if the model gives up, or no next match can begin.
fn model(
    node: &Node,
    rows: &[Row],
    conditions: Conditions,
    within: Option<i64>,
    skip: &str,
) -> Option<Vec<(usize, String)>> {
    let (mut start, mut found) = (0, Vec::new());
    let mut left = 20_000;
    while start < rows.len() {
        let mut model = Model { rows, conditions, within, start, left };
        let mut labels = Vec::new();
        let is_found = model.go(node, &mut labels, &mut |_, _| true);
        left = model.left;
        if left == 0 {
            return None;
        }
        let mut next = start + 1;
        if is_found {
            found.push((start, labels.iter().map(|label| ["A", "B", "C"][*label]).collect()));
            next = match skip {
                "next-row" => start + 1,
                "last:U" if labels.is_empty() => start + 1,
                "last:U" => start + labels.iter().rposition(|label| *label > 0).filter(|at| *at > 0)?,
                _ => start + labels.len().max(1),
            };
        }
        start = next;
    }
    Some(found)
}

fn ours(node: &Node, rows: &[Row], conditions: Conditions, within: Option<i64>, skip: &str) -> Vec<(usize, String)> {
    let mut words = vec!["match-pattern".to_owned(), "--pattern".into(), text(node), "--define".into()];
    let measures = "start=FIRST(.n), rows=COUNT(*), number=MATCH_NUMBER(), \
        first=CLASSIFIER(A), label=FIRST(CLASSIFIER(), 0), labels=[FIRST(CLASSIFIER()), FIRST(CLASSIFIER(), 1), \
        FIRST(CLASSIFIER(), 2), FIRST(CLASSIFIER(), 3), FIRST(CLASSIFIER(), 4), FIRST(CLASSIFIER(), 5), \
        FIRST(CLASSIFIER(), 6), FIRST(CLASSIFIER(), 7), FIRST(CLASSIFIER(), 8), FIRST(CLASSIFIER(), 9)]";
    // Not every pattern has all three.
    let used = text(node);
    let has = |name: &str| used.contains(name);
    let define: Vec<&str> = conditions.text().split(", ").filter(|condition| has(&condition[..1])).collect();
    let define = define.join(", ").replace("FIRST(A.v)", if has("A") { "FIRST(A.v)" } else { "null" });
    words.extend([define, "--rows".into(), "all".into(), "--after-match".into(), skip.into()]);
    words.extend(["--measures".into(), measures.replace("first=CLASSIFIER(A), ", ""), "--order".into(), "t".into()]);
    let subset: Vec<&str> = ["B", "C"].into_iter().filter(|name| has(name)).collect();
    if !subset.is_empty() {
        words.extend(["--subset".into(), format!("U={}", subset.join(","))]);
    }
    if let Some(within) = within {
        words.extend(["--within".into(), format!("{within}s")]);
    }
    if words[4].is_empty() {
        words.drain(3..5);
    }
    let cli = Cli::try_parse_from(&words).unwrap();
    let line = |(n, row): (usize, &Row)| format!("{{\"n\":{n},\"v\":{},\"t\":{}}}\n", row.v, row.time);
    let input: String = rows.iter().enumerate().map(line).collect();
    let played = play_with(cli.match_pattern().unwrap(), cli.config(), &input);
    played.result.clone().unwrap();
    let mut found: Vec<(u64, usize, String)> = Vec::new();
    for line in played.data().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let number = row["number"].as_u64().unwrap();
        let label = row["labels"].as_array().unwrap().iter().rev().find_map(Value::as_str).unwrap_or("");
        match found.last_mut().filter(|(last, ..)| *last == number) {
            Some((_, _, labels)) => labels.push_str(label),
            None => found.push((number, row["n"].as_u64().unwrap() as usize, label.to_owned())),
        }
    }
    found.into_iter().map(|(_, start, labels)| (start, labels)).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0..6i64, 0..3i64), 0..9).prop_map(|steps| {
        let mut time = 100;
        let row = |(v, step)| {
            time += step;
            Row { v, time }
        };
        steps.into_iter().map(row).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn matches_are_those_that_trying_one_way_after_the_other_finds(
        node in pattern(),
        rows in rows(),
        conditions in prop_oneof![Just(Conditions::Line), Just(Conditions::Near), Just(Conditions::Match)],
        within in prop_oneof![Just(None), (1..5i64).prop_map(Some)],
        skip in prop_oneof![Just("past-last-row"), Just("next-row"), Just("last:U")],
    ) {
        let used = text(&node);
        let skip = if used.contains('B') || used.contains('C') { skip } else { "next-row" };
        if let Some(expected) = model(&node, &rows, conditions, within, skip) {
            prop_assert_eq!(ours(&node, &rows, conditions, within, skip), expected, "{} {:?} {:?}", used, within, skip);
        }
    }
}
