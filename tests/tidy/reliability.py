#!/usr/bin/env python3
"""Holds docs/reliability.md to its word: every test it names exists (`exist`), and passed since it was built (`ran`).

In the page a test is a file in backticks, then one or more of its cases: a name in quotes, or `test_…` of Python's unittest.

  `tests/recover/engine_end_test.cc` "an empty input ends at once"
  `tests/integration/pipelines_test.py` test_end_to_end
  `tests/crash/crash_suite.py` "kill one"

Each ctest that runs such files leaves a list of its cases that passed: weir_records_passed_cases in cmake/weir.cmake. A list
that is older than the binary it came from does not count. `ran` comes last in a run of all tests.
"""

import argparse
import os
import re
import sys

FILE = r"`([\w./-]+\.(?:cc|py)|tools/[\w-]+)`"
CASE = r'(?:"[^"\n]+"|test_\w+)'


def named_in(page):
    """(line, file, case) of each test that the page names, and what is wrong with how it does."""
    tests, problems = [], []
    for number, line in enumerate(page.splitlines(), 1):
        for match in re.finditer(rf"{FILE}((?: {CASE}(?:,(?= {CASE}))?)*)", line):
            path, cases = match.group(1), re.findall(CASE, match.group(2))
            tests += [(number, path, case.strip('"')) for case in cases]
            if not cases and path.endswith(("_test.cc", "_test.py")):
                problems.append(f"line {number}: {path} stands there without the name of a test")
    # A row of a table that ends in nothing claims something that nothing shows.
    for number, line in enumerate(page.splitlines(), 1):
        if re.fullmatch(r"\|.*\|\s*\|", line) and not re.fullmatch(r"[| -]+", line):
            problems.append(f"line {number}: the last column is empty")
    return tests, problems


def declares(text, path, case):
    if path.endswith("_fuzz.cc"):
        return os.path.basename(path) == f"{case}_fuzz.cc"
    if path.endswith(".cc"):
        return f'TEST_CASE("{case}"' in re.sub(r'"\s*\n\s*"', "", text)
    if case.startswith("test_"):
        return f"def {case}(" in text
    return f'"{case}"' in text or re.search(rf"\b{re.escape(case)}\b", text) is not None


def missing(tests, root):
    for line, path, case in tests:
        whole = os.path.join(root, path)
        if not os.path.exists(whole):
            yield f"line {line}: there is no {path}"
            continue
        with open(whole, encoding="utf-8") as file:
            if not declares(file.read(), path, case):
                yield f"line {line}: {path} has no test {case!r}"


def passed_in(directory, records):
    """(file, case) of all that passed; names of lists that are not there or too old."""
    passed, absent = set(), []
    for name, files in records:
        path = os.path.join(directory, name)
        if not os.path.exists(path):
            absent.append(f"{name} has not run")
            continue
        newer = [f for f in files if os.path.getmtime(f) > os.path.getmtime(path)]
        if newer:
            absent.append(f"{name} has not run since {newer[0]} changed")
            continue
        with open(path, encoding="utf-8") as file:
            passed.update(tuple(line.rstrip("\n").split("\t", 1)) for line in file)
    return passed, absent


def not_run(tests, passed):
    for line, path, case in tests:
        if not any(name == case and (file == path or file.endswith("/" + path)) for file, name in passed):
            yield f"line {line}: {path}: {case!r} did not run, or did not pass"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("exist", "ran"))
    parser.add_argument("--records", help="one line per ctest: its name and the files it is made of, parted by tabs")
    parser.add_argument("--passed", help="the directory with the lists")
    arguments = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, "docs", "reliability.md"), encoding="utf-8") as file:
        tests, problems = named_in(file.read())
    if len(tests) < 40:
        problems.append(f"the page names {len(tests)} tests: they are not written as they were")
    if arguments.what == "exist":
        problems += missing(tests, root)
    else:
        with open(arguments.records, encoding="utf-8") as file:
            records = [(line.split("\t")[0], line.rstrip("\n").split("\t")[1:]) for line in file if line.strip()]
        passed, absent = passed_in(arguments.passed, records)
        problems += not_run(tests, passed)
        if problems and absent:
            problems += absent + ["tools/test runs all of them"]
    for problem in problems:
        print(f"docs/reliability.md: {problem}", file=sys.stderr)
    print(f"{len(tests)} tests named, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
