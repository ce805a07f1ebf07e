"""Compares what a pipeline wrote with what it had to write. outputs_test.py shows that it notices damage.

Records are (key, value) pairs; values are compared as they are given, so callers bring them into one form first.
"""

from collections import Counter, defaultdict


def differences(expected, actual, order="key", duplicates=False, limit=5):
    """What is wrong with `actual`, as a list of sentences; empty when nothing is.

    order      "key": the records of each key come in the expected order; "none": in any order.
    duplicates at least once: a record may come again, with all that came after it or without, but its first coming keeps
               the order. False: nothing comes twice.
    """
    problems = []
    wanted, got = Counter(expected), Counter(actual)
    for record, count in wanted.items():
        if got[record] < count:
            problems.append(f"lost: {record!r} came {got[record]} times instead of {count}")
        elif got[record] > count and not duplicates:
            problems.append(f"doubled: {record!r} came {got[record]} times instead of {count}")
    for record in got:
        if record not in wanted:
            problems.append(f"made up: {record!r}")
    if order == "key" and not problems:
        problems += _order_problems(expected, actual)
    if len(problems) > limit:
        problems = problems[:limit] + [f"… {len(problems) - limit} more"]
    return problems


def _order_problems(expected, actual):
    problems = []
    sequences = defaultdict(list)
    for key, value in expected:
        sequences[key].append(value)
    seen = defaultdict(list)
    times = Counter()
    allowed = Counter(expected)
    for record in actual:
        times[record] += 1
        if times[record] <= allowed[record]:  # a repetition is no matter of order
            seen[record[0]].append(record[1])
    for key, sequence in sequences.items():
        if seen[key] != sequence:
            at = next(i for i, (a, b) in enumerate(zip(sequence, seen[key])) if a != b)
            problems.append(f"swapped: of key {key!r}, record {at} is {seen[key][at]!r} instead of {sequence[at]!r}")
    return problems
