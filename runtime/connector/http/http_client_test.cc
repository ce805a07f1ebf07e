// The client against services that answer well, badly, late, in pieces, or not at all.
#include "runtime/connector/http/http_test_rig.h"

namespace weir::http {
namespace {

TestService::Script Always(std::vector<Act> acts) {
  return [acts](const Seen&) { return acts; };
}

TEST_CASE("GET and POST carry what they should, on one connection kept alive") {
  TestService service(Always({Send(Plain("{\"a\":1}"))}));
  TestClient client(service.Url() + "/v1/", {{"token", "s3cret", true}, {"headers.X-Tenant", "acme", false}});
  REQUIRE(client.opened.ok());
  client.Get(1, "/accounts/a%2F1?x=1");
  const LookupAnswer& a = client.Next();
  CHECK(a.request_id == 1);
  CHECK(a.incarnation == 1);
  CHECK(a.attempt == 1);
  CHECK(a.outcome == Outcome::kFound);
  CHECK(a.body == "{\"a\":1}");
  client.Ask(2, "POST", "/reserve", "{\"n\":2}", "0123456789abcdef0123456789abcdef");
  CHECK(client.Next().outcome == Outcome::kFound);
  auto seen = service.seen();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].line == "GET /v1/accounts/a%2F1?x=1 HTTP/1.1");
  CHECK(seen[0].head.find("Host: 127.0.0.1:" + std::to_string(service.port) + "\r\n") != std::string::npos);
  CHECK(seen[0].head.find("Authorization: Bearer s3cret\r\n") != std::string::npos);
  CHECK(seen[0].head.find("X-Tenant: acme\r\n") != std::string::npos);
  CHECK(seen[0].head.find("Accept: application/json\r\n") != std::string::npos);
  CHECK(seen[0].head.find("Idempotency-Key") == std::string::npos);
  CHECK(seen[1].line == "POST /v1/reserve HTTP/1.1");
  CHECK(seen[1].head.find("Idempotency-Key: 0123456789abcdef0123456789abcdef\r\n") != std::string::npos);
  CHECK(seen[1].head.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(seen[1].body == "{\"n\":2}");
  CHECK(seen[1].connection == 0);
  CHECK(client.client->connections_made() == 1);
}

TEST_CASE("Every way to frame an answer is understood") {
  std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3;ext=1\r\n:1}\r\n0\r\nTrailer: x\r\n\r\n";
  std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + Plain("{\"a\":1}");
  std::string until_end = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{\"a\":1}";
  std::string old = "HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
  std::string folded = "HTTP/1.1 200 OK\r\nX-Note: a\r\n b\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
  std::vector<std::vector<Act>> forms = {
      {Send(Plain("{\"a\":1}"))}, {Send(chunked)}, {Send(interim)}, {Send(until_end), End()}, {Send(old), End()}, {Send(folded)},
      {Send(Plain("{\"a\":1}", "200 OK", "Connection: close\r\n")), End()}};
  for (size_t i = 0; i < forms.size(); ++i) {
    CAPTURE(i);
    TestService service(Always(forms[i]));
    TestClient client(service.Url());
    for (uint64_t n = 0; n < 3; ++n) {
      client.Get(n, "/x");
      const LookupAnswer& a = client.Next();
      CAPTURE(a.reason);
      CHECK(a.outcome == Outcome::kFound);
      CHECK(a.body == "{\"a\":1}");
    }
  }
}

TEST_CASE("An answer cut into pieces at every byte is put together") {
  std::string whole = Plain("{\"account\":\"a1\"}", "200 OK", "X-A: b\r\n");
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"account\":\"a1\"}\r\n0\r\n\r\n";
  for (const std::string& text : {whole, chunked}) {
    // Each request is answered in two pieces, cut one byte later than the one before; the client has seen the first piece
    // before the second is sent, because the service waits for a request on another connection in between.
    std::atomic<int> cut{1};
    std::atomic<bool> second{false};
    TestService service([&](const Seen& s) -> std::vector<Act> {
      if (s.line.find("/go") != std::string::npos) {
        second = true;
        return {Send(Plain("{}"))};
      }
      return {Send(text.substr(0, static_cast<size_t>(cut.load()))), WaitForSignal(), Send(text.substr(static_cast<size_t>(cut.load())))};
    });
    // One cut per service run would be slow; signals stay on, so that only the first answer really pauses.
    TestClient client(service.Url());
    for (size_t at = 1; at < text.size(); ++at) {
      cut = static_cast<int>(at);
      client.Get(at, "/x");
      if (at == 1) {
        client.Until([&] { return service.seen().size() == 1; });
        service.Signal();
      }
      const LookupAnswer& a = client.Next();
      CAPTURE(at, a.reason);
      REQUIRE(a.outcome == Outcome::kFound);
      REQUIRE(a.body == "{\"account\":\"a1\"}");
    }
  }
}

TEST_CASE("A large answer arrives whole; one beyond the limit is an error that says so") {
  std::string large = "\"" + std::string(900'000, 'x') + "\"";
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 12; ++i) chunked += "186A0\r\n" + std::string(100'000, 'y') + "\r\n";
  chunked += "0\r\n\r\n";
  TestService service([&](const Seen& s) -> std::vector<Act> {
    if (s.line.find("/large") != std::string::npos) return {Send(Plain(large))};
    if (s.line.find("/huge") != std::string::npos) return {Send(Plain(std::string(1'100'000, 'x')))};
    if (s.line.find("/chunked") != std::string::npos) return {Send(chunked)};
    if (s.line.find("/head") != std::string::npos) {
      std::string head = "HTTP/1.1 200 OK\r\n";
      for (int i = 0; i < 2000; ++i) head += "X-Header-" + std::to_string(i) + ": " + std::string(40, 'v') + "\r\n";
      return {Send(head + "Content-Length: 2\r\n\r\n{}")};
    }
    return {Send(Plain("{}"))};
  });
  TestClient client(service.Url());
  client.Get(1, "/large");
  CHECK(client.Next().body == large);
  for (const char* target : {"/huge", "/chunked"}) {
    client.Get(2, target);
    const LookupAnswer& a = client.Next();
    CHECK(a.outcome == Outcome::kError);
    CHECK_FALSE(a.transient);
    CHECK(a.reason == "the answer to GET " + service.Url() + target + " cannot be used: its body is larger than 1048576 bytes");
  }
  client.Get(3, "/head");
  const LookupAnswer& head = client.Next();
  CHECK(head.outcome == Outcome::kError);
  CHECK(head.reason.find("its head is larger than 65536 bytes") != std::string::npos);
  client.Get(4, "/well");
  CHECK(client.Next().outcome == Outcome::kFound);
}

TEST_CASE("Truncated answers and resets are transient errors; garbage is not") {
  struct Case {
    std::vector<Act> acts;
    const char* reason;
    bool transient;
  };
  for (const Case& c : {Case{{Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"), End()}, "the answer was cut off: the connection was closed", true},
                        {{Send("HTTP/1.1 200 OK\r\nConte"), End()}, "the answer was cut off: the connection was closed", true},
                        {{Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), End()}, "the answer was cut off: the connection was closed", true},
                        {{Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"), Reset()}, "the answer was cut off: ", true},
                        {{End()}, "no answer: the connection was closed", true},
                        {{Send("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), WaitForClose()}, "cannot be used: it is not HTTP", false},
                        {{Send("HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n"), WaitForClose()}, "cannot be used: it is not HTTP", false},
                        {{Send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), WaitForClose()}, "cannot be used: it is not HTTP", false}}) {
    TestService service(Always(c.acts));
    TestClient client(service.Url());
    client.Get(1, "/x");
    const LookupAnswer& a = client.Next();
    CAPTURE(a.reason, c.reason);
    CHECK(a.outcome == Outcome::kError);
    CHECK(a.transient == c.transient);
    CHECK(a.reason.find(c.reason) != std::string::npos);
    CHECK(client.client->connections() == 0);
  }
}

TEST_CASE("A kept-alive connection that the service closed: a GET is sent again, on a new one, unseen") {
  // The first connection answers once and then closes as soon as the second request has come.
  TestService service([](const Seen& s) -> std::vector<Act> {
    if (s.connection == 0 && s.request == 1) return {End()};
    return {Send(Plain("{}"))};
  });
  TestClient client(service.Url());
  client.Get(1, "/a");
  REQUIRE(client.Next().outcome == Outcome::kFound);
  client.Get(2, "/b");
  const LookupAnswer& a = client.Next();
  CAPTURE(a.reason);
  CHECK(a.outcome == Outcome::kFound);
  CHECK(client.client->connections_made() == 2);
  CHECK(service.seen().size() == 3);
}

TEST_CASE("A POST on a connection that was closed is not sent again by itself") {
  TestService service([](const Seen& s) -> std::vector<Act> {
    if (s.request == 1) return {End()};
    return {Send(Plain("{}"))};
  });
  TestClient client(service.Url());
  client.Ask(1, "POST", "/a", "{}", "id1");
  REQUIRE(client.Next().outcome == Outcome::kFound);
  client.Ask(2, "POST", "/b", "{}", "id2");
  const LookupAnswer& a = client.Next();
  CHECK(a.outcome == Outcome::kError);
  CHECK(a.transient);
  CHECK(service.seen().size() == 2);
}

TEST_CASE("A service that closes every connection after one answer without saying so is survived") {
  std::atomic<int> served{0};
  TestService service([&](const Seen&) -> std::vector<Act> {
    ++served;
    return {Send(Plain("{}")), End()};
  });
  TestClient client(service.Url());
  for (uint64_t n = 0; n < 50; ++n) {
    client.Get(n, "/x");
    const LookupAnswer& a = client.Next();
    CAPTURE(n, a.reason);
    REQUIRE(a.outcome == Outcome::kFound);
  }
}

TEST_CASE("An idle connection that the service closes leaves the pool at once") {
  TestService service(Always({Send(Plain("{}")), WaitForSignal(), End()}));
  TestClient client(service.Url());
  client.Get(1, "/x");
  REQUIRE(client.Next().outcome == Outcome::kFound);
  CHECK(client.client->connections() == 1);
  service.Signal();
  client.Until([&] { return client.client->connections() == 0; });
}

TEST_CASE("No more connections than declared; the rest waits in order") {
  std::atomic<int> open{0}, open_max{0};
  TestService service([&](const Seen&) -> std::vector<Act> {
    int now = ++open;
    int max = open_max;
    while (now > max && !open_max.compare_exchange_weak(max, now)) {
    }
    --open;
    return {Send(Plain("{}"))};
  });
  TestClient client(service.Url(), {{"connections", "3", false}}, 100);
  for (uint64_t n = 0; n < 60; ++n) client.Get(n, "/" + std::to_string(n));
  for (int n = 0; n < 60; ++n) CHECK(client.Next().outcome == Outcome::kFound);
  CHECK(client.client->connections() <= 3);
  CHECK(service.accepted() <= 3);
  CHECK(open_max <= 3);
}

TEST_CASE("A forgotten request closes its connection; one that waits is simply gone (slow-loris)") {
  TestService service([](const Seen& s) -> std::vector<Act> {
    if (s.line.find("/slow") != std::string::npos) return {Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), WaitForClose()};
    return {Send(Plain("{}"))};
  });
  TestClient client(service.Url(), {{"connections", "1", false}});
  client.Get(1, "/slow");
  client.Get(2, "/waits");
  client.Get(3, "/next");
  client.Until([&] { return service.seen().size() == 1; });
  client.client->Forget(2, 1);
  client.client->Forget(1, 9);   // another attempt: not ours
  client.client->Forget(77, 1);  // nobody's
  client.client->Forget(1, 1);
  const LookupAnswer& a = client.Next();
  CHECK(a.request_id == 3);
  CHECK(a.outcome == Outcome::kFound);
  client.Until([&] { return service.closed() == 1; });
  CHECK(client.answers.size() == 1);
  // The same request may be asked again, as the next attempt.
  client.Get(1, "/again", 2);
  CHECK(client.Next().attempt == 2);
}

TEST_CASE("Nobody listens: an error worth another attempt, said once in the log; back again: said, too") {
  uint16_t port;
  {
    TestService gone(Always({}));
    port = gone.port;
  }
  TestClient client("http://127.0.0.1:" + std::to_string(port));
  for (uint64_t n = 0; n < 5; ++n) {
    client.Get(n, "/x");
    const LookupAnswer& a = client.Next();
    CHECK(a.outcome == Outcome::kError);
    CHECK(a.transient);
    CHECK(a.reason == "cannot connect to http://127.0.0.1:" + std::to_string(port) + " (127.0.0.1: Connection refused)");
  }
  CHECK(client.log.lines.size() == 1);
  CHECK(client.client->connections() == 0);
}

TEST_CASE("A name that leads nowhere is an error that names it") {
  TestClient client("http://nowhere.invalid:1234");
  client.Get(1, "/x");
  const LookupAnswer& a = client.Next();
  CHECK(a.outcome == Outcome::kError);
  CHECK(a.transient);
  CHECK(a.reason.find("the host name `nowhere.invalid` leads nowhere") != std::string::npos);
}

// A hosts file of the test's own.
struct Hosts {
  std::string path = "/tmp/weir_http_hosts_" + std::to_string(getpid());
  explicit Hosts(const std::string& text) {
    Write(text);
    setenv("CARES_HOSTS", path.c_str(), 1);
  }
  void Write(const std::string& text) {
    FILE* f = fopen(path.c_str(), "w");
    fputs(text.c_str(), f);
    fclose(f);
  }
  ~Hosts() {
    unsetenv("CARES_HOSTS");
    unlink(path.c_str());
  }
};

TEST_CASE("Several addresses are tried in turn; a changed address is found on reconnect") {
  TestService service(Always({Send(Plain("{}"))}));
  // Nobody listens at the first: 127.0.0.9 is loopback, too.
  Hosts hosts("127.0.0.9 api.internal\n127.0.0.1 api.internal\n");
  TestClient client(service.Url("api.internal"));
  client.Get(1, "/x");
  const LookupAnswer& a = client.Next();
  CAPTURE(a.reason);
  CHECK(a.outcome == Outcome::kFound);

  hosts.Write("127.0.0.9 moved.internal\n");
  TestClient other(service.Url("moved.internal"));
  other.Get(1, "/x");
  REQUIRE(other.Next().outcome == Outcome::kError);
  hosts.Write("127.0.0.1 moved.internal\n");
  other.Get(2, "/x");
  CHECK(other.Next().outcome == Outcome::kFound);
  REQUIRE(other.log.lines.size() == 2);
  CHECK(other.log.lines[1].find("can be reached again") != std::string::npos);
}

TEST_CASE("A name that comes to lead to a link-local address is not followed there") {
  Hosts hosts("169.254.169.254 api.internal\n");
  TestClient client("http://api.internal:80");
  client.Get(1, "/latest/meta-data");
  const LookupAnswer& a = client.Next();
  CHECK(a.outcome == Outcome::kError);
  CHECK(a.reason.find("169.254.169.254") != std::string::npos);
}

TEST_CASE("Redirects are not followed, and the reason names where they lead") {
  TestService service(Always({Send(Plain("", "302 Found", "Location: http://elsewhere.example/x?token=abc\r\n"))}));
  TestClient client(service.Url());
  client.Get(1, "/x?secret=1");
  const LookupAnswer& a = client.Next();
  CHECK(a.outcome == Outcome::kError);
  CHECK_FALSE(a.transient);
  CHECK(a.reason == "HTTP 302 from GET " + service.Url() + "/x?…, which leads elsewhere; redirects are not followed (to http://elsewhere.example/x)");
}

TEST_CASE("A request that would leave its path or its line is not sent") {
  TestService service(Always({Send(Plain("{}"))}));
  TestClient client(service.Url());
  for (const char* target : {"", "x", "/a b", "/a\r\nX: y", "/\xc3\xa4", "/a/../b", "/..", "/a/.", "/a/%2e%2E?x=1", "/.%2e/b"}) {
    client.Get(1, target);
    const LookupAnswer& a = client.Next();
    CHECK(a.outcome == Outcome::kRejected);
    CHECK_FALSE(a.transient);
  }
  for (const char* target : {"/a/...", "/a..b/", "/?x=/../", "/a?..", "/.well-known/x"}) {
    client.Get(1, target);
    CHECK(client.Next().outcome == Outcome::kFound);
  }
  size_t sent = service.seen().size();
  client.Ask(2, "DELETE", "/x", "", "");
  CHECK(client.Next().outcome == Outcome::kRejected);
  client.Ask(3, "POST", "/x", "{}", "id\r\nX: y");
  CHECK(client.Next().outcome == Outcome::kRejected);
  CHECK(service.seen().size() == sent);
}

TEST_CASE("A request larger than the socket takes at once goes out in pieces") {
  std::string body = "\"" + std::string(8'000'000, 'b') + "\"";
  TestService service([](const Seen& s) -> std::vector<Act> { return {Send(Plain(std::to_string(s.body.size())))}; });
  TestClient client(service.Url());
  client.Ask(1, "POST", "/x", body, "");
  CHECK(client.Next().body == "8000002");
  client.Get(2, "/x");
  CHECK(client.Next().outcome == Outcome::kFound);
  CHECK(client.client->connections_made() == 1);
}

TEST_CASE("Bytes nobody asked for make a connection useless, not its answer") {
  TestService service(Always({Send(Plain("{\"a\":1}") + "HTTP/1.1 200 OK\r\n")}));
  TestClient client(service.Url());
  client.Get(1, "/x");
  CHECK(client.Next().body == "{\"a\":1}");
  CHECK(client.client->connections() == 0);
}

TEST_CASE("check says what is wrong with host and port, and is silent when all is well") {
  TestService service(Always({Send(Plain("{}"))}));
  TestClient client(service.Url());
  CHECK(client.client->Check(5'000'000'000).ok());
  TestClient nobody("http://127.0.0.1:1");
  Status refused = nobody.client->Check(5'000'000'000);
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(refused.message() == "connection `api` (line 7): cannot connect to http://127.0.0.1:1 (127.0.0.1: Connection refused)");
  TestClient nowhere("http://nowhere.invalid");
  CHECK(nowhere.client->Check(5'000'000'000).message().find("the host name `nowhere.invalid` leads nowhere") != std::string::npos);
}

TEST_CASE("Closing with requests under way and waiting leaves nothing behind") {
  TestService service(Always({WaitForClose()}));
  auto client = std::make_unique<TestClient>(service.Url(), Properties{{"connections", "2", false}});
  for (uint64_t n = 0; n < 10; ++n) client->Get(n, "/x");
  client->Until([&] { return service.seen().size() == 2; });
  client->client->Close();
  client->client->Forget(1, 1);
  client->client->Close();
  CHECK(client->answers.empty());
  client.reset();
}

}  // namespace
}  // namespace weir::http
