// From what a pipeline and its operator say about a Kafka connection to librdkafka's configuration.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connector/kafka/handles.h"
#include "runtime/core/status.h"
#include "runtime/program/program.h"

namespace weir::kafka {

struct Settings {
  std::string connection;  // its name in the pipeline
  uint32_t line = 0;       // where it is declared
  std::string brokers;
  std::string group;       // consumer group
  // librdkafka's own properties, the operator's after the file's: the last one counts.
  std::vector<std::pair<std::string, std::string>> properties;

  const std::string* Find(const std::string& property) const;
};

// Reads a connection's block:
//   brokers   host:port, comma-separated           group      consumer group (default: the pipeline's name)
//   tls       true: encrypt                         ca         file with the authorities to trust (PEM)
//   user, password, mechanism                       SASL; mechanism PLAIN, SCRAM-SHA-256 (default) or SCRAM-SHA-512
//   kafka.<property>                                any property of librdkafka that the runtime does not own
// `operator_settings` are properties of librdkafka, `operator_group` the group (empty: the connection's) from flags,
// environment and configuration file. Invalid: a message that names the setting and says what to write instead.
Status ReadSettings(const ConnectionSpec& connection, const Properties& operator_settings,
                    const std::string& operator_group, const std::string& pipeline, Settings* settings);

// What a client is for decides which properties the runtime sets.
enum class Role {
  kAdmin,    // asks about topics, ends, groups
  kMember,   // is in the consumer group, never fetches
  kFetch,    // fetches what it is told to, is in no group
  kProduce,  // writes at least once: idempotent, all replicas
  kTransact, // writes in transactions; the client adds its transactional.id
};

// How long a member of the group that says nothing keeps its partitions.
int SessionMs(const Settings& settings);
// After this time the broker aborts a transaction that its producer has not ended. 10 s below the session time-out, so
// that no transaction of a member outlives its membership, and 10 s at most; tests with short sessions get 1 to 2 s.
int TransactionTimeoutMs(const Settings& settings);

// A configuration with everything set but callbacks. `client_id` names the client in the broker's logs.
Status MakeConf(const Settings& settings, Role role, const std::string& client_id, Conf* conf);

}  // namespace weir::kafka
