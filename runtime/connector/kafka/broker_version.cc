#include "runtime/connector/kafka/broker_version.h"

#include <cstdio>
#include <cstring>

#include "runtime/connector/kafka/settings.h"

namespace weir::kafka {
namespace {

constexpr int kApiProduce = 0, kApiFetch = 1;

// Of Kafka 3.7: both came with KIP-951.
constexpr int16_t kProduceLeast = 10, kFetchLeast = 16;

// What a broker below 3.7 is, by the newest fetch request that it answers.
const char* ReleaseOf(const BrokerVersions& versions) {
  if (versions.fetch >= 14) return "3.5 or 3.6";
  if (versions.fetch == 13) return "3.1 to 3.4";
  if (versions.fetch == 12) return "2.7 to 3.0";
  if (versions.fetch == 11) return "2.3 to 2.6";
  return "older than 2.3";
}

}  // namespace

bool ReadVersionLine(const char* text, BrokerVersionsByAddress* brokers) {
  const char* api = strstr(text, ":   ApiKey ");
  if (api == nullptr) return false;
  const char* number = strchr(api, '(');
  int key = 0;
  int16_t least = 0, newest = 0;
  if (number == nullptr || std::sscanf(number, "(%d) Versions %hd..%hd", &key, &least, &newest) != 3) return false;
  if (key != kApiProduce && key != kApiFetch) return true;
  const char* thread = strstr(text, "]: ");
  const char* begin = thread != nullptr && thread < api ? thread + 3 : text;
  std::string name(begin, api);
  BrokerVersions& versions = (*brokers)[name.substr(0, name.rfind('/'))];
  (key == kApiProduce ? versions.produce : versions.fetch) = newest;
  return true;
}

Status NewEnoughForTransactions(const Settings& connection, const BrokerVersionsByAddress& brokers, bool without) {
  for (const auto& [address, versions] : brokers) {
    bool heard = versions.produce >= 0 && versions.fetch >= 0;
    if (!heard || (versions.produce >= kProduceLeast && versions.fetch >= kFetchLeast)) continue;
    return Status::NotFound(
        "the broker at " + address + " (connection `" + connection.connection + "`) is too old for its " +
        "transactions: they need Kafka 3.7 or newer, and by the requests that it answers (Fetch up to version " +
        std::to_string(versions.fetch) + ", Produce up to " + std::to_string(versions.produce) +
        ") this one is about " + ReleaseOf(versions) + ". Upgrade it" +
        (without ? ", or write `deliver: at_least_once` in the pipeline's block" : ""));
  }
  return Status();
}

}  // namespace weir::kafka
