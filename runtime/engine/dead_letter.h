// What a dead letter looks like in the sink it goes to. The format is documented in docs/operations.md.
//
// As JSON (files, stdout, topics with `format: json`), one object; what is not known is left out:
//   {"pipeline": …, "step": …, "line": …, "reason": …, "detail": …, "source": …, "topic" or "path": …, "partition": …,
//    "offset": …, "time": …, "key": …, "headers": {…}, "value": …}
// `source` is the source's, table's or window's name; results of windows have "start" instead of partition and offset.
// Bytes that are no UTF-8 become "key_base64" and "value_base64", headers with such values are in "headers_base64". A value
// that was cut to fit has "value_size" and "value_hash" (XXH3-128 of the whole, in hex) beside it, a key "key_size";
// headers that found no room are counted by "headers_left_out".
//
// To a Kafka topic without a format: the record's own bytes, key and headers, and headers weir.pipeline, weir.step,
// weir.line, weir.reason, weir.detail, weir.source, weir.topic, weir.partition, weir.offset; weir.value_size and weir.value_hash when
// the value was cut to fit, weir.headers_left_out when headers were. weir.pipeline is the first of them.
#pragma once

#include "runtime/core/buffer.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/task.h"
#include "runtime/program/program.h"

namespace weir {

struct DeadLetter {
  uint32_t step = 0;
  DeadReason reason = DeadReason::kBadInput;
  Str detail;
  const Meta* meta = nullptr;
  // Where it came from when that is no source (a table): Meta::source is kNoSource.
  Str topic;
  bool is_topic = false;
};

// How a sink wants its dead letters.
struct DeadLetterForm {
  bool json = true;
  size_t bytes_max = 1'000'000;  // of the whole record
};
DeadLetterForm DeadLetterFormOf(const SinkSpec& sink);

// Appends key, value and headers of one record to `out`, whose last OutputRecord they belong to.
void WriteDeadLetter(const Program& program, const DeadLetterForm& form, const DeadLetter& letter, OutputBuffer& out);

// The JSON form alone, as tests see it.
void WriteDeadLetterJson(const Program& program, const DeadLetter& letter, size_t bytes_max, Buffer* out);

}  // namespace weir
