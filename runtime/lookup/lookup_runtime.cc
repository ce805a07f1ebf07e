// The life of a request, from the queue to its one outcome.
#include "runtime/lookup/lookup_runtime.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/time.h"
#include "runtime/lookup/lookup_instance.h"

namespace weir {
namespace {

constexpr int64_t kNotFired = INT64_MIN;

// `in_flight` is per process: the first workers take what cannot be divided.
int32_t Share(int64_t all, int worker, int workers) {
  int64_t share = all / workers + (worker < all % workers ? 1 : 0);
  return static_cast<int32_t>(std::clamp<int64_t>(share, 1, 1 << (kFlightIndexBits - 1)));
}

// Rows that are done and wait for their turn are bounded by a multiple of in_flight: enough that one slow answer at the
// head does not leave the service idle.
constexpr int64_t kDonePerInFlight = 3;

// An average of 1 KiB per cached answer, and 4 MiB whatever was declared.
int64_t CacheBytes(int64_t entries) { return std::max<int64_t>(entries * 1024, 4 << 20); }

std::string DurationText(int64_t ns) {
  char text[kDurationTextMax];
  return std::string(text, FormatDuration(ns, text));
}

constexpr size_t kRowIdChars = 32;

// Lower-case hex, high half first.
void FormatRowId(H128 id, char* out) {
  constexpr char kHex[] = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) {
    out[i] = kHex[id.high >> (60 - 4 * i) & 15];
    out[16 + i] = kHex[id.low >> (60 - 4 * i) & 15];
  }
}

void CopyInto(char** at, Str* s) {
  if (s->size != 0) std::memcpy(*at, s->data, s->size);
  s->data = *at;
  *at += s->size;
}

}  // namespace

LookupRuntime::LookupRuntime(const Options& options, LookupShared* shared)
    : program_(options.program),
      spec_(options.program->lookups[options.lookup]),
      lookup_(options.lookup),
      shared_(shared),
      connector_(options.connector),
      row_id_(options.row_id),
      in_flight_(Share(spec_.in_flight, options.worker, options.workers)),
      done_max_(in_flight_ * kDonePerInFlight),
      hashes_(spec_.cache_entries > 0 || spec_.coalesce),
      cache_(shared->pool,
             spec_.cache_entries > 0 ? (spec_.cache_entries + options.workers - 1) / options.workers : 0,
             CacheBytes(spec_.cache_entries) / options.workers),
      jitter_(options.seed ^ (static_cast<uint64_t>(options.lookup) << 32 | static_cast<uint64_t>(options.worker))) {}

LookupRuntime::~LookupRuntime() {
  for (LookupFlight& flight : flights_) {
    if (flight.bytes != nullptr) shared_->pool->Free(flight.bytes, flight.bytes_size);
  }
}

void LookupRuntime::AddInstance(LookupInstance* instance) {
  instances_.push_back(instance);
  CountsChanged();
  instance->UpdateBlocked();
}

void LookupRuntime::RemoveInstance(LookupInstance* instance) {
  instances_.erase(std::find(instances_.begin(), instances_.end(), instance));
}

uint32_t LookupRuntime::DoneShare() const {
  int64_t share = done_max_ / static_cast<int64_t>(std::max<size_t>(instances_.size(), 1));
  return static_cast<uint32_t>(std::max<int64_t>(share, 1));
}

LookupFlight* LookupRuntime::TakeFlight() {
  if (free_flights_.empty()) {
    flights_.emplace_back();
    flights_.back().index = static_cast<uint32_t>(flights_.size() - 1);
    return &flights_.back();
  }
  LookupFlight* flight = &flights_[free_flights_.back()];
  free_flights_.pop_back();
  return flight;
}

void LookupRuntime::FreeFlight(LookupFlight* flight) {
  shared_->pool->Free(flight->bytes, flight->bytes_size);
  flight->bytes = nullptr;
  flight->state = LookupFlight::kFree;
  ++flight->generation;
  free_flights_.push_back(flight->index);
}

void LookupRuntime::Ask(PendingRow* row) {
  row->state = PendingRow::kAsked;
  row->flight_next = nullptr;
  ++unanswered_;
  if (spec_.coalesce) {
    LookupFlight* flight =
        by_args_.Find(row->args_hash, [row](const LookupFlight* f) { return f->args == row->args; });
    if (flight != nullptr) {
      row->flight = flight;
      flight->last_row->flight_next = row;
      flight->last_row = row;
      ++flight->rows;
      metrics_.coalesced.Add();
      return CountsChanged();
    }
  }
  LookupFlight* flight = TakeFlight();
  flight->state = LookupFlight::kQueued;
  // A restored row keeps its count, but the attempt under way at the crash has not failed: it is made again.
  flight->attempts = static_cast<uint16_t>(std::clamp<int32_t>(row->attempts - 1, 0, spec_.retries));
  flight->rows = 1;
  flight->first_row = flight->last_row = row;
  flight->first_fired_mono_ns = kNotFired;
  flight->deadline_mono_ns = INT64_MAX;
  flight->args_hash = row->args_hash;
  row->flight = flight;
  Render(flight, *row);
  flight->indexed = spec_.coalesce;
  if (flight->indexed) by_args_.Insert(flight);
  flight->queue_next = nullptr;
  (queue_last_ != nullptr ? queue_last_->queue_next : queue_first_) = flight;
  queue_last_ = flight;
  CountsChanged();
}

void LookupRuntime::Render(LookupFlight* flight, const PendingRow& row) {
  arena_.Reset();
  LookupRequest request;
  RowReader args(row.args);
  spec_.render(args, arena_, &request);
  char id[kRowIdChars];
  if (row_id_ != nullptr && request.verb != Str("GET")) {
    FormatRowId(row_id_(*program_, row.instance->spec().step, row.meta), id);
    request.id = Str(id, sizeof id);
  }
  request.request_id = MakeRequestId(flight->generation, lookup_, flight->index);
  request.incarnation = shared_->incarnation;
  flight->args = row.args;
  size_t size = static_cast<size_t>(row.args.size) + request.verb.size + request.target.size + request.body.size +
                request.id.size + request.unmade.size;
  flight->bytes = shared_->pool->Alloc(size);
  flight->bytes_size = static_cast<uint32_t>(size);
  char* at = flight->bytes;
  CopyInto(&at, &flight->args);
  request.args = flight->args;
  CopyInto(&at, &request.verb);
  CopyInto(&at, &request.target);
  CopyInto(&at, &request.body);
  CopyInto(&at, &request.id);
  CopyInto(&at, &request.unmade);
  flight->request = request;
}

void LookupRuntime::SetTimer(LookupFlight* flight, int64_t at_mono_ns) {
  flight->at_mono_ns = at_mono_ns;
  flight->at_sequence = timer_sequence_++;
  timers_.Insert(flight);
}

// The next attempt: goes to the connector with the next Fire.
void LookupRuntime::Begin(LookupFlight* flight) {
  int64_t now = shared_->now_mono_ns;
  if (flight->first_fired_mono_ns == kNotFired) {
    flight->first_fired_mono_ns = now;
    if (spec_.deadline_ns > 0) flight->deadline_mono_ns = now + spec_.deadline_ns;
  } else {
    metrics_.retries.Add();
  }
  ++flight->attempts;
  metrics_.attempts.Add();
  flight->state = LookupFlight::kFired;
  SetTimer(flight, std::min(now + std::max<int64_t>(spec_.timeout_ns, 1), flight->deadline_mono_ns));
  flight->request.attempt = flight->attempts;
  flight->request.deadline_mono_ns = flight->at_mono_ns;
  batch_.push_back(flight->request);
}

bool LookupRuntime::Fire() {
  bool did = false;
  while (queue_first_ != nullptr && flying_ < in_flight_ && !drained_) {
    LookupFlight* flight = queue_first_;
    queue_first_ = flight->queue_next;
    if (queue_first_ == nullptr) queue_last_ = nullptr;
    if (flight->rows == 0) {  // given up while it waited
      FreeFlight(flight);
      continue;
    }
    ++flying_;
    if (flight->request.unmade.size != 0) {
      flight->first_fired_mono_ns = shared_->now_mono_ns;
      Failed(flight, Outcome::kError, false, 0, "the request cannot be made: " + std::string(flight->request.unmade.view()));
      did = true;
      continue;
    }
    Begin(flight);
  }
  if (batch_.empty()) return did;
  connector_->Ask(batch_);
  batch_.clear();
  return true;
}

void LookupRuntime::Take(LookupAnswer& answer) {
  uint32_t index = FlightIndexOf(answer.request_id);
  if (answer.incarnation != shared_->incarnation || LookupOf(answer.request_id) != lookup_ || index >= flights_.size()) {
    metrics_.foreign_answers.Add();
    return;
  }
  LookupFlight* flight = &flights_[index];
  bool late = flight->generation != GenerationOf(answer.request_id) || flight->attempts != answer.attempt;
  if (flight->state != LookupFlight::kFired || (late && !shared_->late_accepted)) {
    metrics_.late_answers.Add();
    return;
  }
  timers_.Erase(flight);
  switch (answer.outcome) {
    case Outcome::kFound: {
      arena_.Reset();
      scratch_.Clear();
      RowWriter value(&scratch_);
      std::string error;
      if (!spec_.decode(Str(answer.body.data(), answer.body.size()), arena_, value, &error)) {
        return Failed(flight, Outcome::kError, false, 0, "the answer cannot be decoded: " + error);
      }
      return End(flight, Outcome::kFound, scratch_.str());
    }
    case Outcome::kMissing:
      return End(flight, Outcome::kMissing, Str(answer.reason.data(), answer.reason.size()));
    case Outcome::kTimeout:
    case Outcome::kRejected:
    case Outcome::kError:
      return Failed(flight, answer.outcome, answer.transient, answer.retry_after_ns, std::move(answer.reason));
  }
}

bool LookupRuntime::RunTimers() {
  int64_t now = shared_->now_mono_ns;
  bool any = false;
  while (!timers_.empty() && timers_.first()->at_mono_ns <= now) {
    LookupFlight* flight = timers_.first();
    timers_.Erase(flight);
    any = true;
    if (flight->state == LookupFlight::kBackoff) {
      Begin(flight);
      continue;
    }
    Forget(flight);
    bool deadline = flight->at_mono_ns == flight->deadline_mono_ns;
    Failed(flight, Outcome::kTimeout, !deadline, 0,
           deadline ? "no answer within the deadline of " + DurationText(spec_.deadline_ns)
                    : "no answer within " + DurationText(spec_.timeout_ns));
  }
  return any;
}

// The connector is told that nobody waits for this attempt.
void LookupRuntime::Forget(LookupFlight* flight) {
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (batch_[i].request_id != flight->request.request_id) continue;
    batch_.erase(batch_.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
  connector_->Forget(flight->request.request_id, flight->attempts);
}

// An attempt has failed: another one, or the end.
void LookupRuntime::Failed(LookupFlight* flight, Outcome outcome, bool transient, int64_t retry_after_ns,
                           std::string reason) {
  if (transient && flight->attempts <= spec_.retries) {
    int64_t at = shared_->now_mono_ns + BackoffNs(flight->attempts, spec_.backoff_min_ns, spec_.backoff_max_ns,
                                                  spec_.jitter_full, retry_after_ns, jitter_);
    if (at < flight->deadline_mono_ns) {
      flight->state = LookupFlight::kBackoff;
      return SetTimer(flight, at);
    }
    reason += "; the deadline of " + DurationText(spec_.deadline_ns) + " leaves no time for another attempt";
  }
  if (flight->attempts > 1) reason += " (attempt " + std::to_string(flight->attempts) + ")";
  End(flight, outcome, Str(reason.data(), reason.size()));
}

// The one place where a request ends with an outcome. Its timer is no longer set.
void LookupRuntime::End(LookupFlight* flight, Outcome outcome, Str bytes) {
  int64_t now = shared_->now_mono_ns;
  metrics_.requests[static_cast<int>(outcome)].Add();
  metrics_.duration.Observe(now - flight->first_fired_mono_ns);
  if (flight->indexed) by_args_.Erase(flight);
  --flying_;
  LookupValue* value = bytes.size != 0 ? LookupValue::Make(*shared_->pool, bytes) : nullptr;
  if (cache_.enabled() && (outcome == Outcome::kFound || outcome == Outcome::kMissing)) {
    int64_t ttl = outcome == Outcome::kMissing && spec_.cache_missing_ttl_ns > 0 ? spec_.cache_missing_ttl_ns
                                                                                : spec_.cache_ttl_ns;
    cache_.Insert(flight->args_hash, flight->args, outcome, value, now + ttl, now);
    metrics_.cache_entries.Set(static_cast<int64_t>(cache_.size()));
  }
  for (PendingRow* row = flight->first_row; row != nullptr;) {
    PendingRow* next = row->flight_next;
    row->state = PendingRow::kDone;
    row->flight = nullptr;
    row->flight_next = nullptr;
    row->outcome = outcome;
    row->attempts = flight->attempts;
    row->value = value != nullptr ? value->Hold() : nullptr;
    --unanswered_;
    ++done_;
    row->instance->Done(row);
    row = next;
  }
  if (value != nullptr) value->Drop(*shared_->pool);
  FreeFlight(flight);
  CountsChanged();
}

void LookupRuntime::Abandon(PendingRow* row) {
  LookupFlight* flight = row->flight;
  PendingRow* before = nullptr;
  for (PendingRow* r = flight->first_row; r != row; r = r->flight_next) before = r;
  (before != nullptr ? before->flight_next : flight->first_row) = row->flight_next;
  if (flight->last_row == row) flight->last_row = before;
  row->flight = nullptr;
  row->flight_next = nullptr;
  --unanswered_;
  if (--flight->rows == 0) {
    if (flight->indexed) by_args_.Erase(flight);
    flight->indexed = false;
    if (flight->state != LookupFlight::kQueued) {
      timers_.Erase(flight);
      if (flight->state == LookupFlight::kFired) Forget(flight);
      --flying_;
      FreeFlight(flight);
    }  // else it is dropped when its turn in the queue comes
  }
  CountsChanged();
}

void LookupRuntime::AddDone(int n) {
  done_ += n;
  CountsChanged();
}

void LookupRuntime::CountsChanged() {
  metrics_.in_flight.Set(unanswered_);
  metrics_.waiting.Set(done_);
  bool full = Full(), many_done = ManyDone();
  if (full == was_full_ && many_done == was_many_done_) return;
  was_full_ = full;
  was_many_done_ = many_done;
  for (LookupInstance* instance : instances_) instance->UpdateBlocked();
}

}  // namespace weir
