// A digest of what a pipeline wrote: per key the sequence of its records, so that a loss, a duplicate and a swap within
// a key all show, whatever way the keys are interleaved. Records are equal when their fields are, in any order and
// however a number is spelt (1.50 = 1.5) or an instant is (RFC 3339 = epoch milliseconds).
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

#include <simdjson.h>

namespace weir_bench {

inline uint64_t HashText(std::string_view text, uint64_t seed = 0) {
  uint64_t h = 0x9e3779b97f4a7c15ull ^ seed;
  while (text.size() >= 8) {
    uint64_t word;
    memcpy(&word, text.data(), 8);
    h = (h ^ word) * 0xff51afd7ed558ccdull;
    h ^= h >> 32;
    text.remove_prefix(8);
  }
  uint64_t word = text.size();
  memcpy(reinterpret_cast<char*>(&word) + 1, text.data(), text.size());
  h = (h ^ word) * 0xc4ceb9fe1a85ec53ull;
  return h ^ (h >> 29);
}

// "1.50" to "1.5", "2.0" to "2".
inline std::string_view PlainNumber(std::string_view text) {
  while (!text.empty() && text.back() <= ' ') text.remove_suffix(1);
  if (text.find('.') == std::string_view::npos || text.find_first_of("eE") != std::string_view::npos) return text;
  while (text.back() == '0') text.remove_suffix(1);
  if (text.back() == '.') text.remove_suffix(1);
  return text;
}

// "2026-01-01T00:00:00.123Z" to epoch milliseconds as text; anything else is left alone.
inline std::string_view PlainInstant(std::string_view text, char (&buffer)[32]) {
  int year, month, day, hour, minute, second, used = 0;
  if (text.size() < 20 || text.size() > 30 || text[10] != 'T' || text.back() != 'Z') return text;
  if (sscanf(std::string(text).c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
             &used) != 6) {
    return text;
  }
  int millis = 0, weight = 100;
  for (size_t i = used + 1; i + 1 < text.size() && text[used] == '.'; ++i, weight /= 10) {
    millis += (text[i] - '0') * weight;
  }
  int64_t y = year - (month <= 2);  // days since 1970, after H. Hinnant
  int64_t era = y / 400, yoe = y - era * 400;
  int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
  int64_t ms = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis;
  return std::string_view(buffer, sprintf(buffer, "%ld", ms));
}

inline uint64_t HashField(std::string_view name, std::string_view value) { return HashText(value, HashText(name)); }

class OutputDigest {
 public:
  // `record` is the sum of HashField over its fields.
  void Add(std::string_view key, uint64_t record) {
    Sequence& sequence = keys_[std::string(key)];
    sequence.hash = (sequence.hash ^ record) * 0x9e3779b97f4a7c15ull + 1;
    sequence.hash ^= sequence.hash >> 31;
    ++sequence.records;
    ++records_;
  }

  // Reads a record's fields. False: not a JSON object.
  bool AddJson(std::string_view key, std::string_view json) {
    padded_.assign(json);
    padded_.resize(json.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (parser_.iterate(padded_.data(), json.size(), padded_.size()).get(document)) return false;
    if (document.get_object().get(object)) return false;
    uint64_t record = 0;
    for (auto field : object) {
      std::string_view name, text;
      char buffer[32];
      simdjson::ondemand::value value;
      simdjson::ondemand::json_type type;
      if (field.unescaped_key().get(name)) return false;
      uint64_t name_hash = HashText(name);
      if (field.value().get(value) || value.type().get(type)) return false;
      if (type == simdjson::ondemand::json_type::string) {
        if (value.get_string().get(text)) return false;
        text = PlainInstant(text, buffer);
      } else {
        text = PlainNumber(value.raw_json_token());
      }
      record += HashText(text, name_hash);
    }
    Add(key, record);
    return true;
  }

  int64_t records() const { return records_; }

  // Empty when equal, else the first few differences.
  static std::string Difference(const OutputDigest& expected, const OutputDigest& actual) {
    std::string out;
    int shown = 0;
    for (const auto& [key, sequence] : expected.keys_) {
      auto found = actual.keys_.find(key);
      int64_t records = found == actual.keys_.end() ? 0 : found->second.records;
      if (records == sequence.records && (records == 0 || found->second.hash == sequence.hash)) continue;
      if (shown++ < 3) {
        out += "key " + key + ": expected " + std::to_string(sequence.records) + " records, got " +
               std::to_string(records) + (records == sequence.records ? " in another order or with other fields" : "") +
               "\n";
      }
    }
    for (const auto& [key, sequence] : actual.keys_) {
      if (!expected.keys_.contains(key) && shown++ < 6) {
        out += "key " + key + ": expected none, got " + std::to_string(sequence.records) + " records\n";
      }
    }
    if (shown > 3) out += "… " + std::to_string(shown) + " keys differ\n";
    return out;
  }

 private:
  struct Sequence {
    uint64_t hash = 0;
    int64_t records = 0;
  };
  std::unordered_map<std::string, Sequence> keys_;
  int64_t records_ = 0;
  std::string padded_;
  simdjson::ondemand::parser parser_;
};

}  // namespace weir_bench
