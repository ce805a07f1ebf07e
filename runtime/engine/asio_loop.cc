#include "runtime/engine/asio_loop.h"

#include <atomic>
#include <chrono>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

namespace weir {

namespace {

class AsioLoop : public Loop {
 public:
  AsioLoop() : work_(boost::asio::make_work_guard(io_)) {}

  ~AsioLoop() override {
    // The descriptors belong to whoever asked to watch them.
    for (auto& [fd, watch] : watches_) watch->descriptor.release();
  }

  void Run(int64_t wait_ns_max) override {
    size_t done = io_.poll();
    if (done == 0 && wait_ns_max > 0) {
      io_.run_one_for(std::chrono::nanoseconds(wait_ns_max));
      io_.poll();
    }
  }

  void Wake() override {
    // One handler at a time: a thousand wakes are one.
    if (waking_.exchange(true, std::memory_order_acq_rel)) return;
    boost::asio::post(io_, [this] { waking_.store(false, std::memory_order_release); });
  }

  void Watch(int fd, std::function<void()> ready) override {
    Forget(fd);
    auto watch = std::make_shared<Watched>(io_, fd, std::move(ready));
    watches_[fd] = watch;
    Wait(watch);
  }

  void Forget(int fd) override {
    auto at = watches_.find(fd);
    if (at == watches_.end()) return;
    at->second->forgotten = true;
    at->second->descriptor.release();  // cancels the wait, leaves the descriptor open
    watches_.erase(at);
  }

  void* io_context() override { return &io_; }

 private:
  struct Watched {
    Watched(boost::asio::io_context& io, int fd, std::function<void()> ready)
        : descriptor(io, fd), ready(std::move(ready)) {}
    boost::asio::posix::stream_descriptor descriptor;
    std::function<void()> ready;
    bool forgotten = false;
  };

  void Wait(const std::shared_ptr<Watched>& watch) {
    watch->descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                 [this, watch](const boost::system::error_code& error) {
                                   if (error || watch->forgotten) return;
                                   watch->ready();
                                   if (!watch->forgotten) Wait(watch);
                                 });
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::atomic<bool> waking_{false};
  std::unordered_map<int, std::shared_ptr<Watched>> watches_;
};

}  // namespace

std::unique_ptr<Loop> MakeAsioLoop() { return std::make_unique<AsioLoop>(); }

}  // namespace weir
