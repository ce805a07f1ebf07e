// A worker's lookups without an engine: virtual time, a connector that does what the test says, a log of what happened.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/delta.h"
#include "runtime/lookup/lookup_call.h"
#include "runtime/lookup/worker_lookups.h"

namespace weir {

inline constexpr int64_t kMs = 1'000'000;

class VirtualClock : public Clock {
 public:
  int64_t WallNs() override { return now; }
  int64_t MonoNs() override { return now; }
  int64_t now = 0;
};

// Task's private parts, for tests.
class TestTask {
 public:
  static void Prepare(Task* task, int32_t partition, Arena* arena, LookupInstance** lookups) {
    task->partition_ = partition;
    task->arena_ = arena;
    task->lookups_ = lookups;
  }
};

// Remembers what it was asked; answers when the test says so.
class ScriptedConnector : public LookupConnector {
 public:
  struct Sent {
    RequestId request_id;
    uint32_t incarnation;
    uint16_t attempt;
    int64_t at, deadline;
    std::string verb, target, id;
    bool forgotten = false;
  };
  explicit ScriptedConnector(Clock* clock) : clock_(clock) {}
  Status Open(LookupAnswers* answers) override {
    answers_ = answers;
    return Status();
  }
  void Ask(std::span<const LookupRequest> requests) override {
    for (const LookupRequest& r : requests) {
      sent.push_back({r.request_id, r.incarnation, r.attempt, clock_->MonoNs(), r.deadline_mono_ns, std::string(r.verb.view()),
                      std::string(r.target.view()), std::string(r.id.view())});
      if (on_ask) on_ask(sent.size() - 1);
    }
  }
  void Forget(RequestId request_id, uint16_t attempt) override {
    bool known = false;
    for (Sent& s : sent) {
      if (s.request_id != request_id || s.attempt != attempt) continue;
      s.forgotten = true;
      known = true;
    }
    ++forgets;
    if (!known) ++unknown_forgets;
  }
  Status Check(int64_t) override { return Status(); }
  void Close() override { closed = true; }

  LookupAnswer Make(size_t i, Outcome outcome, const std::string& text) const {
    LookupAnswer a;
    a.request_id = sent[i].request_id;
    a.incarnation = sent[i].incarnation;
    a.attempt = sent[i].attempt;
    a.outcome = outcome;
    (outcome == Outcome::kFound ? a.body : a.reason) = text;
    return a;
  }
  void Answer(size_t i, Outcome outcome, const std::string& text) { answers_->Push(Make(i, outcome, text)); }
  void Found(size_t i, const std::string& body) { Answer(i, Outcome::kFound, body); }
  void Fail(size_t i, const std::string& reason, bool transient, int64_t retry_after_ns = 0) {
    LookupAnswer a = Make(i, Outcome::kError, reason);
    a.transient = transient;
    a.retry_after_ns = retry_after_ns;
    answers_->Push(std::move(a));
  }
  void Push(LookupAnswer a) { answers_->Push(std::move(a)); }

  std::vector<Sent> sent;
  std::function<void(size_t)> on_ask;  // called from within Ask
  int forgets = 0, unknown_forgets = 0;
  bool closed = false;

 private:
  Clock* clock_;
  LookupAnswers* answers_ = nullptr;
};

struct RigOptions {
  int tasks = 1;
  int workers = 1;
  uint64_t seed = 1;
  uint32_t incarnation = 1;
  std::vector<OrderMode> orders = {OrderMode::kInput};  // one lookup step each, each behind the one before
  std::vector<int> lookups = {0};                       // the lookup each step uses
  std::function<void(int lookup, LookupSpec&)> tune;
  std::function<std::unique_ptr<LookupConnector>()> make_connector;  // instead of the one that does what the test says
};

// What a record is here: a number; what it asks for: a text.
class Rig : private LookupWorker {
 public:
  struct Event {
    int step;      // lookup step that resumed, or -1: a watermark
    int task;
    int64_t n;     // the record, or the watermark
    Outcome outcome = Outcome::kFound;
    std::string text;  // the value, or the reason
    uint32_t attempts = 0;
    int64_t at = 0;
    int64_t meta_time = 0;
  };
  using State = std::map<std::string, std::string>;  // of every task and step, as the store would have it

  explicit Rig(const RigOptions& options) : options_(options) {
    current_ = this;
    program.name = "rig";
    program.connections.push_back({"api", "http", {}, 1});
    int lookup_count = 0;
    for (int l : options.lookups) lookup_count = std::max(lookup_count, l + 1);
    for (int i = 0; i < lookup_count; ++i) {
      LookupSpec spec;
      spec.name = "lookup" + std::to_string(i);
      spec.connection = 0;
      spec.in_flight = 100;
      spec.timeout_ns = 100 * kMs;
      spec.coalesce = false;
      spec.render = &Render;
      spec.decode = &Decode;
      if (options.tune) options.tune(i, spec);
      program.lookups.push_back(spec);
    }
    for (size_t i = 0; i < options.orders.size(); ++i) {
      LookupStepSpec step;
      step.lookup = options.lookups[i];
      step.step = static_cast<uint32_t>(i);
      step.order = options.orders[i];
      step.upstream = static_cast<int>(i) - 1;
      step.keeps_raw = true;
      step.row_schema = 77;
      step.resume = i == 0 ? &Resume0 : &Resume1;
      program.lookup_steps.push_back(step);
      program.steps.push_back({"s." + std::to_string(i), "lookup", 1});
    }
    WorkerLookups::Options wl;
    wl.program = &program;
    wl.clock = &clock;
    wl.worker = this;
    wl.ledger = &ledger;
    wl.workers = options.workers;
    wl.seed = options.seed;
    wl.incarnation = options.incarnation;
    wl.make_connector = [this](int, std::unique_ptr<LookupConnector>* out) {
      if (options_.make_connector) {
        *out = options_.make_connector();
        return Status();
      }
      auto c = std::make_unique<ScriptedConnector>(&clock);
      connector = c.get();
      *out = std::move(c);
      return Status();
    };
    lookups = std::make_unique<WorkerLookups>(wl);
    Status opened = lookups->Open();
    (void)opened;
    step_hashes_.resize(options.orders.size());
    for (size_t i = 0; i < step_hashes_.size(); ++i) step_hashes_[i] = 1000 + i;
    for (int t = 0; t < options.tasks; ++t) tasks_.push_back(std::make_unique<Holder>());
    for (int t = 0; t < options.tasks; ++t) {
      Holder& h = *tasks_[static_cast<size_t>(t)];
      h.instances.resize(options.orders.size());
      TestTask::Prepare(&h.task, t, &h.arena, h.instances.data());
      for (size_t s = 0; s < options.orders.size(); ++s) {
        LookupHost::Made made = lookups->Make(&h.task, static_cast<int>(s));
        h.instances[s] = made.instance;
        h.ports.push_back(std::move(made.port));
      }
    }
  }
  ~Rig() override {
    tasks_.clear();
    lookups.reset();
    current_ = nullptr;
  }

  Task& task(int t = 0) { return tasks_[static_cast<size_t>(t)]->task; }
  LookupPort& port(int t = 0, int s = 0) { return *tasks_[static_cast<size_t>(t)]->ports[static_cast<size_t>(s)]; }
  LookupInstance& instance(int t = 0, int s = 0) { return *tasks_[static_cast<size_t>(t)]->instances[static_cast<size_t>(s)]; }
  const LookupMetrics& metrics(int lookup = 0) { return lookups->runtime(lookup).metrics(); }
  bool blocked(int t = 0) { return task(t).blocked(); }
  const std::vector<OrderMode>& orders() const { return options_.orders; }

  // Record `n` asks the first step for `id`.
  void Ask(int64_t n, const std::string& id, const std::string& key = "", int t = 0, Ticket* ticket = nullptr) {
    Meta meta;
    meta.time_ns = n;
    meta.offset = n;
    meta.partition = t;
    meta.has_key = true;
    std::string key_bytes = "key" + std::to_string(n);  // gone after this call: rows own their bytes
    meta.key = Str(std::string_view(key_bytes));
    meta.ticket = ticket;
    LookupCall call(task(t), 0);
    call.args().Str(Str(std::string_view(id)));
    call.row().I64(n);
    call.row().Str(Str(std::string_view(id)));
    call.row().Str(Str(std::string_view(key)));
    call.Submit(meta, Str(std::string_view(key)));
  }
  void Watermark(int64_t w, int t = 0) { port(t).SetWatermark(w); }
  bool Turn() {
    bool any = lookups->Turn();
    for (auto& h : tasks_) h->arena.Reset();
    return any;
  }
  // Runs the clock to `now + ns`, stopping at every timer and at every scheduled action.
  void Advance(int64_t ns) {
    int64_t end = clock.now + ns;
    for (;;) {
      while (Turn()) {
      }
      int64_t next = std::min(lookups->NextTimerMonoNs(), scheduled_.empty() ? INT64_MAX : scheduled_.begin()->first);
      if (next > end) break;
      clock.now = std::max(clock.now, next);
      while (!scheduled_.empty() && scheduled_.begin()->first <= clock.now) {
        auto action = std::move(scheduled_.begin()->second);
        scheduled_.erase(scheduled_.begin());
        action();
      }
    }
    clock.now = end;
    Turn();
  }
  // Does `action` (an answer, mostly) when the clock is `ns` further on.
  void After(int64_t ns, std::function<void()> action) { scheduled_.emplace(clock.now + ns, std::move(action)); }

  // What a commit would store now. Returns how many entries the delta has.
  uint64_t Commit(State* state) {
    Buffer bytes;
    DeltaWriter delta(&bytes, step_hashes_.data());
    for (auto& h : tasks_) {
      for (auto& p : h->ports) p->AppendDelta(delta);
    }
    DeltaReader reader(bytes);
    DeltaEntry e;
    while (reader.Next(&e)) {
      std::string key = std::to_string(e.step) + "/" + std::to_string(e.partition) + "/" + std::string(e.key.view());
      if (e.remove) {
        state->erase(key);
      } else {
        (*state)[key] = std::string(e.value.view());
      }
    }
    return delta.entries();
  }
  Status Restore(const State& state) {
    for (auto& [key, value] : state) {
      size_t a = key.find('/'), b = key.find('/', a + 1);
      int s = std::stoi(key.substr(0, a)) - 1000, t = std::stoi(key.substr(a + 1, b - a - 1));
      std::string seq = key.substr(b + 1);
      Status status = port(t, s).Restore(Str(std::string_view(seq)), Str(std::string_view(value)));
      if (!status.ok()) return status;
    }
    for (auto& h : tasks_) {
      for (auto& p : h->ports) {
        if (Status status = p->Restored(); !status.ok()) return status;
      }
    }
    return Status();
  }
  // Records resumed by the last step, in order.
  std::vector<int64_t> Resumed(int step = -1, int t = -1) const {
    int last = step >= 0 ? step : static_cast<int>(options_.orders.size()) - 1;
    std::vector<int64_t> out;
    for (const Event& e : events) {
      if (e.step == last && (t < 0 || e.task == t)) out.push_back(e.n);
    }
    return out;
  }
  const Event* Find(int64_t n) const {
    const Event* found = nullptr;
    for (const Event& e : events) {
      if (e.step >= 0 && e.n == n) found = &e;
    }
    return found;
  }

  Program program;
  VirtualClock clock;
  LedgerCounters ledger;
  std::unique_ptr<WorkerLookups> lookups;
  ScriptedConnector* connector = nullptr;
  std::vector<Event> events;
  std::function<void(const Event&)> on_resume;
  int changes = 0;
  uint64_t epoch_bytes = 0, epoch_bytes_max = UINT64_MAX;  // of rows that went on
  std::atomic<int> wakes{0};

 private:
  struct Holder {
    Task task;
    Arena arena;
    std::vector<LookupInstance*> instances;
    std::vector<std::unique_ptr<LookupPort>> ports;
  };

  void Advanced(Task& task, int step, int64_t watermark) override {
    Event e{-1, task.partition(), watermark};
    e.at = clock.now;
    if (step + 1 == static_cast<int>(options_.orders.size())) {
      events.push_back(e);
    } else {
      port(task.partition(), step + 1).SetWatermark(watermark);
    }
  }
  void Changed() override { ++changes; }
  void WentOn(uint64_t bytes) override {
    ++changes;
    epoch_bytes += bytes;
  }
  bool EpochFull() override { return epoch_bytes >= epoch_bytes_max; }
  void Wake() override { ++wakes; }

  static void Render(RowReader& args, Arena& arena, LookupRequest* request) {
    Str id = args.Str();
    char* at = arena.AllocChars(id.size + 3);
    std::memcpy(at, "/x/", 3);
    if (id.size != 0) std::memcpy(at + 3, id.data, id.size);
    request->verb = "GET";
    request->target = Str(at, id.size + 3);
  }
  static bool Decode(Str body, Arena&, RowWriter& value, std::string* error) {
    if (body.size != 0 && body.data[0] == '!') {
      *error = "it starts with `!`";
      return false;
    }
    value.Str(body);
    return true;
  }
  static void Resume0(Task& task, const Meta& meta, RowReader& row, const LookupResult& result) {
    current_->Resume(0, task, meta, row, result);
  }
  static void Resume1(Task& task, const Meta& meta, RowReader& row, const LookupResult& result) {
    current_->Resume(1, task, meta, row, result);
  }
  void Resume(int step, Task& task, const Meta& meta, RowReader& row, const LookupResult& result) {
    Event e{step, task.partition(), row.I64()};
    Str id = row.Str();
    Str key = row.Str();
    e.outcome = result.outcome;
    e.attempts = result.attempts;
    e.at = clock.now;
    e.meta_time = meta.time_ns;
    if (result.outcome == Outcome::kFound) {
      RowReader value(result.value);
      e.text = std::string(value.Str().view());
    } else {
      e.text = std::string(result.reason.view());
    }
    events.push_back(e);
    if (on_resume) on_resume(e);
    if (step + 1 == static_cast<int>(options_.orders.size())) return;
    LookupCall call(task, step + 1);
    call.args().Str(id);
    call.row().I64(e.n);
    call.row().Str(id);
    call.row().Str(key);
    call.Submit(meta, key);
  }

  RigOptions options_;
  std::vector<std::unique_ptr<Holder>> tasks_;
  std::vector<uint64_t> step_hashes_;
  std::multimap<int64_t, std::function<void()>> scheduled_;
  static inline Rig* current_ = nullptr;
};

}  // namespace weir
