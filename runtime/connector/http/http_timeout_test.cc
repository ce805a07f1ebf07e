// The client below the lookups that own its requests: a time-out is theirs, the connection is the client's.
#include <catch2/catch.hpp>

#include "runtime/connector/http/http_test_rig.h"
#include "runtime/lookup/lookup_test_rig.h"

namespace weir::http {
namespace {

TEST_CASE("An answer that trickles in for ever is ended by the time-out, and its connection with it (slow-loris)") {
  TestService service([](const Seen& s) -> std::vector<Act> {
    if (s.line.find("/x/slow") == std::string::npos) return {Send(Plain("{}"))};
    // Each of them is progress: only the time since the request tells.
    return {Send("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"), Trickle(" {}")};
  });
  TestClient real("http://127.0.0.1:1");  // for its clock, loop and log
  RigOptions options;
  options.tune = [](int, LookupSpec& spec) { spec.retries = 1; };
  HttpClient* client = nullptr;
  options.make_connector = [&] {
    ConnectionSpec connection;
    connection.properties = {{"url", service.Url()}, {"connections", "1", false}};
    HttpClient::Options of_client;
    REQUIRE(ReadSettings(connection, &of_client.settings).message() == "");
    of_client.clock = &real.clock;
    of_client.loop = real.loop.get();
    of_client.log = &real.log;
    auto made = std::make_unique<HttpClient>(of_client);
    client = made.get();
    return made;
  };
  Rig rig(options);
  auto until = [&](auto&& holds) {
    real.Until([&] {
      rig.Turn();
      return holds();
    });
  };

  rig.Ask(1, "slow");
  until([&] { return service.seen().size() == 1; });
  rig.Advance(50 * kMs);
  rig.Ask(2, "behind");  // there is one connection
  // Bytes arrive all the while, and nothing ends before its time.
  for (int i = 0; i < 20; ++i) real.loop->Run(5'000'000);
  rig.Advance(49 * kMs);
  CHECK(service.seen().size() == 1);
  CHECK(service.closed() == 0);

  rig.Advance(1 * kMs);
  until([&] { return service.closed() == 1; });
  until([&] { return service.seen().size() == 2; });
  CHECK(service.seen()[1].connection == 1);
  CHECK(service.seen()[1].line == "GET /x/behind HTTP/1.1");
  until([&] { return rig.metrics().requests[static_cast<int>(Outcome::kFound)].Get() == 1; });
  CHECK(rig.Resumed().empty());  // in order: it waits for the first one's second attempt
  rig.Advance(20 * kMs);
  until([&] { return service.seen().size() == 3; });
  rig.Advance(100 * kMs);
  until([&] { return service.closed() == 2; });
  REQUIRE(rig.Resumed() == std::vector<int64_t>{1, 2});
  CHECK(rig.Find(1)->outcome == Outcome::kTimeout);
  CHECK(rig.Find(1)->text == "no answer within 100ms (attempt 2)");
  CHECK(rig.Find(2)->outcome == Outcome::kFound);
  CHECK(client->connections() == 0);
}

}  // namespace
}  // namespace weir::http
