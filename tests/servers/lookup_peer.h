// A scriptable HTTP/1.1 service for lookups: tests make it slow, wrong, reordered or dead; benchmarks load it.
//
// One thread, epoll, keep-alive. Two ports: the service, and a control port that always answers:
//   GET  /stats                      counters as JSON
//   GET  /counts                     requests per path and per idempotency key
//   GET  /log                        one JSON line per request in order of arrival (after /set?record=1)
//   POST /set?delay=0..10            delay of each answer in ms, uniform between both (one number: fixed)
//        &seed=7                     of the random delays
//        &order=each|hold            each: its own delay; hold: until /release
//        &reverse=16                 answers come in groups of 16 in exactly reversed order of arrival (0: off)
//        &group_wait=50              ms after which a group that is not full is answered all the same
//        &gap=0.2                    ms between two answers of a group, so that a client sees their order
//        &record=1                   keep the request log
//   POST /release?order=reversed     answers what is held, in order of arrival unless told otherwise
//   POST /rule?path=/accounts/a1     or a prefix: /accounts/*; rules are tried in the order they came
//        &action=status:503|hang|reset|close|garbage|truncate|delay:250
//        &times=2                    how many requests it applies to (default: all)
//   POST /clear                      forgets rules, counts and log
//   POST /down                       stops listening and resets every connection
//   POST /up                         listens again on the same port
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/servers/http_request.h"

namespace weir_test {

// "5" or "0..10"; false: neither.
bool ParseRange(const std::string& text, double* min, double* max);

struct PeerOptions {
  int port = 0;          // 0: a free one
  int control_port = 0;
  double delay_min_ms = 0;
  double delay_max_ms = 0;
  std::string data_path;  // NDJSON rows served by key; empty: accounts made up from the id
  std::string data_key = "id";
};

class LookupPeer {
 public:
  explicit LookupPeer(const PeerOptions& options);
  ~LookupPeer();

  // Listens on both ports; prints to stderr and returns false when it cannot.
  bool Open();
  // Serves until the process is told to end.
  void Run();

  int port() const { return port_; }
  int control_port() const { return control_port_; }

 private:
  struct Connection;
  struct Due {
    int64_t at_ns;
    uint64_t order;  // equal times: in order of arrival
    uint32_t connection;
    uint32_t incarnation;
    uint32_t request;
    bool operator>(const Due& o) const { return at_ns != o.at_ns ? at_ns > o.at_ns : order > o.order; }
  };
  // What happens to one request.
  enum class Action { kAnswer, kHang, kReset, kClose, kGarbage, kTruncate };
  struct Pending {
    uint32_t request = 0;
    bool ready = false;
    Action action = Action::kAnswer;
    int status = 200;
    bool close_after = false;
    size_t logged = SIZE_MAX;  // its place in the log, if it has one
    std::string body;
  };
  struct Rule {
    std::string path;
    Action action = Action::kAnswer;
    int status = 0;         // 0: as usual
    double delay_ms = -1;   // -1: as usual
    int64_t times = -1;     // -1: always
  };
  struct Logged {
    std::string method, path, idempotency_key, body;
    int status = 0;
    int64_t at_us = 0;         // on the monotonic clock
    uint64_t answered_as = 0;  // 1 for the first that was answered, 0: not yet
  };

  int Listen(int port, int* bound);
  void Accept(int listener, bool control);
  void Drop(uint32_t slot, bool reset);
  void Readable(uint32_t slot);
  void Writable(uint32_t slot);
  void Serve(uint32_t slot, const HttpRequest& request);
  void Schedule(uint32_t slot, uint32_t request, double delay_ms);
  void GroupFull();
  void AnswerDue(int64_t now_ns);
  void MakeReady(const Due& due);
  void SendReady(uint32_t slot);
  bool Send(uint32_t slot, std::string_view bytes);
  std::string BodyFor(const HttpRequest& request, std::string_view path, int* status);
  void LoadData(const std::string& path, const std::string& key);

  std::string Control(const HttpRequest& request, int* status);
  bool ControlSet(std::string_view query, std::string* error);
  bool ControlRule(std::string_view query, std::string* error);
  void GoDown();
  void WatchListener();
  static void ForgetLog(Connection* connection);

  PeerOptions options_;
  int port_ = 0, control_port_ = 0;
  int epoll_ = -1, listener_ = -1, control_listener_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<uint32_t> free_slots_;
  std::priority_queue<Due, std::vector<Due>, std::greater<Due>> due_;
  std::vector<Due> held_;   // answers waiting for /release, in order of arrival
  std::vector<Due> group_;  // answers waiting for their group to fill
  int64_t group_since_ns_ = 0;
  bool hold_ = false;
  uint32_t reverse_ = 0;
  int64_t group_wait_ns_ = 50'000'000;
  int64_t gap_ns_ = 200'000;
  bool record_ = false;
  uint64_t arrivals_ = 0;
  uint64_t answered_ = 0;
  uint64_t in_flight_ = 0, in_flight_max_ = 0;
  uint64_t accepted_ = 0;
  std::mt19937_64 random_{1};
  std::deque<Rule> rules_;
  std::unordered_map<std::string, std::string> data_;
  std::map<std::string, uint64_t> path_counts_, key_counts_;
  std::deque<Logged> log_;
  uint64_t answered_logged_ = 0;
};

}  // namespace weir_test
