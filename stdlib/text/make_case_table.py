#!/usr/bin/env python3
"""Writes case_upper.inc and case_lower.inc, Unicode's simple case mappings as runs, beside this file.

Run by hand when Python's Unicode is newer than the tables; the results are committed.
"""
import pathlib


def simple(text, other):
    """The one-to-one mapping, where the full mapping has several letters."""
    return text if len(text) == 1 else other if len(other) == 1 else None


def runs(mapping):
    result = []
    for code, target in sorted(mapping.items()):
        delta = target - code
        if result:
            first, last, step, run_delta = result[-1]
            gap = code - last
            if delta == run_delta and gap in (1, 2) and (first == last or gap == step):
                result[-1] = (first, code, gap, delta)
                continue
        result.append((code, code, 1, delta))
    return result


def write(name, mapping):
    lines = [f"    {{0x{a:04x}, 0x{b:04x}, {step}, {delta}}},\n" for a, b, step, delta in runs(mapping)]
    (pathlib.Path(__file__).parent / name).write_text("".join(lines))


def main():
    upper, lower = {}, {}
    for code in range(0x80, 0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        c = chr(code)
        u = simple(c.upper(), c.title())
        if u and u != c:
            upper[code] = ord(u)
        low = simple(c.lower(), c.lower()[0])
        if low and low != c:
            lower[code] = ord(low)
    write("case_upper.inc", upper)
    write("case_lower.inc", lower)


main()
