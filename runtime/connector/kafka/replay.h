// Reads a changelog's partition from an offset to an end, for a recovery.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/fetcher.h"
#include "runtime/engine/transactions.h"

namespace weir::kafka {

// All calls on one thread. One partition at a time; the client is kept for the next one until Close.
class Replay {
 public:
  Replay(Connection* connection, std::string client_id);
  ~Replay();

  // See Transactions::Replay. The key is empty where a record has none.
  TransactionResult Read(const std::string& topic, int32_t partition, int64_t end, int64_t* at,
                         const Transactions::Change& change);
  void Close();

 private:
  struct Bell;

  Status Start(const std::string& topic, int32_t partition, int64_t at);
  void Stop();

  Connection* connection_;
  std::string client_id_;
  std::shared_ptr<Bell> bell_;
  std::unique_ptr<Fetcher> fetcher_;
  std::unique_ptr<Feed> feed_;
  std::string topic_;  // of the feed
  int64_t at_ = -1;    // where the feed stands
};

}  // namespace weir::kafka
