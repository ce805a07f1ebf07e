// What a transaction notes with each offset that it commits, in the offset's metadata: text that any tool shows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/engine/transactions.h"

namespace weir::kafka {

struct OffsetNote {
  // How many partitions the topic had when the group began; 0: not known. It tells a partition that was added since, which
  // is read from its beginning, from one that only had no offset yet.
  int32_t partitions = 0;
  // The topic that the offset is of, in base64: one that was made anew under its name has another; empty: not known.
  std::string topic_id;
  OffsetState state = OffsetState::kUnknown;
};

// "weir partitions=4 topic=AAAAAAAAAAAAAAAAAAAAAA state=none", or less of it.
std::string ToText(const OffsetNote& note);
// Earlier versions noted less, others may have written anything: what is not understood is not known.
OffsetNote NoteOf(std::string_view text);
// The same text for an offset that is set by hand, which may be one of another topic of the name.
std::string WithoutTopic(const std::string& text);

}  // namespace weir::kafka
