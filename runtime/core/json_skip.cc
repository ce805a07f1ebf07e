// Passing over JSON values that nobody wants: fast, and as strict as reading them.
#include <cstring>

#include "runtime/core/json_reader.h"

namespace weir {
namespace {

// As deep as any reader may allow; one bit per level.
constexpr uint32_t kLevels = 1024;

const char* PastSpace(const char* p, const char* end) {
  while (p != end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
  return p;
}

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

}  // namespace

const char* JsonReader::SkipLiteral(const char* p) {
  const char* word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
  size_t n = std::strlen(word);
  auto left = static_cast<size_t>(end_ - p);
  if (left < n || std::memcmp(p, word, n) != 0) {
    bool cut = left < n && std::memcmp(p, word, left) == 0;
    Fail(cut ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a value");
    return nullptr;
  }
  return p + n;
}

bool JsonReader::Skip() {
  const char* p = p_;
  Levels levels;
  bool want_key = false;
  for (;;) {
    // A value, or a key and a value.
    p = PastSpace(p, end_);
    if (want_key) {
      if (p == end_ || *p != '"') {
        return Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "a name in quotes");
      }
      p = SkipString(p + 1);
      if (p == nullptr) return false;
      p = PastSpace(p, end_);
      if (p == end_ || *p != ':') {
        return Fail(p == end_ ? JsonErrorCode::kTruncated : JsonErrorCode::kSyntax, p, "`:`");
      }
      p = PastSpace(p + 1, end_);
      want_key = false;
    }
    if (p == end_) return Fail(JsonErrorCode::kTruncated, p, "a value");
    bool opened = false;
    switch (*p) {
      case '"': p = SkipString(p + 1); break;
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
      case '9': p = SkipNumber(p); break;
      case 't':
      case 'f':
      case 'n': p = SkipLiteral(p); break;
      case '{':
      case '[': {
        if (depth_ + levels.count() >= depth_max_ || levels.count() >= kLevels) return FailDepth(p);
        bool object = *p == '{';
        p = PastSpace(p + 1, end_);
        if (p != end_ && *p == (object ? '}' : ']')) {
          ++p;  // empty
          break;
        }
        levels.Push(object);
        want_key = object;
        opened = true;
        break;
      }
      default: return Fail(JsonErrorCode::kSyntax, p, "a value");
    }
    if (p == nullptr) return false;
    if (opened) continue;
    // What ends here, and whether something follows.
    for (;;) {
      if (levels.count() == 0) {
        p_ = p;
        return true;
      }
      p = PastSpace(p, end_);
      bool object = levels.InObject();
      if (p != end_ && *p == ',') {
        ++p;
        want_key = object;
        break;
      }
      if (p == end_ || *p != (object ? '}' : ']')) return FailDelimiter(p, object ? "`,` or `}`" : "`,` or `]`");
      ++p;
      levels.Pop();
    }
  }
}

}  // namespace weir
