#include "runtime/operate/state_reader.h"

#include <unistd.h>

#include <map>
#include <set>
#include <string>

#include "runtime/core/hash.h"
#include "runtime/engine/commit_mode.h"
#include "runtime/engine/identity.h"
#include "runtime/engine/topic_names.h"
#include "runtime/state/changelog.h"
#include "runtime/state/lmdb_store.h"
#include "runtime/state/store.h"

namespace weir {
namespace {

using Visitor = std::function<Status(const DeltaEntry& entry)>;

// That the program which wrote each task's changelog keeps what this one keeps. kCorrupt: another version did.
Status CheckWriters(const Program& program, const std::string& topic, const std::function<Status(const Visitor&)>& each) {
  std::map<int32_t, std::string> writers;
  std::set<std::pair<int32_t, uint64_t>> stored;  // partition and step
  Status status = each([&](const DeltaEntry& entry) {
    if (entry.kind == StateKind::kIdentity) {
      writers[entry.partition] = std::string(entry.value.view());
    } else {
      stored.emplace(entry.partition, entry.step);
    }
    return Status();
  });
  const StoreIdentity own = IdentityOf(program);
  for (const auto& [partition, bytes] : writers) {
    if (!status.ok()) return status;
    const std::string where = "topic " + topic + ", partition " + std::to_string(partition);
    StoreIdentity writer;
    if (!ReadIdentity(Str(std::string_view(bytes)), &writer)) return Status::Corrupt(where + " does not say whose it is");
    status = CheckIdentity(where, "use `reset`", writer, own, [&, p = partition](uint64_t step) { return stored.contains({p, step}); });
    if (status.code() == StatusCode::kInvalid) status = Status::Corrupt(status.message());
  }
  return status;
}

Status ReadChangelog(Operator& op, int stage, int32_t only, StateRead how, const Visitor& visitor) {
  const Program& program = op.program();
  const std::string topic = ChangelogTopic(program, stage);
  kafka::OperatorClient* client = nullptr;
  if (Status status = op.Client(program.sources.front().connection, &client); !status.ok()) return status;
  std::vector<kafka::OffsetRange> ranges;
  Status status = client->Ranges(topic, &ranges);
  if (status.code() == StatusCode::kNotFound) return Status();  // it never ran, or needs none
  if (!status.ok()) return status;
  std::map<std::string, std::string> entries;
  for (size_t p = 0; p < ranges.size(); ++p) {
    int32_t partition = static_cast<int32_t>(p);
    if (only >= 0 && partition != only) continue;
    if (how == StateRead::kAlone) {
      if (status = client->SettledEnd(topic, partition, &ranges[p].end); !status.ok()) return status;
    }
    const std::string where = "topic " + topic + ", partition " + std::to_string(partition);
    status = client->Read(topic, partition, ranges[p], [&](const Message& message, bool*) -> Status {
      std::string key(message.key.view());
      Str value;
      bool removed;
      if (!ReadChange(message.key, message.has_value ? &message.value : nullptr, &value, &removed)) {
        return Status::Corrupt(where + ", offset " + std::to_string(message.offset) + ": the change is damaged, or not Weir's");
      }
      if (removed) {
        entries.erase(key);
      } else {
        entries[std::move(key)] = std::string(value.view());
      }
      return Status();
    });
    if (!status.ok()) return status;
  }
  auto each = [&](const Visitor& visit) {
    for (const auto& [key, value] : entries) {
      DeltaEntry entry;
      Str bytes{std::string_view(key)};
      if (!ReadStoreKey(bytes, &entry)) return Status::Corrupt("topic " + topic + " holds a key that Weir did not write");
      entry.key = bytes.Sub(kStoreKeyHead);
      entry.value = Str(std::string_view(value));
      if (Status visited = visit(entry); !visited.ok()) return visited;
    }
    return Status();
  };
  if (how == StateRead::kBeside) {
    if (status = CheckWriters(program, topic, each); !status.ok()) return status;
  }
  return each(visitor);
}

Status ReadStore(Operator& op, int stage, int32_t only, const Visitor& visitor) {
  const Program& program = op.program();
  const std::string& directory = op.options().state_dir;
  if (access((directory + "/data.mdb").c_str(), F_OK) != 0) return Status();  // it never ran here
  LmdbStore store(directory);
  Status status = store.Open(IdentityOf(program));
  if (status.code() == StatusCode::kInvalid) status = Status::Corrupt(status.message());  // of another program
  std::set<std::pair<uint32_t, StateKind>> kinds;
  for (const SourceSpec& source : program.sources) {
    if (source.stage == stage) kinds.insert({source.step, StateKind::kSource});
  }
  for (const WindowSpec& window : program.windows) {
    if (window.stage == stage) kinds.insert({window.step, StateKind::kWindow});
  }
  for (const LookupStepSpec& step : program.lookup_steps) {
    if (step.stage == stage) kinds.insert({step.step, StateKind::kRow});
  }
  for (const auto& [step, kind] : kinds) {
    if (!status.ok()) break;
    status = store.Load(Hash(Str(std::string_view(program.steps[step].name))), kind, [&](const DeltaEntry& entry) {
      return only < 0 || entry.partition == only ? visitor(entry) : Status();
    });
  }
  store.Close();
  return status;
}

}  // namespace

Status ReadState(Operator& op, int stage, int32_t partition, StateRead how, const Visitor& visitor) {
  switch (CommitModeOf(op.program())) {
    case CommitMode::kTransactions: return ReadChangelog(op, stage, partition, how, visitor);
    case CommitMode::kStore: return ReadStore(op, stage, partition, visitor);
    case CommitMode::kOffsets: return Status();
  }
  return Status();
}

}  // namespace weir
