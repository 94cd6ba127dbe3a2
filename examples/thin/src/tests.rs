use clap::Parser;
use millpipe::{Error, Fault};
use testkit::{every_way, play};

use crate::Thin;
use crate::cli::Cli;

fn thin(flags: &str) -> Thin {
    let words = ["thin", "--by", "k"].into_iter().chain(flags.split_whitespace());
    Cli::try_parse_from(words).unwrap().thin()
}

fn lines(keys: &str) -> String {
    keys.chars().enumerate().map(|(n, key)| format!("{{\"k\":\"{key}\",\"n\":{n}}}\n")).collect()
}

#[test]
fn the_first_of_each_three_lines_of_a_key_passes() {
    let expected = ["{\"k\":\"a\",\"n\":0}\n", "{\"k\":\"b\",\"n\":2}\n", "{\"k\":\"a\",\"n\":4}\n"].concat();
    assert_eq!(play(thin("-n 3"), &lines("aabaab")).out, expected);
}

#[test]
fn one_key_too_many_ends_the_run() {
    let stop = Error::data("more than 2 keys").hint("--max-keys N allows more");
    assert_eq!(play(thin("-n 3 --max-keys 2"), &lines("abac")).result, Err(Fault::Stop(stop)));
}

/// Whole, cut anywhere, crashed after any line and restored: the same bytes.
#[test]
fn it_gives_the_same_lines_in_every_way() {
    every_way(|| thin("-n 3"), &lines("abacabbacab"));
}
