// Fed: bytes as what a store gives back at a start, and as a list of changes to commit.
//
// Must hold: any bytes are an error or a value. RowReader never reads beyond its bytes, and after its first
// failure gives zeros and empty strings only. The identity of a store, a key's head, a pending row, a
// record's metadata and a window with accumulators of every kind are read or refused; what was read, written
// and read again is the same. A list of changes comes out of a store as a plain map has it.
//
// Deltas are made and read within one process and never stored, so DeltaReader gets what DeltaWriter wrote. A
// stored entry's checksum is LMDB's neighbour (runtime/state/lmdb_store.cc) and the position of a source lies
// with the engine's input; both only call what is fed here. Positions are read by the calls of RowReader that
// are fed in any order.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/json_walk.h"
#include "runtime/core/row.h"
#include "runtime/engine/meta.h"
#include "runtime/lookup/pending_row.h"
#include "runtime/state/memory_store.h"
#include "runtime/window/aggregate.h"
#include "runtime/window/window_instance.h"
#include "tests/fuzz/fuzz.h"

namespace weir {
// WindowInstance only passes tasks on.
class Task {};
}  // namespace weir

using weir::Buffer;
using weir::RowReader;
using weir::RowWriter;
using weir::Status;
using weir::Str;
using weir_fuzz::Bytes;
using weir_test::Exact;

namespace {

// ---- RowReader ----

// The script says what to read next; what was read goes to `writer`.
void ReadRow(std::string_view script, Str bytes, RowWriter* writer) {
  RowReader in(bytes);
  for (char op : script) {
    bool was_ok = in.ok();
    uint32_t before = in.remaining();
    bool zero = true;
    auto note = [&](auto value, auto write) {
      zero = value == decltype(value){};
      if (in.ok() && writer != nullptr) write(value);
    };
    switch (op % 10) {
      case 0: note(in.Bool(), [&](bool v) { writer->Bool(v); }); break;
      case 1: note(in.I32(), [&](int32_t v) { writer->I32(v); }); break;
      case 2: note(in.I64(), [&](int64_t v) { writer->I64(v); }); break;
      case 3: note(in.U64(), [&](uint64_t v) { writer->U64(v); }); break;
      case 4: {
        double v = in.F64();
        zero = v == 0;
        if (in.ok() && writer != nullptr) writer->F64(v);
        break;
      }
      case 5: note(in.I128(), [&](weir::i128 v) { writer->I128(v); }); break;
      case 6: {
        Str v = in.Str();
        zero = v.size == 0;
        FUZZ_CHECK(zero || (v.data >= bytes.begin() && v.data + v.size <= bytes.end()));
        if (in.ok() && writer != nullptr) writer->Str(v);
        break;
      }
      case 7: note(in.OptTag(), [&](bool v) { writer->OptTag(v); }); break;
      case 8: {
        uint32_t least = static_cast<unsigned char>(op) / 10 % 4;
        uint32_t n = in.Count(least);
        zero = n == 0;
        FUZZ_CHECK(n <= in.remaining());  // nobody allocates for what cannot be there
        if (in.ok() && writer != nullptr) writer->Count(n);
        break;
      }
      default: {
        Str v = in.Raw(static_cast<unsigned char>(op) / 10);
        zero = v.size == 0;
        if (in.ok() && writer != nullptr) writer->Raw(v);
      }
    }
    FUZZ_CHECK(was_ok || (!in.ok() && zero));
    FUZZ_CHECK(in.ok() || zero);
    FUZZ_CHECK(in.remaining() <= before && (in.ok() || in.remaining() == 0));
    FUZZ_CHECK(!in.AtEnd() || in.ok());
    if (!in.ok() && writer != nullptr) break;
  }
}

void Rows(std::string_view script, Str bytes) {
  ReadRow(script, bytes, nullptr);
  // What the writer makes of it is read as the same, and written as the same: the writer's form is the
  // shortest. Counts are of elements that are not there when the row is written anew, so these scripts have
  // none.
  std::string plain;
  for (char op : script) {
    if (op % 10 != 8) plain += op;
  }
  Buffer once, twice;
  RowWriter first(&once), second(&twice);
  ReadRow(plain, bytes, &first);
  Exact exact(once.str().view());
  ReadRow(plain, exact.str(), &second);
  FUZZ_CHECK(once.str() == twice.str());
}

// ---- Identity, keys ----

void Identity(Str bytes) {
  weir::StoreIdentity identity, again;
  if (!weir::ReadIdentity(bytes, &identity)) return;
  Buffer once, twice;
  weir::WriteIdentity(identity, &once);
  Exact exact(once.str().view());
  FUZZ_CHECK(weir::ReadIdentity(exact.str(), &again));
  weir::WriteIdentity(again, &twice);
  FUZZ_CHECK(once.str() == twice.str());
  auto has_entries = [](uint64_t hash) { return hash % 2 == 0; };
  FUZZ_CHECK(weir::CheckIdentity("here", "begin again", identity, again, has_entries).ok() ||
             identity.steps.size() > 1);  // steps of one hash and two schemas are no identity of ours
  Status other = weir::CheckIdentity("here", "begin again", identity, weir::StoreIdentity(), has_entries);
  FUZZ_CHECK(other.ok() || !other.message().empty());
}

void Keys(Str bytes) {
  weir::DeltaEntry entry;
  if (!weir::ReadStoreKey(bytes, &entry)) return;
  Buffer again;
  weir::AppendStoreKey(entry.step, entry.kind, entry.partition, entry.key, &again);
  FUZZ_CHECK(again.str() == bytes);
}

// ---- Pending rows and metadata ----

void Metadata(Str bytes) {
  weir::Arena arena;
  weir::Meta meta;
  RowReader in(bytes);
  if (!weir::ReadMeta(in, arena, &meta)) return;
  Buffer once, twice;
  RowWriter first(&once), second(&twice);
  weir::WriteMeta(meta, true, first);
  Exact exact(once.str().view());
  RowReader again(exact.str());
  FUZZ_CHECK(weir::ReadMeta(again, arena, &meta) && again.AtEnd());
  weir::WriteMeta(meta, true, second);
  FUZZ_CHECK(once.str() == twice.str());
}

// With its own version and schema in front, so that the bytes are what comes behind them.
void PendingRow(Str bytes, bool with_head) {
  constexpr uint64_t kSchema = 0x5eed;
  std::string stored;
  if (with_head) {
    stored += '\1';
    stored.append(reinterpret_cast<const char*>(&kSchema), sizeof kSchema);
  }
  stored += bytes.view();
  weir::BytePool pool;
  weir::Arena scratch;
  weir::PendingRow row, again;
  Status status = weir::LoadRow(pool, scratch, Exact(stored).str(), kSchema, &row);
  if (!status.ok()) {
    FUZZ_CHECK(status.code() == weir::StatusCode::kCorrupt && row.bytes == nullptr);
    return;
  }
  Buffer once, twice;
  RowWriter first(&once), second(&twice);
  weir::SaveRow(row, row.attempts, kSchema, first);
  FUZZ_CHECK(weir::LoadRow(pool, scratch, Exact(once.str().view()).str(), kSchema, &again).ok());
  weir::SaveRow(again, again.attempts, kSchema, second);
  FUZZ_CHECK(once.str() == twice.str());
  weir::FreeRowBytes(pool, &row);
  weir::FreeRowBytes(pool, &again);
}

// ---- Windows ----

// One accumulator of each kind, as the emitter lays them out.
struct Accumulators {
  weir::Count count;
  weir::SumInt64 sum_int;
  weir::SumDecimal sum_decimal;
  weir::SumFloat64 sum_float;
  weir::Extreme<int32_t> first_day;
  weir::Extreme<weir::i128> max_decimal;
  weir::Extreme<bool> last_flag;
  weir::ExtremeStr max_text;
  weir::AvgDecimal avg;
  weir::AvgFloat64 avg_float;
  weir::VwapDecimal vwap;
  weir::VwapFloat64 vwap_float;

  template <class Each>
  void ForEach(Each each) {
    each(count), each(sum_int), each(sum_decimal), each(sum_float), each(first_day), each(max_decimal);
    each(last_flag), each(max_text), each(avg), each(avg_float), each(vwap), each(vwap_float);
  }
};

int fired = 0;

weir::WindowSpec WindowOfAll() {
  weir::WindowSpec spec;
  spec.size_ns = 60'000'000'000;
  spec.value_size = sizeof(Accumulators);
  spec.save = [](const void* value, RowWriter& out) {
    auto* all = static_cast<Accumulators*>(const_cast<void*>(value));
    all->ForEach([&](auto& one) { one.Save(out); });
  };
  spec.load = [](RowReader& in, void* value, weir::Task&) {
    static_cast<Accumulators*>(value)->ForEach([&](auto& one) { one.Load(in); });
    return in.ok();
  };
  spec.drop = [](void* value) { static_cast<Accumulators*>(value)->max_text.Drop(); };
  spec.fire = [](weir::Task&, Str, int64_t, const void* value) {
    // Results of whatever sums a store holds: any answer will do, but there must be one.
    const auto* all = static_cast<const Accumulators*>(value);
    weir::i128 out;
    (void)all->avg.Result(4, 6, &out);
    (void)all->vwap.Result(4, 0, 6, &out);
    if (all->avg_float.has()) (void)all->avg_float.Result();
    ++fired;
  };
  return spec;
}

void Windows(Bytes bytes) {
  const weir::WindowSpec spec = WindowOfAll();
  weir::Task task;
  int64_t record_watermark = INT64_MIN, wake = INT64_MAX;
  weir::WindowInstance instance(spec, &task, 0, &record_watermark, &wake);
  int restored = 0;
  while (!bytes.empty()) {
    std::string key = bytes.Text(bytes.Pick(40));
    std::string value = bytes.Text(bytes.Byte());
    // After a failure the engine does not start.
    if (!instance.Restore(Exact(key).str(), Exact(value).str()).ok()) return;
    ++restored;
  }
  fired = 0;
  FUZZ_CHECK(instance.open() == static_cast<size_t>(restored));
  instance.Advance(INT64_MAX);
  FUZZ_CHECK(fired == restored && instance.open() == 0);
  Buffer delta;
  uint64_t hash = 7;
  weir::DeltaWriter writer(&delta, &hash);
  instance.AppendDelta(writer);
  FUZZ_CHECK(writer.entries() == static_cast<uint64_t>(restored));  // all of them leave the store
}

// ---- Changes ----

void Changes(Bytes bytes) {
  const uint64_t hashes[] = {1, 2, 0xffff'ffff'ffff'ffff};
  using Place = std::tuple<uint64_t, int, int32_t, std::string>;
  std::map<Place, std::string> wanted;
  Buffer delta;
  weir::DeltaWriter writer(&delta, hashes);
  while (!bytes.empty()) {
    bool remove = bytes.Pick(3) == 0;
    uint32_t step = bytes.Pick(3);
    int kind = 1 + static_cast<int>(bytes.Pick(6));
    int32_t partition = static_cast<int32_t>(bytes.Pick(5)) - 1;
    std::string key = bytes.Text(bytes.Pick(9)), value = bytes.Text(bytes.Pick(17));
    if (remove) {
      writer.Delete(step, static_cast<weir::StateKind>(kind), partition, Str(std::string_view(key)));
      wanted.erase({hashes[step], kind, partition, key});
    } else {
      writer.Put(step, static_cast<weir::StateKind>(kind), partition, Str(std::string_view(key)),
                 Str(std::string_view(value)));
      wanted[{hashes[step], kind, partition, key}] = value;
    }
  }
  weir::MemoryDisk disk;
  weir::MemoryStore store(&disk);
  FUZZ_CHECK(store.Open(weir::StoreIdentity()).ok());
  FUZZ_CHECK(store.Commit(1, {&delta}).ok());
  std::vector<std::pair<Place, std::string>> found;
  for (uint64_t hash : hashes) {
    for (int kind = 1; kind <= 6; ++kind) {
      Status status = store.Load(hash, static_cast<weir::StateKind>(kind), [&](const weir::DeltaEntry& e) {
        found.push_back({{e.step, static_cast<int>(e.kind), e.partition, std::string(e.key.view())},
                         std::string(e.value.view())});
        return Status();
      });
      FUZZ_CHECK(status.ok());
    }
  }
  // In the same order, too: by step, kind, partition and key bytes.
  FUZZ_CHECK(found == (std::vector<std::pair<Place, std::string>>(wanted.begin(), wanted.end())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view all(reinterpret_cast<const char*>(data), size);
  Exact exact(all);
  Identity(exact.str());
  Keys(exact.str());
  Metadata(exact.str());
  PendingRow(exact.str(), false);
  PendingRow(exact.str(), true);
  size_t script = size == 0 ? 0 : std::min<size_t>(data[0] % 32, size - 1);
  if (size != 0) {
    Exact rest(all.substr(1 + script));
    Rows(all.substr(1, script), rest.str());
  }
  Windows(Bytes(data, size));
  Changes(Bytes(data, size));
  return 0;
}
