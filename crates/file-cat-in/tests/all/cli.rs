//! The binary: flags, messages, exit codes, real pipes, and real kills.

use crate::scene;

use scene::{BIN, Folder, Reading, numbers};
use testkit::run;

#[test]
fn what_flags_cannot_mean_is_a_usage_error() {
    let cases: [(&[&str], &str); 7] = [
        (&[], "<FILE>..."),
        (&["a", "-o", "start"], "write beginning, end or -N"),
        (&["a", "-o", "end"], "from the end to the end there is nothing to read"),
        (&["a["], "glob \"a[\""),
        (&["a", "--exactly-once"], "--state"),
        (&["-", "--exactly-once", "--state", "s"], "stdin cannot be read again"),
        (&["a", "--text", "--envelope"], "cannot be used with"),
    ];
    for (args, words) in cases {
        run(BIN, args, "").fails_with(2, words);
    }
    run(BIN, &["/no/such/file"], "").fails_with(1, "file-cat-in: /no/such/file: No such file or directory");
    run(BIN, &["/no/such/*"], "").fails_with(1, "file-cat-in: no file matches \"/no/such/*\"");
}

#[test]
fn stdin_and_other_pipes_are_read_as_files_are() {
    assert_eq!(run(BIN, &["-"], "1\n\n2\n3").ok(), "1\n2\n3\n");
    let folder = Folder::new();
    folder.write("a", "1\n");
    assert_eq!(folder.bash("file-cat-in a <(sleep 0.2; echo 2 | gzip) - < <(echo 3)").ok(), "1\n2\n3\n");
    assert_eq!(
        folder.bash("mkfifo pipe; (sleep 0.2; echo 1; sleep 0.2; echo 2) > pipe & file-cat-in pipe").ok(),
        "1\n2\n"
    );
    folder.bash("file-cat-in <(echo) --exactly-once --state s").fails_with(2, "is no regular file");
}

#[test]
fn a_pipe_with_nothing_to_say_does_not_hold_up_another() {
    let folder = Folder::new();
    let silent = "<(until grep -qs 2 out; do sleep 0.05; done; echo 1)";
    let read = folder.bash(&format!("file-cat-in --parts arguments {silent} <(echo 2) > out; cat out")).ok();
    assert_eq!(read, "2\n1\n");
}

#[test]
fn a_followed_log_goes_on_through_rotation_until_it_is_told_to_stop() {
    let folder = Folder::new();
    folder.write("a", "1\n");
    let mut reading = Reading::start(&folder, &["--follow", "a"]);
    assert_eq!(reading.line(), "1");
    folder.append("a", "2\n");
    assert_eq!(reading.line(), "2");
    folder.rename("a", "a.1");
    folder.append("a.1", "3\n");
    assert_eq!(reading.line(), "3");
    folder.write("a", "4\n");
    assert_eq!(reading.line(), "4");
    folder.write("a", "");
    // It is seen to be shorter at a look in between, each 25 ms; filled again at once, it could pass for one that has grown.
    std::thread::sleep(std::time::Duration::from_millis(500));
    folder.append("a", "\"5\"\n");
    assert_eq!(reading.line(), "\"5\"");
    let ran = reading.ends_on("TERM");
    assert!(ran.stderr.contains("file-cat-in: a: truncated or replaced after byte 2"), "{}", ran.stderr);
    ran.ok();
}

#[test]
fn window_closes_by_the_slowest_partition() {
    let folder = Folder::new();
    let hours = |range: std::ops::Range<u32>| {
        range.map(|n| format!("{{\"timestamp\":\"2026-01-01T{:02}:{:02}:00Z\"}}\n", n / 60, n % 60)).collect::<String>()
    };
    folder.write("one", hours(0..600));
    folder.write("two", hours(0..600));
    folder.write("next", hours(600..700));
    let counted = |flags: &str| {
        folder.bash(&format!(
            "file-cat-in --marks {flags} | window --size 1h | aggregate count | jq -s 'map(.count) | add'"
        ))
    };
    let late = counted("one two");
    assert!(late.stderr.contains("late lines dropped"), "two logs of the same hours are not one stream");
    let both = counted("--parts arguments one two");
    assert_eq!((both.stdout.as_str(), both.stderr.as_str()), ("1200\n", ""));
    let pieces = counted("one next");
    assert_eq!((pieces.stdout.as_str(), pieces.stderr.as_str()), ("700\n", ""), "pieces of one log are");
}

#[test]
fn what_has_come_since_the_last_run_is_read_by_the_next() {
    let folder = Folder::new();
    folder.write("a1", "{\"n\":1}\n{\"n\":2");
    let job = "file-cat-in 'a*' --exactly-once --state s --no-drain | file-cat-out out; cat out/*.ndjson 2> /dev/null || true";
    assert_eq!(folder.bash(job).ok(), "{\"n\":1}\n", "an unfinished line is left");
    assert_eq!(folder.bash(job).ok(), "{\"n\":1}\n");
    folder.append("a1", "0}\n");
    folder.write("a2", "{\"n\":3}\n");
    assert_eq!(folder.bash(job).ok(), "{\"n\":1}\n{\"n\":20}\n{\"n\":3}\n");
    folder.remove("a1");
    assert_eq!(folder.bash(job).ok(), "{\"n\":1}\n{\"n\":20}\n{\"n\":3}\n");
}

#[test]
fn a_file_that_ends_without_newline_comes_whole_into_the_output_and_says_when_it_waits() {
    let folder = Folder::new();
    let job = "file-cat-in --exactly-once --no-drain --state s 'drop*.ndjson' | file-cat-out --single out; cat out";
    folder.write("drop1.ndjson", "{\"a\":1}");
    let first = folder.bash(job);
    let said = first.stderr.clone();
    assert!(said.contains("file-cat-in: the last line has no newline"), "{said}");
    assert!(said.contains("and waits for the next run: drop1.ndjson (byte 0)\nfile-cat-in: hint: "), "{said}");
    assert_eq!(first.ok(), "");
    assert_eq!(folder.bash(job).ok(), "{\"a\":1}\n");
    folder.append("drop1.ndjson", "\n{\"a\":2}");
    assert_eq!(folder.bash(job).ok(), "{\"a\":1}\n");
    folder.write("drop2.ndjson", "{\"b\":1}\n");
    assert_eq!(folder.bash(job).ok(), "{\"a\":1}\n{\"a\":2}\n{\"b\":1}\n");
    folder.write("drop3.ndjson", "{\"c\":1}");
    folder.bash(job).ok();
    folder.remove("drop3.ndjson");
    assert_eq!(folder.bash(job).ok(), "{\"a\":1}\n{\"a\":2}\n{\"b\":1}\n{\"c\":1}\n");
}

#[test]
fn a_name_that_is_not_utf_8_is_read_in_a_folder_and_refused_as_an_argument() {
    let folder = Folder::new();
    folder.bash("printf '1\\n' > a.log; printf '2\\n' > $'caf\\xe9.log'").ok();
    assert_eq!(folder.bash("file-cat-in '*.log'").ok(), "1\n2\n");
    assert_eq!(folder.bash("{ file-cat-in --follow '*.log' || true; } | head -2").ok(), "1\n2\n");
    let job = "file-cat-in '*.log' --exactly-once --state s --no-drain | file-cat-out --single out; cat out";
    assert_eq!(folder.bash(job).ok(), "1\n2\n");
    assert_eq!(folder.bash(&format!("printf 3 >> $'caf\\xe9.log'; {job}")).ok(), "1\n2\n", "it waits, by its own name");
    assert_eq!(folder.bash(&format!("printf '\\n4\\n' >> $'caf\\xe9.log'; {job}")).ok(), "1\n2\n3\n4\n");
    folder.bash("file-cat-in $'caf\\xe9.log'").fails_with(2, "file-cat-in: invalid UTF-8");
    let refused = folder.bash("file-cat-in a.log --exactly-once --state $'caf\\xe9' > /dev/null");
    refused.fails_with(2, "a path that is not UTF-8");
}

#[test]
fn an_output_that_the_limit_of_file_sizes_cuts_is_told() {
    let folder = Folder::new();
    folder.write("big", numbers(0..10_000));
    let cut = folder.bash("(ulimit -f 8; file-cat-in big > out)");
    cut.fails_with(75, "File too large\nfile-cat-in: hint: ulimit -f unlimited");
}

#[test]
fn whatever_is_not_lines_of_json_is_told_by_what_it_is() {
    let folder = Folder::new();
    folder
        .bash("echo '{\"a\":1}' | gzip > a.gz; echo '[{\"a\":1},{\"a\":2}]' > one; jq . one > pretty; echo a,b > c")
        .ok();
    let told = |input: &str, tool: &str| folder.bash(&format!("set -o pipefail; {input} | {tool}"));
    told("cat a.gz", "aggregate count").fails_with(1, "this is gzip data\naggregate: hint: file-cat-in reads gzip");
    told("cat pretty", "window --size 1s").fails_with(1, "over several lines\nwindow: hint: jq -c '.[]'");
    told("file-cat-in c", "aggregate count").fails_with(1, "this looks like CSV\naggregate: hint: python3 -c");
    told("jq -c . c one 2> /dev/null || echo '{}{}'", "file-cat-out --single o")
        .fails_with(1, "several values on one line");
    let one = told("file-cat-in one", "aggregate count");
    assert!(one.stderr.contains("aggregate: all of the input is one line, an array of objects"), "{}", one.stderr);
    assert!(one.stderr.contains("aggregate: hint: jq -c '.[]' FILE"), "{}", one.stderr);
    assert_eq!(one.ok(), "{\"count\":1}\n");
    let lines = told("jq -c '.[]' one", "aggregate count");
    assert_eq!((lines.stderr.as_str(), lines.stdout.as_str()), ("", "{\"count\":2}\n"));
}

#[test]
fn a_zstd_file_with_a_long_window_is_read_up_to_the_limit() {
    let folder = Folder::new();
    // One block that is not compressed, in a frame with a window of 2 GiB.
    folder.bash("printf '\\x28\\xb5\\x2f\\xfd\\x00\\xa8\\x19\\x00\\x00{}\\n' > a.zst").ok();
    assert_eq!(folder.bash("file-cat-in a.zst").ok(), "{}\n");
    assert_eq!(folder.bash("file-cat-in - < a.zst").ok(), "{}\n");
    let refused = folder.bash("file-cat-in --zstd-window 64MiB a.zst");
    refused.fails_with(1, "file-cat-in: a.zst: its zstd window is larger than 64 MiB");
}

#[test]
fn a_file_that_is_gone_after_a_restart_stops_the_pipe() {
    let folder = Folder::new();
    folder.write("a", numbers(0..10));
    let job = "file-cat-in --follow a --exactly-once --state s --interval 100ms";
    let script = format!(
        "mkfifo pipe
         file-cat-out out < pipe & sink=$!
         {job} > pipe & source=$!
         until [[ $(cat out/*.ndjson 2> /dev/null | wc -l) = 10 ]]; do kill -0 $source $sink; sleep 0.05; done
         kill $source
         wait $source
         wait $sink"
    );
    folder.bash(&script).ok();
    folder.write("other", "");
    folder.remove("a");
    let gone = folder.bash(&format!("{job} | file-cat-out out"));
    assert!(gone.stderr.contains("file-cat-in: a: gone: it was read up to byte 80"), "{}", gone.stderr);
    assert!(gone.stderr.contains("file-cat-in: hint: put it back"), "{}", gone.stderr);
    folder.write("b", "");
    let other = folder.bash("file-cat-in --follow b --exactly-once --state s | file-cat-out out");
    other.fails_with(1, "file-cat-in");
    assert!(other.stderr.contains("--parts arguments"), "other files are another pipeline: {}", other.stderr);
}

/// The source is killed again and again; files of all kinds are read to their end.
#[test]
fn killed_in_the_middle_it_loses_and_doubles_nothing() {
    let folder = Folder::new();
    folder.write("a1.ndjson", numbers(0..200_000));
    folder.write("a2.ndjson", numbers(200_000..400_000));
    folder.write("a4.ndjson", numbers(600_000..800_000).trim_end());
    folder.bash("seq 400000 599999 | jq -c '{n: .}' | gzip > a3.ndjson.gz").ok();
    for parts in ["one", "files"] {
        let script = format!(
            "rm -rf s out
             for delay in 0.15 0.2 0.25 0.3 0.15 0.2 none; do
               file-cat-in 'a*' --parts {parts} --exactly-once --state s --interval 20ms > >(file-cat-out out 2> /dev/null) &
               source=$!
               if [[ $delay != none ]]; then sleep $delay; kill -9 $source 2> /dev/null || true; fi
               wait $source || true
               until flock -n s/lock true; do sleep 0.02; done
               sleep 0.1
             done
             ls out/*.ndjson | wc -l >&2
             cat out/*.ndjson | jq -s 'sort_by(.n) == [range(800000) | {{n: .}}]'"
        );
        let ran = folder.bash(&script);
        let parts_written: u32 = ran.stderr.trim().lines().last().unwrap().parse().unwrap();
        assert!(parts_written > 2, "more than one run has written: {}", ran.stderr);
        assert_eq!(ran.ok(), "true\n", "--parts {parts}");
    }
}

/// A log is written to and rotated in three ways while the pipe is killed and started again.
#[test]
fn a_rotated_log_comes_through_kills_whole() {
    let folder = Folder::new();
    let script = "
        n=0
        batch() { local to=$((n + 200)); seq $n $((to - 1)) | jq -c '{n: .}' >> log; n=$to; }
        pipe() { file-cat-in --follow log --exactly-once --state s --interval 50ms 2>> said > >(file-cat-out out 2>> said) & source=$!; }
        settle() { wait $source 2> /dev/null || true; until flock -n s/lock true; do sleep 0.02; done; sleep 0.2; }
        pipe
        for round in 1 2 3 4 5 6; do
          for part in 1 2 3; do batch; sleep 0.05; done
          case $round in
            1|4) mv log log.$((10 - round)); batch ;;
            2) kill -9 $source; settle; batch; mv log log.old; mv log.old log-2026013$round; batch; pipe ;;
            3) kill -9 $source; settle; batch; mv log log.5; gzip log.5; batch; mv log log.4; batch; pipe ;;
            5) kill -9 $source; settle; batch; cp log log.3; : > log; batch; pipe ;;
          esac
          sleep 0.3
        done
        batch
        for look in {1..3000}; do (( $(cat out/*.ndjson | wc -l) < n )) || break; sleep 0.1; done
        kill -TERM $source; settle
        cat said >&2
        cat out/*.ndjson | jq -s --argjson n $n 'sort_by(.n) == [range($n) | {n: .}]'";
    let ran = folder.bash(script);
    let said = ran.stderr.clone();
    assert_eq!(ran.ok(), "true\n", "{said}");
}
