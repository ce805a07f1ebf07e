// The only file that includes Beast's HTTP parser for answers.
#include "runtime/connector/http/http_slow_answer.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

namespace weir::http {

namespace bhttp = boost::beast::http;

namespace {
constexpr uint32_t kHeadPiece = 4096;
constexpr size_t kLastChunkMin = 5;  // `0\r\n\r\n`
}  // namespace

struct SlowAnswer::Impl {
  using Parser = bhttp::response_parser<bhttp::string_body>;
  uint32_t head_max, body_max;
  std::optional<Parser> parser;
  std::string bytes;  // not yet taken by the parser
  std::string error;
  bool failed = false;
  size_t head_bytes = 0;  // taken since the head began

  Impl(uint32_t head, uint32_t body) : head_max(head), body_max(body) { Begin(); }
  void Begin() {
    parser.emplace();
    head_bytes = 0;
    parser->eager(true);
    parser->header_limit(head_max);
    parser->body_limit(body_max);
  }
  State Fail(const boost::system::error_code& ec) {
    failed = true;
    if (ec == bhttp::error::body_limit) {
      error = "its body is larger than " + std::to_string(body_max) + " bytes";
    } else if (ec == bhttp::error::header_limit) {
      error = "its head is larger than " + std::to_string(head_max) + " bytes";
    } else if (ec == bhttp::error::partial_message) {
      error = "it ends in the middle";
    } else {
      error = "it is not HTTP: " + ec.message();
    }
    return State::kFailed;
  }
  State Run() {
    while (!bytes.empty()) {
      // Beast must not be asked twice about a last chunk that has not come whole. What is left of a chunked answer is
      // never shorter than that.
      if (parser->is_header_done() && parser->chunked() && bytes.size() < kLastChunkMin) return State::kMore;
      boost::system::error_code ec;
      size_t used = parser->put(boost::asio::buffer(bytes), ec);
      bytes.erase(0, used);
      if (ec == bhttp::error::need_more) return State::kMore;
      if (ec) return Fail(ec);
      if (parser->is_done()) {
        int status = parser->get().result_int();
        if (status >= 200 || status == 101) return State::kDone;
        Begin();  // an interim answer: the real one follows
      } else if (used == 0) {
        return State::kMore;
      }
    }
    return State::kMore;
  }
};

SlowAnswer::SlowAnswer(uint32_t head_max, uint32_t body_max) : impl_(std::make_unique<Impl>(head_max, body_max)) {}
SlowAnswer::~SlowAnswer() = default;

SlowAnswer::State SlowAnswer::Feed(Str bytes) {
  if (impl_->failed) return State::kFailed;
  // The head goes in by small pieces: Beast's own limit does not hold for one that comes at once.
  State state = State::kMore;
  while (state == State::kMore && bytes.size != 0 && !impl_->parser->is_header_done()) {
    Str piece = bytes.Sub(0, kHeadPiece);
    bytes = bytes.Sub(piece.size);
    impl_->head_bytes += piece.size;
    impl_->bytes.append(piece.data, piece.size);
    state = impl_->Run();
    if (state == State::kMore && !impl_->parser->is_header_done() && impl_->head_bytes > impl_->head_max) {
      return impl_->Fail(bhttp::error::header_limit);
    }
  }
  if (state != State::kMore || bytes.size == 0) {
    impl_->bytes.append(bytes.data, bytes.size);
    return state;
  }
  impl_->bytes.append(bytes.data, bytes.size);
  return impl_->Run();
}

SlowAnswer::State SlowAnswer::FeedEnd() {
  if (impl_->failed) return State::kFailed;
  // Beast must not be told of an end where nothing has begun: behind an interim answer.
  if (!impl_->parser->got_some()) return impl_->Fail(bhttp::error::partial_message);
  boost::system::error_code ec;
  impl_->parser->put_eof(ec);
  if (ec) return impl_->Fail(ec);
  return impl_->parser->is_done() ? State::kDone : impl_->Fail(bhttp::error::partial_message);
}

int SlowAnswer::status() const { return static_cast<int>(impl_->parser->get().result_int()); }
bool SlowAnswer::keep_alive() const { return impl_->parser->keep_alive(); }
std::string SlowAnswer::TakeBody() { return std::move(impl_->parser->get().body()); }
std::string SlowAnswer::retry_after() const { return std::string(impl_->parser->get()[bhttp::field::retry_after]); }
std::string SlowAnswer::location() const { return std::string(impl_->parser->get()[bhttp::field::location]); }
bool SlowAnswer::has_rest() const { return !impl_->bytes.empty(); }
const std::string& SlowAnswer::error() const { return impl_->error; }

}  // namespace weir::http
