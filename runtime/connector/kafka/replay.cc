#include "runtime/connector/kafka/replay.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "runtime/connector/kafka/rd_fetcher.h"

namespace weir::kafka {
namespace {

constexpr int64_t kTurnNs = 200'000'000;
constexpr int64_t kWarmNsMax = 150'000'000;
constexpr int64_t kFetchAheadBytes = 8 << 20;

}  // namespace

// Rung from librdkafka's threads when records have come.
struct Replay::Bell {
  std::mutex mutex;
  std::condition_variable condition;
  bool rung = false;

  void Ring() {
    std::lock_guard<std::mutex> lock(mutex);
    rung = true;
    condition.notify_one();
  }
  void Wait(int64_t ns) {
    std::unique_lock<std::mutex> lock(mutex);
    condition.wait_for(lock, std::chrono::nanoseconds(ns), [&] { return rung; });
    rung = false;
  }
};

Replay::Replay(Connection* connection, std::string client_id)
    : connection_(connection), client_id_(std::move(client_id)), bell_(std::make_shared<Bell>()) {}

Replay::~Replay() { Close(); }

void Replay::Close() {
  Stop();
  fetcher_.reset();
}

void Replay::Stop() {
  if (!feed_) return;
  std::vector<std::unique_ptr<Feed>> feeds;
  feeds.push_back(std::move(feed_));
  fetcher_->Stop(std::move(feeds));
}

Status Replay::Start(const std::string& topic, int32_t partition, int64_t at) {
  Stop();
  if (!fetcher_) {
    Settings settings = connection_->settings();
    // At the end of a partition there is only a stranger's transaction to wait for, and the next partition must not wait
    // behind such a fetch.
    settings.properties.push_back({"fetch.wait.max.ms", "10"});
    Status status = MakeRdFetcher(settings, client_id_, connection_->options().log, kFetchAheadBytes,
                                  [bell = bell_] { bell->Ring(); }, &fetcher_);
    if (!status.ok()) return status;
  }
  if (topic != topic_) fetcher_->Warm(topic, kWarmNsMax);
  topic_ = topic;
  at_ = at;
  std::vector<std::unique_ptr<Feed>> feeds;
  Status status = fetcher_->StartFeeds(topic, {{partition, at > 0 ? at : kFromEarliest}}, &feeds);
  if (status.ok()) feed_ = std::move(feeds.front());
  return status;
}

TransactionResult Replay::Read(const std::string& topic, int32_t partition, int64_t end, int64_t* at,
                               const Transactions::Change& change) {
  if (end <= 0 || *at >= end) {
    Stop();
    return {};
  }
  if (!feed_ || topic != topic_ || feed_->partition() != partition || at_ != *at) {
    if (Status status = Start(topic, partition, *at); !status.ok()) return {TransactionOutcome::kFailed, status};
  }
  auto failed = [&](const Status& status) {
    Stop();
    return TransactionResult{TransactionOutcome::kFailed, status};
  };
  int64_t until = MonoNs() + kTurnNs;
  fetcher_->Serve();
  while (true) {
    std::unique_ptr<Batch> batch;
    if (Status status = feed_->Take(&batch); !status.ok()) return failed(status);
    for (uint32_t i = 0; batch && i < batch->size; ++i) {
      const Message& message = batch->messages[i];
      if (message.offset >= end) break;
      Status status = change(message.has_key ? message.key : Str(), message.has_value ? &message.value : nullptr);
      if (!status.ok()) return failed(status);
      *at = at_ = message.next_offset;
    }
    // Beyond the last record there may be markers and what was aborted: the end-of-partition event tells.
    if (int64_t position = feed_->Tell().position; position > at_) *at = at_ = std::min(position, end);
    if (at_ >= end) {
      Stop();
      return {};
    }
    int64_t left = until - MonoNs();
    if (left <= 0) break;
    if (!batch) bell_->Wait(left);
  }
  return {TransactionOutcome::kAgain,
          Status::Unavailable("reading topic `" + topic + "`, partition " + std::to_string(partition) + ": at offset " +
                              std::to_string(at_) + " of " + std::to_string(end))};
}

}  // namespace weir::kafka
