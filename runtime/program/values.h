// Small functions that expressions of generated code are made of. Inline where they are per record.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string>

#include "runtime/core/arena.h"
#include "runtime/core/buffer.h"
#include "runtime/core/int128.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/list.h"
#include "runtime/core/opt.h"
#include "runtime/core/row.h"
#include "runtime/core/str.h"
#include "runtime/core/utf8.h"
#include "runtime/engine/meta.h"
#include "runtime/lookup/connector.h"

namespace weir {

// An i128 constant from its halves.
constexpr i128 MakeI128(int64_t high, uint64_t low) {
  return static_cast<i128>(static_cast<u128>(static_cast<uint64_t>(high)) << 64 | low);
}

// ---- Text ----

Str Concat(Arena& arena, std::initializer_list<Str> parts);
// As one component of a path or query: everything but letters, digits and `-._~` as %XX.
Str PercentEncode(Arena& arena, Str text);

// ---- Lists and maps ----

template <class T>
List<T> MakeList(Arena& arena, std::initializer_list<T> elements) {
  T* data = arena.AllocArray<T>(elements.size());
  std::memcpy(static_cast<void*>(data), elements.begin(), elements.size() * sizeof(T));
  return List<T>{data, static_cast<uint32_t>(elements.size())};
}
template <class T>
Map<T> MakeMap(Arena& arena, std::initializer_list<MapEntry<T>> entries) {
  MapEntry<T>* data = arena.AllocArray<MapEntry<T>>(entries.size());
  std::memcpy(static_cast<void*>(data), entries.begin(), entries.size() * sizeof(MapEntry<T>));
  return Map<T>{data, static_cast<uint32_t>(entries.size())};
}

// list[i] and map["k"]: absent when there is none. Elements that are optional themselves are absent as they are.
template <class T>
Opt<T> At(const List<T>& list, int64_t i) {
  return i >= 0 && i < list.size ? Opt<T>(list.data[i]) : Opt<T>();
}
template <class T>
Opt<T> At(const List<Opt<T>>& list, int64_t i) {
  return i >= 0 && i < list.size ? list.data[i] : Opt<T>();
}
template <class T>
Opt<T> At(const Map<T>& map, Str key) {
  const T* value = map.Find(key);
  return value != nullptr ? Opt<T>(*value) : Opt<T>();
}
template <class T>
Opt<T> At(const Map<Opt<T>>& map, Str key) {
  const Opt<T>* value = map.Find(key);
  return value != nullptr ? *value : Opt<T>();
}

template <class T>
bool Contains(const List<T>& list, const T& value) {
  for (const T& element : list) {
    if (element == value) return true;
  }
  return false;
}

// ---- Keys and rows ----

// A buffer of this thread, empty. Valid until the next call; keeps its memory.
Buffer& ScratchBuffer();

// Key bytes of several values, or of one that is no string. One at a time on a thread.
class KeyWriter {
 public:
  KeyWriter() : row_(&ScratchBuffer()) {}
  RowWriter& row() { return row_; }
  Str str() { return row_.buffer()->str(); }

 private:
  RowWriter row_;
};

// An enum's value, or the first one when the bytes hold none of its `count`.
template <class E>
E LoadEnum(RowReader& row, int32_t count) {
  int32_t value = row.I32();
  return static_cast<E>(value >= 0 && value < count ? value : 0);
}

// ---- Lookups ----

// `lookup … as outcome r`.
template <class T>
struct LookupOutcome {
  Outcome outcome = Outcome::kError;
  Str reason;  // of what was not found
  T value{};
};

// "found", "missing", "timeout", "rejected", "error".
inline Str OutcomeName(Outcome outcome) {
  constexpr Str kNames[] = {"found", "missing", "timeout", "rejected", "error"};
  return kNames[static_cast<int>(outcome)];
}

// ---- Metadata ----

// meta.key and meta.headers["name"] as strings: absent when there is none or it is not valid UTF-8. Of several headers
// of one name the last counts.
inline Opt<Str> KeyText(const Meta& meta) {
  return meta.has_key && ValidUtf8(meta.key) ? Opt<Str>(meta.key) : Opt<Str>();
}
Opt<Str> HeaderText(const Meta& meta, Str name);

// The event time of a record whose source declares none: the broker's, or the clock's when it was read.
inline int64_t RecordTime(const Message& message, const Meta& meta) {
  return message.timestamp_ns != kNoTime ? message.timestamp_ns : meta.arrival_ns;
}

// What is wrong with a JSON text, for an operator.
void DescribeError(const JsonContext& context, std::string* error);

}  // namespace weir
