//! `-- CMD`: batches to processes, and all that can go wrong with them.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Ran, bash, run, wait_for_rest, wait_until};

const BIN: &str = env!("CARGO_BIN_EXE_parallel-map");

fn numbers(range: std::ops::RangeInclusive<u32>) -> String {
    range.map(|n| format!("{n}\n")).collect()
}

fn sh(flags: &[&str], script: &str, input: &str) -> Ran {
    let args = [flags, &["--", "sh", "-c", script]].concat();
    run(BIN, &args, input)
}

#[test]
fn lines_come_back_in_order_whatever_the_jobs_and_batches() {
    let input = numbers(1..=5_000);
    let expected: String = (1..=5_000).map(|n| format!("{n}0\n")).collect();
    for flags in [
        ["-j", "1", "--batch", "1MiB", "--chunk", "64KiB"],
        ["-j", "4", "--batch", "1kB", "--chunk", "64KiB"],
        ["-j", "3", "--batch", "2kB", "--chunk", "100B"],
    ] {
        assert!(sh(&flags, "sed s/$/0/", &input).ok() == expected, "{flags:?}");
        let kept = [&flags[..], &["--persistent"]].concat();
        assert!(sh(&kept, "sed -u s/$/0/", &input).ok() == expected, "{kept:?}");
    }
}

#[test]
fn a_slow_first_batch_does_not_let_the_second_one_pass() {
    let script = "read -r first; [ \"$first\" = 1 ] && sleep 0.4; echo \"$first\"; cat";
    let flags = ["-j", "4", "--batch", "1B"];
    assert_eq!(sh(&flags, script, &numbers(1..=8)).ok(), numbers(1..=8));
    let folder = tempfile::tempdir().unwrap();
    let passed = folder.path().join("passed").display().to_string();
    let waits = format!(
        "read -r n; [ $n = 1 ] && until [ -e {passed} ]; do sleep 0.1; done; echo $n; [ $n = 1 ] || touch {passed}"
    );
    let unordered = sh(&[&flags[..], &["--unordered"]].concat(), &waits, &numbers(1..=8)).ok();
    assert_eq!(unordered.lines().count(), 8);
}

#[test]
fn a_program_may_drop_and_add_lines_and_the_counts_are_rewritten() {
    let stream = concat!(
        "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n1\n2\n3\n",
        "{\"$\":\"watermark\",\"time\":null}\n4\n",
        "{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":4,\"hops\":[\"s\"]}\n5\n6\n",
        "{\"$\":\"end\",\"lines\":2,\"drain\":true}\n",
    );
    let out = sh(&["-j", "3"], "grep -v 2; echo 0", stream).ok();
    assert_eq!(
        out,
        concat!(
            "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":2}\n1\n3\n0\n",
            "{\"$\":\"watermark\",\"time\":null}\n4\n0\n",
            "{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":5,\"hops\":[\"s\",\"parallel-map\"]}\n5\n6\n0\n",
            "{\"$\":\"end\",\"lines\":3,\"drain\":true}\n",
        )
    );
}

#[test]
fn a_failing_process_stops_the_run_with_its_status_and_last_words() {
    let ran = sh(&["-j", "2"], "cat > /dev/null; echo first >&2; echo last words >&2; exit 5", &numbers(1..=400));
    ran.fails_with(1, "parallel-map: lines 1 to 400: sh exited with status 5: first; last words\nparallel-map: hint: ");
    assert!(ran.stderr.starts_with("first\nlast words\n"), "what it said is passed on: {}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let ran = sh(&[], "kill -SEGV $$", "7\n");
    ran.fails_with(1, "parallel-map: line 1: sh was killed by signal 11 (SIGSEGV)");
}

/// Its lines are not known to be bad: neither exit code 1, nor dead letters.
#[test]
fn a_process_that_somebody_has_killed_is_a_reason_to_start_again() {
    let checked = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n7\n{\"$\":\"end\",\"lines\":1,\"drain\":true}\n";
    for (script, said) in [
        ("kill -KILL $$", "sh was killed by signal 9 (SIGKILL)"),
        ("kill -TERM $$", "sh was killed by signal 15 (SIGTERM)"),
        ("sh -c 'kill -KILL $$'; exit $?", "sh exited with status 137"),
        ("exit 75", "sh exited with status 75"),
    ] {
        for input in ["7\n", checked] {
            let ran = sh(&[], script, input);
            ran.fails_with(75, &format!("parallel-map: {said}"));
            assert!(ran.stderr.contains("hint: start the pipeline again; --retries 3 "), "{}", ran.stderr);
            assert!(!ran.stdout.contains("reject"), "{}", ran.stdout);
        }
        let skipped = sh(&["--on-error", "skip"], script, "7\n");
        assert_eq!((skipped.code, skipped.stdout.as_str()), (Some(0), ""), "{script}");
    }
}

#[test]
fn lines_before_a_failed_batch_come_out_and_none_behind_it() {
    let script = "read -r n; [ \"$n\" = 4 ] && exit 3; echo \"$n\"";
    for jobs in ["1", "4"] {
        let ran = sh(&["-j", jobs, "--batch", "1B"], script, &numbers(1..=8));
        ran.fails_with(1, "parallel-map: line 4: sh exited with status 3");
        assert_eq!(ran.stdout, "1\n2\n3\n");
    }
}

#[test]
fn a_failed_batch_can_go_to_the_rejects_whole() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects");
    let flags = ["-j", "2", "--batch", "4B", "-v", "--on-error", "reject", "--rejects", rejects.to_str().unwrap()];
    let ran = sh(&flags, "read -r n; [ \"$n\" = 3 ] && exit 3; echo \"$n\"; cat", &numbers(1..=6));
    assert!(ran.stderr.contains("in 6 = out 4 + late 0 + rejected 2 + held 0"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "1\n2\n5\n6\n");
    let kept = std::fs::read_to_string(rejects).unwrap();
    assert_eq!(
        kept,
        concat!(
            r#"{"by":"parallel-map","why":"sh exited with status 3 (with lines 3 to 4)","at":"line 3","line":"3"}"#,
            "\n",
            r#"{"by":"parallel-map","why":"sh exited with status 3 (with lines 3 to 4)","at":"line 4","line":"4"}"#,
            "\n",
        )
    );
}

#[test]
fn retries_give_the_batch_to_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let tries = folder.path().join("tries");
    let script = format!("echo >> {0}; cat; [ $(wc -l < {0}) -ge 3 ] || exit 1", tries.display());
    assert_eq!(sh(&["--retries", "2"], &script, &numbers(1..=3)).ok(), numbers(1..=3));
    assert_eq!(std::fs::read(&tries).unwrap().len(), 3);
    std::fs::remove_file(&tries).unwrap();
    let ran = sh(&["--retries", "1"], &script, &numbers(1..=3));
    ran.fails_with(1, "lines 1 to 3: sh exited with status 1, tried 2 times");
    assert_eq!(ran.stdout, "", "nothing of a failed try comes out");
}

#[test]
fn bad_lines_do_not_reach_the_program_unless_any_text_may() {
    let input = "1\n\nnot json\n2\n";
    for flags in [&["-j", "2"][..], &["-j", "1", "--persistent"]] {
        let run = |more: &[&str]| run(BIN, &[flags, more, &["--", "cat"]].concat(), input);
        let ran = run(&[]);
        ran.fails_with(1, "parallel-map: line 3, byte 3: ");
        assert_eq!(ran.stdout, "1\n");
        assert_eq!(run(&["--on-error", "skip"]).ok(), "1\n2\n");
        assert_eq!(run(&["--text"]).ok(), "1\nnot json\n2\n");
    }
}

#[test]
fn output_is_whole_lines_and_never_a_mark() {
    assert_eq!(sh(&["--batch", "1B"], "cat > /dev/null; printf x", "1\n2\n").ok(), "x\nx\n");
    assert_eq!(sh(&[], "cat > /dev/null; echo '{\"$\":\"end\"}'", "1\n").ok(), "{ \"$\":\"end\"}\n");
}

#[test]
fn a_program_need_not_read_all() {
    let input = numbers(1..=200_000);
    assert_eq!(sh(&["-j", "1", "--batch", "1MiB"], "head -n 1", &input).ok().lines().next(), Some("1"));
    assert_eq!(sh(&["-j", "2"], "exit 0", &input).ok(), "");
}

#[test]
fn a_program_that_closes_its_output_still_gets_all_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("taken");
    let input = numbers(1..=100_000);
    assert_eq!(sh(&["-j", "1"], &format!("exec >&-; sleep 0.1; cat >> {}", file.display()), &input).ok(), "");
    assert!(std::fs::read_to_string(file).unwrap() == input);
}

#[test]
fn much_output_before_the_input_is_read_does_not_lock() {
    let script = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99; head -c 900000 /dev/zero | tr '\\0' y >&2; cat";
    let ran = sh(&["-j", "2"], script, &numbers(1..=300_000));
    assert!(ran.stdout.len() > 3_000_000);
    assert!(ran.ok().ends_with("\n300000\n"));
}

#[test]
fn output_above_the_limit_is_a_failure() {
    let ran = sh(&["--max-output", "1MiB"], "yes", "1\n");
    ran.fails_with(1, "parallel-map: line 1: sh wrote more than 1048576 bytes (--max-output)");
}

#[test]
fn a_process_that_takes_too_long_is_ended() {
    let before = Instant::now();
    let ran = sh(&["--timeout", "200ms"], "sleep 60", "1\n");
    ran.fails_with(1, "parallel-map: line 1: sh gave no answer within 200ms (--timeout)");
    assert!(before.elapsed() < Duration::from_secs(50));
}

#[test]
fn a_kept_process_that_holds_its_output_back_is_told_from_a_slow_one() {
    let ran = sh(&["--persistent", "--timeout", "300ms"], "sed s/a/b/", "1\n2\n");
    ran.fails_with(1, "lines 1 to 2: sh gave no answer within 300ms (--timeout); does it wait for more input, or hold");
    let slow = "while read -r n; do sleep 0.5; echo $n; done";
    assert_eq!(sh(&["--persistent", "-j", "1", "--timeout", "5s"], slow, &numbers(1..=11)).ok(), numbers(1..=11));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let ran = run(BIN, &["--", "no-such-program"], "1\n");
    ran.fails_with(1, "parallel-map: cannot start \"no-such-program\": No such file or directory");
}

#[test]
fn kept_processes_see_all_lines_and_are_as_many_as_jobs() {
    let script = "while read -r n; do echo \"$$\"; done";
    let out = sh(&["--persistent", "-j", "3", "--batch", "10B"], script, &numbers(1..=300)).ok();
    let mut pids: Vec<&str> = out.lines().collect();
    assert_eq!(pids.len(), 300);
    pids.sort_unstable();
    pids.dedup();
    assert!((1..=3).contains(&pids.len()), "{pids:?}");
}

#[test]
fn a_kept_process_must_give_one_line_for_each() {
    let one = ["-j", "1", "--persistent"];
    let more = sh(&one, "while read -r n; do echo $n; echo $n; done", &numbers(1..=3));
    // Seen with the lines or, when the surplus comes after so many lines as were given, at the end.
    more.fails_with(1, "sh wrote more ");
    let early = sh(&one, "read -r n; echo $n", &numbers(1..=3));
    early.fails_with(1, "lines 1 to 3: sh exited with status 0 before it had answered every line");
    let dies = sh(&one, "read -r n; echo $n; echo out of luck >&2; exit 4", &numbers(1..=3));
    dies.fails_with(1, "lines 1 to 3: sh exited with status 4: out of luck");
    let last = sh(&one, "while read -r n; do echo $n; done; echo and one more", &numbers(1..=3));
    last.fails_with(1, "sh wrote more lines than it got, at the end");
    let end = sh(&one, "while read -r n; do echo $n; done; exit 6", &numbers(1..=3));
    end.fails_with(1, "sh exited with status 6, at the end");
}

#[test]
fn a_kept_process_that_died_is_replaced_with_retries() {
    let folder = tempfile::tempdir().unwrap();
    let died = folder.path().join("died");
    let script =
        format!("while read -r n; do [ $n = 5 ] && [ ! -e {0} ] && touch {0} && exit 1; echo $n; done", died.display());
    let flags = ["-j", "1", "--persistent", "--batch", "4B"];
    assert_eq!(sh(&[&flags[..], &["--retries", "1"]].concat(), &script, &numbers(1..=9)).ok(), numbers(1..=9));
    assert!(died.exists());
}

#[test]
fn a_kept_process_that_speaks_unasked_has_failed() {
    // It speaks when its answer has come out, and is asked again when it has spoken.
    let script = "while read -r n; do echo $n; [ $n = 1 ] && { until grep -q 1 out; do sleep 0.05; done; echo hm; touch said; }; done";
    let input = "(echo 1; until [ -e said ]; do sleep 0.05; done; sleep 0.2; echo 2)";
    let ran = bash(
        &["parallel-map"],
        &format!("cd $(mktemp -d); {input} | parallel-map -j 1 --persistent -- sh -c '{script}' > out"),
    );
    ran.fails_with(1, "line 2: sh wrote a line that was not asked for");
}

/// How many processes have this text in their command line.
fn processes_with(text: &str) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        count += usize::from(String::from_utf8_lossy(&line).contains(text));
    }
    count
}

fn wait_until_there(text: &str) {
    wait_until(&format!("a process has {text}"), || processes_with(text) > 0);
}

fn wait_until_gone(text: &str) {
    wait_until(&format!("no process is left of {text}"), || processes_with(text) == 0);
}

fn spawn(args: &[&str]) -> std::process::Child {
    Command::new(BIN).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn when_the_reader_leaves_the_processes_end_and_we_die_of_sigpipe() {
    use std::os::unix::process::ExitStatusExt;
    for (seconds, closes_stdin) in [("98761", true), ("98762", false)] {
        let mut child = spawn(&["-j", "2", "--", "sh", "-c", &format!("sleep {seconds} & wait")]);
        let mut stdin = child.stdin.take();
        stdin.as_mut().unwrap().write_all(b"1\n").unwrap();
        if closes_stdin {
            stdin = None;
        }
        wait_until_there(&format!("sleep {seconds}"));
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().signal(), Some(13));
        wait_until_gone(seconds);
        drop(stdin);
    }
}

#[test]
fn when_we_are_ended_the_processes_end_too() {
    use std::os::unix::process::ExitStatusExt;
    let mut child = spawn(&["-j", "2", "--", "sh", "-c", "sleep 98763 & wait"]);
    child.stdin.as_mut().unwrap().write_all(b"1\n").unwrap();
    wait_until_there("sleep 98763");
    bash(&[], &format!("kill -TERM {}", child.id())).ok();
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    wait_until_gone("98763");
}

#[test]
fn the_first_ctrl_c_passes_and_reaches_no_process() {
    let mut child = spawn(&["-j", "1", "--", "sh", "-c", "sleep 0.598765; cat"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1\n").unwrap();
    wait_until_there("sleep 0.598765");
    bash(&[], &format!("kill -INT {}", child.id())).ok();
    wait_for_rest(&[child.id()]);
    stdin.write_all(b"2\n").unwrap();
    drop(stdin);
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(out, "1\n2\n");
}

fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_slow_process_stops_the_reader_and_memory_stays() {
    let mut child = spawn(&["-j", "2", "--batch", "64KiB", "--", "sh", "-c", "sleep 98764; cat"]);
    let mut stdin = child.stdin.take().unwrap();
    let line = format!("\"{}\"\n", "x".repeat(1021));
    let (sent, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for n in 1_u64.. {
            if stdin.write_all(line.as_bytes()).is_err() {
                return;
            }
            let _ = sent.send(n);
        }
    });
    wait_for_rest(&[child.id()]);
    let lines = received.try_iter().last().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(received.try_iter().last(), None, "nothing more goes in");
    let peak = peak_kib(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    bash(&[], "pkill -f '^sleep 98764' || true").ok();
    // Four batches in flight and one that waits, four chunks in the channel, one each in the hands of the reader
    // and of the loop, and the pipe: 12 * 64 KiB. Reads may be smaller, and the first batches are, as the pool idled.
    assert!(lines <= 12 * 64 + 1, "{lines} KiB went in");
    assert!(peak < 20_000, "{peak} KiB");
}

#[test]
fn no_zombies_are_left_while_we_run() {
    let mut child = spawn(&["-j", "2", "--batch", "1B", "--", "cat"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(numbers(1..=50).as_bytes()).unwrap();
    let mut out = vec![0; numbers(1..=50).len()];
    child.stdout.as_mut().unwrap().read_exact(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), numbers(1..=50));
    let zombies = || bash(&[], &format!("ps -o stat= --ppid {} | grep -c Z || true", child.id())).ok();
    wait_until("no zombie is left", || zombies().trim() == "0");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn blank_lines_of_a_program_are_no_lines_in_a_checked_stream_either() {
    let input = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n{\"a\":1}\n{\"a\":2}\n{\"$\":\"end\",\"lines\":2,\"drain\":true}\n";
    for (args, lines, said) in [
        (&["-v", "--", "sh", "-c", "cat; echo; printf ' \\r\\n\\t'"][..], 2, "in 2 = out 2 + late 0"),
        (&["-v", "--", "sed", "s/.*2.*//"], 1, "in 2 = out 1 + left out 1 + late 0"),
        (&["-v", "--persistent", "--", "sed", "-u", "s/.*2.*//"], 1, "in 2 = out 1 + left out 1 + late 0"),
    ] {
        let ran = run(BIN, args, input);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        let out = ran.ok();
        assert!(out.ends_with(&format!("{{\"$\":\"end\",\"lines\":{lines},\"drain\":true}}\n")), "{args:?}: {out}");
        assert!(out.lines().all(|line| !line.trim().is_empty()), "{args:?}: {out}");
        run(BIN, &["."], &out).ok();
    }
}
