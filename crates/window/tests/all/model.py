"""What `window` must do, worked out once more, slowly and without looking at its code.

    model.py expect  SETTINGS < lines        from the raw lines: which line is in which window, which ones are late
    model.py read    SETTINGS < window's     from what window wrote, the way aggregate reads it

SETTINGS is JSON: kind (size, session, count), size, slide, step, gap, offset, lateness (ms), by (bool). Both print
one row per window: start, end, key, the ids of its lines; `expect` prints the late ids last. Rows of time are in
the order in which the windows close.
"""

import json
import math
import sys
from datetime import datetime, timezone


def ms(text):
    t = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    fraction = text[19:-1]
    return int(t.timestamp()) * 1000 + (int(fraction[1:]) if fraction else 0)


def row(start, end, key, ids):
    print(json.dumps([start, end, key, ids]))


class Clock:
    """Largest time per partition less the lateness; the least over the partitions."""

    def __init__(self, lateness):
        self.lateness, self.parts, self.part, self.now = lateness, {}, "", -math.inf

    def mark(self, mark):
        if mark["$"] == "from":
            self.part = mark["part"]
            self.parts.setdefault(self.part, -math.inf)

    def line(self, t):
        self.parts[self.part] = max(self.parts.get(self.part, -math.inf), t)
        self.now = max(self.now, min(self.parts.values()) - self.lateness)


def windows_of_size(s, t):
    """All [start, end) with t in them, by trying every start."""
    size, offset = s["size"], s.get("offset", 0)
    if "step" in s:
        start = (t - offset) // size * size + offset
        ends = range(start + s["step"], start + size + 1, s["step"])
        return [(start, end) for end in ends if t < end]
    slide = s.get("slide", size)
    first = (t - size - offset) // slide * slide + offset
    return [(a, a + size) for a in range(first, t + 1, slide) if a <= t < a + size]


def expect_size(s, lines, clock):
    windows, late = {}, []
    for line in lines:
        if "$" in line:
            clock.mark(line)
            continue
        fits = [w for w in windows_of_size(s, line["t"]) if not clock.now >= w[1] - 1]
        for w in fits:
            windows.setdefault((w[1], w[0], line["k"]), []).append(line["id"])
        if not fits:
            late.append(line["id"])
        clock.line(line["t"])
    for (end, start, key), ids in sorted(windows.items()):
        row(start, end, key, sorted(ids))
    return late


def join(open_sessions, key, start, end, ids):
    """Touching sessions of the key become one."""
    rest = []
    for k, a, b, other in open_sessions:
        if k == key and start <= b and end >= a:
            start, end, ids = min(a, start), max(b, end), other + ids
        else:
            rest.append((k, a, b, other))
    open_sessions[:] = rest + [(key, start, end, ids)]


def close(open_sessions, watermark):
    done = [x for x in open_sessions if watermark >= x[2] - 1]
    open_sessions[:] = [x for x in open_sessions if watermark < x[2] - 1]
    for key, start, end, ids in sorted(done, key=lambda x: (x[2], x[1], x[0])):
        row(start, end, key, sorted(ids))


def expect_session(s, lines, clock):
    open_sessions, late = [], []
    for line in lines:
        if "$" in line:
            clock.mark(line)
            continue
        t, key = line["t"], line["k"] if s["by"] else ""
        joins = any(k == key and t <= b and t + s["gap"] >= a for k, a, b, _ in open_sessions)
        if not joins and clock.now >= t + s["gap"] - 1:
            late.append(line["id"])
        else:
            join(open_sessions, key, t, t + s["gap"], [line["id"]])
        clock.line(t)
        close(open_sessions, clock.now)
    close(open_sessions, math.inf)
    return late


def expect_count(s, lines, clock):
    by_key = {}
    for line in lines:
        if "$" not in line:
            by_key.setdefault(line["k"] if s["by"] else "", []).append(line["id"])
    for key, ids in sorted(by_key.items()):
        for start in range(0, len(ids), s["slide"]):
            row(start, start + s["size"], key, ids[start : start + s["size"]])
    return []


def read_size(s, lines):
    announced, slices, windows = set(), {}, {}

    def finish(watermark):
        for end, start in sorted(announced):
            if watermark >= end - 1:
                announced.discard((end, start))
                for (a, b, key), ids in slices.items():
                    if start <= a and b <= end:
                        windows.setdefault((end, start, key), []).extend(ids)
        for a, b, key in list(slices):
            if not any(start <= a and b <= end for end, start in announced):
                del slices[a, b, key]
        for end, start, key in sorted(windows):
            if watermark >= end - 1:
                row(start, end, key, sorted(windows.pop((end, start, key))))

    for line in lines:
        if line.get("$") == "window":
            announced.add((ms(line["end"]), ms(line["start"])))
        elif line.get("$") == "watermark" and line["time"]:
            finish(ms(line["time"]))
        elif "slice_start" in line:
            a, b = ms(line["slice_start"]), ms(line["slice_end"])
            assert any(start <= a and b <= end for end, start in announced), f"no window for {line}"
            slices.setdefault((a, b, line["k"]), []).append(line["id"])
        elif "window_start" in line:
            a, b = ms(line["window_start"]), ms(line["window_end"])
            windows.setdefault((b, a, line["k"]), []).append(line["id"])
    finish(math.inf)


def read_session(s, lines):
    open_sessions, closed = [], {}
    for line in lines:
        if line.get("$") == "watermark" and line["time"]:
            close(open_sessions, ms(line["time"]))
        elif "slice_start" in line:
            a, b = ms(line["slice_start"]), ms(line["slice_end"])
            join(open_sessions, line["k"] if s["by"] else "", a, b, [line["id"]])
        elif "window_start" in line:
            key = line["k"] if s["by"] else ""
            closed.setdefault((ms(line["window_start"]), ms(line["window_end"]), key), []).append(line["id"])
    close(open_sessions, math.inf)
    for (start, end, key), ids in closed.items():
        assert ids == sorted(ids), "lines of a session come in order of arrival"
        row(start, end, key, ids)


def read_count(s, lines):
    slices, windows, spec = {}, {}, None
    for line in lines:
        key = line.get("k") if s["by"] else ""
        if line.get("$") == "counts":
            spec = line
        elif "slice_start" in line:
            slices.setdefault((key, line["slice_start"], line["slice_end"]), []).append(line["id"])
        elif "window_start" in line:
            windows.setdefault((key, line["window_start"], line["window_end"]), []).append(line["id"])
    for (key, a, b), ids in slices.items():
        for start in range(0, b, spec["slide"]):
            if start <= a and b <= start + spec["size"]:
                windows.setdefault((key, start, start + spec["size"]), []).extend(ids)
    for (key, start, end), ids in sorted(windows.items()):
        row(start, end, key, sorted(ids))


def main():
    what, s = sys.argv[1], json.loads(sys.argv[2])
    lines = [json.loads(line) for line in sys.stdin]
    if what == "expect":
        expect = {"size": expect_size, "session": expect_session, "count": expect_count}[s["kind"]]
        late = expect(s, lines, Clock(s.get("lateness", 0)))
        print(json.dumps({"late": late}))
    else:
        {"size": read_size, "session": read_session, "count": read_count}[s["kind"]](s, lines)


main()
