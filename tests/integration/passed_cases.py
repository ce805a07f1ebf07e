"""Runs the tests of a script. Under ctest it leaves a list of those that passed, one line each, file and name parted by a
tab, as tests/catch_main.cc does for C++: what docs/reliability.md names as a test is looked up there."""

import os
import sys
import unittest


def write(names):
    """Leaves names as passed cases of the script that runs, where ctest asks for them."""
    path = os.environ.get("WEIR_PASSED_CASES")
    if path:
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(f"{os.path.abspath(sys.argv[0])}\t{name}\n" for name in names)


class PassedCases(unittest.TextTestResult):
    def startTestRun(self):
        super().startTestRun()
        self.passed = []
        write(self.passed)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed.append(test.id().rpartition(".")[2])
        write(self.passed)


def main():
    unittest.main(testRunner=unittest.TextTestRunner(verbosity=2, resultclass=PassedCases))
