// How old a broker is, by which versions of Kafka's requests it answers: brokers do not say what they are. librdkafka tells
// what they answer in its log alone, in lines that this reads.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "runtime/core/status.h"

namespace weir::kafka {

struct Settings;

// The newest versions of two requests that each release since 2.1 can be told by, more or less; -1: not heard.
struct BrokerVersions {
  int16_t produce = -1;
  int16_t fetch = -1;
};

// By address, without the broker's number: "kafka-1:9092".
using BrokerVersionsByAddress = std::map<std::string, BrokerVersions>;

// One line that librdkafka writes with `debug=feature`: "[thrd:…]: kafka-1:9092/1:   ApiKey Fetch (1) Versions 4..16".
// True: it was such a line, of a request that counts here or of another one.
bool ReadVersionLine(const char* text, BrokerVersionsByAddress* brokers);

// An error that names a broker that is too old for transactions, which need Kafka 3.7, and the way out. Brokers of which
// nothing was heard are let pass. `without`: the pipeline could do without transactions, at least once.
Status NewEnoughForTransactions(const Settings& connection, const BrokerVersionsByAddress& brokers, bool without);

}  // namespace weir::kafka
