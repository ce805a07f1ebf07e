// Attempts, time-outs, deadlines, backoff: one outcome per request, decided in one place.
#include <catch2/catch.hpp>

#include "runtime/lookup/lookup_test_rig.h"

namespace weir {
namespace {

Rig Make(std::function<void(LookupSpec&)> tune) {
  RigOptions options;
  options.tune = [tune](int, LookupSpec& s) {
    s.jitter_full = false;
    s.backoff_min_ns = 20 * kMs;
    s.backoff_max_ns = 50 * kMs;
    tune(s);
  };
  return Rig(options);
}

TEST_CASE("A request that is never answered times out once and leaves nothing behind") {
  Rig rig = Make([](LookupSpec&) {});
  rig.Ask(1, "a");
  rig.Advance(99 * kMs);
  CHECK(rig.events.empty());
  rig.Advance(1 * kMs);
  REQUIRE(rig.Resumed().size() == 1);
  const Rig::Event* e = rig.Find(1);
  CHECK(e->outcome == Outcome::kTimeout);
  CHECK(e->text == "no answer within 100ms");
  CHECK(e->attempts == 1);
  CHECK(rig.connector->sent[0].forgotten);
  CHECK(rig.port().pending() == 0);
  CHECK(rig.lookups->rows_in_use() == 0);
  CHECK(rig.lookups->runtime(0).flying() == 0);
  CHECK(rig.lookups->NextTimerMonoNs() == INT64_MAX);
}

TEST_CASE("Retries: as many as declared, with growing waits, each attempt with its own time-out") {
  Rig rig = Make([](LookupSpec& s) { s.retries = 3; });
  rig.Ask(1, "a");
  rig.Advance(1000 * kMs);
  REQUIRE(rig.connector->sent.size() == 4);
  std::vector<int64_t> at;
  for (auto& s : rig.connector->sent) at.push_back(s.at / kMs);
  // 100 ms time-out, then 20, 40, 50 (the cap)
  CHECK(at == std::vector<int64_t>{0, 120, 260, 410});
  CHECK(rig.connector->sent[3].attempt == 4);
  CHECK(rig.Find(1)->outcome == Outcome::kTimeout);
  CHECK(rig.Find(1)->attempts == 4);
  CHECK(rig.Find(1)->at == 510 * kMs);
  CHECK(rig.Find(1)->text == "no answer within 100ms (attempt 4)");
  CHECK(rig.metrics().retries.Get() == 3);
  CHECK(rig.metrics().attempts.Get() == 4);
  CHECK(rig.metrics().requests[static_cast<int>(Outcome::kTimeout)].Get() == 1);
}

TEST_CASE("Only what is transient is tried again") {
  Rig rig = Make([](LookupSpec& s) { s.retries = 3; });
  rig.Ask(1, "rejected");
  rig.Ask(2, "error");
  rig.Ask(3, "transient");
  rig.Turn();
  rig.connector->Answer(0, Outcome::kRejected, "HTTP 400");
  rig.connector->Fail(1, "HTTP 501", false);
  rig.connector->Fail(2, "HTTP 503", true);
  rig.Advance(20 * kMs);
  REQUIRE(rig.connector->sent.size() == 4);
  CHECK(rig.connector->sent[3].target == "/x/transient");
  rig.connector->Found(3, "v");
  rig.Turn();
  CHECK(rig.Find(1)->outcome == Outcome::kRejected);
  CHECK(rig.Find(2)->outcome == Outcome::kError);
  CHECK(rig.Find(3)->outcome == Outcome::kFound);
  CHECK(rig.Find(3)->attempts == 2);
}

TEST_CASE("An answer that cannot be decoded is an error and says why") {
  Rig rig = Make([](LookupSpec& s) { s.retries = 3; });
  rig.Ask(1, "a");
  rig.Turn();
  rig.connector->Found(0, "!");
  rig.Turn();
  CHECK(rig.Find(1)->outcome == Outcome::kError);
  CHECK(rig.Find(1)->text == "the answer cannot be decoded: it starts with `!`");
  CHECK(rig.connector->sent.size() == 1);
}

TEST_CASE("Retry-After is honoured, up to a minute") {
  Rig rig = Make([](LookupSpec& s) { s.retries = 2; });
  rig.Ask(1, "a");
  rig.Turn();
  rig.connector->Fail(0, "HTTP 429", true, 700 * kMs);
  rig.Advance(699 * kMs);
  CHECK(rig.connector->sent.size() == 1);
  rig.Advance(1 * kMs);
  REQUIRE(rig.connector->sent.size() == 2);
  rig.connector->Fail(1, "HTTP 429", true, 3'600'000 * kMs);
  rig.Advance(59'999 * kMs);
  CHECK(rig.connector->sent.size() == 2);
  rig.Advance(1 * kMs);
  CHECK(rig.connector->sent.size() == 3);
}

TEST_CASE("The deadline covers all attempts and cuts the last one short") {
  Rig rig = Make([](LookupSpec& s) {
    s.retries = 10;
    s.deadline_ns = 300 * kMs;
  });
  rig.Ask(1, "a");
  rig.Advance(1000 * kMs);
  // 0, 120, 260; the third attempt has 40 ms left.
  REQUIRE(rig.connector->sent.size() == 3);
  CHECK(rig.connector->sent[2].deadline == 300 * kMs);
  CHECK(rig.Find(1)->at == 300 * kMs);
  CHECK(rig.Find(1)->outcome == Outcome::kTimeout);
  CHECK(rig.Find(1)->text == "no answer within the deadline of 300ms (attempt 3)");
}

TEST_CASE("A wait that would pass the deadline ends the request at once") {
  Rig rig = Make([](LookupSpec& s) {
    s.retries = 10;
    s.deadline_ns = 300 * kMs;
  });
  rig.Ask(1, "a");
  rig.Turn();
  rig.connector->Fail(0, "HTTP 503", true, 400 * kMs);
  rig.Turn();
  REQUIRE(rig.Find(1) != nullptr);
  CHECK(rig.Find(1)->outcome == Outcome::kError);
  CHECK(rig.Find(1)->text == "HTTP 503; the deadline of 300ms leaves no time for another attempt");
}

TEST_CASE("The deadline runs from the first attempt, not from the queue") {
  Rig rig = Make([](LookupSpec& s) {
    s.in_flight = 1;
    s.deadline_ns = 150 * kMs;
  });
  rig.Ask(1, "a");
  rig.Ask(2, "b");
  rig.Advance(120 * kMs);
  REQUIRE(rig.connector->sent.size() == 2);  // the first one's 100 ms are over
  CHECK(rig.connector->sent[1].at == 100 * kMs);
  CHECK(rig.connector->sent[1].deadline == 200 * kMs);
}

TEST_CASE("Full jitter is even over the wait, and the same for the same seed") {
  auto waits = [](uint64_t seed) {
    JitterSource jitter(seed);
    std::vector<int64_t> out;
    for (int i = 0; i < 2000; ++i) out.push_back(BackoffNs(3, 20 * kMs, 500 * kMs, true, 0, jitter));
    return out;
  };
  std::vector<int64_t> a = waits(1);
  CHECK(a == waits(1));
  CHECK(a != waits(2));
  double sum = 0;
  int64_t low = INT64_MAX, high = 0;
  for (int64_t w : a) {
    sum += static_cast<double>(w);
    low = std::min(low, w);
    high = std::max(high, w);
  }
  CHECK(low >= 0);
  CHECK(low < 2 * kMs);
  CHECK(high <= 80 * kMs);
  CHECK(high > 78 * kMs);
  CHECK(sum / 2000 == Approx(40e6).epsilon(0.05));
}

TEST_CASE("Backoff does not overflow and respects its bounds") {
  JitterSource jitter(1);
  CHECK(BackoffNs(1, 20 * kMs, 500 * kMs, false, 0, jitter) == 20 * kMs);
  CHECK(BackoffNs(5, 20 * kMs, 500 * kMs, false, 0, jitter) == 320 * kMs);
  CHECK(BackoffNs(6, 20 * kMs, 500 * kMs, false, 0, jitter) == 500 * kMs);
  CHECK(BackoffNs(60'000, 20 * kMs, INT64_MAX, false, 0, jitter) > 0);
  CHECK(BackoffNs(3, 100 * kMs, 50 * kMs, false, 0, jitter) == 50 * kMs);
  CHECK(BackoffNs(3, 0, 0, true, 0, jitter) == 0);
  CHECK(BackoffNs(1, 20 * kMs, 500 * kMs, false, 30 * kMs, jitter) == 30 * kMs);
}

TEST_CASE("A retry without any wait is asked in the same turn") {
  Rig rig = Make([](LookupSpec& s) {
    s.retries = 2;
    s.backoff_min_ns = s.backoff_max_ns = 0;
  });
  rig.Ask(1, "a");
  rig.Turn();
  rig.connector->Fail(0, "reset", true);
  rig.Turn();
  CHECK(rig.connector->sent.size() == 2);
  rig.Advance(100 * kMs);
  CHECK(rig.connector->sent.size() == 3);
}

TEST_CASE("A request that waits for its retry still counts as in flight") {
  Rig rig = Make([](LookupSpec& s) {
    s.in_flight = 1;
    s.retries = 1;
  });
  rig.Ask(1, "a");
  CHECK(rig.blocked());
  rig.Turn();
  rig.connector->Fail(0, "HTTP 503", true);
  rig.Turn();
  CHECK(rig.blocked());
  rig.Ask(2, "b");
  rig.Turn();
  CHECK(rig.connector->sent.size() == 1);
  rig.Advance(20 * kMs);
  CHECK(rig.connector->sent.size() == 2);
  CHECK(rig.connector->sent[1].target == "/x/a");
}

TEST_CASE("Requests other than GET carry the row's id, the same for every attempt") {
  RigOptions options;
  options.tune = [](int, LookupSpec& s) {
    s.retries = 1;
    s.render = [](RowReader& args, Arena& arena, LookupRequest* request) {
      request->verb = "POST";
      request->target = "/x";
      request->body = arena.Copy(args.Str());
    };
  };
  Program program;
  program.lookups.emplace_back();
  options.tune(0, program.lookups[0]);
  program.lookup_steps.emplace_back();
  BytePool pool;
  ObjectPool<PendingRow> rows;
  LookupShared shared;
  shared.pool = &pool;
  shared.rows = &rows;
  Rig rig{RigOptions()};  // for its connector and an instance that rows can name
  ScriptedConnector connector(&rig.clock);
  LookupRuntime::Options o;
  o.program = &program;
  o.connector = &connector;
  o.row_id = [](const Program&, uint32_t step, const Meta& meta) {
    return H128{static_cast<uint64_t>(meta.offset), 0x1234'5678'9abc'def0u + step};
  };
  LookupRuntime runtime(o, &shared);
  PendingRow row;
  row.instance = &rig.instance();
  row.meta.offset = 10;
  row.args = "\x02hi";
  runtime.Ask(&row);
  runtime.Fire();
  REQUIRE(connector.sent.size() == 1);
  CHECK(connector.sent[0].id == "123456789abcdef0000000000000000a");
  CHECK(connector.sent[0].verb == "POST");
  runtime.Abandon(&row);
}

}  // namespace
}  // namespace weir
