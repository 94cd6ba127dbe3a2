//! What is written, as other programs read it.

use std::path::Path;
use testkit::run;

const REPORT: &str = env!("CARGO_BIN_EXE_report");

/// A key that would run, if any of the places took it for more than a text.
const KEY: &str = "</script></style><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='alert(3) ]]> &lt; \\u0000 \\u202e é";

fn input() -> String {
    let line = |n: usize| {
        let key = KEY.replace('"', "\\\"");
        let (minute, odd) = (n / 2, n % 2);
        format!("{{\"time\":\"2026-01-01T00:{minute:02}:00Z\",\"k\":\"{key}{odd}\",\"v\":{}}}\n", (n * 7) % 31)
    };
    (0..100).map(line).collect()
}

fn python(code: &str, file: &Path) -> String {
    run("python3", &["-c", code, file.to_str().unwrap()], "").ok()
}

#[test]
fn the_svg_is_xml_and_has_no_script() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.svg");
    let flags = ["--by", "k", "--line", "v", "--heat", "v", "--bar", "v", "--number", "v", "--table", "--title", KEY];
    run(REPORT, &[&flags[..], &["--svg", file.to_str().unwrap()]].concat(), &input()).ok();
    let code = "import sys, xml.etree.ElementTree as T, collections\n\
                names = collections.Counter(e.tag.split('}')[1] for e in T.parse(sys.argv[1]).iter())\n\
                assert not set(names) - {'svg', 'style', 'rect', 'text', 'polyline', 'line', 'polygon', 'circle'}, names\n\
                assert all(not name.startswith('on') for e in T.parse(sys.argv[1]).iter() for name in e.attrib)\n\
                print(names['svg'], names['polyline'] > 3, names['text'] > 20)";
    assert_eq!(python(code, &file), "1 True True\n");
}

#[test]
fn the_png_is_a_picture_with_something_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.png");
    run(REPORT, &["--by", "k", "--line", "v", "--width", "400", "--png", file.to_str().unwrap()], &input()).ok();
    let code = "import sys, struct, zlib\n\
                data, at, pixels = open(sys.argv[1], 'rb').read(), 8, b''\n\
                assert data[:8] == b'\\x89PNG\\r\\n\\x1a\\n'\n\
                while at < len(data):\n\
                \x20   size, kind = struct.unpack('>I4s', data[at:at + 8])\n\
                \x20   body = data[at + 8:at + 8 + size]\n\
                \x20   assert zlib.crc32(kind + body) == struct.unpack('>I', data[at + 8 + size:at + 12 + size])[0]\n\
                \x20   if kind == b'IHDR': width, height, depth, colour = struct.unpack('>IIBB', body[:10])\n\
                \x20   if kind == b'IDAT': pixels += body\n\
                \x20   at += 12 + size\n\
                raw = zlib.decompress(pixels)\n\
                assert len(raw) == height * (1 + width * 4), (len(raw), width, height, colour)\n\
                print(width, depth, colour, len(set(raw)) > 100)";
    assert_eq!(python(code, &file), "800 8 6 True\n");
}

#[test]
fn the_page_is_whole_and_what_keys_say_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.html");
    run(REPORT, &["--by", "k", "--line", "v", "--table", "--title", KEY, "--html", file.to_str().unwrap()], &input())
        .ok();
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "keys are escaped");
    assert_eq!(page.matches("<script").count(), 3);
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(page.contains("default-src 'none'"));
    let code = "import sys, html.parser\n\
                class P(html.parser.HTMLParser):\n\
                \x20   seen, script = set(), None\n\
                \x20   def handle_starttag(self, tag, attrs):\n\
                \x20       self.seen.add(tag); self.seen.update(n for n, _ in attrs if n.startswith('on'))\n\
                p = P(); p.feed(open(sys.argv[1]).read())\n\
                print(sorted(t for t in p.seen if t in ('img', 'iframe', 'object') or t.startswith('on')), 'table' in p.seen)";
    assert_eq!(python(code, &file), "[] True\n");
}

#[test]
fn the_mail_has_a_text_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.eml");
    let flags =
        ["--by", "k", "--line", "v", "--title", "Läufe", "--mail", file.to_str().unwrap(), "--mail-to", "a@b.c"];
    run(REPORT, &flags, &input()).ok();
    let code = "import sys, email, email.policy\n\
                m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)\n\
                parts = [p.get_content_type() for p in m.walk()]\n\
                text = m.get_body(('plain',)).get_content()\n\
                html = m.get_body(('html',)).get_content()\n\
                png = [p for p in m.walk() if p.get_content_type() == 'image/png'][0]\n\
                assert png.get_content()[:4] == b'\\x89PNG' and png['Content-ID'] == '<picture@report>'\n\
                assert 'cid:picture@report' in html and '<script>alert' not in html and 'http' not in html\n\
                assert not m.defects, m.defects\n\
                print(m['Subject'], m['To'], parts, text.startswith('Läufe'))";
    let parts = "['multipart/alternative', 'text/plain', 'multipart/related', 'text/html', 'image/png']";
    assert_eq!(python(code, &file), format!("Läufe a@b.c {parts} True\n"));
}

#[test]
fn a_file_is_renewed_while_lines_come_and_never_torn() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.svg");
    let script = format!(
        "(for i in $(seq 1 30); do echo '{{\"time\":'$i',\"v\":'$i'}}'; sleep 0.02; done) | {REPORT} --line v --svg {0} --renew 10ms > /dev/null &\n\
         while kill -0 $! 2>/dev/null; do [ -s {0} ] && {{ tail -c 7 {0}; grep -o '[0-9]* lines' {0}; }}; sleep 0.02; done; wait $!",
        file.display()
    );
    let seen = run("bash", &["-c", &script], "").ok();
    let counts: Vec<&str> = seen.lines().filter(|line| line.ends_with("lines")).collect();
    assert!(counts.len() > 3 && counts[0] != counts[counts.len() - 1], "{seen}");
    assert!(
        seen.lines().filter(|line| !line.ends_with("lines") && !line.is_empty()).all(|line| line == "</svg>"),
        "{seen}"
    );
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "no temporary file stays");
}

/// Small drawings, as they are kept beside this file; `REPORT_SNAPSHOT=write` keeps new ones.
#[test]
fn drawings_are_those_that_are_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all/snapshots");
    let line = |n: usize| {
        let anomaly = n == 7;
        format!(
            "{{\"time\":\"2026-01-01T00:00:{:02}Z\",\"k\":\"{}\",\"v\":{},\"lower\":1,\"upper\":{},\"anomaly\":{anomaly}}}\n",
            n * 3,
            n % 2,
            n * n % 17,
            n + 3
        )
    };
    let input: String = (0..16).map(line).collect();
    for width in ["240", "480", "900"] {
        let file = folder.join(format!("{width}.svg"));
        let new = tempfile::tempdir().unwrap();
        let drawn = new.path().join("a.svg");
        let flags = [
            "--by",
            "k",
            "--line",
            "v",
            "--band",
            "lower,upper",
            "--anomaly",
            "anomaly",
            "--bar",
            "v",
            "--heat",
            "v",
            "--number",
            "v",
            "--table",
        ];
        run(REPORT, &[&flags[..], &["--width", width, "--svg", drawn.to_str().unwrap()]].concat(), &input).ok();
        let drawn = std::fs::read_to_string(&drawn).unwrap();
        if std::env::var("REPORT_SNAPSHOT").is_ok_and(|what| what == "write") {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &drawn).unwrap();
        }
        assert!(std::fs::read_to_string(&file).unwrap() == drawn, "{} is another drawing now", file.display());
    }
}
