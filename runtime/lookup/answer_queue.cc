// The queue's two sides: the owner's own pushes and those of other threads.
#include "runtime/lookup/answer_queue.h"

#include <iterator>

namespace weir {

void AnswerQueue::Push(LookupAnswer answer) {
  if (std::this_thread::get_id() == owner_.load(std::memory_order_relaxed)) {
    own_.push_back(std::move(answer));
    return;
  }
  bool first;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    first = foreign_.empty();
    foreign_.push_back(std::move(answer));
    foreign_any_.store(true, std::memory_order_release);
  }
  // Only the first one since the last Take: the owner takes all at once.
  if (first) wake_();
}

void AnswerQueue::Take(std::vector<LookupAnswer>* out) {
  if (out->empty()) {
    out->swap(own_);
  } else {
    out->insert(out->end(), std::make_move_iterator(own_.begin()), std::make_move_iterator(own_.end()));
    own_.clear();
  }
  if (!foreign_any_.load(std::memory_order_acquire)) return;
  std::lock_guard<std::mutex> lock(mutex_);
  out->insert(out->end(), std::make_move_iterator(foreign_.begin()), std::make_move_iterator(foreign_.end()));
  foreign_.clear();
  foreign_any_.store(false, std::memory_order_release);
}

}  // namespace weir
