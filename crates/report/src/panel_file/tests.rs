use super::*;

fn wrong(text: &str) -> (usize, String) {
    let (at, what) = PanelFile::parse(text).unwrap_err();
    (text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1, what)
}

#[test]
fn a_file_has_the_names_of_the_flags() {
    let text = "title = \"Requests\"\nx = \"at\"\nby = \"path,host\"\nband = \"lower,upper\"\nanomaly = \"anomaly\"\ntop = 5\ntop-by = \"total\"\n\
                span = \"15m\"\n[[panel]]\nheat = \"p99\"\n[[panel]]\ntitle = \"Latency\"\nline = \"p50,ms=.p99 * 1000\"\n[[panel]]\ntable = \"\"\n\
                [[panel]]\nnumber = \"n\"\n[[panel]]\nbar = \"n\"\n";
    let file = PanelFile::parse(text).unwrap();
    assert_eq!(file.all.title.as_deref(), Some("Requests"));
    assert_eq!(file.all.x.map(|x| x.name()).as_deref(), Some("at"));
    assert_eq!(file.all.by.map(|by| by.0.len()), Some(2));
    assert_eq!((file.all.top, file.all.top_by, file.all.span), (Some(5), Some(Rank::Total), Some(DurationMs(900_000))));
    let kinds: Vec<Kind> = file.panels.iter().map(|panel| panel.kind).collect();
    assert_eq!(kinds, [Kind::Heat, Kind::Line, Kind::Table, Kind::Number, Kind::Bar]);
    let names: Vec<String> = file.panels[1].values.iter().map(Expression::name).collect();
    assert_eq!((file.panels[1].title.as_deref(), names.join(" ")), (Some("Latency"), "p50 ms".to_owned()));
    assert!(file.panels[2].values.is_empty());
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let says = |text: &str, line: usize, words: &str| {
        let (at, what) = wrong(text);
        assert!(at == line && what.contains(words) && !what.contains('\n'), "{text:?}: line {at}: {what}");
    };
    says("by = \"k\"\nlnie = \"v\"\n", 2, "unknown field \"lnie\"");
    says("[[panel]]\nline = \"v\"\n\n[[panel]]\ncolour = \"red\"\n", 5, "unknown field \"colour\"");
    says("by = \"k\"\n\n[[panel]]\nline = \"v |\"\n", 4, "v |");
    says("by = \"k\"\n[[panel]]\nline = \"v\"\nbar = \"v\"\n", 2, "one of number, line, bar, heat, table");
    says("\n[[panel]]\ntitle = \"t\"\n", 2, "one of number, line, bar, heat, table");
    says("title = \"a\ntop = 3\n", 1, "");
    says("title = \"a\"\ntop = 0\n", 2, "0 is not in 1..=200");
    says("top = 70000\n", 1, "70000 is not in 1..=200");
    says("top-by = \"first\"\n", 1, "\"first\" is not last or total");
    says("span = \"soon\"\n", 1, "soon");
    says("title = 7\n", 1, "expected a string");
    says("[panel]\nline = \"v\"\n", 1, "");
}
