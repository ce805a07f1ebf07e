// The lock between a table's one writer and the workers that look rows up.
#pragma once

#include <condition_variable>
#include <mutex>

namespace weir {

// Readers hold it for one turn; a waiting writer goes before new readers, so a busy pipeline cannot keep a table old.
class TableLock {
 public:
  void LockShared() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !writing_ && writers_waiting_ == 0; });
    ++readers_;
  }
  void UnlockShared() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (--readers_ == 0 && writers_waiting_ != 0) changed_.notify_all();
  }
  void Lock() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++writers_waiting_;
    changed_.wait(lock, [this] { return !writing_ && readers_ == 0; });
    --writers_waiting_;
    writing_ = true;
  }
  void Unlock() {
    std::lock_guard<std::mutex> lock(mutex_);
    writing_ = false;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int readers_ = 0;
  int writers_waiting_ = 0;
  bool writing_ = false;
};

}  // namespace weir
