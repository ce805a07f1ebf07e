#include "runtime/state/store.h"

#include <unordered_map>

#include <fmt/format.h>

#include "runtime/core/row.h"

namespace weir {

Status CheckIdentity(const std::string& where, const std::string& afresh, const StoreIdentity& stored,
                     const StoreIdentity& wanted, const std::function<bool(uint64_t hash)>& has_entries) {
  if (stored.pipeline != wanted.pipeline) {
    return Status::Invalid(fmt::format(
        "the state in {} belongs to the pipeline `{}`, and this is `{}`: give one of them another name, or {}", where,
        stored.pipeline, wanted.pipeline, afresh));
  }
  std::unordered_map<uint64_t, const StepIdentity*> now;
  for (const StepIdentity& step : wanted.steps) now[step.hash] = &step;
  for (const StepIdentity& step : stored.steps) {
    auto at = now.find(step.hash);
    if (at != now.end() && at->second->schema == step.schema) continue;
    if (!has_entries(step.hash)) continue;
    if (at == now.end()) {
      return Status::Invalid(fmt::format(
          "the state in {} holds `{}` ({}), which this program no longer has there: put the step back, run the version that "
          "wrote it (version {}) until its `state list` shows none of it, or {}, which loses what is stored",
          where, step.name, step.what, stored.version, afresh));
    }
    return Status::Invalid(fmt::format(
        "the state of `{}` ({}) in {} has another layout than this program's: run the version that wrote it (version "
        "{}), or {}, which loses what is stored",
        step.name, step.what, where, stored.version, afresh));
  }
  return Status();
}

void WriteIdentity(const StoreIdentity& identity, Buffer* out) {
  RowWriter row(out);
  row.Str(Str(identity.pipeline));
  row.I32(identity.version);
  row.Count(static_cast<uint32_t>(identity.steps.size()));
  for (const StepIdentity& step : identity.steps) {
    row.Str(Str(step.name));
    row.Str(Str(step.what));
    row.U64(step.hash);
    row.U64(step.schema);
  }
}

bool ReadIdentity(Str bytes, StoreIdentity* identity) {
  RowReader row(bytes);
  identity->pipeline = row.Str().view();
  identity->version = row.I32();
  uint32_t count = row.Count(4);
  identity->steps.clear();
  for (uint32_t i = 0; i < count; ++i) {
    StepIdentity step;
    step.name = row.Str().view();
    step.what = row.Str().view();
    step.hash = row.U64();
    step.schema = row.U64();
    identity->steps.push_back(std::move(step));
  }
  return row.AtEnd();
}

void AppendStoreKey(uint64_t step, StateKind kind, int32_t partition, Str key, Buffer* out) {
  char head[kStoreKeyHead];
  uint64_t step_big = __builtin_bswap64(step);
  uint32_t partition_big = __builtin_bswap32(static_cast<uint32_t>(partition) ^ 0x80000000u);
  std::memcpy(head, &step_big, 8);
  head[8] = static_cast<char>(kind);
  std::memcpy(head + 9, &partition_big, 4);
  out->Append(head, sizeof head);
  out->Append(key);
}

bool ReadStoreKey(Str bytes, DeltaEntry* entry) {
  if (bytes.size < kStoreKeyHead) return false;
  uint64_t step_big;
  uint32_t partition_big;
  std::memcpy(&step_big, bytes.data, 8);
  std::memcpy(&partition_big, bytes.data + 9, 4);
  entry->remove = false;
  entry->step = __builtin_bswap64(step_big);
  entry->kind = static_cast<StateKind>(bytes.data[8]);
  entry->partition = static_cast<int32_t>(__builtin_bswap32(partition_big) ^ 0x80000000u);
  entry->key = bytes.Sub(kStoreKeyHead);
  return true;
}

}  // namespace weir
