// Each partition has librdkafka's own queue, taken out of the consumer's common one, so that not taking from it holds
// back this partition alone. Partitions are never paused: a pause throws away what was fetched, and in librdkafka 2.8
// the position it resumes from may have moved past an end-of-partition event (confluentinc/librdkafka #4844). Offsets
// come from messages only. A full queue costs a look every fetch.queue.backoff.ms.
#include "runtime/connector/kafka/rd_fetcher.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace weir::kafka {
namespace {

constexpr size_t kBatchRecordsMax = 512;
constexpr int64_t kValidateNsMax = 10'000'000'000;
constexpr int kSeekMs = 1000;
constexpr int64_t kWatermarkNs = 10'000'000;  // the high watermark is looked up at most this often

// The arrays of a batch, used again and again.
struct Arrays {
  std::vector<rd_kafka_message_t*> raw = std::vector<rd_kafka_message_t*>(kBatchRecordsMax);
  std::vector<Message> messages = std::vector<Message>(kBatchRecordsMax);
  std::vector<Header> headers;
};

// What feeds and batches hold on to. A batch may outlive its feed and the fetcher: librdkafka's client goes last.
struct Core {
  std::unique_ptr<Client> client;
  std::function<void()> wake;
  std::vector<std::unique_ptr<Arrays>> spare;
};

class RdBatch final : public Batch {
 public:
  RdBatch(std::shared_ptr<Core> core, std::unique_ptr<Arrays> arrays) : core_(std::move(core)), arrays_(std::move(arrays)) {}
  ~RdBatch() override {
    for (size_t i = 0; i < taken_; ++i) rd_kafka_message_destroy(arrays_->raw[i]);
    core_->spare.push_back(std::move(arrays_));
  }

  Arrays& arrays() { return *arrays_; }
  // The first `taken` of the raw messages belong to this batch, whether they became records or not.
  void Own(size_t taken) { taken_ = taken; }

 private:
  std::shared_ptr<Core> core_;
  std::unique_ptr<Arrays> arrays_;
  size_t taken_ = 0;
};

class RdFeed final : public Feed {
 public:
  RdFeed(std::shared_ptr<Core> core, const std::string& topic, int32_t partition, int64_t offset)
      : core_(std::move(core)), topic_(topic), partition_(partition) {
    if (offset >= 0) position_ = offset;
    queue_.reset(rd_kafka_queue_get_partition(core_->client->get(), topic.c_str(), partition));
    rd_kafka_queue_forward(queue_.get(), nullptr);
    rd_kafka_queue_cb_event_enable(
        queue_.get(),
        [](rd_kafka_t*, void* self) {
          static_cast<RdFeed*>(self)->ready_.store(true, std::memory_order_release);
          static_cast<RdFeed*>(self)->core_->wake();
        },
        this);
  }
  ~RdFeed() override { rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr); }

  const std::string& topic() const { return topic_; }
  int32_t partition() const override { return partition_; }
  bool Ready() const override { return ready_.load(std::memory_order_acquire) || !error_.ok(); }

  Status Take(std::unique_ptr<Batch>* out) override {
    out->reset();
    if (!error_.ok()) return error_;
    if (!ready_.load(std::memory_order_acquire)) return Status();
    ready_.store(false, std::memory_order_relaxed);
    std::unique_ptr<Arrays> arrays;
    if (core_->spare.empty()) {
      arrays = std::make_unique<Arrays>();
    } else {
      arrays = std::move(core_->spare.back());
      core_->spare.pop_back();
    }
    ssize_t n = rd_kafka_consume_batch_queue(queue_.get(), 0, arrays->raw.data(), kBatchRecordsMax);
    auto batch = std::make_unique<RdBatch>(core_, std::move(arrays));
    if (n <= 0) return Status();
    // Fewer than asked for: the queue was empty at that moment, and the next record fires the callback.
    if (static_cast<size_t>(n) == kBatchRecordsMax) ready_.store(true, std::memory_order_relaxed);
    batch->Own(static_cast<size_t>(n));
    uint32_t records = 0;
    Arrays& a = batch->arrays();
    a.headers.clear();
    for (ssize_t i = 0; i < n; ++i) {
      const rd_kafka_message_t* raw = a.raw[static_cast<size_t>(i)];
      if (raw->err) {
        if (raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
          position_ = std::max(position_, raw->offset);
          empty_fetch_at_ = raw->offset;
        } else if (error_.ok()) {
          error_ = ToStatus(raw);
        }
        continue;
      }
      // After an error nothing may be handed out: records would be missing in between.
      if (!error_.ok()) continue;
      Fill(raw, &a, records++);
      position_ = raw->offset + 1;
      leader_epoch_ = rd_kafka_message_leader_epoch(raw);
    }
    if (records == 0) return error_;
    PointHeaders(&a, records);
    batch->partition = partition_;
    batch->messages = a.messages.data();
    batch->size = records;
    *out = std::move(batch);
    return Status();
  }

  int32_t leader_epoch() const override { return leader_epoch_; }

  FeedStatus Tell() override {
    FeedStatus status;
    int64_t now = MonoNs();
    if (now - watermark_ns_ >= kWatermarkNs) {
      watermark_ns_ = now;
      int64_t low = 0, high = -1;
      rd_kafka_get_watermark_offsets(core_->client->get(), topic_.c_str(), partition_, &low, &high);
      if (high >= 0) watermark_ = high;
    }
    status.position = position_;
    status.end_offset = watermark_;
    status.connected = core_->client->FetchesAnswered(now);
    status.gone = gone_;
    // Empty up to the last stable offset is not enough: what an open transaction has written may still be delivered.
    status.at_end = position_ >= 0 && empty_fetch_at_ == position_ && watermark_ >= 0 && position_ >= watermark_ &&
                    !ready_.load(std::memory_order_acquire);
    return status;
  }

 private:
  static void Fill(const rd_kafka_message_t* raw, Arrays* a, uint32_t i) {
    Message& m = a->messages[i];
    m.key = Str(static_cast<const char*>(raw->key), raw->key_len);
    m.has_key = raw->key != nullptr;
    m.value = Str(static_cast<const char*>(raw->payload), raw->len);
    m.has_value = raw->payload != nullptr;
    m.offset = raw->offset;
    m.next_offset = raw->offset + 1;
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(raw, &type);
    m.timestamp_ns = ms < 0 || ms > INT64_MAX / 1'000'000 ? kNoTime : ms * 1'000'000;
    m.headers = Headers();
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(raw, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t h = 0; !rd_kafka_header_get_all(headers, h, &name, &value, &size); ++h) {
      a->headers.push_back({Str(std::string_view(name)), Str(static_cast<const char*>(value), size), value != nullptr});
      ++m.headers.size;
    }
  }

  // The array of headers may have moved while it grew: records get their part of it once it is complete.
  static void PointHeaders(Arrays* a, uint32_t records) {
    if (a->headers.empty()) return;
    const Header* at = a->headers.data();
    for (uint32_t i = 0; i < records; ++i) {
      a->messages[i].headers.data = at;
      at += a->messages[i].headers.size;
    }
  }

  Status ToStatus(const rd_kafka_message_t* raw) {
    std::string where = "topic `" + topic_ + "`, partition " + std::to_string(partition_);
    std::string detail = rd_kafka_message_errstr(raw);
    const std::string go_on =
        "To go on with what is there now, stop every copy and run this binary with `reset`, which begins without state, or, " +
        std::string("where this is a source's topic, with `reset --to SOURCE/PARTITION@OFFSET --keep-state`");
    // It comes as the reset that the setting auto.offset.reset asks for.
    if (detail.find(rd_kafka_err2str(RD_KAFKA_RESP_ERR__LOG_TRUNCATION)) != std::string::npos) {
      return Status::Corrupt(where + ": the broker has lost records that were read already, as when a replica that had not " +
                             "got them became the leader (unclean.leader.election.enable), and other records may be in " +
                             "their place (" + detail + "). " + go_on);
    }
    switch (raw->err) {
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        gone_ = true;
        return Status::Corrupt(where + ": the next record to read, at offset " + std::to_string(position_) +
                               ", is not there (" + detail + "). Either retention deleted records that were never " +
                               "read (lengthen it), or the topic was made anew, or the broker lost records. " + go_on);
      case RD_KAFKA_RESP_ERR__BAD_MSG:
      case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
        return Status::Corrupt(where + ", offset " + std::to_string(raw->offset) +
                               ": the stored bytes are damaged (" + detail + ")");
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return Status::Denied("no right to read " + where + " (connection `" +
                              core_->client->settings().connection + "`): it needs READ on the topic");
      default:
        if (IsPassing(raw->err)) return Status();
        return core_->client->ToStatus(raw->err, "reading " + where, detail);
    }
  }

  std::shared_ptr<Core> core_;
  std::string topic_;
  int32_t partition_;
  Queue queue_;
  std::atomic<bool> ready_{true};
  int64_t position_ = -1;
  int32_t leader_epoch_ = -1;
  int64_t empty_fetch_at_ = -1;  // the offset of the last end-of-partition event
  int64_t watermark_ = -1;
  int64_t watermark_ns_ = 0;
  bool gone_ = false;
  Status error_;
};

class RdFetcher final : public Fetcher {
 public:
  explicit RdFetcher(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  void Warm(const std::string& topic, int64_t wait_ns_max) override {
    rd_kafka_t* rk = core_->client->get();
    Topic handle(rd_kafka_topic_new(rk, topic.c_str(), nullptr));
    if (!handle) return;
    const rd_kafka_metadata_t* metadata = nullptr;
    rd_kafka_metadata(rk, 0, handle.get(), &metadata, static_cast<int>(std::max<int64_t>(wait_ns_max / 1'000'000, 1)));
    if (metadata) rd_kafka_metadata_destroy(metadata);
    topics_.push_back(std::move(handle));
  }

  Status StartFeeds(const std::string& topic, const std::vector<Start>& starts,
                    std::vector<std::unique_ptr<Feed>>* feeds) override {
    PartitionList list = NewPartitionList(static_cast<int>(starts.size()));
    for (const Start& start : starts) {
      feeds->push_back(std::make_unique<RdFeed>(core_, topic, start.partition, start.offset));
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), start.partition)->offset =
          start.offset == kFromEarliest ? RD_KAFKA_OFFSET_BEGINNING
          : start.offset == kFromLatest ? RD_KAFKA_OFFSET_END
                                        : start.offset;
    }
    Error error(rd_kafka_incremental_assign(core_->client->get(), list.get()));
    if (!error) return Validate(topic, starts);
    return core_->client->ToStatus(rd_kafka_error_code(error.get()), "starting to read topic `" + topic + "`",
                                   rd_kafka_error_string(error.get()));
  }

  void Stop(std::vector<std::unique_ptr<Feed>> feeds) override {
    if (feeds.empty()) return;
    PartitionList list = NewPartitionList(static_cast<int>(feeds.size()));
    for (const auto& feed : feeds) {
      rd_kafka_topic_partition_list_add(list.get(), static_cast<RdFeed&>(*feed).topic().c_str(), feed->partition());
    }
    Error error(rd_kafka_incremental_unassign(core_->client->get(), list.get()));
  }

  // Records never come this way; librdkafka's own affairs do, and must not pile up.
  void Serve() override {
    while (rd_kafka_message_t* message = rd_kafka_consumer_poll(core_->client->get(), 0)) {
      rd_kafka_message_destroy(message);
    }
  }

 private:
  // Lets the brokers say whether they still have what was read below these offsets: librdkafka asks them when it is told to
  // seek, not when it is told to start. What is not known is not asked for.
  Status Validate(const std::string& topic, const std::vector<Start>& starts) {
    PartitionList list = NewPartitionList(static_cast<int>(starts.size()));
    for (const Start& start : starts) {
      if (start.offset <= 0 || start.leader_epoch < 0) continue;
      rd_kafka_topic_partition_t* p = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), start.partition);
      p->offset = start.offset;
      rd_kafka_topic_partition_set_leader_epoch(p, start.leader_epoch);
    }
    for (int64_t end = MonoNs() + kValidateNsMax; list->cnt > 0;) {
      Error error(rd_kafka_seek_partitions(core_->client->get(), list.get(), kSeekMs));
      const rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error.get()) : RD_KAFKA_RESP_ERR_NO_ERROR;
      if (code == RD_KAFKA_RESP_ERR__TIMED_OUT && MonoNs() < end) continue;  // a busy machine
      if (code) return core_->client->ToStatus(code, "starting to read topic `" + topic + "`");
      // A partition that was read just now must have stopped first.
      for (int i = list->cnt; i-- > 0;) {
        if (!list->elems[i].err) rd_kafka_topic_partition_list_del_by_idx(list.get(), i);
      }
      if (list->cnt == 0) break;
      if (MonoNs() > end) {
        return core_->client->ToStatus(list->elems[0].err, "starting to read topic `" + topic + "`, partition " +
                                                               std::to_string(list->elems[0].partition));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Status();
  }

  std::shared_ptr<Core> core_;
  std::vector<Topic> topics_;  // kept: librdkafka forgets what it knows of topics nobody holds; gone before the client
};

}  // namespace

Status MakeRdFetcher(const Settings& settings, const std::string& client_id, Log* log, int64_t queue_bytes, std::function<void()> wake, std::unique_ptr<Fetcher>* out) {
  auto core = std::make_shared<Core>();
  core->wake = std::move(wake);
  Client::Options options;
  options.client_id = client_id;
  options.log = log;
  if (!settings.Find("queued.max.messages.kbytes")) {
    options.more.push_back({"queued.max.messages.kbytes", std::to_string(std::max<int64_t>(queue_bytes / 1024, 64))});
  }
  if (Status status = Client::Make(settings, Role::kFetch, options, &core->client); !status.ok()) return status;
  *out = std::make_unique<RdFetcher>(std::move(core));
  return Status();
}

}  // namespace weir::kafka
