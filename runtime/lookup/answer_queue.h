// Where connectors put answers and the worker takes them: the only thing a callback ever touches.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/lookup/connector.h"

namespace weir {

// Any thread pushes, the owner takes. A push on the owner's own thread takes no lock. Nothing is worked on here, even
// when the answer comes before Ask has returned: records move on from the worker's own loop.
class AnswerQueue : public LookupAnswers {
 public:
  // `wake` ends the owner's wait; called after a push from another thread, on that thread.
  explicit AnswerQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  // The thread that takes; until it is known every push locks.
  void SetOwner(std::thread::id owner) { owner_.store(owner, std::memory_order_relaxed); }

  void Push(LookupAnswer answer) override;

  // Appends everything there is to *out, in the order of its coming. Owner's thread.
  void Take(std::vector<LookupAnswer>* out);
  // Something is there. Owner's thread; a push that runs at the same time calls `wake` later.
  bool HasAny() const { return !own_.empty() || foreign_any_.load(std::memory_order_acquire); }

 private:
  std::function<void()> wake_;
  std::atomic<std::thread::id> owner_{std::thread::id()};
  std::vector<LookupAnswer> own_;
  std::atomic<bool> foreign_any_{false};
  std::mutex mutex_;
  std::vector<LookupAnswer> foreign_;
};

}  // namespace weir
