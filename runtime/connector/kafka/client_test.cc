#include "runtime/connector/kafka/client.h"

#include <catch2/catch.hpp>

using namespace weir;
using namespace weir::kafka;

namespace {

Settings Of(const std::vector<std::pair<std::string, std::string>>& properties) {
  Settings settings;
  settings.connection = "main";
  settings.brokers = "127.0.0.1:1";
  settings.properties = properties;
  return settings;
}

Status Make(const Settings& settings) {
  std::unique_ptr<Client> client;
  return Client::Make(settings, Role::kAdmin, {}, &client);
}

}  // namespace

TEST_CASE("A client that cannot be made is an error and nothing worse") {
  Status status = Make(Of({{"security.protocol", "SSL"}, {"ssl.ca.location", "/nowhere/ca.pem"}}));
  CHECK(status.code() == StatusCode::kInvalid);
  CHECK_THAT(status.message(), Catch::Contains("connection `main`") && Catch::Contains("ssl.ca.location"));
  CHECK_FALSE(Make(Of({{"security.protocol", "SASL_SSL"}, {"sasl.mechanism", "SCRAM-SHA-256"}})).ok());
}

TEST_CASE("Every mechanism that settings allow is built in") {
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}) {
    Status status = Make(Of({{"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", mechanism}, {"sasl.username", "u"},
                             {"sasl.password", "p"}}));
    CHECK(status.ok());
  }
}
