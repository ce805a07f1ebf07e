#!/usr/bin/env python3
"""What reliability.py has to notice."""

import os
import tempfile
import unittest

from reliability import missing, named_in, not_run, passed_in

PAGE = """
| fault | what happens | test |
|---|---|---|
| a | b | `runtime/x_test.cc` "one", "two of it" |
| c | d | `tests/y_test.py` test_it; `tests/fuzz/store_fuzz.cc` "store" |
"""


class Reliability(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name

    def write(self, path, text, age_s=0):
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(text)
        at = 1_800_000_000 - age_s
        os.utime(whole, (at, at))
        return whole

    def test_names_are_read(self):
        tests, problems = named_in(PAGE)
        self.assertEqual(problems, [])
        self.assertEqual(tests, [(4, "runtime/x_test.cc", "one"), (4, "runtime/x_test.cc", "two of it"),
                                 (5, "tests/y_test.py", "test_it"), (5, "tests/fuzz/store_fuzz.cc", "store")])

    def test_a_file_without_a_case_and_an_empty_column(self):
        self.assertEqual(len(named_in("| a | `runtime/x_test.cc` |\n")[1]), 1)
        self.assertEqual(len(named_in("| a | b | |\n|---|---|---|\n")[1]), 1)

    def test_what_does_not_exist(self):
        self.write("runtime/x_test.cc", 'TEST_CASE("one") {}\nTEST_CASE("two "\n    "of it", "[x]") {}\n')
        self.write("tests/y_test.py", "def test_other(self):\n")
        problems = list(missing(named_in(PAGE)[0], self.root))
        self.assertEqual(problems, ["line 5: tests/y_test.py has no test 'test_it'",
                                    "line 5: there is no tests/fuzz/store_fuzz.cc"])

    def test_what_did_not_run(self):
        binary = self.write("bin/x_test", "", age_s=10)
        self.write("passed/x_test", "/a/runtime/x_test.cc\tone\n../runtime/x_test.cc\ttwo of it\n")
        self.write("passed/y_test", "/a/tests/y_test.py\ttest_it\n", age_s=20)
        passed, absent = passed_in(os.path.join(self.root, "passed"),
                                   [("x_test", [binary]), ("y_test", [binary]), ("fuzz", [])])
        self.assertEqual(absent, [f"y_test has not run since {binary} changed", "fuzz has not run"])
        self.assertEqual(list(not_run(named_in(PAGE)[0], passed)),
                         ["line 5: tests/y_test.py: 'test_it' did not run, or did not pass",
                          "line 5: tests/fuzz/store_fuzz.cc: 'store' did not run, or did not pass"])

    def test_another_file_of_that_name_does_not_count(self):
        self.assertEqual(len(list(not_run([(1, "core/x_test.cc", "one")], {("/a/hardcore/x_test.cc", "one")}))), 1)


if __name__ == "__main__":
    unittest.main()
