use std::sync::Arc;

use clap::Parser;
use testkit::{every_way, play};

use crate::Report;
use crate::cli::Cli;
use crate::panels::Panels;
use crate::picture::View;
use crate::shared::Shared;

fn report(flags: &str) -> (Report, Arc<Shared>) {
    let settings =
        Cli::try_parse_from(["report"].into_iter().chain(flags.split_whitespace())).unwrap().settings().unwrap();
    let shared = Arc::new(Shared::new(Panels::new(settings.clone())));
    (Report::new(&settings, Arc::clone(&shared), true), shared)
}

const LINES: &str = "{\"time\":1, \"k\":\"a\",\"v\":1.50}\n{\"v\":null}\n{\"time\":\"x\",\"v\":\"y\"}\n[1]\n7\n{\"time\":2,\"k\":\"b\",\"v\":2e0}\n";

#[test]
fn lines_and_marks_go_on_as_they_came() {
    let input = format!("{LINES}{{\"$\":\"sonar\",\"n\":1}}\n{LINES}");
    assert_eq!(play(report("--line v --by k").0, &input).out, input);
}

#[test]
fn lines_go_on_in_every_way() {
    every_way(|| report("--line v --by k --table").0, LINES);
}

#[test]
fn lines_that_where_leaves_out_go_on_and_are_not_drawn() {
    let (stage, shared) = report("--line v");
    play(stage, LINES);
    assert_eq!(shared.picture(&View::default()).lines, 6);
}

#[test]
fn the_page_needs_a_token_where_others_can_reach_it() {
    let fails = |flags: &str, words: &str| {
        let cli = Cli::try_parse_from(["report", "--line", "v"].into_iter().chain(flags.split_whitespace())).unwrap();
        let error = cli.faces().unwrap_err();
        assert_eq!((error.exit as u8, error.message.as_str()), (2, words));
    };
    fails("--listen 0.0.0.0:0", "others can reach this address");
    fails("--listen [::]:0", "others can reach this address");
    fails("--renew 1s", "--renew writes files again");
    fails("--svg a --renew 0s", "--renew must be more than 0");
    let open = Cli::try_parse_from(["report", "--line", "v", "--listen", "0.0.0.0:0", "--token", "t"]).unwrap();
    assert!(open.faces().is_ok());
    let parsed = |flags: [&str; 2]| Cli::try_parse_from(["report", "--line", "v"].into_iter().chain(flags));
    let at = |text| parsed(["--listen", text]).unwrap().listen.map(|address| address.0.to_string());
    assert_eq!([at("8080"), at("localhost:80")], ["127.0.0.1:8080", "127.0.0.1:80"].map(|at| Some(at.to_owned())));
    assert!(parsed(["--listen", "everywhere"]).is_err());
    assert!(Cli::try_parse_from(["report", "--line=v", "--mail=m", "--mail-to=a@b\nBcc: c@d"]).is_err());
}
