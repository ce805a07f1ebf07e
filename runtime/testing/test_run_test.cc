// Test blocks on the sample pipeline: feeds, stubs, waits and expectations, holding and not.
#include <catch2/catch.hpp>

#include "runtime/testing/sample.h"
#include "runtime/testing/test_run.h"

namespace weir {
namespace {

constexpr int kEnriched = 0, kBars = 1, kDead = 2;
constexpr int64_t kMs = 1'000'000, kSecond = 1000 * kMs;

struct Block {
  explicit Block(SampleOptions options = {}) : program(BuildSample(options)) {
    test.name = "t";
    test.line = 1;
  }
  Block& Feed(const std::string& records, int target = 0) { return Add(TestItem::kFeed, target, records, "", 0); }
  Block& Stub(const std::string& arguments, const std::string& answers, int64_t after = 0) {
    return Add(TestItem::kStub, 0, answers, arguments, after);
  }
  Block& Wait(int64_t ns) { return Add(TestItem::kWait, -1, "", "", ns); }
  Block& Contains(int tap, const std::string& records) { return Add(TestItem::kExpectContains, tap, records, "", 0); }
  Block& Exactly(int tap, const std::string& records) { return Add(TestItem::kExpectExactly, tap, records, "", 0); }
  Block& Add(TestItem::Kind kind, int target, const std::string& text, const std::string& arguments, int64_t duration) {
    TestItem item;
    item.kind = kind;
    item.target = target;
    item.text = text;
    item.arguments = arguments;
    item.duration_ns = duration;
    item.line = static_cast<uint32_t>(test.items.size() + 10);
    test.items.push_back(item);
    return *this;
  }
  std::string Run() {
    std::string all;
    for (const TestFailure& failure : RunTest(program, test).failures) {
      for (const std::string& line : failure.lines) all += std::to_string(failure.line) + ": " + line + "\n";
    }
    return all;
  }
  Program program;
  TestSpec test;
};

const char* kEvent = R"([{"id": 1, "key": "a", "ts": "2026-01-02T09:00:00.5Z", "qty": 3}])";

TEST_CASE("a record waits for its stub and comes out") {
  CHECK(Block()
            .Stub(R"(["a", 1])", R"([{"outcome": "found", "value": "Acme"}])", 20 * kMs)
            .Feed(kEvent)
            .Exactly(kEnriched, R"([{"id": 1, "key": "a", "answer": "\"Acme\""}])")
            .Exactly(kDead, "[]")
            .Run() == "");
}

TEST_CASE("outcomes, one after another") {
  SampleOptions options;
  options.retries = 1;
  CHECK(Block(options)
            .Stub(R"([null, 1])", R"([{"outcome": "timeout"}, {"outcome": "found", "value": 7}])")
            .Stub(R"([null, 2])", R"([{"outcome": "missing"}])")
            .Stub(R"([null, 3])", R"([{"outcome": "rejected", "reason": "closed"}])")
            .Stub(R"([null, 4])", R"([{"outcome": "timeout"}])")
            .Stub(R"([null, 5])", R"([{"outcome": "error", "reason": "HTTP 500"}])")
            .Feed(R"([{"id": 1, "key": "a", "ts": 0, "qty": 1}, {"id": 2, "key": "a", "ts": 0, "qty": 1},
                      {"id": 3, "key": "a", "ts": 0, "qty": 1}, {"id": 4, "key": "a", "ts": 0, "qty": 1},
                      {"id": 5, "key": "a", "ts": 0, "qty": 1}, {"id": "six"}])")
            .Exactly(kEnriched, R"([{"id": 1, "key": "a", "answer": "7"}, {"id": 2, "key": "a", "answer": null}])")
            .Exactly(kDead, R"x([{"reason": "bad_input", "source": "events", "offset": 5},
                                {"reason": "lookup_rejected", "detail": "closed", "step": "enriched.account"},
                                {"reason": "lookup_timeout"}, {"reason": "lookup_error", "detail": "HTTP 500 (attempt 2)"}])x")
            .Run() == "");
}

TEST_CASE("the stub that names more arguments answers, and of equal ones the later") {
  CHECK(Block()
            .Stub(R"(["a", null])", R"([{"outcome": "found", "value": 1}])")
            .Stub(R"(["a", 1])", R"([{"outcome": "found", "value": 2}])")
            .Stub("", R"([{"outcome": "found", "value": 3}])")
            .Stub(R"([null, null])", R"([{"outcome": "found", "value": 4}])")
            .Feed(R"([{"id": 1, "key": "a", "ts": 0, "qty": 1}, {"id": 2, "key": "a", "ts": 0, "qty": 1},
                      {"id": 3, "key": "b", "ts": 0, "qty": 1}])")
            .Contains(kEnriched, R"([{"id": 1, "answer": "2"}, {"id": 2, "answer": "1"}, {"id": 3, "answer": "4"}])")
            .Run() == "");
}

TEST_CASE("a lookup without a stub fails the test by name") {
  std::string said = Block().Feed(kEvent).Contains(kDead, R"([{"reason": "lookup_error"}])").Run();
  CHECK_THAT(said, Catch::Contains("1: `account(\"a\", 1)` is asked, and the test has no stub for it"));
}

TEST_CASE("windows close by later records, or when the input is quiet") {
  SampleOptions options;
  options.with_lookup = false;
  options.lateness_ns = 2 * kSecond;
  Block later(options);
  later.Feed(kEvent).Exactly(kBars, "[]").Feed(R"([{"id": 2, "key": "b", "ts": "2026-01-02T09:00:03Z", "qty": 3}])");
  later.Exactly(kBars, R"([{"key": "a", "start": "2026-01-02T09:00:00Z", "count": 1}])");
  CHECK(later.Run() == "");

  options.idle_ns = 10 * kSecond;
  Block quiet(options);
  // Idle after 10 s, then 2 s of lateness and the half second that is left of the window.
  quiet.Feed(kEvent).Wait(12 * kSecond + 400 * kMs).Exactly(kBars, "[]").Wait(200 * kMs);
  quiet.Exactly(kBars, R"([{"key": "a", "start": "2026-01-02T09:00:00Z", "count": 1}])");
  CHECK(quiet.Run() == "");
}

TEST_CASE("tables are fed, and records of the test see what stands above them") {
  SampleOptions options;
  options.with_lookup = false;
  options.with_table = true;
  CHECK(Block(options)
            .Feed(kEvent)
            .Feed(R"([{"key": "a"}])", kTableTarget)
            .Feed(R"([{"id": 2, "key": "a", "ts": 0, "qty": 1}])")
            .Exactly(kEnriched, R"([{"id": 2, "key": "a", "answer": null}])")
            .Exactly(kDead, R"([{"reason": "missing_row", "offset": 0}])")
            .Run() == "");
}

TEST_CASE("what does not hold is told with its line") {
  SampleOptions options;
  options.with_lookup = false;
  Block block(options);
  block.Feed(kEvent).Contains(kEnriched, R"([{"id": 1, "key": "b"}])").Exactly(kEnriched, "[]");
  CHECK(block.Run() ==
        "11: `enriched`: none of the 1 record contains this\n"
        "11:   expected { id: 1, key: \"b\" }\n"
        "11:   closest  { id: 1, key: \"a\", answer: null }\n"
        "11:     `key`: expected \"b\", got \"a\"\n"
        "12: `enriched`: expected no record, got 1 record\n"
        "12:   not expected { id: 1, key: \"a\", answer: null }\n");
}

TEST_CASE("a pipeline that stops fails the test") {
  SampleOptions options;
  options.bad_deadletter = -2;
  CHECK_THAT(Block(options).Feed("[{\"id\": null}]").Exactly(kEnriched, "[]").Run(),
             Catch::Contains("10: the pipeline stopped: `events` stops the pipeline: the record of `events` at partition "
                             "0, offset 0 (bad_input: "));
}

}  // namespace
}  // namespace weir
