// For tests: reads any JSON text through JsonReader's typed calls and writes it in one canonical form.
#pragma once

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/core/json_reader.h"

namespace weir_test {

// A copy of the text of exactly its size on the heap, so that AddressSanitizer sees every byte read beyond it.
class Exact {
 public:
  explicit Exact(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
    if (size_ != 0) std::memcpy(bytes_.get(), text.data(), size_);
  }
  weir::Str str() const { return weir::Str(bytes_.get(), size_); }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

inline void AppendDouble(double v, std::string* out) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", v);
  *out += text;
}

// Length, then bytes: no escaping to get wrong.
inline void AppendText(std::string_view text, std::string* out) {
  *out += std::to_string(text.size()) + ":" + std::string(text);
}

// False with an error in the reader. Whole numbers that fit an int64 are kept as such, all others as doubles.
inline bool Walk(weir::JsonReader& in, std::string* out) {
  switch (in.Peek()) {
    case '{': {
      if (!in.BeginObject()) return false;
      *out += '{';
      weir::Str key;
      while (in.NextKey(&key)) {
        AppendText(key.view(), out);
        *out += '=';
        if (!Walk(in, out)) return false;
        *out += ';';
      }
      *out += '}';
      return in.ok();
    }
    case '[':
      if (!in.BeginArray()) return false;
      *out += '[';
      while (in.NextElement()) {
        if (!Walk(in, out)) return false;
        *out += ';';
      }
      *out += ']';
      return in.ok();
    case '"': {
      weir::Str text;
      if (!in.String(&text)) return false;
      AppendText(text.view(), out);
      return true;
    }
    case 't':
    case 'f': {
      bool value;
      if (!in.Bool(&value)) return false;
      *out += value ? 'T' : 'F';
      return true;
    }
    case 'n':
      if (!in.Null()) return in.Skip();  // which says what is wrong
      *out += 'N';
      return true;
    default: {
      weir::JsonReader copy = in;
      weir::Str text;
      if (!in.Raw(&text)) return false;
      weir::Arena arena;
      weir::JsonContext context(&arena);
      weir::JsonReader number(text, &context);
      int64_t whole;
      if (number.Int64(&whole) && number.End()) {
        *out += 'i' + std::to_string(whole);
        return true;
      }
      double value;
      if (!copy.Float64(&value)) return false;
      AppendDouble(value, out);
      return true;
    }
  }
}

}  // namespace weir_test
