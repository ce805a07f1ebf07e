// Services whose answers come from a thread of their own, for tests of engines on real threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "runtime/lookup/connector.h"
#include "tests/recover/sample_model.h"

namespace weir {

// Answers from a thread of its own, after a moment.
class AnswerThread {
 public:
  AnswerThread() : thread_([this] { Run(); }) {}
  ~AnswerThread() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  void Ask(LookupAnswers* to, LookupAnswer answer) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.emplace_back(to, std::move(answer));
    wake_.notify_all();
  }
  // No answer goes to `to` any more.
  void Close(LookupAnswers* to) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(queue_, [to](const auto& one) { return one.first == to; });
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_) {
      if (queue_.empty()) {
        wake_.wait(lock);
        continue;
      }
      auto [to, answer] = std::move(queue_.front());
      queue_.pop_front();
      to->Push(std::move(answer));
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<LookupAnswers*, LookupAnswer>> queue_;
  bool stop_ = false;
  std::thread thread_;
};

// The services of the sample, asked through an AnswerThread that outlives it.
class ThreadLookup : public LookupConnector {
 public:
  explicit ThreadLookup(AnswerThread* thread) : thread_(thread) {}
  ~ThreadLookup() override { thread_->Close(answers_); }
  Status Open(LookupAnswers* answers) override {
    answers_ = answers;
    return Status();
  }
  void Ask(std::span<const LookupRequest> requests) override {
    for (const LookupRequest& request : requests) {
      std::string target(request.target.view());
      int64_t id = std::stoll(target.substr(target.rfind('/') + 1));
      LookupAnswer answer;
      answer.request_id = request.request_id;
      answer.incarnation = request.incarnation;
      answer.attempt = request.attempt;
      switch (AnswerFor(id)) {
        case SampleAnswer::kFound:
          answer.outcome = Outcome::kFound;
          answer.body = AnswerText(id);
          break;
        case SampleAnswer::kMissing: answer.outcome = Outcome::kMissing; break;
        case SampleAnswer::kRejected: answer.outcome = Outcome::kRejected; break;
        case SampleAnswer::kTimeout: answer.outcome = Outcome::kTimeout; break;
      }
      thread_->Ask(answers_, std::move(answer));
    }
  }
  void Forget(uint64_t, uint16_t) override {}
  Status Check(int64_t) override { return Status(); }
  void Close() override { thread_->Close(answers_); }

 private:
  AnswerThread* thread_;
  LookupAnswers* answers_ = nullptr;
};

}  // namespace weir
