// Fed: bytes as an HTTP service sends them; the first one says in which pieces they arrive.
//
// The client reads answers in HttpClient::Feed, behind a socket. Fed here is what it calls there, in its
// order: ReadHead for usual answers, SlowAnswer (Boost.Beast) for all others, then SetOutcome and
// ReadRetryAfter.
//
// Must hold: nothing crashes. An answer that ReadHead takes is taken by SlowAnswer too, with the same status,
// body, headers and end; no head and no body is larger than allowed; pieces make no difference; each answer
// has one outcome and, unless found, a reason on one line.
//
// Where ReadHead and Beast differ: a status line that ends behind its number, without the space that RFC 9112
// asks for, is taken by ReadHead only. Such an answer is used when its head comes whole, and an error when not.
#include <algorithm>
#include <string>
#include <string_view>

#include "runtime/connector/http/http_head.h"
#include "runtime/connector/http/http_outcome.h"
#include "runtime/connector/http/http_slow_answer.h"
#include "runtime/core/json_walk.h"
#include "tests/fuzz/fuzz.h"

using weir::Str;
using weir::http::Head;
using weir::http::HeadState;
using weir::http::SlowAnswer;
using weir_test::Exact;

namespace {

constexpr uint32_t kHeadMax = 512, kBodyMax = 256;

struct Answer {
  SlowAnswer::State state = SlowAnswer::State::kMore;
  int status = 0;
  bool keep_alive = false;
  std::string body, retry_after, location, error;
};

void Check(int status, Str body, Str location, Str retry_after) {
  weir::http::Settings settings;
  settings.origin = "http://host:1";
  weir::LookupRequest request;
  request.verb = "GET";
  request.target = "/accounts/a1?token=secret";
  weir::LookupAnswer answer;
  weir::http::SetOutcome(settings, request, status, body, location, &answer);
  bool found = answer.outcome == weir::Outcome::kFound;
  FUZZ_CHECK(found == answer.reason.empty());
  FUZZ_CHECK(!found || body.size != 0);
  FUZZ_CHECK(!answer.transient || answer.outcome == weir::Outcome::kError);
  for (char c : answer.reason) FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20, answer.reason);
  FUZZ_CHECK(answer.reason.size() < 1000);
  constexpr int64_t kNow = 1'800'000'000'000'000'000;
  FUZZ_CHECK(weir::http::ReadRetryAfter(retry_after, kNow) >= 0, std::string(retry_after.view()));
}

// The whole of it, in pieces of at most `piece` bytes, and then the end of the connection.
Answer Slow(std::string_view bytes, size_t piece) {
  SlowAnswer slow(kHeadMax, kBodyMax);
  Answer answer;
  size_t at = 0;
  while (answer.state == SlowAnswer::State::kMore && at < bytes.size()) {
    Exact next(bytes.substr(at, piece));
    at += next.str().size;
    answer.state = slow.Feed(next.str());
  }
  if (answer.state == SlowAnswer::State::kMore) answer.state = slow.FeedEnd();
  FUZZ_CHECK(answer.state != SlowAnswer::State::kMore);
  if (answer.state == SlowAnswer::State::kFailed) {
    answer.error = slow.error();
    FUZZ_CHECK(!answer.error.empty());
    return answer;
  }
  answer.status = slow.status();
  answer.keep_alive = slow.keep_alive() && !slow.has_rest() && at == bytes.size();
  answer.body = slow.TakeBody();
  answer.retry_after = slow.retry_after();
  answer.location = slow.location();
  FUZZ_CHECK(answer.body.size() <= kBodyMax);
  Exact body(answer.body), location(answer.location), retry_after(answer.retry_after);
  Check(answer.status, body.str(), location.str(), retry_after.str());
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  size_t piece = 1 + data[0] % 64;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Exact exact(bytes);

  Answer whole = Slow(bytes, std::max<size_t>(bytes.size(), 1)), pieces = Slow(bytes, piece);
  // Heads are measured in pieces of 4 KB: one that is too large by less may pass when it comes at once.
  bool large_head = pieces.error.starts_with("its head is larger");
  if (large_head && whole.state == SlowAnswer::State::kDone) return 0;
  // Where it fails may depend on how much Beast saw at once, but not that it fails.
  FUZZ_CHECK(whole.state == pieces.state, whole.error, pieces.error);
  FUZZ_CHECK(whole.status == pieces.status && whole.body == pieces.body);
  FUZZ_CHECK(whole.keep_alive == pieces.keep_alive);

  weir::http::ReadRetryAfter(exact.str(), 0);
  Head head;
  if (weir::http::ReadHead(exact.str(), &head) != HeadState::kComplete) return 0;
  FUZZ_CHECK(head.size <= bytes.size());
  // A head never gets shorter when more comes: what the client relies on when a body arrives in parts.
  Head again;
  Exact alone(bytes.substr(0, head.size));
  FUZZ_CHECK(weir::http::ReadHead(alone.str(), &again) == HeadState::kComplete && again.size == head.size);
  if (head.size > kHeadMax || head.content_length > kBodyMax) return 0;
  if (bytes.size() - head.size < head.content_length) return 0;
  Str body(exact.str().data + head.size, head.content_length);
  Check(head.status, body, head.location, head.retry_after);
  // The known difference: a status line that ends behind its number (`HTTP/1.1 200`), which Beast refuses.
  if (bytes[12] == '\r') return 0;
  FUZZ_CHECK(whole.state == SlowAnswer::State::kDone, whole.error);
  FUZZ_CHECK(whole.status == head.status && whole.body == body.view());
  FUZZ_CHECK(whole.keep_alive == (head.keep_alive && bytes.size() == head.size + head.content_length));
  FUZZ_CHECK(whole.location == head.location.view(), whole.location);
  FUZZ_CHECK(whole.retry_after == head.retry_after.view(), whole.retry_after);
  return 0;
}
