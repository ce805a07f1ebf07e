// One librdkafka producer with transactions, from init_transactions to its end. Every call waits 200 ms at most and is
// to be repeated while it says kAgain, which it does for a bounded time: then a new producer is wanted. What an error means
// is decided here and nowhere else.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/connector/kafka/client.h"
#include "runtime/connector/kafka/sink_record.h"
#include "runtime/engine/transactions.h"

namespace weir::kafka {

// All calls on one thread.
class TransactionalProducer {
 public:
  struct Options {
    std::string transactional_id;
    std::string client_id;
    std::string batch_size;
    Log* log = nullptr;
    // The broker refused this record, of the target with this number, and would refuse it again.
    std::function<void(size_t target, const rd_kafka_message_t* message)> refused;
  };
  static Status Make(const Settings& settings, Options options, std::unique_ptr<TransactionalProducer>* out);
  // Waits for SendOffsets that is still under way: ask Busy. An open transaction is left to be aborted.
  ~TransactionalProducer();
  // The end of it and of the process. librdkafka's call for offsets ends only when the group's coordinator can be reached
  // (2.8.0 notes a time for its search, and never looks at it): one that has not returned soon is left as it is, for ever.
  static void GiveUp(std::unique_ptr<TransactionalProducer> producer);

  // A topic to write to, and what messages call it. Before Init; numbered from 0. `tracked`: End is asked for.
  Status AddTarget(const std::string& topic, const std::string& name, uint32_t line, bool tracked);

  TransactionResult Init();
  TransactionResult Begin();
  // Copies the record, and takes its headers.
  TransactionResult Send(size_t target, int32_t partition, const Record& record);
  // Serves delivery reports, without waiting.
  void Poll();
  TransactionResult Flush();
  // The offset behind the last record of a tracked target's partition, of this transaction; -1: none, or not known.
  int64_t End(size_t target, int32_t partition) const;
  TransactionResult SendOffsets(const PartitionList& offsets, const GroupToken& group);
  TransactionResult Commit();
  TransactionResult Abort();

  // A request had no answer, or a batch was refused: this producer is to be replaced after its transaction.
  bool unanswered() const { return unanswered_.load(std::memory_order_acquire); }
  bool Busy();

 private:
  struct Target {
    std::string name;
    uint32_t line;  // of the .weir file
    size_t number;
    Topic topic;
    bool tracked = false;
    std::map<int32_t, int64_t> ends;  // of this transaction, by partition; -1: not known
  };
  // librdkafka's send_offsets_to_transaction cannot be resumed: a time-out in the middle of it costs the transaction. So
  // it gets the transaction's whole time, on a thread of its own.
  struct OffsetsCall {
    PartitionList offsets;
    GroupMetadata group;
    Error error;
    enum { kNone, kAsked, kDone } state = kNone;
  };

  explicit TransactionalProducer(Options options) : options_(std::move(options)) {}
  static void OnDelivered(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque);
  static void OnResponse(int16_t api_key, rd_kafka_resp_err_t error, void* owner);
  void Delivered(const rd_kafka_message_t* message);
  // kAgain becomes kRestart when librdkafka had its time.
  TransactionResult Bounded(TransactionResult result) const;
  void RunOffsets();
  bool OffsetsDone();
  TransactionResult ToResult(const rd_kafka_error_t* error, const std::string& what);
  // `target`: what it is about, where that is known.
  TransactionResult ForGood(rd_kafka_resp_err_t code, const std::string& what, const std::string& detail,
                            const Target* target = nullptr);
  // The target that the broker refused to add to a transaction last, as far as librdkafka tells; null: none.
  const Target* Refused() const;
  TransactionResult Cause(const std::string& what);

  Options options_;
  std::unique_ptr<Client> client_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::atomic<bool> unanswered_{false};
  bool ready_ = false;           // Init is done
  int64_t give_up_ns_ = 0;       // when a new producer is wanted, on the monotonic clock: of Init, of the transaction
  bool in_transaction_ = false;  // between Begin and the end of Commit or Abort
  bool closing_ = false;
  bool undelivered_ = false;     // a record of this transaction failed, which dooms it
  TransactionResult delivery_;   // and why; kOk while that is not known

  std::mutex mutex_;
  std::condition_variable changed_;
  OffsetsCall call_;  // under mutex_
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace weir::kafka
