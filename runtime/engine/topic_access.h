// The topics of a cluster as somebody sees them who takes no part in a group: which there are, and what is in them. All calls block,
// on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/core/str.h"

namespace weir {

class TopicAccess {
 public:
  virtual ~TopicAccess() = default;
  // The names of all that this client may see.
  virtual Status Names(std::vector<std::string>* names) = 0;
  // The committed records of a topic, one partition after the other, each from its offset in `from` on (else from its beginning)
  // to where it ended when it was asked: a transaction that is open before that is waited for. The key is empty where there is
  // none, the value null where there is none. `*stop` ends it early. kDenied: this client may see the topic and not read it.
  // kNotFound: it is gone.
  using Visitor = std::function<void(int32_t partition, Str key, const Str* value, bool* stop)>;
  virtual Status Read(const std::string& topic, const std::map<int32_t, int64_t>& from, const Visitor& visitor) = 0;
  // The command by which an operator deletes a topic.
  virtual std::string DeleteCommand(const std::string& topic) const = 0;
};

}  // namespace weir
