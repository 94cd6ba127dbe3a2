#!/usr/bin/env python3
"""What `window … | aggregate --by key count sum:v min:v max:v first:v last:v` must give: an independent model.

windows.py make SEED LINES           writes test lines: out of order, often later than the lateness
windows.py hop SIZE SLIDE LATENESS   reads lines, writes the expected rows; all times in seconds
windows.py session GAP LATENESS
windows.py count SIZE SLIDE
windows.py cumulate SIZE STEP LATENESS

Naive on purpose: every line is put into every one of its windows, sessions are lists of intervals. The last line on
stderr is the number of late lines.
"""
import datetime, json, random, sys

def rfc3339(ms):
    s, f = divmod(ms, 1000)
    t = datetime.datetime.fromtimestamp(s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{t}.{f:03d}Z" if f else f"{t}Z"

def ms_of(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)

def make(seed, n):
    r = random.Random(seed)
    t0 = 1_767_225_600_000
    for i in range(n):
        t = t0 + i * 40 - r.choice((r.randrange(900), r.randrange(900), r.randrange(6000)))
        if r.random() < 0.1:  # ends and starts of windows, to the millisecond
            t = t // 2000 * 2000 - r.randrange(2)
        key = r.choice("abcdefghij") + r.choice(("", "", "é", "\\\""))
        print('{"timestamp":"%s","key":"%s","v":%d,"n":%d}' % (rfc3339(t), key, r.randrange(-50, 1000), i))

def rows(windows):
    """windows: {(end, start, key): [v, …]}, written by end, start, key"""
    for (end, start, key), vs in sorted(windows.items(), key=lambda w: (w[0][0], w[0][1], w[0][2].encode())):
        fmt = (lambda x: x) if isinstance(end, int) and end < 1e9 else rfc3339
        print(json.dumps({"window_start": fmt(start), "window_end": fmt(end), "key": key, "count": len(vs), "sum": sum(vs),
                          "min": min(vs), "max": max(vs), "first": vs[0], "last": vs[-1]}, ensure_ascii=False, separators=(",", ":")))

def events():
    for line in sys.stdin:
        d = json.loads(line)
        yield ms_of(d["timestamp"]), d["key"], d["v"]

def timed(assign, lateness):
    done, late, wm = {}, 0, None
    for t, key, v in events():
        open_windows = [(s, e) for s, e in assign(t) if wm is None or wm < e - 1]
        late += not open_windows
        for s, e in open_windows:
            done.setdefault((e, s, key), []).append(v)
        wm = max(wm, t - lateness) if wm is not None else t - lateness
    rows(done)
    return late

def hop(size, slide, lateness):
    def assign(t):
        s = t // slide * slide
        while s > t - size:
            yield s, s + size
            s -= slide
    return timed(assign, lateness)

def cumulate(size, step, lateness):
    def assign(t):
        s = t // size * size
        e = s + step
        while e <= s + size:
            if t < e:
                yield s, e
            e += step
    return timed(assign, lateness)

def session(gap, lateness):
    live, done, late, wm = {}, {}, 0, None
    for t, key, v in events():
        if wm is not None:
            for k in live:
                for s in [s for s in live[k] if s[1] - 1 <= wm]:
                    live[k].remove(s)
                    done[(s[1], s[0], k)] = s[2]
        mine = live.setdefault(key, [])
        touching = [s for s in mine if t <= s[1] and s[0] <= t + gap]
        start, end = min([t] + [s[0] for s in touching]), max([t + gap] + [s[1] for s in touching])
        if wm is not None and end - 1 <= wm:
            late += 1
        else:
            live[key] = [s for s in mine if s not in touching]
            # the order of arrival inside a merged session
            lines = sorted(sum((s[3] for s in touching), []) + [(sum(1 for _ in order), v)])
            live[key].append((start, end, [x for _, x in lines], lines))
        order.append(None)
        wm = max(wm, t - lateness) if wm is not None else t - lateness
    for k in live:
        for s in live[k]:
            done[(s[1], s[0], k)] = s[2]
    rows(done)
    return late

order = []

def count(size, slide):
    lines = {}
    emitted = []
    for _, key, v in events():
        mine = lines.setdefault(key, [])
        mine.append(v)
        n = len(mine)
        if n >= size and (n - size) % slide == 0:
            emitted.append((n - size, n, key, mine[n - size:]))
    # At the end of the input the windows that are not full come out too, in order of end, start, key.
    rest = []
    for key, mine in lines.items():
        n = len(mine)
        start = 0 if n < size else ((n - size) // slide + 1) * slide
        while start < n:
            rest.append((start, start + size, key, mine[start:]))
            start += slide
    for start, end, key, vs in emitted + sorted(rest, key=lambda r: (r[1], r[0], r[2].encode())):
        print(json.dumps({"window_start": start, "window_end": end, "key": key, "count": len(vs), "sum": sum(vs), "min": min(vs),
                          "max": max(vs), "first": vs[0], "last": vs[-1]}, ensure_ascii=False, separators=(",", ":")))
    return 0

if __name__ == "__main__":
    what, numbers = sys.argv[1], [int(a) for a in sys.argv[2:]]
    if what == "make":
        make(*numbers)
    elif what == "count":
        count(*numbers)
    else:
        late = {"hop": hop, "session": session, "cumulate": cumulate}[what](*[n * 1000 for n in numbers])
        print(late, file=sys.stderr)
