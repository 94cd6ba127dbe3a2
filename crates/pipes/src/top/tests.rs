use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::widgets::Paragraph;

use super::state::Key;
use super::*;
use crate::facts::{Facts, Pipe};
use crate::machine::Look;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::{Kernel, Life, Moved, Wait};

/// 1970-01-12T13:46:40Z
const NOW: i64 = 1_000_000_000;

fn stage(name: &str, pid: u32, members: &str) -> Stage {
    let facts = Facts::parse(&format!(r#"{{"stage":"{name}","pid":{pid},{members}}}"#)).unwrap();
    let pipe = |at: u32, bytes| Some(Pipe { pipe: u64::from(at), bytes: Some(bytes), size: Some(65_536) });
    Stage {
        name: name.to_owned(),
        pid,
        facts: Some(facts.into()),
        input: pipe(pid - 1, 32_768),
        output: pipe(pid, 65_536),
        written_ms: NOW,
        ..Stage::default()
    }
}

const SOURCE: &str = r#""role":"source","run":"019ad7c1e2f-1a2b3c4d","hop":0,"started":"1970-01-12T13:34:40Z",
    "args":["-b","one:9092","-t","requests","-G","job"],"now":"output","now_ms":3000,
    "shares":{"1s":{"busy":0.1,"input":0.2,"output":0.7},"10s":{"busy":0.31,"input":0.0,"output":0.69},"60s":{"busy":0.5,"output":0.5}},
    "rates":{"1s":{"lines_out":19000},"10s":{"lines_in":20000,"lines_out":20000,"bytes_out":2400000},"60s":{"lines_out":21000}},
    "lines_out":1234567,"bytes_out":150000000,"commit":{"id":"r/11","at":"1970-01-12T13:46:39.600Z","ms":15},
    "facts":{"partitions":[{"partition":"requests/0","position":120,"end":5000,"lag":4880,"behind_ms":12000},
    {"partition":"requests/1","position":7,"end":9,"lag":2}]}"#;

const WINDOW: &str = r#""hop":1,"run":"019ad7c1e2f-1a2b3c4d","now":"work","now_ms":2,"lines_held":0,"lines_late":1200,"lines_rejected":3,
    "longest_wait_ms":{"input":120,"output":3,"commit":0,"pace":0},"rss_bytes":5300000,"cpu_ms":31000,
    "shares":{"1s":{"busy":1.0},"10s":{"busy":0.98,"input":0.01,"output":0.01}},"lines_in":1230000,"lines_out":1228797,
    "rates":{"10s":{"lines_in":20000,"lines_out":19980,"bytes_in":2400000,"bytes_out":2600000}},
    "watermark":"1970-01-12T13:46:30Z","watermark_moved":"1970-01-12T13:46:39.900Z",
    "barrier":{"id":"r/12","latency_ms":3,"snapshot_ms":12,"snapshot_bytes":45211},
    "facts":{"keys":120,"state_bytes":45211,"open_windows":3,"next_end":"1970-01-12T13:46:50Z"},
    "messages":[{"at":"1970-01-12T13:46:01Z","text":"17 late lines dropped"}],
    "rejects":[{"at":"1970-01-12T13:46:02Z","place":"line 17","why":"no field \"ts\"","line":"{\"x\":1}"}]"#;

const SINK: &str = r#""role":"sink","hop":3,"run":"019ad7c1e2f-1a2b3c4d","now":"commit","now_ms":1500,"lines_in":40,
    "shares":{"10s":{"busy":0.1,"input":0.6,"output":0.0,"commit":0.3}},"rates":{"10s":{"lines_in":4,"bytes_in":300}}"#;

fn look() -> Look {
    let moved = Some(Moved { read: 1, written: 1 });
    let kernel = Kernel { state: 'S', waits: Some(Wait::PipeRead), cpu_ticks: 7, moved };
    let jq = Stage { facts: None, kernel: Some(kernel), ..stage("jq", 4713, "\"hop\":2") };
    let job =
        [stage("kafka-cat-in", 4711, SOURCE), stage("window", 4712, WINDOW), jq, stage("kafka-cat-out", 4714, SINK)];
    let killed =
        Stage { life: Life::Killed { seen_ms: NOW - 65_000 }, ..stage("generate", 99, r#""elapsed_ms":1000"#) };
    let inner = Stage { depth: 1, ..stage("aggregate-with-a-very-long-name", 98, "\"lines_in\":5") };
    let pipelines = vec![
        Pipeline { name: "job".to_owned(), stages: job.into() },
        Pipeline { name: "generate-99".to_owned(), stages: vec![killed, inner] },
    ];
    Look { at_ms: NOW, pipelines, ..Look::default() }
}

fn state() -> State {
    let mut state = State::default();
    state.take(look());
    state
}

fn keys(state: &mut State, keys: &str) {
    for key in keys.chars() {
        let key = match key {
            '\n' => Key::Enter,
            '\x1b' => Key::Escape,
            '\x08' => Key::Backspace,
            key => Key::Char(key),
        };
        state.key(key);
    }
}

fn screen(state: &State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let paint = Paint { has_colour: true };
    let draw = |frame: &mut ratatui::Frame| {
        frame.render_widget(Paragraph::new(lines(state, paint, width.into(), height.into())), frame.area());
    };
    terminal.draw(draw).unwrap();
    let buffer = terminal.backend().buffer();
    let rows = buffer.content.chunks(width.into());
    let text = |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    rows.map(|row| format!("{}\n", text(row).trim_end())).collect()
}

/// Compares with a file beside this one; SCREENS=write writes it anew.
#[track_caller]
fn is_as_in(file: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/top/screens").join(file);
    if std::env::var_os("SCREENS").is_some_and(|what| what == "write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, shown).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == shown, "{file} is\n{expected}\nand the screen\n{shown}");
}

#[test]
fn the_overview_on_three_screens() {
    let mut state = state();
    keys(&mut state, "jj");
    for (width, height) in [(80, 24), (200, 50), (20, 5)] {
        is_as_in(&format!("overview-{width}x{height}.txt"), &screen(&state, width, height));
    }
}

#[test]
fn the_details_of_a_stage_on_three_screens() {
    let mut state = state();
    keys(&mut state, "jj\n");
    for (width, height) in [(80, 24), (200, 50), (20, 5)] {
        is_as_in(&format!("details-{width}x{height}.txt"), &screen(&state, width, height));
    }
    keys(&mut state, "\x1bk\n");
    is_as_in("details-source.txt", &screen(&state, 80, 40));
    keys(&mut state, "\x1bjj\n");
    assert!(screen(&state, 80, 24).starts_with("jq of job: waits for input\n"));
}

#[test]
fn the_details_have_a_histogram_of_the_delays_once_there_are_some() {
    let mut state = state();
    keys(&mut state, "jj\n");
    assert!(!screen(&state, 80, 90).contains("from the source"));
    for barrier in 0..12 {
        let mut next = look();
        let stage = &mut next.pipelines[0].stages[1];
        let members = WINDOW.replace("\"r/12\",\"latency_ms\":3", &format!("\"r/{barrier}\",\"latency_ms\":40"));
        stage.facts = super::tests::stage("window", 4712, &members).facts;
        state.take(next);
    }
    let shown = screen(&state, 80, 90);
    assert!(shown.contains("from the source to here, by its barriers: 13 times"), "{shown}");
    assert!(shown.contains("  up to   64ms ████████████████████████████████████████ 12"), "{shown}");
}

#[test]
fn a_snapshot_has_all_rows() {
    let lines = overview::snapshot(&state(), 100);
    assert_eq!(lines.len(), 2 + 8);
    assert!(
        lines[2].to_string().starts_with("job  up 12m  commit 400ms ago  time 10s behind  lag 4,882 (12s)  run 019a")
    );
    assert!(lines[4].to_string().starts_with(" *window"), "{}", lines[4]);
}

#[test]
fn keys_sort_filter_and_switch() {
    let mut state = state();
    let names = |state: &State| -> Vec<u32> { state.rows().iter().filter_map(super::state::Row::pid).collect() };
    assert_eq!(names(&state), [4711, 4712, 4713, 4714, 99, 98]);
    keys(&mut state, "s");
    assert_eq!(names(&state)[..2], [4712, 4711]);
    keys(&mut state, "sss/win");
    assert_eq!(names(&state), [4712]);
    keys(&mut state, "\n");
    assert!(!state.key(Key::Down) && state.selected == Some(4712));
    keys(&mut state, "\x1b/generate-\x08");
    assert_eq!(names(&state), [99, 98]);
    keys(&mut state, "q");
    assert_eq!(state.filter, "generateq", "a q that is typed does not end it");
    keys(&mut state, "\x1b");
    let shown = |state: &State| screen(state, 80, 24);
    assert!(shown(&state).contains(", 10s"));
    keys(&mut state, "r");
    assert!(shown(&state).contains(", 60s"));
    keys(&mut state, "c");
    assert!(shown(&state).contains("since start") && shown(&state).contains("1.2M"));
    keys(&mut state, "cf");
    state.take(Look::default());
    assert!(shown(&state).contains("frozen") && names(&state).len() == 6);
    keys(&mut state, "f");
    state.take(Look::default());
    assert!(names(&state).is_empty());
    assert!(state.key(Key::Char('q')));
}

#[test]
fn a_chosen_stage_that_goes_leaves_a_word() {
    let mut state = state();
    keys(&mut state, "j\n");
    state.take(Look::default());
    assert!(screen(&state, 40, 5).starts_with("this stage has gone\n"));
    keys(&mut state, "\x1bjjj");
    assert_eq!(state.selected, None);
}

/// Far more rows than lines, and every size of screen.
#[test]
fn the_chosen_row_is_on_every_screen() {
    let mut state = State::default();
    let stages = (1..=300).map(|pid| stage("window", pid, "\"hop\":1")).collect();
    state.take(Look { at_ms: NOW, pipelines: vec![Pipeline { name: "many".to_owned(), stages }], ..Look::default() });
    keys(&mut state, &"j".repeat(280));
    for (width, height) in [(80, 24), (20, 5), (10, 4), (300, 100)] {
        assert!(screen(&state, width, height).contains("> window") || width == 10, "{width}x{height}");
    }
    for size in 1..12 {
        let _ = screen(&state, size, size);
        keys(&mut state, "\n");
        let _ = screen(&state, size, size);
        keys(&mut state, "\x1b");
    }
}

#[test]
fn without_colours_nothing_is_lost() {
    let state = state();
    let text = |has_colour: bool| -> Vec<String> {
        lines(&state, Paint { has_colour }, 80, 24).iter().map(ToString::to_string).collect()
    };
    assert_eq!(text(true), text(false));
    let plain = lines(&state, Paint::default(), 80, 24);
    assert!(plain.iter().flat_map(|line| &line.spans).all(|span| span.style.fg.is_none()));
}
