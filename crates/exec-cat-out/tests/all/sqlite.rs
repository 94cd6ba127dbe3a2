//! A database that knows the ids that it has seen, at the end of a pipeline that is killed at random.

use testkit::bash;

#[test]
fn a_database_has_each_line_once_whatever_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "cd {}
        generate -n 40000 --keys 5 | window --size 10s --plain > right
        cat > load << 'END'
        set -euo pipefail
        seen=$(sqlite3 lines.db \"select id from epochs where id = '$CHECKPOINT_ID'\")
        [[ -z $seen ]] || exit 0
        {{ echo 'begin;'
          sed \"s/.*/insert into lines values('&');/\"
          echo \"insert into epochs values('$CHECKPOINT_ID'); commit;\"
        }} | sqlite3 -bail lines.db
END
        cat > job << 'END'
        cd \"$CRASH_TEST_DIR\"
        set -o pipefail
        sqlite3 lines.db 'create table if not exists lines(line); create table if not exists epochs(id primary key)'
        # Slow enough for all kills on a busy machine; when they are done nothing slows it down.
        rate=$((CRASH_TEST_KILLS_LEFT > 0 ? 2000 : 1000000))
        generate -n 40000 --keys 5 --rate $rate/s --event-rate 10000/s --exactly-once --state state --interval 20ms \\
          | window --size 10s --plain | exec-cat-out -- bash ../../load
END
        crash-test --kills 8 --what any=3,exec-cat-out=2,sqlite3=1,all=1 --between 20ms..150ms --expect right \\
          --output-command 'sqlite3 \"$CRASH_TEST_DIR/lines.db\" \"select line from lines order by rowid\"' \\
          --ordered --seed 1 --dir runs -- job",
        dir.path().display()
    );
    bash(&["generate", "window", "exec-cat-out", "crash-test"], &script).ok();
}
