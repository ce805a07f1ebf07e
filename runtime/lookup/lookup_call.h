// How generated code asks: `LookupCall call(task, step); call.args()…; call.row()…; call.Submit(meta);`
#pragma once

#include "runtime/core/row.h"
#include "runtime/engine/task.h"

namespace weir {

// One record's request. Arguments and row are written first, in any order, then Submit; nothing else may be called on the
// same lookup step in between. The row holds what the steps behind need; `resume` gets it back with the answer, possibly
// from within Submit.
class LookupCall {
 public:
  LookupCall(Task& task, int lookup_step);

  RowWriter& args() { return *args_; }
  RowWriter& row() { return *row_; }

  void Submit(const Meta& meta) { Submit(meta, Str()); }
  // For `order key K`: the bytes of K.
  void Submit(const Meta& meta, Str order_key);

 private:
  LookupInstance* instance_;
  RowWriter* args_;
  RowWriter* row_;
};

}  // namespace weir
