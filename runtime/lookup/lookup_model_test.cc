// Random runs against a slow, obvious model: what each record's outcome must be, and when it may go on.
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "runtime/core/hash.h"
#include "runtime/lookup/lookup_test_rig.h"

namespace weir {
namespace {

constexpr int64_t kTimeout = 100 * kMs;

// What the service does with attempt `attempt` for `id`: a pure function, so that the model knows it.
struct Behaviour {
  bool answers = true;
  int64_t delay = 0;
  Outcome outcome = Outcome::kFound;
  bool transient = false;
  int64_t retry_after = 0;
};
Behaviour ServiceOf(uint64_t seed, const std::string& id, int attempt) {
  uint64_t h = Hash64(id.data(), id.size(), seed * 31 + static_cast<uint64_t>(attempt));
  Behaviour b;
  b.delay = static_cast<int64_t>(h % 130) * kMs;  // beyond the time-out at times, or exactly on it
  h >>= 8;
  switch (h % 8) {
    case 0: b.answers = false; break;
    case 1: b.outcome = Outcome::kMissing; break;
    case 2: b.outcome = Outcome::kRejected; break;
    case 3: b.outcome = Outcome::kError; b.transient = true; b.retry_after = static_cast<int64_t>(h / 8 % 3) * 30 * kMs; break;
    case 4: b.outcome = Outcome::kError; break;
    default: break;
  }
  return b;
}

struct Record {
  int64_t n;
  std::string id, key;
  int task;
  int64_t asked_at;
};
struct Fate {
  Outcome outcome;
  int64_t decided_at;
  uint32_t attempts;
};

// One request on its own, from the declaration: no queue, no cache, no sharing.
Fate Model(uint64_t seed, const LookupSpec& spec, const Record& r) {
  int64_t at = r.asked_at;
  int64_t deadline = spec.deadline_ns > 0 ? at + spec.deadline_ns : INT64_MAX;
  for (int attempt = 1;; ++attempt) {
    Behaviour b = ServiceOf(seed, r.id, attempt);
    int64_t limit = std::min(at + kTimeout, deadline);
    bool in_time = b.answers && at + b.delay <= limit;
    Fate fate{in_time ? b.outcome : Outcome::kTimeout, in_time ? at + b.delay : limit, static_cast<uint32_t>(attempt)};
    bool again = in_time ? b.transient : limit != deadline;
    if (!again || attempt > spec.retries) return fate;
    int64_t wait = std::min(spec.backoff_min_ns << (attempt - 1), spec.backoff_max_ns);
    at = fate.decided_at + std::max(wait, in_time ? b.retry_after : 0);
    if (at >= deadline) return fate;
  }
}

TEST_CASE("Every record's outcome, attempts and moment are the model's, under every order") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    OrderMode order = static_cast<OrderMode>(seed % 3);
    RigOptions options;
    options.tasks = 3;
    options.orders = {order};
    options.tune = [&](int, LookupSpec& s) {
      s.in_flight = 100'000;
      s.timeout_ns = kTimeout;
      s.retries = static_cast<int32_t>(seed % 4);
      s.jitter_full = false;
      s.backoff_min_ns = 10 * kMs;
      s.backoff_max_ns = 50 * kMs;
      s.deadline_ns = seed % 5 == 0 ? 250 * kMs : 0;
    };
    Rig rig(options);
    std::map<std::pair<int, std::string>, int> lives;
    rig.connector->on_ask = [&](size_t i) {
      const auto& sent = rig.connector->sent[i];
      Behaviour b = ServiceOf(seed, sent.target.substr(3), sent.attempt);
      if (!b.answers) return;
      rig.After(b.delay, [&rig, i, b] {
        LookupAnswer a = rig.connector->Make(i, b.outcome, "v");
        a.transient = b.transient;
        a.retry_after_ns = b.retry_after;
        rig.connector->Push(std::move(a));
      });
    };
    std::vector<Record> records;
    for (int n = 0; n < 300; ++n) {
      Record r{n, "id" + std::to_string(n), std::to_string(random() % 7), static_cast<int>(random() % 3), rig.clock.now};
      records.push_back(r);
      rig.Ask(r.n, r.id, r.key, r.task);
      rig.Advance(static_cast<int64_t>(random() % 4) * kMs);
    }
    rig.Advance(10'000 * kMs);
    REQUIRE(rig.Resumed().size() == records.size());
    std::map<int64_t, const Rig::Event*> events;
    for (auto& e : rig.events) {
      if (e.step == 0) REQUIRE(events.emplace(e.n, &e).second);
    }
    std::map<std::string, int64_t> free_at;  // per order scope, when its last record went on
    for (const Record& r : records) {
      Fate fate = Model(seed, rig.program.lookups[0], r);
      const Rig::Event& e = *events.at(r.n);
      CAPTURE(seed, r.n);
      REQUIRE(e.outcome == fate.outcome);
      REQUIRE(e.attempts == fate.attempts);
      std::string scope = std::to_string(r.task);
      if (order == OrderMode::kKey) scope += "/" + r.key;
      if (order == OrderMode::kNone) scope = "n" + std::to_string(r.n);
      int64_t& last = free_at[scope];
      last = std::max(last, fate.decided_at);
      REQUIRE(e.at == last);
    }
    REQUIRE(rig.lookups->rows_in_use() == 0);
    REQUIRE(rig.ledger.rows_added.Get() == rig.ledger.rows_resumed.Get());
    REQUIRE(rig.connector->unknown_forgets == 0);
  }
}

// Everything at once: small in_flight, cache, coalescing, two steps, commits, crashes with restore, answers that come late,
// twice and out of order. Outcomes are not predicted here; what must hold in every run is checked.
TEST_CASE("Whatever happens, each record goes on once after its last commit, in order, and nothing is left behind") {
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    RigOptions options;
    options.tasks = 1 + static_cast<int>(random() % 3);
    options.seed = seed;
    int steps = 1 + static_cast<int>(random() % 2);
    options.orders.clear();
    options.lookups.clear();
    for (int s = 0; s < steps; ++s) {
      options.orders.push_back(static_cast<OrderMode>(random() % 3));
      options.lookups.push_back(random() % 2 == 0 ? 0 : s);
    }
    uint64_t shape = random();
    options.tune = [shape](int lookup, LookupSpec& s) {
      uint64_t r = HashInt(shape + static_cast<uint64_t>(lookup));
      s.in_flight = 1 + static_cast<int32_t>(r % 20);
      s.retries = static_cast<int32_t>(r >> 8 & 3);
      s.backoff_min_ns = 5 * kMs;
      s.backoff_max_ns = 40 * kMs;
      s.coalesce = (r >> 10 & 1) != 0;
      s.sync = (r >> 11 & 7) == 0;
      s.cache_entries = (r >> 14 & 1) != 0 ? 10 : 0;
      s.cache_ttl_ns = 80 * kMs;
      s.timeout_ns = 60 * kMs;
    };
    constexpr int kRecords = 150;
    Rig::State state;
    int committed_input = 0;          // records below it are in the state or finished
    std::multiset<int64_t> finished;  // went on behind the last step, as of the last commit
    int64_t committed_watermark = INT64_MIN;
    int crashes = 0;
    for (uint32_t life = 1;; ++life) {
      options.incarnation = life;
      Rig rig(options);
      Rig::State committed = state;
      REQUIRE(rig.Restore(state).ok());
      rig.connector->on_ask = [&](size_t i) {
        uint64_t r = random();
        if (r % 10 == 0) return;  // never answered
        auto answer = [&rig, i, r] {
          LookupAnswer a = rig.connector->Make(i, r >> 4 & 3 ? Outcome::kFound : Outcome::kError, "v");
          a.transient = (r >> 6 & 1) != 0;
          rig.connector->Push(std::move(a));
        };
        if (r % 10 == 1) return answer();                                          // before Ask returns
        rig.After(static_cast<int64_t>(r >> 10 & 127) * kMs, answer);              // perhaps after the time-out
        if (r % 10 == 2) rig.After(static_cast<int64_t>(r >> 20 & 127) * kMs, answer);  // and once more
      };
      int input = committed_input;
      int64_t end = rig.clock.now + 100'000 * kMs;
      bool crashed = false;
      size_t behind = rig.orders().size() - 1;
      while (rig.clock.now < end) {
        // Records of one task enter in order while none is blocked: what a source would do, one partition at a time.
        while (input < kRecords && !rig.blocked(input % options.tasks)) {
          int t = input % options.tasks;
          rig.Watermark(input * 10, t);
          rig.Ask(input, "id" + std::to_string(random() % 30), std::to_string(input % 5), t);
          ++input;
          if (random() % 3 == 0) break;
        }
        rig.Advance(static_cast<int64_t>(random() % 10) * kMs);
        for (size_t l = 0; l < rig.program.lookups.size(); ++l) {
          REQUIRE(rig.lookups->runtime(static_cast<int>(l)).flying() <=
                  static_cast<uint32_t>(rig.program.lookups[l].in_flight));
        }
        if (random() % 8 == 0) {
          rig.Commit(&committed);
          state = committed;
          committed_input = input;
          for (int64_t n : rig.Resumed(static_cast<int>(behind))) finished.insert(n);
          rig.events.clear();
        }
        if (crashes < 5 && random() % 60 == 0) {
          crashed = true;
          ++crashes;
          break;
        }
        uint32_t pending = 0;
        for (int t = 0; t < options.tasks; ++t) {
          for (int s = 0; s < steps; ++s) pending += rig.port(t, s).pending();
        }
        // Order and watermarks since the last commit, per task.
        for (int t = 0; t < options.tasks; ++t) {
          int64_t watermark = committed_watermark;
          std::map<std::string, int64_t> last;
          for (auto& e : rig.events) {
            if (e.task != t) continue;
            if (e.step == -1) {
              REQUIRE(e.n > watermark);
              watermark = e.n;
            } else if (e.step == static_cast<int>(behind)) {
              bool all_input = true, all_key = true;
              for (OrderMode o : options.orders) {
                all_input = all_input && o == OrderMode::kInput;
                all_key = all_key && o != OrderMode::kNone;
              }
              if (!all_key) continue;
              std::string scope = all_input ? "" : std::to_string(e.n % 5);
              auto [at, first] = last.emplace(scope, e.n);
              if (!first) REQUIRE(e.n > at->second);
              at->second = e.n;
            }
          }
        }
        if (input == kRecords && pending == 0) break;
      }
      if (crashed) continue;
      for (int64_t n : rig.Resumed(static_cast<int>(behind))) finished.insert(n);
      rig.Commit(&committed);
      REQUIRE(committed.empty());
      REQUIRE(rig.lookups->rows_in_use() == 0);
      REQUIRE(rig.connector->unknown_forgets == 0);
      for (int t = 0; t < options.tasks; ++t) {
        REQUIRE_FALSE(rig.blocked(t));
        rig.Watermark(INT64_MAX, t);
        REQUIRE(rig.instance(t, static_cast<int>(behind)).watermark() == INT64_MAX);
      }
      for (size_t l = 0; l < rig.program.lookups.size(); ++l) {
        REQUIRE(rig.lookups->runtime(static_cast<int>(l)).flying() == 0);
      }
      REQUIRE(rig.ledger.rows_added.Get() == rig.ledger.rows_resumed.Get() + rig.ledger.rows_forgotten.Get());
      break;
    }
    REQUIRE(finished.size() == kRecords);
    for (int64_t n = 0; n < kRecords; ++n) REQUIRE(finished.count(n) == 1);
  }
}

}  // namespace
}  // namespace weir
