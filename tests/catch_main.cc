// The one translation unit with Catch2's main; every folder's test binary links it.
//
// Under ctest a binary leaves a list of the cases that passed, one line each, file and name parted by a tab: what
// docs/reliability.md names as a test is looked up there (tests/tidy/reliability_ran.py). A case that was filtered out,
// hidden or failed is not in it.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>

namespace {

struct PassedCases : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;

  void testRunStarting(const Catch::TestRunInfo&) override {
    // Children that a test starts are no runs of it.
    if (const char* path = std::getenv("WEIR_PASSED_CASES")) {
      out_.open(path, std::ios::trunc);
      unsetenv("WEIR_PASSED_CASES");
    }
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (!out_.is_open() || !stats.totals.assertions.allPassed() || stats.totals.assertions.total() == 0) return;
    out_ << stats.testInfo.lineInfo.file << '\t' << stats.testInfo.name << '\n' << std::flush;
  }

 private:
  std::ofstream out_;
};

}  // namespace

CATCH_REGISTER_LISTENER(PassedCases)
