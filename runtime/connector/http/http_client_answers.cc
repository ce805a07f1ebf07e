// Bytes that come on a connection, and what they answer: see http_client.h.
#include "runtime/connector/http/http_client.h"
#include "runtime/connector/http/http_outcome.h"

namespace weir::http {

namespace {
constexpr int kResentMax = 3;
}  // namespace

void HttpClient::Read(Connection* c) {
  const uint32_t generation = c->generation;
  for (;;) {
    size_t n = 0;
    Socket::Result result = c->socket.Receive(in_.data(), in_.size(), &n);
    if (result == Socket::Result::kAgain) return;
    if (result != Socket::Result::kOk) {
      if (c->state == Connection::kBusy) return Ended(c, result == Socket::Result::kFailed);
      return CloseConnection(c, result == Socket::Result::kFailed);
    }
    if (c->state != Connection::kBusy) return CloseConnection(c, true);  // nobody asked for that
    Request* asked = c->request;
    if (!Feed(c, Str(in_.data(), n))) return;
    if (c->generation != generation || c->request != asked) return;
    if (n < in_.size() && !c->socket.HasBuffered()) return;
  }
}

bool HttpClient::Feed(Connection* c, Str bytes) {
  c->any_received = true;
  if (c->slow != nullptr) return FeedSlow(c, bytes);
  if (!c->partial.empty()) {
    c->partial.append(bytes.data, bytes.size);
    const Head& head = c->partial_head;
    size_t whole = head.size + head.content_length;
    if (c->partial.size() < whole) return true;
    bool rest = c->partial.size() > whole;
    std::string all = std::move(c->partial);
    c->partial.clear();
    // The views of the head were into another buffer: read it again.
    Head again;
    ReadHead(Str(all.data(), all.size()), &again);
    Complete(c, again.status, Str(all.data() + again.size, again.content_length), {}, again.retry_after, again.location,
             again.keep_alive && !rest);
    return false;
  }
  Head head;
  HeadState state = bytes.size > 0 ? ReadHead(bytes, &head) : HeadState::kShort;
  if (state != HeadState::kComplete || head.size > settings_.head_max) {
    c->slow = std::make_unique<SlowAnswer>(settings_.head_max, settings_.body_max);
    return FeedSlow(c, bytes);
  }
  if (head.content_length > settings_.body_max) {
    BadAnswer(c, "its body is larger than " + std::to_string(settings_.body_max) + " bytes");
    return false;
  }
  size_t whole = head.size + head.content_length;
  if (bytes.size < whole) {
    c->partial.reserve(whole);
    c->partial.assign(bytes.data, bytes.size);
    c->partial_head = head;
    return true;
  }
  Complete(c, head.status, Str(bytes.data + head.size, head.content_length), {}, head.retry_after, head.location,
           head.keep_alive && bytes.size == whole);
  return false;
}

bool HttpClient::FeedSlow(Connection* c, Str bytes) {
  switch (c->slow->Feed(bytes)) {
    case SlowAnswer::State::kMore:
      return true;
    case SlowAnswer::State::kFailed: {
      BadAnswer(c, c->slow->error());
      return false;
    }
    case SlowAnswer::State::kDone: {
      std::unique_ptr<SlowAnswer> slow = std::move(c->slow);
      std::string body = slow->TakeBody(), retry_after = slow->retry_after(), location = slow->location();
      Str view(body.data(), body.size());
      Complete(c, slow->status(), view, std::move(body), Str(std::string_view(retry_after)),
               Str(std::string_view(location)), slow->keep_alive() && !slow->has_rest());
      return false;
    }
  }
  return false;
}

// An answer is complete. `owned_body`, unless empty, holds the bytes of `body`.
void HttpClient::Complete(Connection* c, int status, Str body, std::string&& owned_body, Str retry_after, Str location,
                          bool keep) {
  Request* r = c->request;
  LookupAnswer answer;
  SetOutcome(settings_, r->wire, status, body, location, &answer);
  if (answer.outcome == Outcome::kFound) {
    if (owned_body.empty()) {
      answer.body.assign(body.data, body.size);
    } else {
      answer.body = std::move(owned_body);
    }
  } else if (retry_after.size != 0) {
    answer.retry_after_ns = ReadRetryAfter(retry_after, options_.clock->WallNs());
  }
  c->request = nullptr;
  r->connection = nullptr;
  Answer(r, std::move(answer));
  ++c->answers;
  // An answer that came before its request had gone out leaves the connection in no known state.
  if (!keep || !c->unsent.empty()) {
    CloseConnection(c, !c->unsent.empty());
    return OpenMore();
  }
  GiveWork(c);
}

void HttpClient::BadAnswer(Connection* c, const std::string& what) {
  Request* r = c->request;
  c->request = nullptr;
  LookupAnswer answer;
  answer.outcome = Outcome::kError;
  answer.reason = "the answer to " + RequestName(settings_, r->wire) + " cannot be used: " + what;
  CloseConnection(c, true);
  Answer(r, std::move(answer));
  OpenMore();
}

// The connection ended, in order or not, while an answer was awaited.
void HttpClient::Ended(Connection* c, bool failed) {
  Request* r = c->request;
  if (!failed && c->slow != nullptr && c->slow->FeedEnd() == SlowAnswer::State::kDone) {
    std::unique_ptr<SlowAnswer> slow = std::move(c->slow);
    std::string body = slow->TakeBody(), retry_after = slow->retry_after(), location = slow->location();
    Str view(body.data(), body.size());
    return Complete(c, slow->status(), view, std::move(body), Str(std::string_view(retry_after)),
                    Str(std::string_view(location)), false);
  }
  bool stale = c->answers > 0 && !c->any_received;
  std::string why = failed ? c->socket.error() : "the connection was closed";
  bool in_answer = c->any_received;
  c->request = nullptr;
  r->connection = nullptr;
  CloseConnection(c, true);
  if (stale && r->wire.verb == Str("GET") && r->resent < kResentMax) {
    ++r->resent;
    r->fresh = true;
    waiting_fresh_.Add(r);
  } else {
    Fail(r, RequestName(settings_, r->wire) + (in_answer ? ": the answer was cut off: " : ": no answer: ") + why);
  }
  OpenMore();
}

}  // namespace weir::http
