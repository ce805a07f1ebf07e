// A dead letter as an operator's command reads it back from its topic or file, in either form of
// runtime/engine/dead_letter.h, and whether its record can be sent again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/core/str.h"
#include "runtime/engine/batch.h"
#include "runtime/program/program.h"

namespace weir {

struct LetterHeader {
  std::string name, value;
  bool has_value = true;
};

// Where a dead letter lies. This is what an operator calls it by: an offset of a topic and a line of a file mean the same
// letter until retention removes it, whatever filter it was found with.
struct LetterPlace {
  int sink = -1;           // index into Program::sinks
  int32_t partition = 0;   // of topics
  int64_t offset = 0;      // of topics; of files the number of the line, from 1
};

struct Letter {
  LetterPlace place;
  int64_t time_ns = kNoTime;     // of its record; where that has none, when it was written

  // ---- What was said of it; empty, 0 or -1: not known ----
  std::string pipeline, step, reason, detail, source;
  uint32_t line = 0;             // of the .weir file
  std::string origin;            // topic or file of the record
  int32_t origin_partition = -1;
  int64_t origin_offset = -1;
  std::string replay_of;         // its record was one that `replay` had sent

  // ---- The record ----
  bool has_key = false, has_value = false;
  std::string key, value;
  std::vector<LetterHeader> headers;

  // ---- What was cut; -1 and 0: nothing ----
  int64_t key_size = -1;         // of the whole
  int64_t value_size = -1;
  std::string value_hash;
  int64_t headers_left_out = 0;
};

// Headers that `replay` gives a record: which record it repeats, as in OriginText.
inline constexpr char kReplayOf[] = "weir.replay_of";

// A record of a topic without `format:`. False: it is no dead letter.
bool ReadLetter(const Message& message, Letter* letter);
// One JSON object, from a file or a topic with `format: json`.
bool ReadLetter(Str json, Letter* letter);

// "0@17" or "trades.dead/0@17", "12" or "dead.ndjson@12": the first form when the pipeline has one sink of dead letters.
std::string PlaceText(const Program& program, const LetterPlace& place);
// Reads either form. kInvalid with what is meant instead.
Status ParsePlace(const Program& program, const std::string& text, LetterPlace* place);

// The sinks to look into: of each dead letter stream the first topic, else the first file, since each letter is in all of
// its stream's sinks. Empty: there is none that keeps letters.
std::vector<int> LetterSinks(const Program& program);

// "trades/0@17", "in.ndjson@1204", or empty.
std::string OriginText(const Letter& letter);
// Tells whether two letters are about the same record: XXH3-128 of key and value, in hex.
std::string RecordHash(const Letter& letter);

// The source whose topic the record came from. Empty: it can be sent again; else why not.
std::string WhyNotReplay(const Program& program, const Letter& letter, int* source);

// ---- For people ----

// Text as it is, but for control characters, which become \n, \t and \x1b; bytes that are no UTF-8 as lines of hex. At most
// `bytes_max` of them are shown, and how many are left. Each line begins with `indent`.
std::string SafeBytes(Str bytes, size_t bytes_max, const std::string& indent);
// One line of at most `width` characters.
std::string SafeLine(Str text, size_t width);

}  // namespace weir
