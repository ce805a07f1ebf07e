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

TEST_CASE("An outage is no refusal, in whatever step it breaks a connection off") {
  for (const char* words :
       {"sasl_ssl://127.0.0.1:9093/1: SASL authentication error: Authentication failed during re-authentication due to invalid "
        "credentials with SASL mechanism SCRAM-SHA-256 (after 129ms in state AUTH_REQ)",
        "ssl://127.0.0.1:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker "
        "certificate could not be verified, verify that ssl.ca.location is correctly configured",
        "ssl://127.0.0.1:9093/bootstrap: SSL handshake failed: error:0A000412:SSL routines::sslv3 alert bad certificate"}) {
    CHECK(IsRefusal(words));
  }
  for (const char* words :
       {"ssl://127.0.0.1:9093/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
        "sasl_ssl://127.0.0.1:9093/1: SASL authentication error: SaslAuthenticateRequest failed: Local: Timed out",
        "sasl_ssl://127.0.0.1:9093/1: SASL authentication error: SaslAuthenticateRequest failed: Local: Broker transport failure",
        "127.0.0.1:9092/1: Disconnected: verify that security.protocol is correctly configured, broker might require SASL "
        "authentication (after 145ms in state UP)",
        "127.0.0.1:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"}) {
    CHECK_FALSE(IsRefusal(words));
  }
}

TEST_CASE("Every mechanism that settings allow is built in") {
  for (const char* mechanism : {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}) {
    Status status = Make(Of({{"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", mechanism}, {"sasl.username", "u"},
                             {"sasl.password", "p"}}));
    CHECK(status.ok());
  }
}
