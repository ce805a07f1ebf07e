// Passing over JSON values that nobody wants: fast, and as strict as reading them.
#include <cstring>

#include "runtime/core/json_internal.h"

namespace weir::json {
namespace {

// As deep as any reader may allow; one bit per level.
constexpr uint32_t kLevels = 1024;

// Which kinds of containers are open; the innermost is the last.
class Levels {
 public:
  uint32_t count() const { return count_; }
  void Push(bool object) {
    uint64_t bit = 1ull << (count_ & 63);
    uint64_t& word = words_[count_ >> 6];
    word = object ? word | bit : word & ~bit;
    ++count_;
  }
  void Pop() { --count_; }
  bool InObject() const { return (words_[(count_ - 1) >> 6] >> ((count_ - 1) & 63) & 1) != 0; }

 private:
  uint64_t words_[kLevels / 64];  // only the first count_ bits mean anything
  uint32_t count_ = 0;
};

// Passes over true, false or null.
const char* SkipLiteral(JsonContext* c, const char* p) {
  const char* word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
  size_t n = std::strlen(word);
  auto left = static_cast<size_t>(c->end - p);
  if (left >= n && std::memcmp(p, word, n) == 0) return p + n;
  bool cut = left < n && std::memcmp(p, word, left) == 0;
  return Fail(c, cut ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a value");
}

}  // namespace

const char* Skip(JsonContext* c, const char* p) {
  const char* end = c->end;
  Levels levels;
  bool want_key = false;
  for (;;) {
    // A value, or a key and a value.
    p = PastSpace(p, end);
    if (want_key) {
      if (p == end || *p != '"') return FailSyntax(c, p, "a name in quotes");
      p = SkipString(c, p + 1);
      if (p == nullptr) return nullptr;
      p = PastSpace(p, end);
      if (p == end || *p != ':') return FailSyntax(c, p, "`:`");
      p = PastSpace(p + 1, end);
      want_key = false;
    }
    if (p == end) return FailSyntax(c, p, "a value");
    bool opened = false;
    switch (*p) {
      case '"': p = SkipString(c, p + 1); break;
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9': p = SkipNumber(c, p); break;
      case 't':
      case 'f':
      case 'n': p = SkipLiteral(c, p); break;
      case '{':
      case '[': {
        if (c->depth + levels.count() >= c->depth_max || levels.count() >= kLevels) return FailDepth(c, p);
        bool object = *p == '{';
        p = PastSpace(p + 1, end);
        if (p != end && *p == (object ? '}' : ']')) {
          ++p;  // empty
          break;
        }
        levels.Push(object);
        want_key = object;
        opened = true;
        break;
      }
      default: return FailSyntax(c, p, "a value");
    }
    if (p == nullptr) return nullptr;
    if (opened) continue;
    // What ends here, and whether something follows.
    for (;;) {
      if (levels.count() == 0) return p;
      p = PastSpace(p, end);
      bool object = levels.InObject();
      if (p != end && *p == ',') {
        ++p;
        want_key = object;
        break;
      }
      if (p == end || *p != (object ? '}' : ']')) return FailDelimiter(c, p, object ? "`,` or `}`" : "`,` or `]`");
      ++p;
      levels.Pop();
    }
  }
}

}  // namespace weir::json
