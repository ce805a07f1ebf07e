// `dead-letters list | show | replay` of a produced binary.
//
// Replay sends the record of a letter to the topic it came from, with its own key, bytes and headers, and notes in the same
// transaction, in the topic ReplayedTopic of that cluster, which record it was. What is noted is not sent again. A command
// that dies in between has sent and noted nothing of its open transaction; two at once exclude each other, since the second
// fences the first before it reads the notes.
#pragma once

#include <climits>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/operate/operator.h"

namespace weir {

struct DeadLetterOptions {
  std::vector<std::string> letters;  // as PlaceText writes them; empty: all that the filters let through
  std::string step, reason;          // empty: any
  int64_t since_ns = INT64_MIN;
  int64_t limit = 50;                // of list: the newest; 0: all
  bool json = false;                 // of list and show: a JSON object per letter
  bool again = false;                // of replay: also those that were sent before
  bool full = false;                 // of show: all bytes of the value
};

ExitCode ListDeadLetters(Operator& op, const DeadLetterOptions& options);
ExitCode ShowDeadLetters(Operator& op, const DeadLetterOptions& options);
ExitCode ReplayDeadLetters(Operator& op, const DeadLetterOptions& options);

}  // namespace weir
