// Out of line, so that generated code needs to know nothing of instances.
#include "runtime/lookup/lookup_call.h"

#include "runtime/lookup/lookup_instance.h"

namespace weir {

LookupCall::LookupCall(Task& task, int lookup_step) : instance_(&task.lookup(lookup_step)) {
  instance_->BeginCall();
  args_ = &instance_->args();
  row_ = &instance_->row();
}

void LookupCall::Submit(const Meta& meta, Str order_key) { instance_->Submit(meta, order_key); }

}  // namespace weir
