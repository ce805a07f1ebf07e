#include "runtime/state/local_stores.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <fmt/format.h>

namespace weir {

namespace {
// A disk that damages what it is given again and again is left alone.
constexpr int kDiscardsMax = 3;
// After a failure of the disk, following the tasks of others would only fill it again.
constexpr int64_t kFollowAgainNs = 600'000'000'000;
const std::atomic<bool> kHurry{true};
// So many times what is written at once waits for a disk that does not keep up, of all tasks together, and no more.
constexpr uint64_t kWaitingMax = 4;
// And after a start: by then partitions have been shared out, and what is used is at work.
constexpr int64_t kRemoveEveryNs = 3'600'000'000'000;
}  // namespace

std::shared_ptr<LocalStores::One> LocalStores::Find(const TaskName& task, bool make) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto& slot = stores_[{task.stage, task.partition}];
  if (slot == nullptr && make) {
    slot = std::make_shared<One>();
    slot->task = task;
  }
  return slot;
}

void LocalStores::DropWaiting(One& one) {
  waiting_bytes_.fetch_sub(one.waiting.bytes(), std::memory_order_relaxed);
  StoreChanges().Swap(one.waiting);  // and their memory
}

void LocalStores::GiveUp(One& one, const Status& why, const char* doing) {
  if (one.kept) {
    given_up_.fetch_add(1, std::memory_order_relaxed);
    Warn(fmt::format("{}: {} failed: {}. It is given up, and the pipeline goes on without it: the next time it is needed "
                     "everything is replayed from the changelog",
                     one.store->where(), doing, why.message()));
    (void)one.store->Clear();  // room for others, if the disk is full
  }
  one.kept = false;
  one.bytes = 0;
  std::lock_guard<std::mutex> lock(one.waiting_mutex);
  DropWaiting(one);
  one.known = -1;
  one.held = false;
  one.follow_after_ns = options_.clock->MonoNs() + kFollowAgainNs;
}

std::string LocalStores::NameOf(const TaskName& task) { return fmt::format("{}.{}", task.step, task.partition); }

void LocalStores::UseMemory(One& one) {
  one.on_disk = false;
  one.store = std::make_unique<TaskStore>(MakeMemoryFiles());
}

int64_t LocalStores::Open(One& one, const TaskName& task, const Changelog& changelog) {
  Status status;
  if (one.kept) {
    status = WriteOne(one, TaskStore::How{false, &kHurry});
    if (!status.ok()) GiveUp(one, status, "writing it");
  }
  if (!one.kept) {
    // For the first time, or it was given up earlier: the disk may have recovered.
    // Without the topic's id another topic of its name would not be noticed.
    one.kept = one.on_disk = options_.files != nullptr && one.discarded < kDiscardsMax && !changelog.topic.empty();
    if (one.kept) {
      std::lock_guard<std::mutex> opening(opening_mutex_);
      opened_.insert(NameOf(task));
    }
    one.store = std::make_unique<TaskStore>(one.kept ? options_.files(NameOf(task)) : MakeMemoryFiles());
    status = one.store->Open();
  }
  const ChangelogPosition& at = one.store->position();
  if (status.ok() && at.offset > changelog.end) {
    status = Status::Corrupt(
        fmt::format("it knows the changelog up to offset {}, which ends at {}", at.offset, changelog.end));
  } else if (status.ok() && at.offset > 0 && at.topic != changelog.topic) {
    status = Status::Corrupt("its changelog was deleted and made anew");
  } else if (status.ok() && at.offset > 0 && at.offset < changelog.end &&
             Outdated(at.written_ms, changelog.removals_kept_ms)) {
    // The changelog may have forgotten what was removed since.
    status = Status::Corrupt("it is older than what the changelog remembers");
  }
  if (!status.ok()) {
    Warn(fmt::format("{} is not used, and everything is replayed from the changelog: {}", one.store->where(),
                     status.message()));
    status = one.store->Clear();
    if (!status.ok()) {
      GiveUp(one, status, "clearing it");
      UseMemory(one);
    }
  }
  one.topic = changelog.topic;
  one.removals_kept_ms = changelog.removals_kept_ms;
  one.found = one.kept && one.store->position().offset > 0;
  one.bytes = one.kept ? one.store->bytes() : 0;
  return one.store->position().offset;
}

int64_t LocalStores::Begin(const TaskName& task, const Changelog& changelog) {
  std::shared_ptr<One> one = Find(task, true);
  one->hurry = true;
  std::lock_guard<std::mutex> lock(one->mutex);
  one->hurry = false;
  int64_t offset = Open(*one, task, changelog);
  // The last commit of an earlier holder may still be told: it is among what is replayed.
  std::lock_guard<std::mutex> waiting(one->waiting_mutex);
  DropWaiting(*one);
  one->known = -1;
  one->held = false;
  return offset;
}

int64_t LocalStores::Follow(const TaskName& task, const Changelog& changelog) {
  std::shared_ptr<One> one = Find(task, true);
  std::lock_guard<std::mutex> lock(one->mutex);
  {
    std::lock_guard<std::mutex> waiting(one->waiting_mutex);
    // The last commit of an earlier holder may still be told, behind ones that were not.
    one->held = false;
    const bool disk = options_.files != nullptr && one->discarded < kDiscardsMax && !changelog.topic.empty();
    if (!disk || options_.clock->MonoNs() < one->follow_after_ns) return changelog.end;
    if (one->known >= changelog.end) one->known_ms = WallMs();
    // Followed so long ago that the changelog may have forgotten removals since: Open looks at it as a start does.
    if (one->known >= 0 && one->known < changelog.end && Outdated(one->known_ms, changelog.removals_kept_ms)) {
      one->known = -1;
      DropWaiting(*one);
    }
    if (one->known >= 0) return one->known;
  }
  int64_t offset = Open(*one, task, changelog);
  std::lock_guard<std::mutex> waiting(one->waiting_mutex);
  one->known_ms = one->store->position().written_ms;
  return one->known = offset;
}

int64_t LocalStores::Replayed(const TaskName& task, const Changelog& changelog, int64_t from, int64_t to,
                              const StoreChanges& changes) {
  std::shared_ptr<One> one = Find(task, true);
  std::lock_guard<std::mutex> lock(one->mutex);
  if (one->store == nullptr) return 0;
  Status status;
  if (one->kept) status = WriteOne(*one, TaskStore::How{false, &one->hurry});
  // Others may have come first; and it may have been thrown away meanwhile, so that changes before these are missing.
  const int64_t at = one->store->position().offset;
  if (status.ok() && (to <= at || from > at)) return at;
  if (status.ok()) status = one->store->Apply(changes, {changelog.topic, to, WallMs()}, TaskStore::How{false, &one->hurry});
  if (!status.ok()) {
    GiveUp(*one, status, "writing it");
    UseMemory(*one);
    to = 0;
  }
  one->bytes = one->kept ? one->store->bytes() : 0;
  std::lock_guard<std::mutex> waiting(one->waiting_mutex);
  if (one->known >= 0 && one->known <= to) {
    DropWaiting(*one);  // all of it is among what was replayed
    one->known = to;
    one->known_ms = WallMs();
  }
  return to;
}

std::shared_ptr<const StoreView> LocalStores::View(const TaskName& task, int64_t at_least) {
  std::shared_ptr<One> one = Find(task, true);
  std::lock_guard<std::mutex> lock(one->mutex);
  if (one->store == nullptr || one->store->position().offset < at_least) return nullptr;
  std::lock_guard<std::mutex> waiting(one->waiting_mutex);
  if (one->kept) {
    one->known = one->store->position().offset;
    one->known_ms = one->store->position().written_ms;
    DropWaiting(*one);
    one->held = true;
  }
  std::shared_ptr<const StoreView> view = one->store->view();
  if (!one->kept) one->store.reset();  // in memory: whoever has the view keeps what it still needs
  return view;
}

bool LocalStores::Discard(const TaskName& task, const std::string& why, bool content) {
  std::shared_ptr<One> one = Find(task, false);
  if (one == nullptr) return false;
  one->hurry = true;
  std::lock_guard<std::mutex> lock(one->mutex);
  one->hurry = false;
  if (content && !one->found) return false;
  // Given up meanwhile, with the damaged view still in use: what comes next is new.
  if (one->store == nullptr || !one->kept) return one->on_disk;
  Warn(fmt::format("{} is thrown away, and everything is replayed from the changelog: {}", one->store->where(), why));
  given_up_.fetch_add(1, std::memory_order_relaxed);
  (void)one->store->Clear();
  one->kept = false;
  ++one->discarded;
  one->bytes = 0;
  std::lock_guard<std::mutex> waiting(one->waiting_mutex);
  DropWaiting(*one);
  one->known = -1;
  one->held = false;
  return true;
}

void LocalStores::Committed(const TaskName& task, StoreChanges* changes, int64_t offset) {
  std::shared_ptr<One> one = Find(task, false);
  if (one == nullptr) return;
  {
    std::lock_guard<std::mutex> waiting(one->waiting_mutex);
    if (offset < 0) {  // what is there is as of an earlier time, and stays so
      DropWaiting(*one);
      one->known = -1;
    }
    if (!one->held || one->known < 0 || offset <= one->known) return;
    one->known = offset;
    one->known_ms = WallMs();
    if (!one->kept) return;
    const size_t before = one->waiting.bytes();
    if (one->waiting.empty()) {
      one->waiting_since_ns = options_.clock->MonoNs();
      one->waiting.Swap(*changes);
    } else {
      changes->Each([&](Str key, const Str* value) { one->waiting.Add(key, value); });
    }
    changes->Clear();
    waiting_bytes_.fetch_add(one->waiting.bytes() - before, std::memory_order_relaxed);
  }
  if (Much()) Wake();
  while (waiting_bytes_.load(std::memory_order_relaxed) >= options_.write_bytes * kWaitingMax) {
    if (!LeaveOneBehind()) break;
  }
}

// The one with the most: that costs the fewest tasks a replay.
bool LocalStores::LeaveOneBehind() {
  std::shared_ptr<One> most;
  size_t bytes = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [key, one] : stores_) {
      if (one == nullptr) continue;
      std::lock_guard<std::mutex> waiting(one->waiting_mutex);
      if (one->waiting.bytes() <= bytes) continue;
      bytes = one->waiting.bytes();
      most = one;
    }
  }
  if (most == nullptr) return false;  // all of it is on its way to the disk
  {
    std::lock_guard<std::mutex> waiting(most->waiting_mutex);
    if (most->waiting.empty()) return true;  // by now
    DropWaiting(*most);  // as after an unknown offset
    most->known = -1;
  }
  Warn(fmt::format("the disk does not keep up with the local state of `{}`, partition {}: what is committed from now on "
                   "is replayed from the changelog when the task is brought back",
                   most->task.step, most->task.partition));
  return true;
}

Status LocalStores::WriteOne(One& one, const TaskStore::How& how) {
  StoreChanges changes;
  ChangelogPosition to;
  to.topic = one.topic;
  {
    std::lock_guard<std::mutex> waiting(one.waiting_mutex);
    if (one.known <= one.store->position().offset) return Status();
    changes.Swap(one.waiting);
    to.offset = one.known;
    to.written_ms = one.known_ms;
  }
  Status status = one.store->Apply(changes, to, how);
  waiting_bytes_.fetch_sub(changes.bytes(), std::memory_order_relaxed);
  if (status.ok()) one.bytes = one.store->bytes();
  return status;
}

bool LocalStores::Write(bool all) {
  std::vector<std::pair<size_t, std::shared_ptr<One>>> stores;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [key, one] : stores_) {
      if (one == nullptr) continue;
      std::lock_guard<std::mutex> waiting(one->waiting_mutex);
      if (!one->waiting.empty()) stores.emplace_back(one->waiting.bytes(), one);
    }
  }
  // Where together they are much, the largest ones are written until they are not.
  std::stable_sort(stores.begin(), stores.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  bool any = false;
  for (auto& [bytes, one] : stores) {
    {
      std::lock_guard<std::mutex> waiting(one->waiting_mutex);
      if (one->waiting.empty()) continue;
      bool due = all || Much() || options_.clock->MonoNs() - one->waiting_since_ns >= options_.write_every_ns;
      if (!due) continue;
    }
    std::lock_guard<std::mutex> lock(one->mutex);
    if (!one->kept) continue;
    Status status = WriteOne(*one, TaskStore::How{true, all ? &kHurry : &one->hurry});
    if (!status.ok()) GiveUp(*one, status, "writing it");
    any = true;
  }
  const int64_t now = options_.clock->MonoNs();
  if (next_removal_ns_ == INT64_MIN) next_removal_ns_ = now + kRemoveEveryNs;
  if (!all && now >= next_removal_ns_) {
    next_removal_ns_ = now + kRemoveEveryNs;
    RemoveOutdated();
  }
  return any;
}

void LocalStores::RemoveOutdated() {
  if (options_.files == nullptr || options_.holds == nullptr) return;
  std::vector<std::shared_ptr<One>> stores;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [key, one] : stores_) {
      if (one != nullptr) stores.push_back(one);
    }
  }
  std::string removed;  // and why
  auto remove = [&removed](TaskStore& store, const std::string& name, const char* why) {
    if (store.Remove().ok()) removed += fmt::format("{}`{}` ({})", removed.empty() ? "" : ", ", name, why);
  };
  constexpr const char* kOld = "older than what its changelog remembers";
  // How long changelogs remember removed keys, by step; for steps of other versions of the pipeline, the longest.
  std::map<std::string, int64_t> kept_ms;
  int64_t longest_ms = -1;
  for (auto& one : stores) {
    std::lock_guard<std::mutex> lock(one->mutex);
    if (one->store == nullptr && !one->on_disk) continue;
    kept_ms[one->task.step] = one->removals_kept_ms;
    longest_ms = std::max(longest_ms, one->removals_kept_ms);
    if (!one->kept || options_.holds(one->task)) continue;
    std::lock_guard<std::mutex> waiting(one->waiting_mutex);
    if (!Outdated(one->known >= 0 ? one->known_ms : one->store->position().written_ms, one->removals_kept_ms)) continue;
    // Whoever brings it back meanwhile finds that it is gone: see View.
    remove(*one->store, NameOf(one->task), kOld);
    one->store.reset();
    one->kept = false;
    one->bytes = 0;
    DropWaiting(*one);
    one->known = -1;
    one->held = false;
  }
  std::vector<std::string> names;
  if (longest_ms >= 0 && options_.names != nullptr && !options_.names(&names).ok()) names.clear();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const size_t dot = name.rfind('.');
    if (dot == std::string::npos || dot + 1 == name.size() ||
        name.find_first_not_of("0123456789", dot + 1) != std::string::npos) {
      continue;  // no task's
    }
    std::lock_guard<std::mutex> opening(opening_mutex_);
    if (opened_.count(name) != 0) continue;
    auto of_step = kept_ms.find(name.substr(0, dot));
    TaskStore store(options_.files(name));
    Status status = store.Open();
    // One that is damaged is of no use however young it is; one that cannot be read may be another time.
    if (!status.ok() && status.code() != StatusCode::kCorrupt) continue;
    const int64_t age_of = of_step == kept_ms.end() ? longest_ms : of_step->second;
    if (store.position().offset > 0 && !Outdated(store.position().written_ms, age_of)) continue;
    remove(store, name, !status.ok() ? "damaged" : store.position().offset > 0 ? kOld : "empty");
  }
  if (!removed.empty() && options_.inform) {
    options_.inform("local stores were removed whose tasks are not at work here and which nobody would use: " + removed);
  }
}

void LocalStores::Hurry() {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [key, one] : stores_) {
    if (one != nullptr) one->hurry = true;
  }
}

void LocalStores::WaitForWork(int64_t ns_max) {
  std::unique_lock<std::mutex> lock(wake_mutex_);
  wake_.wait_for(lock, std::chrono::nanoseconds(ns_max), [this] { return noticed_; });
  noticed_ = false;
}

void LocalStores::Wake() {
  std::lock_guard<std::mutex> lock(wake_mutex_);
  noticed_ = true;
  wake_.notify_all();
}

LocalStores::Stats LocalStores::GetStats() {
  Stats stats;
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [key, one] : stores_) {
    if (one == nullptr) continue;
    stats.bytes += one->bytes;
    stats.stores += one->kept ? 1 : 0;
  }
  stats.waiting = waiting_bytes_.load(std::memory_order_relaxed);
  stats.given_up = given_up_;
  return stats;
}

}  // namespace weir
