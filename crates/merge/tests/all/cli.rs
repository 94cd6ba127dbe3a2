//! The binary: files, FIFOs, pipes of the shell; what is refused.

use testkit::{Ran, bash, run};

const BIN: &str = env!("CARGO_BIN_EXE_merge");

/// In a new folder, with files `a` and `b` whose lines have times that alternate, and `merge`.
fn sh(script: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let made = "for i in 1 3 5 7; do echo '{\"t\":'$i'}'; done > a; for i in 2 4 6 8; do echo '{\"t\":'$i'}'; done > b";
    let ran = bash(&[], &format!("cd {}\nmerge() {{ {BIN} \"$@\"; }}\n{made}\n{script}", folder.path().display()));
    folder.close().unwrap();
    ran
}

fn times(out: &str) -> String {
    out.chars().filter(char::is_ascii_digit).collect()
}

#[test]
fn files_pipes_and_stdin_are_inputs() {
    assert_eq!(times(&sh("merge --by-time --time t a b").ok()), "12345678");
    assert_eq!(times(&sh("merge --by-time --time t <(cat a) - < b").ok()), "12345678");
    assert_eq!(times(&sh("mkfifo x y; (cat a > y; cat b > x) & merge --by-time --time t y x; wait").ok()), "12345678");
    assert_eq!(times(&sh("merge a b | sort").ok()), "12345678");
}

#[test]
fn an_empty_input_is_no_reason_to_wait() {
    assert_eq!(times(&sh("merge --by-time --time t a /dev/null b").ok()), "12345678");
    assert_eq!(sh("merge one=/dev/null two=/dev/null").ok(), "");
}

#[test]
fn equal_times_come_in_the_order_of_the_inputs() {
    let out = sh("merge --by-time --time t --tag of two=a one=a").ok();
    assert!(out.starts_with("{\"of\":\"two\",\"t\":1}\n{\"of\":\"one\",\"t\":1}\n{\"of\":\"two\",\"t\":3}"), "{out}");
}

#[test]
fn the_same_inputs_give_the_same_bytes_however_they_come() {
    let script = "seq -f '{\"t\":%.0f}' 1 2 9999 > odd; seq -f '{\"t\":%.0f}' 2 2 9999 > even
        slowly() { while read -r -n 700 -d '' part || [[ $part ]]; do printf %s \"$part\"; done < \"$1\"; }
        merge --by-time --time t --tag of odd=odd even=even > one
        merge --by-time --time t --tag of --chunk 7B odd=<(cat odd) even=<(sleep 0.1; cat even) | cmp one -
        merge --by-time --time t --tag of --buffer 2kB odd=<(cat odd) even=<(sleep 0.1; cat even) | cmp one - && wc -l < one";
    assert_eq!(sh(script).ok().trim(), "9999");
}

#[test]
fn a_silent_input_does_not_hold_up_the_others_unless_time_is_to_be_ordered() {
    let silent = "mkfifo quiet; sleep 100 > quiet & trap 'kill %1' EXIT";
    assert_eq!(times(&sh(&format!("{silent}; merge a quiet | head -n 4")).stdout), "1357");
    let waits = sh(&format!("{silent}; timeout 0.5 {BIN} --by-time --time t a quiet"));
    assert_eq!((waits.code, &waits.stdout[..]), (Some(124), ""));
}

#[test]
fn inputs_take_turns() {
    let script = "seq 100000 > many; echo '\"last\"' > last; merge <(cat many) last | sed -n '/last/='";
    let at: u32 = sh(script).ok().trim().parse().unwrap();
    assert!(at < 50_000, "the second input came at line {at}");
}

#[test]
fn a_bad_line_names_its_input() {
    let ran = sh("echo '{}' >> b; merge --by-time --time t a b");
    ran.fails_with(1, "merge: input b, line 5, byte 32: no field \"t\"");
    sh("echo '{' >> a; merge first=a b").fails_with(1, "merge: input first, line 5, byte 32: ");
    sh("echo 1 >> a; merge --tag x a b").fails_with(1, "not an object, so it has no member for --tag");
    let ran = sh("echo '{\"t\":2}' >> a; merge -v --by-time --time t a b");
    assert!(
        ran.stderr.contains("merge: input a, line 5: late: 1970-01-01T00:00:02Z is before 1970-01-01T00:00:07Z"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("in 9 = out 8 + late 1 + rejected 0 + held 0"), "{}", ran.stderr);
    assert_eq!(times(&ran.ok()), "12345678");
}

#[test]
fn wrong_command_lines_teach_the_right_ones() {
    run(BIN, &[], "").fails_with(2, "merge: the following required arguments were not provided");
    run(BIN, &["--time", "t", "x"], "").fails_with(2, "--time is for --by-time");
    run(BIN, &["--late", "drop", "x"], "").fails_with(2, "--by-time");
    run(BIN, &["a", "a"], "").fails_with(2, "two inputs are called \"a\"\nmerge: hint: give them names");
    run(BIN, &["-", "x=-"], "").fails_with(2, "stdin (-) can be one input only");
    run(BIN, &["/nowhere"], "").fails_with(1, "merge: /nowhere: No such file or directory");
    run(BIN, &["/tmp"], "").fails_with(1, "merge: /tmp: is a folder");
}

/// The two branches of one checked stream.
const BRANCHES: &str = "hello='{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}'
    barrier() { echo '{\"$\":\"barrier\",\"id\":\"r.'$1'\",\"lines\":'$2',\"hops\":[\"src\"]}'; }
    end='{\"$\":\"end\",\"lines\":0,\"drain\":true}'";

#[test]
fn barriers_of_one_source_are_aligned() {
    let script = format!(
        "{BRANCHES}
        one() {{ echo \"$hello\"; echo 1; barrier 1 1; echo 2; barrier 2 1; echo \"$end\"; }}
        two() {{ echo \"$hello\"; barrier 1 0; sleep 0.2; echo 3; barrier 2 1; echo \"$end\"; }}
        merge <(one) <(two)"
    );
    let out = sh(&script).ok();
    let epochs: Vec<&str> = out.split("{\"$\":\"barrier\"").collect();
    assert!(epochs[0].contains("\"hop\":2") && epochs[0].ends_with("\n1\n"), "{out}");
    assert!(epochs[1].starts_with(",\"id\":\"r.1\",\"lines\":1,\"hops\":[\"src\",\"merge\"]}"), "{out}");
    assert!(epochs[1].contains("\n2\n") && epochs[1].contains("\n3\n"), "{out}");
    assert!(
        epochs[2].ends_with("\"lines\":2,\"hops\":[\"src\",\"merge\"]}\n{\"$\":\"end\",\"lines\":0,\"drain\":true}\n"),
        "{out}"
    );
}

#[test]
fn an_input_that_is_cut_short_is_75() {
    let script = format!("{BRANCHES}\n merge <(echo \"$hello\"; echo \"$end\") dead=<(echo \"$hello\"; echo 1)");
    sh(&script).fails_with(75, "merge: input dead: the stream was cut short without an end mark");
}

#[test]
fn two_sources_with_checkpoints_are_refused() {
    let script = format!("{BRANCHES}\n merge <(echo \"$hello\") <(echo \"${{hello/'\"r\"'/'\"s\"'}}\")");
    let ran = sh(&script);
    ran.fails_with(
        1,
        "two sources that keep checkpoints cannot be in one pipeline\nmerge: hint: one source must begin the pipe",
    );
    sh(&format!("{BRANCHES}\n merge <(echo \"$hello\") a")).fails_with(1, "checked stream");
}

#[test]
fn by_time_says_so_when_a_barrier_and_a_full_buffer_wait_for_each_other() {
    let script = format!(
        "{BRANCHES}
        one() {{ echo \"$hello\"; barrier 1 0; }}
        two() {{ echo \"$hello\"; seq -f '{{\"t\":%.0f}}' 1000; barrier 1 1000; }}
        merge --by-time --time t --buffer 1kB --chunk 1kB <(one) <(two)"
    );
    sh(&script).fails_with(1, "and no other input can go on\nmerge: hint: ");
}

#[test]
fn a_tag_that_would_make_marks_is_refused() {
    sh("merge --tag '$' a b").fails_with(2, "merge: --tag $: a line that begins with it would be a mark");
}
