// The exposition format, the log's lines, and a server that stays small whatever is sent to it.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "runtime/serve/metrics.h"
#include "runtime/serve/status_server.h"
#include "runtime/serve/stderr_log.h"

namespace weir {
namespace {

// ---- A strict reader of the OpenMetrics text format ------------------------------------------------------------------

struct Sample {
  std::string family, name;
  std::map<std::string, std::string> labels;
  double value;
};

double NumberOf(const std::string& text) {
  if (text == "+Inf") return INFINITY;
  if (text == "-Inf") return -INFINITY;
  if (text == "NaN") return NAN;
  size_t used = 0;
  double v = std::stod(text, &used);
  if (used != text.size()) throw std::runtime_error("not a number: " + text);
  return v;
}

// Throws, with the line, where the text breaks a rule.
std::vector<Sample> Parse(const std::string& text) {
  std::vector<Sample> samples;
  std::map<std::string, std::string> types;
  std::set<std::string> closed, seen;
  std::string family;
  std::istringstream in(text);
  std::string line;
  bool ended = false;
  auto fail = [&](const std::string& why) { throw std::runtime_error(why + ": " + line); };
  if (text.empty() || text.back() != '\n') throw std::runtime_error("no line break at the end");
  while (std::getline(in, line)) {
    if (ended) fail("something follows # EOF");
    if (line == "# EOF") {
      ended = true;
      continue;
    }
    if (line.empty()) fail("empty line");
    if (line[0] == '#') {
      std::istringstream words(line);
      std::string hash, what, name, rest;
      words >> hash >> what >> name;
      std::getline(words, rest);
      if (what != "TYPE" && what != "HELP") fail("unknown comment");
      if (name != family) {
        if (closed.count(name) != 0) fail("family in two places");
        closed.insert(family);
        family = name;
      }
      if (what == "TYPE") {
        if (types.count(name) != 0) fail("second TYPE");
        types[name] = rest.substr(1);
      }
      continue;
    }
    Sample s;
    s.family = family;
    size_t at = line.find_first_of("{ ");
    if (at == std::string::npos) fail("no value");
    s.name = line.substr(0, at);
    for (char c : s.name) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != ':') fail("bad name");
    }
    if (line[at] == '{') {
      ++at;
      while (line[at] != '}') {
        size_t equals = line.find("=\"", at);
        std::string label = line.substr(at, equals - at), value;
        at = equals + 2;
        while (line[at] != '"') {
          if (line[at] == '\\') {
            ++at;
            if (line[at] != 'n' && line[at] != '\\' && line[at] != '"') fail("bad escape");
            value += line[at] == 'n' ? '\n' : line[at];
          } else {
            value += line[at];
          }
          if (++at >= line.size()) fail("label without end");
        }
        if (!s.labels.emplace(label, value).second) fail("label twice");
        if (line[++at] == ',') ++at;
      }
      ++at;
    }
    if (line[at] != ' ') fail("no space before the value");
    s.value = NumberOf(line.substr(at + 1));
    const std::string& type = types[family];
    std::string suffix = s.name.substr(std::min(family.size(), s.name.size()));
    if (s.name.rfind(family, 0) != 0) fail("sample of another family");
    if (type == "counter" && (suffix != "_total" || s.value < 0)) fail("counter");
    if (type == "gauge" && !suffix.empty()) fail("gauge");
    if (type == "info" && (suffix != "_info" || s.value != 1)) fail("info");
    if (type == "histogram" && suffix != "_bucket" && suffix != "_count" && suffix != "_sum") fail("histogram");
    if (!seen.insert(line.substr(0, line.rfind(' '))).second) fail("sample twice");
    samples.push_back(s);
  }
  if (!ended) throw std::runtime_error("no # EOF");
  // Buckets are cumulative and end with +Inf, which is the count.
  std::map<std::string, double> last, infinite;
  for (const Sample& s : samples) {
    if (types[s.family] != "histogram") continue;
    std::string key = s.family;
    for (auto& [k, v] : s.labels) {
      if (k != "le") key += "," + k + "=" + v;
    }
    if (s.name == s.family + "_bucket") {
      if (s.value < last[key]) throw std::runtime_error("buckets go down: " + key);
      last[key] = s.value;
      if (s.labels.at("le") == "+Inf") infinite[key] = s.value;
    }
    if (s.name == s.family + "_count" && (infinite.count(key) == 0 || infinite[key] != s.value)) {
      throw std::runtime_error("count is not the last bucket: " + key);
    }
  }
  return samples;
}

double ValueOf(const std::vector<Sample>& samples, const std::string& name, const std::map<std::string, std::string>& labels) {
  for (const Sample& s : samples) {
    if (s.name == name && s.labels == labels) return s.value;
  }
  return -12345;
}

TEST_CASE("Metrics are OpenMetrics: families together, sums over workers, strange labels escaped") {
  MetricsWriter out;
  DurationHistogram a, b;
  a.Observe(300'000);
  a.Observe(7'000'000);
  b.Observe(70'000'000'000);
  out.AddCounter("weir_records_read", "Records taken.", {{"step", "trades"}}, 5);
  out.AddGauge("weir_lookup_inflight", "Rows.", {}, 2);
  out.AddCounter("weir_records_read", "Records taken.", {{"step", "a\"b\\c\nd"}}, 1);
  out.AddCounter("weir_records_read", "Records taken.", {{"step", "trades"}}, 7);
  out.AddHistogram("weir_lookup_duration_seconds", "How long\nit takes.", {{"lookup", "account"}}, a);
  out.AddHistogram("weir_lookup_duration_seconds", "How long\nit takes.", {{"lookup", "account"}}, b);
  out.MinGauge("weir_watermark_timestamp_seconds", "Watermark.", {}, 20.5);
  out.MinGauge("weir_watermark_timestamp_seconds", "Watermark.", {}, 10.25);
  out.MaxGauge("weir_age_seconds", "Age.", {}, 3);
  out.MaxGauge("weir_age_seconds", "Age.", {}, 2);
  out.AddInfo("weir_build", "Which program.", {{"version", "1"}});
  out.AddGauge("weir_build", "wrong type: left out", {}, 1);
  std::vector<Sample> samples = Parse(out.Text(MetricsFormat::kOpenMetrics));
  CHECK(ValueOf(samples, "weir_records_read_total", {{"step", "trades"}}) == 12);
  CHECK(ValueOf(samples, "weir_records_read_total", {{"step", "a\"b\\c\nd"}}) == 1);
  CHECK(ValueOf(samples, "weir_lookup_inflight", {}) == 2);
  CHECK(ValueOf(samples, "weir_lookup_duration_seconds_count", {{"lookup", "account"}}) == 3);
  CHECK(ValueOf(samples, "weir_lookup_duration_seconds_bucket", {{"lookup", "account"}, {"le", "0.0005"}}) == 1);
  CHECK(ValueOf(samples, "weir_lookup_duration_seconds_bucket", {{"lookup", "account"}, {"le", "0.01"}}) == 2);
  CHECK(ValueOf(samples, "weir_lookup_duration_seconds_bucket", {{"lookup", "account"}, {"le", "60.0"}}) == 2);
  CHECK(ValueOf(samples, "weir_lookup_duration_seconds_sum", {{"lookup", "account"}}) == Approx(70.0073));
  CHECK(ValueOf(samples, "weir_watermark_timestamp_seconds", {}) == 10.25);
  CHECK(ValueOf(samples, "weir_age_seconds", {}) == 3);
  CHECK(ValueOf(samples, "weir_build_info", {{"version", "1"}}) == 1);
}

TEST_CASE("The reader of the format can fail") {
  for (const char* bad : {"", "a 1\n", "# TYPE a counter\na 1\n# EOF\n", "# TYPE a gauge\na 1\na 2\n# EOF\n",
                          "# TYPE a gauge\na{b=\"1} 1\n# EOF\n", "# TYPE a gauge\na x\n# EOF\n",
                          "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# HELP a x\n# EOF\n",
                          "# TYPE h histogram\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n# EOF\n"}) {
    CAPTURE(bad);
    CHECK_THROWS(Parse(bad));
  }
}

TEST_CASE("Older Prometheus text names counters as their samples are named") {
  MetricsWriter out;
  out.AddCounter("weir_x", "X.", {}, 1);
  out.AddInfo("weir_build", "B.", {});
  std::string text = out.Text(MetricsFormat::kPrometheus);
  CHECK(text == "# TYPE weir_build_info gauge\n# HELP weir_build_info B.\nweir_build_info 1\n"
                "# TYPE weir_x_total counter\n# HELP weir_x_total X.\nweir_x_total 1\n");
}

TEST_CASE("A registry asks who is registered, and nobody else") {
  struct Source : MetricsSource {
    void Collect(MetricsWriter* out) const override { out->AddCounter("c", "C.", {}, 1); }
  } a, b;
  MetricsRegistry registry;
  registry.Add(&a);
  registry.Add(&b);
  MetricsWriter two;
  registry.Collect(&two);
  CHECK(ValueOf(Parse(two.Text(MetricsFormat::kOpenMetrics)), "c_total", {}) == 2);
  registry.Remove(&a);
  MetricsWriter one;
  registry.Collect(&one);
  CHECK(ValueOf(Parse(one.Text(MetricsFormat::kOpenMetrics)), "c_total", {}) == 1);
}

// ---- Log -------------------------------------------------------------------------------------------------------------

struct TestClock : Clock {
  int64_t now = 1'795'428'000'123'456'789;  // 2026-11-23T10:00:00.123456789Z
  int64_t WallNs() override { return now; }
  int64_t MonoNs() override { return now; }
};

struct Pipe {
  int fds[2];
  Pipe() { REQUIRE(pipe(fds) == 0); }
  ~Pipe() {
    close(fds[0]);
    close(fds[1]);
  }
  std::string Take() {
    char buffer[65536];
    ssize_t n = read(fds[0], buffer, sizeof buffer);
    return std::string(buffer, n > 0 ? static_cast<size_t>(n) : 0);
  }
};

TEST_CASE("Lines are JSON or text, and no message can make two of one") {
  Pipe pipe;
  TestClock clock;
  StderrLog json({true, "trades", "trades.weir", &clock, pipe.fds[1]});
  json.Write(LogLevel::kWarning, 12, "a \"b\"\n{\x01}");
  CHECK(pipe.Take() ==
        "{\"ts\":\"2026-11-23T10:00:00.123Z\",\"level\":\"warning\",\"pipeline\":\"trades\",\"at\":\"trades.weir:12\","
        "\"msg\":\"a \\\"b\\\"\\n{\\u0001}\"}\n");
  StderrLog text({false, "trades", "trades.weir", &clock, pipe.fds[1]});
  text.Write(LogLevel::kInfo, 0, "ready\nerror: forged");
  CHECK(pipe.Take() == "10:00:00.123 info: ready error: forged\n");
  text.Write(LogLevel::kDebug, 0, "hidden");
  text.Write(LogLevel::kError, 3, "shown");
  CHECK(pipe.Take() == "10:00:00.123 error: trades.weir:3: shown\n");
}

TEST_CASE("A flood of one kind is cut, counted, and does not hide other kinds") {
  Pipe pipe;
  TestClock clock;
  StderrLog log({false, "p", "p.weir", &clock, pipe.fds[1]});
  for (int i = 0; i < 1000; ++i) log.Write(LogLevel::kWarning, 4, "offset " + std::to_string(i) + " is bad");
  log.Write(LogLevel::kWarning, 4, "another");
  std::string out = pipe.Take();
  CHECK(std::count(out.begin(), out.end(), '\n') == StderrLog::kBurst + 1);
  CHECK(out.find("another") != std::string::npos);
  clock.now += StderrLog::kWindowNs;
  log.Write(LogLevel::kWarning, 4, "offset 7 is bad");
  CHECK(pipe.Take().find("offset 7 is bad (990 like this were left out)") != std::string::npos);
}

// ---- Server ----------------------------------------------------------------------------------------------------------

int Connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<uint16_t>(port));
  timeval limit{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  return fd;
}

std::string Ask(int port, const std::string& request) {
  int fd = Connect(port);
  REQUIRE(send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0);
  std::string out;
  char buffer[4096];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<size_t>(n));
  close(fd);
  return out;
}

std::string Get(int port, const std::string& path, const std::string& headers = "") {
  return Ask(port, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n");
}

struct Served {
  std::atomic<bool> live{true}, ready{false};
  StatusServer server;
  explicit Served(StatusServer::Options options = {})
      : server(options, {[this](std::string* why) {
                           *why = "worker 0 hangs";
                           return live.load();
                         },
                         [this](std::string* why) {
                           *why = "tables are loading";
                           return ready.load();
                         },
                         [](MetricsFormat format) {
                           MetricsWriter out;
                           out.AddCounter("c", "C.", {}, 1);
                           return out.Text(format);
                         },
                         [] { return std::string("the plan\n"); }}) {
    Status started = server.Start();
    REQUIRE(started.message() == "");
  }
};

TEST_CASE("Health, readiness, metrics and the page") {
  Served s;
  int port = s.server.port();
  CHECK(Get(port, "/livez").find("HTTP/1.1 200 OK") == 0);
  CHECK(Get(port, "/readyz").find("HTTP/1.1 503") == 0);
  CHECK(Get(port, "/readyz").find("tables are loading") != std::string::npos);
  s.ready = true;
  CHECK(Get(port, "/readyz?x=1").find("HTTP/1.1 200 OK") == 0);
  s.live = false;
  CHECK(Get(port, "/livez").find("worker 0 hangs") != std::string::npos);
  std::string open = Get(port, "/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n");
  CHECK(open.find("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8") != std::string::npos);
  CHECK_NOTHROW(Parse(open.substr(open.find("\r\n\r\n") + 4)));
  CHECK(Get(port, "/metrics").find("text/plain; version=0.0.4") != std::string::npos);
  CHECK(Get(port, "/").find("the plan") != std::string::npos);
  CHECK(Get(port, "/secret").find("HTTP/1.1 404") == 0);
  CHECK(Ask(port, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("HTTP/1.1 405") == 0);
  std::string head = Ask(port, "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(head.find("HTTP/1.1 503") == 0);
  CHECK(head.find("worker 0") == std::string::npos);
}

TEST_CASE("Large, broken and endless requests are refused and leave the server well") {
  Served s;
  int port = s.server.port();
  CHECK(Get(port, "/" + std::string(20'000, 'x')).find("HTTP/1.1 2") == std::string::npos);
  CHECK(Get(port, "/livez", "X: " + std::string(20'000, 'x') + "\r\n").find("HTTP/1.1 2") == std::string::npos);
  CHECK(Ask(port, "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nxxx").find("HTTP/1.1 2") == std::string::npos);
  CHECK(Ask(port, std::string("\x16\x03\x01 not HTTP\r\n\r\n")).find("HTTP/1.1 2") == std::string::npos);
  CHECK(Get(port, "/livez").find("HTTP/1.1 200 OK") == 0);
}

TEST_CASE("Connections that say nothing cannot keep others out for long") {
  StatusServer::Options options;
  options.connections_max = 4;
  options.request_seconds_max = 1;
  Served s(options);
  std::vector<int> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(Connect(s.server.port()));
  CHECK(Get(s.server.port(), "/livez").find("HTTP/1.1 200 OK") == 0);
  for (int fd : silent) close(fd);
}

TEST_CASE("A port in use and an address that is none are clear errors") {
  Served s;
  StatusServer::Options options;
  options.port = s.server.port();
  StatusServer second(options, {});
  Status taken = second.Start();
  CHECK(taken.code() == StatusCode::kExists);
  CHECK(taken.message() == "port 127.0.0.1:" + std::to_string(options.port) +
                               " is in use: give another one with --http HOST:PORT, or --http off");
  options.host = "no.address";
  StatusServer third(options, {});
  CHECK(third.Start().code() == StatusCode::kInvalid);
}

}  // namespace
}  // namespace weir
