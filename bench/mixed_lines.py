"""Requests as many writers would write them: python3 mixed_lines.py < requests.ndjson > mixed.ndjson

Of each line the members are in another order; most have nested objects and lists, and there are six sorts of lines with
other members. Strings have escapes and characters beyond ASCII; one key in eight is written with an escape, one line in
sixteen with spaces, and numbers come as 20.31, 2.031e1 and 20.310. Values, keys and times are those of the request.
"""
import json
import random
import sys

AGENTS = ["curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64) \"quoted\"", "ブラウザ/1.0", "back\\slash\tand tab", "naïve client/2"]
NOTES = ["", "line one\nline two", "C:\\temp\\a.log", "{\"timestamp\":\"no\",\"key\":\"no\",\"value\":0}", "日本語 🙂"]


def main():
    chance = random.Random(1)
    sorts = [plain, traced, billed, located, tagged, wrapped]
    out = []
    for number, line in enumerate(sys.stdin):
        request = json.loads(line)
        # The text of the number as it stands, so that no digit is lost.
        text = line.split('"value":', 1)[1].split(",", 1)[0]
        members = {name: json.dumps(value) for name, value in request.items()}
        members |= {"key": key(request["key"], number), "value": value(text, number)}
        extra = chance.choice(sorts)(chance, number)
        members |= {name: json.dumps(told, ensure_ascii=number % 3 == 0, separators=(",", ":")) for name, told in extra.items()}
        out.append(written(members, chance, number))
        if len(out) == 10_000:
            sys.stdout.write("".join(out))
            out.clear()
    sys.stdout.write("".join(out))


def key(name, number):
    return json.dumps(name).replace("-", "\\u002d") if number % 8 == 0 else json.dumps(name)


def value(text, number):
    if number % 5 == 1 and "." in text:
        return text + "0"
    if number % 5 == 2 and "." in text:
        whole, _, part = text.partition(".")
        return f"{whole[0]}.{whole[1:]}{part}e{len(whole) - 1}"
    return text


def written(members, chance, number):
    names = list(members)
    chance.shuffle(names)
    if number % 16 == 0:
        return "{ " + " , ".join(f'"{name}" : {members[name]}' for name in names) + " }\n"
    return "{" + ",".join(f'"{name}":{members[name]}' for name in names) + "}\n"


def plain(chance, number):
    return {}


def traced(chance, number):
    return {"trace": {"id": f"{chance.getrandbits(64):016x}", "parent": None, "sampled": number % 2 == 0}}


def billed(chance, number):
    return {"account": {"plan": {"name": "pro", "seats": number % 50}, "value": 1.5}, "cents": number % 1000}


def located(chance, number):
    return {"geo": {"lat": chance.uniform(-90, 90), "lon": chance.uniform(-180, 180)}, "agent": chance.choice(AGENTS)}


def tagged(chance, number):
    return {"tags": ["a", "b", {"deep": [1, [2, [3, {"key": "no"}]]]}], "note": chance.choice(NOTES)}


def wrapped(chance, number):
    headers = {"accept": "*/*", "user-agent": chance.choice(AGENTS), "x-request-id": f"{chance.getrandbits(48):x}"}
    return {"http": {"headers": headers, "bytes": chance.randrange(1 << 20), "timestamp": "1970-01-01T00:00:00Z"}}


if __name__ == "__main__":
    main()
