// What a lookup over HTTP costs: CPU seconds of the client's thread per million requests, 1000 in flight, answers of about
// 120 bytes after 0 to 10 ms. The service runs in a process of its own.
//
//   http_bench [requests] [in_flight] [client | runtime]
//   http_bench serve
//
// `client`: the connector alone. `runtime`: rows, order and time-outs of runtime/lookup on top, as a pipeline has them.
// `serve`: only the service; prints its port and ends with its standard input.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "runtime/connector/http/http_client.h"
#include "runtime/engine/asio_loop.h"
#include "runtime/engine/system_clock.h"
#include "runtime/lookup/lookup_call.h"
#include "runtime/lookup/worker_lookups.h"

namespace weir {
// The engine's tasks cannot be made without an engine; the bench fills in what lookups use.
class TestTask {
 public:
  static void Prepare(Task* task, Arena* arena, LookupInstance** lookups) {
    task->arena_ = arena;
    task->lookups_ = lookups;
  }
};

namespace {

constexpr char kBody[] =
    "{\"id\":\"ACC-00001234\",\"tier\":\"gold\",\"credit_limit\":250000.00,\"country\":\"CH\",\"opened\":\"2019-03-04\","
    "\"status\":\"active\"}";

// ---- The service -----------------------------------------------------------------------------------------------------

void Serve(int listener) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int epoll = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  SystemClock clock;
  std::mt19937_64 random(1);
  using Due = std::pair<int64_t, int>;
  std::priority_queue<Due, std::vector<Due>, std::greater<Due>> due;
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                       std::to_string(sizeof kBody - 1) + "\r\n\r\n" + kBody;
  std::vector<epoll_event> events(512);
  char in[65536];
  for (;;) {
    int wait = -1;
    if (!due.empty()) wait = static_cast<int>(std::max<int64_t>((due.top().first - clock.MonoNs() + 999'999) / 1'000'000, 0));
    int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), wait);
    for (int i = 0; i < n; ++i) {
      int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == listener) {
        int c = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        int one = 1;
        setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event.data.fd = c;
        epoll_ctl(epoll, EPOLL_CTL_ADD, c, &event);
        continue;
      }
      ssize_t got = recv(fd, in, sizeof in, 0);
      if (got <= 0) {
        close(fd);
        continue;
      }
      due.emplace(clock.MonoNs() + static_cast<int64_t>(random() % 10'000'000), fd);
    }
    int64_t now = clock.MonoNs();
    while (!due.empty() && due.top().first <= now) {
      [[maybe_unused]] ssize_t sent = send(due.top().second, answer.data(), answer.size(), MSG_NOSIGNAL);
      due.pop();
    }
  }
}

struct NoLog : Log {
  void Write(LogLevel, uint32_t, const std::string& message) override { std::fprintf(stderr, "%s\n", message.c_str()); }
};

double ThreadCpu(double* system) {
  rusage use;
  getrusage(RUSAGE_THREAD, &use);
  auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  *system = seconds(use.ru_stime);
  return seconds(use.ru_utime) + *system;
}

// ---- The connector alone ---------------------------------------------------------------------------------------------

struct Collector : LookupAnswers {
  uint64_t answers = 0, failed = 0;
  std::vector<uint64_t> free_requests;
  void Push(LookupAnswer answer) override {
    ++answers;
    if (answer.outcome != Outcome::kFound) {
      if (++failed == 1) std::fprintf(stderr, "%s\n", answer.reason.c_str());
    }
    free_requests.push_back(answer.request_id);
  }
};

uint64_t RunClient(http::HttpClient& client, Loop& loop, uint64_t requests, int in_flight) {
  Collector collector;
  if (!client.Open(&collector).ok()) std::exit(1);
  std::vector<std::string> targets(static_cast<size_t>(in_flight));
  for (int i = 0; i < in_flight; ++i) {
    collector.free_requests.push_back(static_cast<uint64_t>(i));
    targets[static_cast<size_t>(i)] = "/accounts/ACC-" + std::to_string(10'000'000 + i);
  }
  std::vector<LookupRequest> batch;
  uint64_t asked = 0;
  while (collector.answers < requests) {
    batch.clear();
    for (RequestId request_id : collector.free_requests) {
      if (asked == requests) break;
      LookupRequest r;
      r.request_id = request_id;
      r.attempt = 1;
      r.verb = "GET";
      r.target = Str(std::string_view(targets[request_id]));
      batch.push_back(r);
      ++asked;
    }
    collector.free_requests.clear();
    if (!batch.empty()) client.Ask(batch);
    loop.Run(1'000'000'000);
  }
  client.Close();
  return collector.failed;
}

// ---- With rows, order and time-outs ----------------------------------------------------------------------------------

uint64_t resumed = 0, not_found = 0;

void Render(RowReader& args, Arena& arena, LookupRequest* request) {
  Str id = args.Str();
  char* at = arena.AllocChars(10 + id.size);
  std::memcpy(at, "/accounts/", 10);
  std::memcpy(at + 10, id.data, id.size);
  request->verb = "GET";
  request->target = Str(at, 10 + id.size);
}
bool Decode(Str body, Arena&, RowWriter& value, std::string*) {
  value.Str(body);
  return true;
}
void Resume(Task&, const Meta&, RowReader&, const LookupResult& result) {
  ++resumed;
  not_found += result.outcome != Outcome::kFound;
}

struct Bound : LookupWorker {
  Loop* loop;
  void Advanced(Task&, int, int64_t) override {}
  void Changed() override {}
  void WentOn(uint64_t) override {}
  bool EpochFull() override { return false; }
  void Wake() override { loop->Wake(); }
};

uint64_t RunRuntime(std::unique_ptr<http::HttpClient> client, Loop& loop, Clock& clock, uint64_t requests, int in_flight) {
  Program program;
  program.connections.push_back({"api", "http", {}, 1});
  program.lookups.emplace_back();
  LookupSpec& spec = program.lookups[0];
  spec.connection = 0;
  spec.in_flight = in_flight;
  spec.coalesce = false;
  spec.render = &Render;
  spec.decode = &Decode;
  program.lookup_steps.emplace_back();
  program.lookup_steps[0].lookup = 0;
  program.lookup_steps[0].resume = &Resume;
  Bound bound;
  bound.loop = &loop;
  WorkerLookups::Options options;
  options.program = &program;
  options.clock = &clock;
  options.worker = &bound;
  options.make_connector = [&](int, std::unique_ptr<LookupConnector>* out) {
    *out = std::move(client);
    return Status();
  };
  WorkerLookups lookups(options);
  if (!lookups.Open().ok()) std::exit(1);
  Task task;
  Arena arena;
  LookupInstance* instance = nullptr;
  TestTask::Prepare(&task, &arena, &instance);
  LookupHost::Made made = lookups.Make(&task, 0);
  instance = made.instance;
  char id[] = "ACC-00000000";
  for (uint64_t n = 0; resumed < requests;) {
    bool did = lookups.Turn();
    for (; n < requests && !task.blocked(); ++n) {
      Meta meta;
      meta.offset = static_cast<int64_t>(n);
      meta.key = "SYM123";
      meta.has_key = true;
      std::snprintf(id, sizeof id, "ACC-%08u", static_cast<unsigned>(n % 10'000));
      LookupCall call(task, 0);
      call.args().Str(Str(id, 12));
      call.row().I64(static_cast<int64_t>(n));
      call.row().Str("SYM123");
      call.row().I64(123456);
      call.Submit(meta);
      did = true;
    }
    arena.Reset();
    loop.Run(did ? 0 : std::max<int64_t>(std::min<int64_t>(lookups.NextTimerMonoNs() - clock.MonoNs(), 1'000'000'000), 0));
  }
  return not_found;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  using namespace weir;
  uint64_t requests = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 500'000;
  int in_flight = argc > 2 ? std::atoi(argv[2]) : 1000;
  bool runtime = argc > 3 && std::strcmp(argv[3], "runtime") == 0;

  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at);
  listen(listener, 1024);
  socklen_t size = sizeof at;
  getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  if (argc > 1 && std::strcmp(argv[1], "serve") == 0) {
    std::printf("%d\n", ntohs(at.sin_port));
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) Serve(listener);
    while (std::getchar() != EOF) {
    }
    kill(child, SIGKILL);
    return 0;
  }
  pid_t service = fork();
  if (service == 0) Serve(listener);
  close(listener);

  SystemClock clock;
  NoLog log;
  std::unique_ptr<Loop> loop = MakeAsioLoop();
  ConnectionSpec connection;
  connection.name = "api";
  connection.properties.push_back({"url", "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port))});
  http::HttpClient::Options options;
  if (!http::ReadSettings(connection, &options.settings).ok()) return 1;
  options.connections_max = in_flight;
  options.clock = &clock;
  options.loop = loop.get();
  options.log = &log;
  auto client = std::make_unique<http::HttpClient>(options);

  double system_before, system_after;
  double before = ThreadCpu(&system_before);
  int64_t start = clock.MonoNs();
  uint64_t failed = runtime ? RunRuntime(std::move(client), *loop, clock, requests, in_flight)
                            : RunClient(*client, *loop, requests, in_flight);
  double seconds = static_cast<double>(clock.MonoNs() - start) / 1e9;
  double cpu = ThreadCpu(&system_after) - before;
  double million = static_cast<double>(requests) / 1e6;
  std::printf("%s: %llu requests, %d in flight, %llu failed: %.2f CPU s per million (%.2f system), %.0f requests/s\n",
              runtime ? "runtime" : "client", static_cast<unsigned long long>(requests), in_flight,
              static_cast<unsigned long long>(failed), cpu / million, (system_after - system_before) / million,
              static_cast<double>(requests) / seconds);
  kill(service, SIGKILL);
  return failed == 0 ? 0 : 1;
}
