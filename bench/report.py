"""Rows of figures as tables, in a page, and as lines of NDJSON."""
import datetime
import json
import os
import platform
import sys
from pathlib import Path

# What a figure is called in a table, and its digits behind the point.
HEADINGS = {
    "wall_s": ("wall s", 2), "cpu_s": ("CPU s", 2), "memory_mib": ("peak MiB", 1),
    "flink_wall_s": ("Flink wall s", 2), "flink_cpu_s": ("Flink CPU s", 2), "flink_memory_mib": ("Flink MiB", 0),
    "wall_us": ("wall µs", 2), "flink_wall_us": ("Flink wall µs", 2), "cpu_us": ("CPU µs", 2), "flink_cpu_us": ("Flink CPU µs", 2),
    "wall_us_per_line": ("wall µs/line", 3), "cpu_us_per_line": ("CPU µs/line", 3), "user_ns": ("user ns/line", 0), "system_ns": ("system ns/line", 0), "added_us": ("CPU µs/line added", 3),
    "added_wall_us": ("wall µs/line added", 3), "percent": ("%", 1), "instructions": ("instructions/line", 0),
    "library_instructions": ("of these in libraries", 0), "bytes_per_key": ("bytes/key", 0), "thousand_lines_per_cpu_s": ("thousand lines/CPU s", 0),
    "p50_ms": ("p50 ms", 2), "p95_ms": ("p95 ms", 2), "p99_ms": ("p99 ms", 2), "max_ms": ("max ms", 2),
    "saved_after_p50_ms": ("saved after p50 ms", 1), "restart_ms": ("restart ms", 1),
    "disk_bytes_per_key": ("disk bytes/key", 0), "each_stage_mib": ("MiB of each stage", 0), "start_ms_min": ("min ms", 2), "start_ms": ("median ms", 2), "binary_mib": ("binary MiB", 1),
}
NO_FIGURES = {"case", "table", "system", "parts", "runs", "peer"}


def facts(args, sizes, versions):
    """The conditions under which figures were taken."""
    return {
        "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": args.commit, **sizes, "machine": machine(),
        "load_1min": round(os.getloadavg()[0], 2), "versions": versions,
    }


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as info:
        memory_gib = round(int(next(info).split()[1]) / (1 << 20))
    return f"{os.cpu_count()} × {model}, {memory_gib} GiB, Linux {platform.release().split('-')[0]}"


def page_text(rows, told, command, missing=()):
    """The tables of one case, with the command and the conditions above them, and who could not be had."""
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    where = "; ".join(filter(None, [told["machine"], f"{told['at'][:10]}, commit {told['commit'] or '?'}", versions]))
    text = f"`{command}`: {where}.\n"
    if missing:
        text += f"\nNot measured, as it could not be fetched: {', '.join(missing)}.\n"
    for title in dict.fromkeys(row["table"] for row in rows):
        text += f"\n{title[:1].upper()}{title[1:]}:\n\n{table([row for row in rows if row['table'] == title])}"
    return text


def table(rows):
    """Median (range) of the rounds; × is to the system whose × is 1.00, in the same rounds, and bold where another is better."""
    columns = columns_of(rows)
    heads = ["", *(heading(column) for column in columns)]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        lines.append([row["system"].replace("|", "\\|"), *(cell(row, column) for column in columns)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def columns_of(rows):
    """All that some row has, in the order of the first, but `rounds` at the end; a ratio behind its figure."""
    names = dict.fromkeys(name for row in rows for name in row)
    shown = [name for name in names if name not in NO_FIGURES and not name.endswith("_range") and name != "rounds"]
    return shown + (["rounds"] if "rounds" in names else [])


def heading(column):
    if column.startswith("ratio_"):
        return "×"
    return HEADINGS.get(column, (column.replace("_", " "), 0))[0]


def cell(row, column):
    value = row.get(column)
    if value is None:
        return ""
    if not isinstance(value, (int, float)):
        return str(value)
    if column.startswith("ratio_"):
        return ratio(value, "peer" in row)
    digits = HEADINGS.get(column, ("", 0 if isinstance(value, int) else 2))[1]
    low_high = row.get(f"{column}_range")
    text = f"{value:,.{digits}f}"
    return text if low_high is None else f"{text} ({low_high[0]:,.{digits}f}–{low_high[1]:,.{digits}f})"


def ratio(value, is_of_a_peer=True):
    """How many times ours: below 1 the other is better, and the table says so aloud."""
    return f"**{value:.2f}**" if is_of_a_peer and value < 1 else f"{value:.2f}"


def put_into(pages, names, text):
    """Puts a text in the place that one of the pages has for the first of these names."""
    for name in names:
        for page in pages:
            if put(page, name, text):
                return
    sys.exit(f"bench: {', '.join(pages)}: no place for this: <!-- {names[-1]} --> and <!-- end of {names[-1]} -->")


def put(page, name, text):
    """Whether the page has a place of this name, which now has the text."""
    page = Path(page)
    before, found, rest = page.read_text().partition(f"<!-- {name} -->\n")
    end = f"<!-- end of {name} -->\n"
    if not found or end not in rest:
        return False
    page.write_text(before + found + text + rest[rest.index(end):])
    return True


def append(history, told, rows):
    with open(history, "a") as file:
        for row in rows:
            file.write(json.dumps(told | row) + "\n")
