// The quick reading of heads agrees with Beast wherever it dares to answer, and settings refuse what must not be sent.
#include "runtime/connector/http/http_head.h"

#include <catch2/catch.hpp>
#include <random>

#include "runtime/connector/http/http_outcome.h"
#include "runtime/connector/http/http_settings.h"
#include "runtime/connector/http/http_slow_answer.h"
#include "runtime/core/time.h"

namespace weir::http {
namespace {

Str View(const std::string& s) { return Str(s.data(), s.size()); }

TEST_CASE("A usual head is read in one pass") {
  std::string text =
      "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 12\r\nRETRY-AFTER:  7 \r\nLocation: /x\r\nConnection: close\r\n\r\nabc";
  Head head;
  REQUIRE(ReadHead(View(text), &head) == HeadState::kComplete);
  CHECK(head.status == 503);
  CHECK(head.content_length == 12);
  CHECK(head.retry_after == Str("7"));
  CHECK(head.location == Str("/x"));
  CHECK_FALSE(head.keep_alive);
  CHECK(head.size == text.size() - 3);
}

TEST_CASE("Wherever the quick reading answers, Beast answers the same") {
  std::mt19937_64 random(4);
  const std::string pieces[] = {"HTTP/1.1 200 OK\r\n", "HTTP/1.0 404 Not Found\r\n", "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 503 x\r\n",
                                "Content-Length: 5\r\n", "content-length:5\r\n", "Content-Length: 0\r\n", "Content-Length: 05\r\n",
                                "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: Close, x\r\n", "X: y\r\n", "x:\r\n",
                                "Retry-After: 3\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", "\n", " folded\r\n", "hello", "Content-Type: a/b\r\n",
                                ": nothing\r\n", "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n", "Location: /q?a=b\r\n"};
  int quick = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text = pieces[random() % 4];
    size_t n = random() % 6;
    for (size_t i = 0; i < n; ++i) text += pieces[4 + random() % (std::size(pieces) - 4)];
    text += "\r\nhello";
    if (random() % 8 == 0) text[random() % text.size()] = static_cast<char>(random());
    Head head;
    if (ReadHead(View(text), &head) != HeadState::kComplete || head.size + head.content_length > text.size()) continue;
    CAPTURE(text);
    ++quick;
    SlowAnswer slow(65536, 1 << 20);
    SlowAnswer::State state = slow.Feed(View(text));
    REQUIRE(state == SlowAnswer::State::kDone);
    REQUIRE(slow.status() == head.status);
    REQUIRE(slow.TakeBody() == text.substr(head.size, head.content_length));
    REQUIRE(slow.keep_alive() == head.keep_alive);
    REQUIRE(slow.retry_after() == std::string(head.retry_after.view()));
    REQUIRE(slow.location() == std::string(head.location.view()));
    REQUIRE(slow.has_rest() == (head.size + head.content_length < text.size()));
  }
  CHECK(quick > 5000);
}

TEST_CASE("An end before the answer, also behind an interim one, is a failure (found by fuzzing)") {
  for (const std::string& text : {std::string(), std::string("HTTP/1.1 100 Continue\r\n\r\n")}) {
    SlowAnswer slow(65536, 1 << 20);
    REQUIRE(slow.Feed(View(text)) == SlowAnswer::State::kMore);
    CHECK(slow.FeedEnd() == SlowAnswer::State::kFailed);
    CHECK(slow.error() == "it ends in the middle");
  }
}

TEST_CASE("A chunked answer may come byte by byte, an empty one too (found by fuzzing)") {
  for (const std::string& body : {std::string(), std::string("x")}) {
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    if (!body.empty()) text += "1\r\n" + body + "\r\n";
    text += "0\r\n\r\n";
    SlowAnswer slow(65536, 1 << 20);
    for (size_t i = 0; i + 1 < text.size(); ++i) REQUIRE(slow.Feed(Str(&text[i], 1)) == SlowAnswer::State::kMore);
    REQUIRE(slow.Feed(Str(&text.back(), 1)) == SlowAnswer::State::kDone);
    CHECK(slow.TakeBody() == body);
    CHECK_FALSE(slow.has_rest());
  }
}

TEST_CASE("A head that is cut off anywhere is short, never wrong") {
  std::string text = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
  for (size_t n = 0; n < text.size() - 2; ++n) {
    Head head;
    CHECK(ReadHead(Str(text.data(), n), &head) == HeadState::kShort);
  }
}

TEST_CASE("Retry-After in seconds and as a date") {
  int64_t wall;
  REQUIRE(ParseTimestamp("2026-11-23T10:00:00Z", &wall));
  CHECK(ReadRetryAfter("7", wall) == 7 * kNsPerSecond);
  CHECK(ReadRetryAfter("0", wall) == 0);
  CHECK(ReadRetryAfter("999999999", wall) == kNsPerDay);
  CHECK(ReadRetryAfter("Mon, 23 Nov 2026 10:00:30 GMT", wall) == 30 * kNsPerSecond);
  CHECK(ReadRetryAfter("Mon, 23 Nov 2026 09:00:30 GMT", wall) == 0);
  for (Str bad : {Str("soon"), Str("-5"), Str(""), Str("1.5"), Str("Mon, 31 Feb 2026 10:00:30 GMT"), Str("Mon, 23 Abc 2026 10:00:30 GMT"),
                  Str("23 Nov 2026 10:00:30 GMT"), Str("Mon, 23 Nov 2026 10:00:30 CET")}) {
    CHECK(ReadRetryAfter(bad, wall) == 0);
  }
}

TEST_CASE("Statuses become outcomes") {
  Settings settings;
  settings.origin = "http://h:1";
  settings.prefix = "/v1";
  LookupRequest request;
  request.verb = "GET";
  request.target = "/accounts/a1?token=secret";
  auto outcome = [&](int status, const char* body) {
    LookupAnswer a;
    SetOutcome(settings, request, status, Str(std::string_view(body)), Str(), &a);
    return a;
  };
  CHECK(outcome(200, "{}").outcome == Outcome::kFound);
  CHECK(outcome(201, "{}").outcome == Outcome::kFound);
  for (int status : {200, 204, 404, 410}) {
    LookupAnswer a = outcome(status, "");
    CHECK(a.outcome == Outcome::kMissing);
    CHECK(a.reason.find("HTTP " + std::to_string(status) + " from GET http://h:1/v1/accounts/a1?…") == 0);
  }
  CHECK(outcome(404, "{\"error\":1}").outcome == Outcome::kMissing);
  for (int status : {408, 425, 429, 500, 502, 503, 504}) {
    LookupAnswer a = outcome(status, "busy");
    CHECK(a.outcome == Outcome::kError);
    CHECK(a.transient);
  }
  for (int status : {400, 401, 403, 405, 409, 422}) {
    LookupAnswer a = outcome(status, "no\nway");
    CHECK(a.outcome == Outcome::kRejected);
    CHECK_FALSE(a.transient);
    CHECK(a.reason == "HTTP " + std::to_string(status) + " from GET http://h:1/v1/accounts/a1?…: no way");
  }
  for (int status : {301, 304, 501, 505}) {
    LookupAnswer a = outcome(status, "");
    CHECK(a.outcome == Outcome::kError);
    CHECK_FALSE(a.transient);
  }
  LookupAnswer longer = outcome(400, std::string(5000, 'x').c_str());
  CHECK(longer.reason.size() < 400);
  CHECK(longer.reason.find("secret") == std::string::npos);
}

std::string ReadOf(Properties properties, Settings* out = nullptr) {
  ConnectionSpec connection;
  connection.name = "api";
  connection.line = 3;
  connection.properties = std::move(properties);
  Settings settings;
  Status status = ReadSettings(connection, &settings);
  if (out != nullptr) *out = settings;
  return status.message();
}

TEST_CASE("A connection's URL is taken apart") {
  Settings s;
  CHECK(ReadOf({{"url", "https://api.example.com"}}, &s) == "");
  CHECK(s.tls);
  CHECK(s.host == "api.example.com");
  CHECK(s.port == 443);
  CHECK(s.prefix.empty());
  CHECK(s.head.find("Host: api.example.com\r\n") == 0);
  CHECK(s.origin == "https://api.example.com:443");
  CHECK(ReadOf({{"url", "http://[::1]:8080/v1/x/"}}, &s) == "");
  CHECK(s.host == "::1");
  CHECK(s.port == 8080);
  CHECK(s.prefix == "/v1/x");
  CHECK(s.head.find("Host: [::1]:8080\r\n") == 0);
}

TEST_CASE("Settings that cannot work are refused, naming connection, line and entry") {
  auto refused = [](const char* url) { return ReadOf({{"url", url}}); };
  CHECK(ReadOf({}) == "connection `api` (line 3): `url` is missing: write `url: \"https://host\"`");
  for (const char* url : {"", "api.example.com", "ftp://x", "http://", "http://:80", "http://a b", "http://h:0", "http://h:99999", "http://h:",
                          "http://[::1", "http://[::1]x", "http://h/?q", "http://h/a b", "http://user:pass@h", "http://h\r\nX: y"}) {
    CAPTURE(url);
    CHECK(refused(url).find("connection `api` (line 3): `url` ") == 0);
  }
  CHECK(refused("http://user:s3cret@h").find("s3cret") == std::string::npos);
  CHECK(ReadOf({{"url", "http://h"}, {"colour", "red"}}).find("`colour` is no setting of an http connection") != std::string::npos);
  CHECK(ReadOf({{"url", "http://h"}, {"connections", "0"}}) != "");
  CHECK(ReadOf({{"url", "http://h"}, {"connections", "many"}}) != "");
}

TEST_CASE("No header can carry a line break, and secrets are not repeated in errors") {
  std::string bad = ReadOf({{"url", "http://h"}, {"token", "s3cret\r\nX: y", true}});
  CHECK(bad.find("`token`") != std::string::npos);
  CHECK(bad.find("s3cret") == std::string::npos);
  CHECK(ReadOf({{"url", "http://h"}, {"headers.X-A", "b\nc"}}) != "");
  CHECK(ReadOf({{"url", "http://h"}, {"headers.X-A", std::string("b\0c", 3)}}) != "");
  CHECK(ReadOf({{"url", "http://h"}, {"headers.X A", "b"}}) != "");
  CHECK(ReadOf({{"url", "http://h"}, {"headers.Content-Length", "5"}}) != "");
  CHECK(ReadOf({{"url", "http://h"}, {"headers.host", "other"}}) != "");
  Settings s;
  CHECK(ReadOf({{"url", "http://h"}, {"user", "ada"}, {"password", "pw", true}, {"headers.Accept", "text/json"}}, &s) == "");
  CHECK(s.head.find("Authorization: Basic YWRhOnB3\r\n") != std::string::npos);
  CHECK(s.head.find("Accept: text/json\r\n") != std::string::npos);
  CHECK(s.head.find("application/json") == std::string::npos);
  CHECK(ReadOf({{"url", "http://h"}, {"token", "a"}, {"user", "b"}}) != "");
}

}  // namespace
}  // namespace weir::http
