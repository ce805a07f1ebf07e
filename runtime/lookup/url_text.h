// Path and query of a request, written part by part by generated `render` functions: what comes from a record can never
// change where the request goes.
#pragma once

#include <cstring>

#include "runtime/core/arena.h"
#include "runtime/core/buffer.h"
#include "runtime/core/str.h"

namespace weir {

// UrlText url(arena); url.Text("/accounts/"); url.Component(id); request->target = url.Done();
class UrlText {
 public:
  explicit UrlText(Arena& arena) : arena_(arena) {}

  // Constant text of the pipeline: goes in as it is, but for characters that no URL has, which are percent-encoded.
  void Text(Str constant) { Append(constant, false); }
  // A value, as one component of path or query: everything but letters, digits and - . _ ~ is percent-encoded.
  void Component(Str value) { Append(value, true); }

  // The whole, in the arena. Empty when the path would have a segment `.` or `..`, which services take for a way out of
  // the path that was meant: such a request is not sent and its outcome is `rejected`.
  Str Done();

 private:
  void Append(Str text, bool component);

  Arena& arena_;
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace weir
