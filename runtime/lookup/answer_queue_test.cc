// The queue between connectors' threads and the worker: nothing is lost, nothing comes twice, and the owner never sleeps
// beside an answer. Under tools/thread-sanitizer this is where races show.
#include <catch2/catch.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/lookup/answer_queue.h"

namespace weir {
namespace {

LookupAnswer Numbered(RequestId request_id, uint16_t attempt) {
  LookupAnswer answer;
  answer.request_id = request_id;
  answer.attempt = attempt;
  answer.body = "answer " + std::to_string(request_id);
  return answer;
}

TEST_CASE("Answers from many threads and the owner's own: each comes once, in its thread's order, and wakes the owner") {
  constexpr int kThreads = 4;
  constexpr uint64_t kEach = 5000;
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  AnswerQueue queue([&] {
    std::lock_guard<std::mutex> lock(mutex);
    woken = true;
    changed.notify_one();
  });
  queue.SetOwner(std::this_thread::get_id());
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&queue, t] {
      for (uint64_t i = 0; i < kEach; ++i) queue.Push(Numbered(i, static_cast<uint16_t>(t)));
    });
  }
  std::map<int, uint64_t> next;
  std::vector<LookupAnswer> taken;
  uint64_t got = 0, own = 0, out_of_order = 0;
  bool overslept = false;
  while (got < (kThreads + 1) * kEach && !overslept) {
    // Like a worker's turn: an answer of its own now and then, then all there is, then sleep unless there is something.
    if (own < kEach) queue.Push(Numbered(own++, kThreads));
    taken.clear();
    queue.Take(&taken);
    for (const LookupAnswer& answer : taken) {
      out_of_order += answer.request_id != next[answer.attempt]++ || answer.body != "answer " + std::to_string(answer.request_id);
    }
    got += taken.size();
    if (queue.HasAny() || own < kEach || got == (kThreads + 1) * kEach) continue;
    // A wake that was missed would be slept through: no answer comes later than this.
    std::unique_lock<std::mutex> lock(mutex);
    overslept = !changed.wait_for(lock, std::chrono::seconds(60), [&] { return woken; });
    woken = false;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(overslept);
  CHECK(got == (kThreads + 1) * kEach);
  CHECK(out_of_order == 0);
  for (int t = 0; t <= kThreads; ++t) CHECK(next[t] == kEach);
  CHECK_FALSE(queue.HasAny());
}

TEST_CASE("Until it knows its owner, a queue takes every answer as another thread's") {
  int wakes = 0;
  AnswerQueue queue([&] { ++wakes; });
  queue.Push(Numbered(1, 0));
  queue.Push(Numbered(2, 0));
  CHECK(wakes == 1);
  queue.SetOwner(std::this_thread::get_id());
  queue.Push(Numbered(3, 0));
  CHECK(wakes == 1);
  std::vector<LookupAnswer> taken;
  queue.Take(&taken);
  CHECK(taken.size() == 3);
  CHECK_FALSE(queue.HasAny());
}

}  // namespace
}  // namespace weir
