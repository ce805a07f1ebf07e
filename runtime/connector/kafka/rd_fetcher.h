// Fetching with librdkafka: a consumer that is in no group and is told its partitions.
#pragma once

#include <memory>

#include "runtime/connector/kafka/client.h"
#include "runtime/connector/kafka/fetcher.h"

namespace weir::kafka {

// `wake` is called from librdkafka's threads when a feed that was empty has records. `queue_bytes` bounds what is
// fetched ahead of each partition.
Status MakeRdFetcher(const Settings& settings, const std::string& client_id, Log* log, int64_t queue_bytes, std::function<void()> wake, std::unique_ptr<Fetcher>* out);

}  // namespace weir::kafka
