// A produced binary from outside: its subcommands, its exit codes, and what is left of a run that was killed.
#include <fcntl.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "runtime/connector/http/http_test_rig.h"

namespace weir {
namespace {

using http::Act;
using http::Plain;
using http::Seen;
using http::TestService;

struct Directory {
  std::string path = "/tmp/weir_main_test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  static inline int count = 0;
  Directory() { std::filesystem::create_directories(path); }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
};

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The binary in a child process; its output goes to files that may be read while it runs.
class Child {
 public:
  Child(const Directory& directory, std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    out_ = directory / ("stdout" + std::to_string(++count));
    error_ = directory / ("stderr" + std::to_string(count));
    pid_ = fork();
    if (pid_ == 0) {
      int out = open(out_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), error = open(error_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
      dup2(out, 1);
      dup2(error, 2);
      std::vector<char*> argv = {const_cast<char*>("sample")}, env;
      for (std::string& a : arguments) argv.push_back(a.data());
      for (std::string& e : environment) env.push_back(e.data());
      argv.push_back(nullptr);
      env.push_back(nullptr);
      execve(WEIR_PROGRAM_SAMPLE, argv.data(), env.data());
      _exit(99);
    }
  }
  ~Child() {
    if (pid_ > 0) {
      Kill(SIGKILL);
      Wait();
    }
  }
  void Kill(int signal) { kill(pid_, signal); }
  // The exit code; 128 + signal when one ended it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string out() const { return ReadAll(out_); }
  std::string error() const { return ReadAll(error_); }

 private:
  static inline int count = 0;
  pid_t pid_;
  std::string out_, error_;
};

template <class Holds>
void Until(Holds holds) {
  for (int i = 0; !holds(); ++i) {
    REQUIRE(i < 4000);
    usleep(5000);
  }
}

struct World {
  Directory directory;
  std::vector<std::string> environment = {"WEIR_TOKEN=s3cret"};
  std::string service_url;

  void Input(int records) {
    std::ofstream out(directory / "in.ndjson");
    for (int n = 0; n < records; ++n) out << "{\"id\":" << n << ",\"account\":\"a" << n % 50 << "\"}\n";
  }
  std::vector<std::string> Arguments(std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"--set", "input=" + (directory / "in.ndjson"), "--set", "output=" + (directory / "out.ndjson"),
                                    "--set", "dead=" + (directory / "dead.ndjson"), "--set", "service=" + service_url,
                                    "--state-dir", directory / "state"};
    if (more.empty() || more[0] != "http") {
      all.push_back("--http");
      all.push_back("off");
    } else {
      more.erase(more.begin());
    }
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<int> Ids(const std::string& file = "out.ndjson") {
    std::vector<int> ids;
    std::ifstream in(directory / file);
    for (std::string line; std::getline(in, line);) {
      REQUIRE(line.rfind("{\"id\":", 0) == 0);
      ids.push_back(std::stoi(line.substr(6)));
    }
    return ids;
  }
};

std::vector<int> UpTo(int n) {
  std::vector<int> all;
  for (int i = 0; i < n; ++i) all.push_back(i);
  return all;
}

TestService::Script Accounts() {
  return [](const Seen& s) -> std::vector<Act> { return {http::Send(Plain("{\"tier\":\"" + s.line.substr(14, 2) + "\"}"))}; };
}

TEST_CASE("Subcommands that need nothing outside") {
  Directory d;
  auto run = [&](std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    Child c(d, std::move(arguments), std::move(environment));
    int code = c.Wait();
    return std::to_string(code) + "\n" + c.out() + c.error();
  };
  CHECK(run({"plan"}) == "0\nin → account → out\n");
  CHECK(run({"version"}) == "0\nsample version 3, from sample.weir\nweir 0.1.0\nsource 0123abcd\n");
  CHECK(run({"--version"}) == run({"version"}));
  CHECK(run({"--help"}).find("0\nsample, made by weir from sample.weir") == 0);
  CHECK(run({"plna"}) == "1\nerror: there is no command `plna`: did you mean `plan`?; sample --help lists all\n");
  std::string config = run({"config", "--set", "input=x"}, {"WEIR_TOKEN=s3cret", "WEIR_OUTPUT=y"});
  CHECK(config.find("1\n") == 0);  // something is not set
  CHECK(config.find("s3cret") == std::string::npos);
  CHECK(config.find("***") != std::string::npos);
  CHECK(config.find("--set input") != std::string::npos);
  CHECK(config.find("WEIR_OUTPUT") != std::string::npos);
  CHECK(config.find("error: param `dead` (sample.weir:3) is not set") != std::string::npos);
}

TEST_CASE("A run without its settings names all of them and starts nothing") {
  Directory d;
  Child c(d, {"--set", "in_flight=many"});
  CHECK(c.Wait() == 1);
  std::string error = c.error();
  for (const char* part : {"param `input` (sample.weir:1) is not set", "param `service` (sample.weir:4) is not set",
                           "secret `token` (sample.weir:6) is not set", "param `in_flight` (sample.weir:7) must be a whole number"}) {
    CAPTURE(error, part);
    CHECK(error.find(part) != std::string::npos);
  }
}

TEST_CASE("A finite input is read to its end, asked for, written in order; a second run has nothing to do") {
  World w;
  TestService service(Accounts());
  w.service_url = service.Url();
  w.Input(2000);
  {
    std::ofstream more(w.directory / "in.ndjson", std::ios::app);
    more << "{\"id\": broken}\n{\"id\":2000,\"account\":\"..\"}\n";
  }
  Child c(w.directory, w.Arguments({"--log", "json"}), w.environment);
  int code = c.Wait();
  CAPTURE(c.error());
  REQUIRE(code == 0);
  CHECK((w.Ids() == UpTo(2000)));
  std::string out = ReadAll(w.directory / "out.ndjson");
  CHECK(out.find("{\"id\":7,\"account\":\"a7\",\"tier\":\"a7\"}\n") != std::string::npos);
  std::string dead = ReadAll(w.directory / "dead.ndjson");
  CHECK(std::count(dead.begin(), dead.end(), '\n') == 2);
  CHECK(dead.find("\"bad_input\"") != std::string::npos);
  CHECK(dead.find("\"lookup_rejected\"") != std::string::npos);
  CHECK(service.seen()[0].head.find("Authorization: Bearer s3cret") != std::string::npos);
  std::string log = c.error();
  CHECK(log.find("\"level\":\"info\",\"pipeline\":\"sample\"") != std::string::npos);
  CHECK(log.find("s3cret") == std::string::npos);

  size_t asked = service.seen().size();
  Child again(w.directory, w.Arguments(), w.environment);
  CHECK(again.Wait() == 0);
  CHECK(service.seen().size() == asked);
  CHECK(ReadAll(w.directory / "out.ndjson") == out);
}

TEST_CASE("Killed with requests in flight, again and again: every record comes out once, in order") {
  World w;
  // Each answer waits a little, so that there are always requests in flight.
  TestService service([](const Seen& s) -> std::vector<Act> {
    usleep(1000 + static_cast<useconds_t>(s.connection % 7) * 1500);
    return {http::Send(Plain("{\"tier\":\"t\"}"))};
  });
  w.service_url = service.Url();
  constexpr int kRecords = 20'000;
  w.Input(kRecords);
  int rounds_pending = 0;
  for (int round = 0; round < 10; ++round) {
    size_t asked_before = service.seen().size();
    Child c(w.directory, w.Arguments({"--workers", std::to_string(1 + round % 3)}), w.environment);
    Until([&] { return service.seen().size() > asked_before + 800 + static_cast<size_t>(round) * 37; });
    c.Kill(SIGKILL);
    CHECK(c.Wait() == 128 + SIGKILL);
    // What was asked and is not in the output was pending, or asked since the last commit.
    if (service.seen().size() > w.Ids().size() + 100) ++rounds_pending;
  }
  CHECK(rounds_pending == 10);
  Child c(w.directory, w.Arguments(), w.environment);
  int code = c.Wait();
  CAPTURE(c.error());
  REQUIRE(code == 0);
  CHECK((w.Ids() == UpTo(kRecords)));
}

TEST_CASE("SIGTERM stops the input, lets requests end, commits; the next run goes on") {
  World w;
  TestService service([](const Seen&) -> std::vector<Act> {
    usleep(2000);
    return {http::Send(Plain("{\"tier\":\"t\"}"))};
  });
  w.service_url = service.Url();
  w.Input(5000);
  {
    Child c(w.directory, w.Arguments(), w.environment);
    Until([&] { return service.seen().size() > 500; });
    c.Kill(SIGTERM);
    int code = c.Wait();
    CAPTURE(c.error());
    REQUIRE(code == 0);
    CHECK(c.error().find("SIGTERM: no more input") != std::string::npos);
    CHECK(c.error().find("ended, everything is committed") != std::string::npos);
  }
  size_t after_first = w.Ids().size();
  CHECK(after_first > 0);
  CHECK(after_first < 5000);
  size_t asked = service.seen().size();
  CHECK(asked == after_first);  // nothing was left in flight
  Child c(w.directory, w.Arguments(), w.environment);
  CHECK(c.Wait() == 0);
  CHECK((w.Ids() == UpTo(5000)));
  CHECK(service.seen().size() == 5000);
}

TEST_CASE("A service that never answers does not hold up the end for longer than the grace time; a second signal does not wait") {
  World w;
  TestService service([](const Seen&) -> std::vector<Act> { return {http::WaitForClose()}; });
  w.service_url = service.Url();
  w.Input(300);
  {
    Child c(w.directory, w.Arguments({"--grace", "200ms"}), w.environment);
    Until([&] { return service.seen().size() >= 200; });
    c.Kill(SIGINT);
    CHECK(c.Wait() == 0);
  }
  Child c(w.directory, w.Arguments({"--grace", "1h"}), w.environment);
  Until([&] { return service.seen().size() >= 400; });  // the rows came back and asked again
  c.Kill(SIGTERM);
  Until([&] { return c.error().find("SIGTERM: no more input") != std::string::npos; });
  c.Kill(SIGTERM);
  CHECK(c.Wait() == 128 + SIGTERM);
  CHECK(w.Ids().empty());
}

std::string HttpGet(int port, const std::string& path) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<uint16_t>(port));
  std::string out;
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0) {
    std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    [[maybe_unused]] ssize_t sent = send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[4096];
    for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return out;
}

TEST_CASE("Health, metrics and the status page of a running pipeline; a taken port and a taken state directory") {
  World w;
  TestService service([](const Seen& s) -> std::vector<Act> {
    if (s.line.find("/a7 ") != std::string::npos) return {http::WaitForSignal(), http::Send(Plain("{\"tier\":\"t\"}"))};
    return {http::Send(Plain("{\"tier\":\"t\"}"))};
  });
  w.service_url = service.Url();
  w.Input(100);
  Child c(w.directory, w.Arguments({"http", "--http", "127.0.0.1:0", "--log", "text"}), w.environment);
  int port = 0;
  Until([&] {
    std::string log = c.error();
    size_t at = log.find("/metrics on 127.0.0.1:");
    if (at == std::string::npos || log.find('\n', at) == std::string::npos) return false;
    port = std::stoi(log.substr(at + 22));
    return true;
  });
  CHECK(HttpGet(port, "/livez").find("200 OK") != std::string::npos);
  Until([&] { return HttpGet(port, "/readyz").find("200 OK") != std::string::npos; });
  Until([&] { return HttpGet(port, "/metrics").find("weir_lookup_inflight{pipeline=\"sample\",lookup=\"account\"} 2\n") != std::string::npos; });
  std::string metrics = HttpGet(port, "/metrics");
  for (const char* part : {"weir_records_read_total{pipeline=\"sample\",step=\"in\"} 100", "weir_pending_rows{pipeline=\"sample\"} 93",
                           "weir_build_info{", "process_cpu_seconds_total ", "weir_lookup_requests_total{pipeline=\"sample\",lookup=\"account\",outcome=\"found\"} 98",
                           "weir_lookup_waiting{pipeline=\"sample\",lookup=\"account\"} 91"}) {
    CAPTURE(part, metrics);
    CHECK(metrics.find(part) != std::string::npos);
  }
  CHECK(metrics.find("s3cret") == std::string::npos);
  std::string page = HttpGet(port, "/");
  CHECK(page.find("in → account → out") != std::string::npos);
  CHECK(page.find("pending requests 93") != std::string::npos);

  Child second(w.directory, w.Arguments(), w.environment);
  CHECK(second.Wait() == 7);
  CHECK(second.error().find(w.directory / "state") != std::string::npos);
  World other;
  other.service_url = service.Url();
  other.Input(1);
  Child third(other.directory, other.Arguments({"http", "--http", "127.0.0.1:" + std::to_string(port)}), w.environment);
  CHECK(third.Wait() == 1);
  CHECK(third.error().find("is in use: give another one with --http HOST:PORT, or --http off") != std::string::npos);

  service.Signal();
  CHECK(c.Wait() == 0);
  CHECK((w.Ids() == UpTo(100)));
}

TEST_CASE("check connects to everything and says all that is wrong") {
  World w;
  TestService service(Accounts());
  w.service_url = service.Url();
  w.Input(3);
  std::vector<std::string> good = {"check"};
  for (const std::string& a : w.Arguments()) good.push_back(a);
  Child well(w.directory, good, w.environment);
  int code = well.Wait();
  CAPTURE(well.out(), well.error());
  CHECK(code == 0);
  CHECK(well.out().find("ok     source `in`: ndjson") != std::string::npos);
  CHECK(well.out().find("everything that sample.weir declares can be reached") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(w.directory / "out.ndjson"));
  CHECK_FALSE(std::filesystem::exists(w.directory / "state"));

  std::vector<std::string> bad = {"check", "--set", "input=" + (w.directory / "nowhere.ndjson"), "--set", "output=/nowhere/out.ndjson",
                                  "--set", "dead=" + (w.directory / "dead.ndjson"), "--set", "service=http://127.0.0.1:1"};
  Child wrong(w.directory, bad, w.environment);
  CHECK(wrong.Wait() == 4);
  std::string out = wrong.out();
  CAPTURE(out);
  CHECK(out.find("WRONG  source `in`") != std::string::npos);
  CHECK(out.find("WRONG  connection `api` of lookup `account`: http://127.0.0.1:1  (sample.weir:5)") != std::string::npos);
  CHECK(out.find("Connection refused") != std::string::npos);
  CHECK(out.find("WRONG  sink `out`: ndjson /nowhere/out.ndjson  (sample.weir:12)") != std::string::npos);
  CHECK(out.find("ok     sink `dead_out`") != std::string::npos);
  CHECK(out.find("s3cret") == std::string::npos);
}

}  // namespace
}  // namespace weir
