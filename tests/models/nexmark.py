"""Queries of Nexmark that drop late rows, row by row as their definition says, in no way as millpipe does it.

nexmark.py QUERY < EVENTS > ROWS. The watermark is the latest date_time of all events so far, less four seconds; a row is
judged by that of the rows before it, and is left out of a window [start, end) when the watermark has come to end - 1 ms.
"""
import collections
import datetime
import json
import sys

LATENESS = 4_000
SIZE = 10_000


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def text(time):
    at = datetime.datetime.fromtimestamp(time / 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def events():
    """Each event with its time and the watermark before it."""
    latest = None
    for event in map(json.loads, sys.stdin):
        time = milliseconds(event["date_time"])
        yield event, time, float("-inf") if latest is None else latest - LATENESS
        latest = time if latest is None else max(latest, time)


def windows(time, size, slide):
    """The starts of all windows that the time is in."""
    last = time - time % slide
    return [start for start in range(last, last - size, -slide) if start + size > time]


def on_time(kind, size=SIZE, slide=SIZE):
    """Rows of a kind with each window that they are in and not too late for."""
    for event, time, watermark in events():
        for start in windows(time, size, slide):
            if event["event_type"] in kind and watermark < start + size - 1:
                yield event, start


def q5():
    counts = collections.defaultdict(collections.Counter)
    for bid, start in on_time(["bid"], slide=2_000):
        counts[start][bid["auction"]] += 1
    for of_window in counts.values():
        most = max(of_window.values())
        for auction, num in of_window.items():
            if num == most:
                yield {"auction": auction, "num": num}


def q7():
    rows = list(events())
    highest = {}
    for event, time, watermark in rows:
        start = time - time % SIZE
        if event["event_type"] == "bid" and watermark < start + SIZE - 1:
            highest[start] = max(highest.get(start, 0), event["price"])
    for event, time, _ in rows:
        for start, price in highest.items():
            if event["event_type"] == "bid" and event["price"] == price and start <= time <= start + SIZE:
                yield {name: event[name] for name in ("auction", "price", "bidder", "date_time", "extra")}


def q8():
    persons, sellers = set(), set()
    for event, start in on_time(["person", "auction"]):
        if event["event_type"] == "person":
            persons.add((event["id"], event["name"], start))
        else:
            sellers.add((event["seller"], start))
    for person, name, start in persons:
        if (person, start) in sellers:
            yield {"id": person, "name": name, "stime": text(start)}


def q11():
    sessions = collections.defaultdict(list)
    for event, time, watermark in events():
        for bidder in list(sessions):
            for session in [session for session in sessions[bidder] if session[1] - 1 <= watermark]:
                sessions[bidder].remove(session)
                yield row_of_session(bidder, session)
        if event["event_type"] != "bid":
            continue
        start, end, count = time, time + SIZE, 1
        open_ones = sessions[event["bidder"]]
        for session in [session for session in open_ones if session[0] <= end and start <= session[1]]:
            open_ones.remove(session)
            start, end, count = min(start, session[0]), max(end, session[1]), count + session[2]
        if end - 1 > watermark:
            open_ones.append((start, end, count))
    for bidder, open_ones in sessions.items():
        for session in open_ones:
            yield row_of_session(bidder, session)


def row_of_session(bidder, session):
    return {"bidder": bidder, "bid_count": session[2], "starttime": text(session[0]), "endtime": text(session[1])}


for row in {"q5": q5, "q7": q7, "q8": q8, "q11": q11}[sys.argv[1]]():
    print(json.dumps(row))
