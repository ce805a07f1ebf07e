// The servers inside `weir run --embedded`.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <catch2/catch.hpp>
#include <chrono>

#include "compiler/driver/embedded/broker.h"
#include "compiler/driver/embedded/http_service.h"
#include "compiler/driver/embedded/input.h"

namespace weirc {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;

struct Answer {
  unsigned status;
  std::string body;
};

// Requests on one kept connection.
class Client {
 public:
  explicit Client(const HttpService& service) : stream_(io_) {
    std::string url = service.Url();
    REQUIRE(url.starts_with("http://127.0.0.1:"));
    stream_.connect({boost::asio::ip::address_v4::loopback(),
                     static_cast<uint16_t>(std::stoi(url.substr(17)))});
  }
  Answer Ask(http::verb method, const std::string& target, const std::string& body = "") {
    http::request<http::string_body> request(method, target, 11);
    request.body() = body;
    request.prepare_payload();
    http::write(stream_, request);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(stream_, buffer, response);
    return {response.result_int(), response.body()};
  }

 private:
  boost::asio::io_context io_;
  boost::beast::tcp_stream stream_;
};

TEST_CASE("the HTTP service answers from its routes, the first that fits") {
  std::string error;
  auto service = HttpService::Start(R"({ "routes": [
      // one account is known
      { "path": "/accounts/a1", "body": { "id": "a1" }, "delay_ms": [1, 3] },
      { "path": "/accounts/{id}", "status": 404 },
      { "method": "POST", "path": "/risk", "request": { "n": 1 }, "body": "fine" }
    ] })", "services/ref.json", &error);
  INFO(error);
  REQUIRE(service);
  Client client(*service);
  Answer answer = client.Ask(http::verb::get, "/accounts/a1?full=1");
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"id":"a1"})");
  CHECK(client.Ask(http::verb::get, "/accounts/a2").status == 404);
  CHECK(client.Ask(http::verb::get, "/accounts/a2").body == "");
  CHECK(client.Ask(http::verb::post, "/risk", R"({ "n": 1 })").body == "fine");
  CHECK(client.Ask(http::verb::post, "/risk", R"({ "n": 2 })").status == 404);
  CHECK(client.Ask(http::verb::get, "/elsewhere").status == 404);
  CHECK(service->Answered() == 6);
}

TEST_CASE("a file that is not a list of routes is refused with its place") {
  auto refusal = [](const std::string& text) {
    std::string error;
    CHECK_FALSE(HttpService::Start(text, "services/ref.json", &error));
    CHECK(error.starts_with("services/ref.json: "));
    return error;
  };
  CHECK(refusal("{ \"routes\": [").find("parse error") != std::string::npos);
  CHECK(refusal("[]").find("expected {\"routes\"") != std::string::npos);
  CHECK(refusal(R"({"routes": [{"status": 200}]})").find("route 1: a route needs a `path`") !=
        std::string::npos);
  CHECK(refusal(R"({"routes": [{"path": "/", "delay": 3}]})").find("`delay` is unknown") !=
        std::string::npos);
}

TEST_CASE("the embedded broker keeps records in the order of their keys and knows what was not handed over") {
  std::string error;
  auto broker = EmbeddedBroker::Start(&error);
  INFO(error);
  REQUIRE(broker);
  REQUIRE(broker->CreateTopic("trades", 3, &error));
  std::vector<BrokerRecord> records;
  for (int i = 0; i < 300; ++i) {
    BrokerRecord record;
    record.key = "k" + std::to_string(i % 7);
    record.value = std::to_string(i);
    if (i == 0) record.headers = {{"trace", "t0"}};
    records.push_back(record);
  }
  records.push_back({.key = "gone", .value = std::nullopt, .headers = {}, .timestamp_ms = 1234});
  REQUIRE(broker->Publish("trades", records, &error));
  REQUIRE(broker->CreateTopic("empty", 1, &error));
  REQUIRE(broker->Tail({"trades", "empty"}, &error));
  CHECK(broker->Behind() == 301);
  std::map<std::string, std::vector<int>> by_key;
  int tombstones = 0, headers = 0, count = 0;
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (count < 301 && std::chrono::steady_clock::now() < end) {
    count += broker->Poll(100, [&](const std::string& topic, const BrokerRecord& record) {
      CHECK(topic == "trades");
      headers += record.headers.size();
      if (record.value) {
        by_key[*record.key].push_back(std::stoi(*record.value));
      } else {
        ++tombstones;
        CHECK(record.timestamp_ms == 1234);
      }
    });
  }
  CHECK(count == 301);
  CHECK(broker->Behind() == 0);
  CHECK(tombstones == 1);
  CHECK(headers == 1);
  CHECK(by_key.size() == 7);
  for (const auto& [key, values] : by_key) {
    CHECK(std::is_sorted(values.begin(), values.end()));
  }
}

TEST_CASE("a line of input is a value or an envelope, and numbers keep their digits") {
  auto records = ReadInput(
      "{\"symbol\": \"ACME\", \"price\": 10.50}\n"
      "\r\n"
      "{\"value\": {\"symbol\": \"X\", \"price\": 1.10}, \"key\": \"own\", \"timestamp\": 5}\n"
      "{\"headers\": {\"a}\\\"\": \"b\", \"n\": 1}, \"value\": null, \"key\": \"gone\"}\n"
      "{\"value\": 3, \"other\": 4}\n"
      "{\"value\": \"plain text\"}\n"
      "{\"symbol\": broken\n"
      "{\"symbol\": 12345678901234567890123.10}",
      {"symbol"});
  REQUIRE(records.size() == 7);
  CHECK(records[0].key == "ACME");
  CHECK(records[0].value == "{\"symbol\": \"ACME\", \"price\": 10.50}");
  CHECK(records[1].key == "own");
  CHECK(records[1].value == "{\"symbol\": \"X\", \"price\": 1.10}");
  CHECK(records[1].timestamp_ms == 5);
  CHECK(records[2].key == "gone");
  CHECK_FALSE(records[2].value.has_value());
  CHECK(records[2].headers ==
        std::vector<std::pair<std::string, std::string>>{{"a}\"", "b"}, {"n", "1"}});
  CHECK(records[3].value == "{\"value\": 3, \"other\": 4}");
  CHECK(records[4].value == "plain text");
  CHECK(records[5].value == "{\"symbol\": broken");
  CHECK_FALSE(records[5].key.has_value());
  CHECK(records[6].key == "12345678901234567890123.10");
  CHECK(ReadInput("{\"a\": {\"b\": \"x\"}}", {"a", "b"})[0].key == "x");
  CHECK_FALSE(ReadInput("{\"a\": {\"b\": null}}", {"a", "b"})[0].key.has_value());
}

TEST_CASE("an output record is one line of JSON") {
  BrokerRecord record;
  record.key = "k\"";
  record.value = "{\"price\":1.50}";
  CHECK(FormatOutput("t", record) == R"({"topic":"t","key":"k\"","value":{"price":1.50}})");
  record.key.reset();
  record.value = "not \xff json";
  record.headers = {{"h", "v"}};
  CHECK(FormatOutput("t", record) ==
        "{\"topic\":\"t\",\"key\":null,\"headers\":{\"h\":\"v\"},\"value\":\"not \xef\xbf\xbd json\"}");
  record.value.reset();
  record.headers.clear();
  CHECK(FormatOutput("t", record) == R"({"topic":"t","key":null,"value":null})");
}

}  // namespace
}  // namespace weirc
