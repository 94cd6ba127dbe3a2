"""Draws a flame graph: https://www.brendangregg.com/flamegraphs.html. A box is a function, as wide as it was seen often,
upon the one that called it; a tooltip tells its name and share."""
from html import escape

WIDTH, HEIGHT, LETTER = 1200, 17, 6.6
COLOURS = ("#f4a259", "#f2b880", "#e98a4b", "#f6bd60", "#e8985e", "#f7c59f")


def graph(stacks, title):
    """SVG of stacks (tuples of names, the outermost first) and how often each was seen."""
    tree = {}
    for stack, times in stacks.items():
        at = tree
        for name in stack:
            node = at.setdefault(name, [0, {}])
            node[0] += times
            at = node[1]
    total = max(1, sum(stacks.values()))
    height = (max(map(len, stacks), default=0) + 2) * HEIGHT
    boxes = [box for box in drawn(tree, 0.0, 0, total, height)]
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="monospace" font-size="11">'
            f'<text x="4" y="13">{escape(title)}: {total} samples</text>\n')
    return head + "".join(boxes) + "</svg>\n"


def drawn(tree, left, depth, total, height):
    for name, (times, callees) in sorted(tree.items()):
        width = WIDTH * times / total
        if width >= 0.5:
            top = height - (depth + 1) * HEIGHT
            letters = int((width - 4) / LETTER)
            shown = name if len(name) <= letters else name[: max(0, letters - 1)] + "…" if letters > 3 else ""
            yield (f'<g><title>{escape(name)}: {times} ({100 * times / total:.1f} %)</title><rect x="{left:.1f}" y="{top}" '
                   f'width="{width:.1f}" height="{HEIGHT - 1}" fill="{COLOURS[hash_of(name)]}"/>'
                   f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(shown)}</text></g>\n')
            yield from drawn(callees, left, depth + 1, total, height)
        left += width


def hash_of(name):
    """The same name has the same colour in every graph."""
    return sum(name.encode()) % len(COLOURS)
