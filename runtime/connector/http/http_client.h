// Lookups over HTTP/1.1: a pool of kept-alive connections to one service, on the worker's own thread.
//
// The connections live in an epoll set of their own, which the worker's loop watches as one descriptor: a request costs one
// send and one recv, and nothing else per request goes through the loop. A usual answer is read in place from one shared
// buffer; only what arrives in pieces, or is not usual, is copied and left to Beast's parser.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connector/dns/resolve.h"
#include "runtime/connector/http/http_head.h"
#include "runtime/connector/http/http_settings.h"
#include "runtime/connector/http/http_slow_answer.h"
#include "runtime/connector/http/http_socket.h"
#include "runtime/core/buffer.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/log.h"
#include "runtime/engine/loop.h"
#include "runtime/lookup/byte_pool.h"
#include "runtime/lookup/connector.h"
#include "runtime/lookup/pointer_index.h"

namespace weir::http {

// Requests beyond the number of connections wait in order. No pipelining. A GET whose kept-alive connection turns out to
// have been closed by the service, before a byte of answer, is sent again on a new one; that is no attempt.
class HttpClient final : public LookupConnector {
 public:
  struct Options {
    Settings settings;
    int connections_max = 64;  // of this worker; its share of settings.connections, if given, counts instead
    int workers = 1;
    Clock* clock = nullptr;
    Loop* loop = nullptr;
    Log* log = nullptr;
  };
  explicit HttpClient(Options options);
  ~HttpClient() override;

  Status Open(LookupAnswers* answers) override;
  void Ask(std::span<const LookupRequest> requests) override;
  void Forget(RequestId request_id, uint16_t attempt) override;
  Status Check(int64_t wait_ns_max) override;
  void Close() override;

  // For tests.
  int connections() const { return connections_; }
  uint64_t connections_made() const { return connections_made_; }

 private:
  struct Request;
  struct Connection {
    enum State : uint8_t { kClosed, kConnecting, kIdle, kBusy };
    Socket socket;
    State state = kClosed;
    uint32_t index = 0;
    uint32_t generation = 0;      // tells events of an earlier life apart
    uint32_t events = 0;          // registered with epoll
    uint32_t answers = 0;         // completed on this connection
    uint32_t idle_place = 0;
    size_t address = 0;           // being tried, or in use
    size_t addresses_tried = 0;
    std::string failures;         // of the addresses tried so far
    int64_t since_mono_ns = 0;    // connecting, or idle, since
    bool any_received = false;    // of the answer to `request`
    Request* request = nullptr;
    std::string unsent;           // the rest of a request that did not go out at once
    std::string partial;          // an answer's bytes, when they came in pieces and the head is complete
    Head partial_head;
    std::unique_ptr<SlowAnswer> slow;
  };
  struct Request {
    LookupRequest wire;
    uint64_t request_id_hash = 0;
    Connection* connection = nullptr;  // null: waits
    Request* previous = nullptr;       // in its waiting list
    Request* next = nullptr;
    uint8_t resent = 0;
    bool fresh = false;                // waits for a connection that has never been used
  };
  struct Waiting {
    Request* first = nullptr;
    Request* last = nullptr;
    size_t size = 0;
    void Add(Request* r);
    void AddFront(Request* r);
    void Remove(Request* r);
  };

  void ProcessEvents();
  void OnEvent(Connection* c, uint32_t events);
  void OnTimer();
  void ArmTimer(int64_t at_mono_ns);
  void ArmNext();

  void OpenMore();
  void StartQuery();
  void ServeQuery();
  void WatchQuery();
  void Begin(Connection* c);
  void Connected(Connection* c);
  void ConnectFailed(Connection* c, const std::string& why);
  void Unreachable(const std::string& why);

  void GiveWork(Connection* c);
  void Dispatch(Connection* c, Request* r);
  void Read(Connection* c);
  // False: the connection is no longer the one that was being read.
  bool Feed(Connection* c, Str bytes);
  bool FeedSlow(Connection* c, Str bytes);
  void Complete(Connection* c, int status, Str body, std::string&& owned_body, Str retry_after, Str location, bool keep);
  void Ended(Connection* c, bool failed);
  void BadAnswer(Connection* c, const std::string& what);

  void Answer(Request* r, LookupAnswer answer);
  void Fail(Request* r, const std::string& reason);
  Request* Find(RequestId request_id);
  void FreeRequest(Request* r);
  void CloseConnection(Connection* c, bool reset);
  void SetEvents(Connection* c, uint32_t events);
  void RemoveIdle(Connection* c);

  Options options_;
  Settings& settings_;
  int connections_max_;
  std::string get_begin_, post_begin_, head_end_;
  LookupAnswers* answers_ = nullptr;
  std::optional<TlsContext> tls_;
  int epoll_ = -1;
  int timer_ = -1;
  int64_t timer_at_ = INT64_MAX;
  bool closed_ = true;

  std::vector<std::unique_ptr<Connection>> all_;
  std::vector<Connection*> free_;
  std::vector<Connection*> idle_;
  int connections_ = 0;   // not kClosed
  int connecting_ = 0;
  uint64_t connections_made_ = 0;
  int64_t open_after_ = 0;   // no new connection before
  bool unreachable_ = false;  // said so in the log

  std::unique_ptr<dns::Query> query_;
  std::map<int, uint32_t> query_watches_;
  std::vector<dns::Address> addresses_;
  int64_t addresses_until_ = INT64_MIN;
  size_t preferred_ = 0;

  ObjectPool<Request> requests_;
  PointerIndex<Request, &Request::request_id_hash> by_request_id_;
  Waiting waiting_, waiting_fresh_;
  Buffer out_;
  std::vector<char> in_;
};

}  // namespace weir::http
