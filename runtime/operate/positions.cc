#include "runtime/operate/positions.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <thread>

#include "runtime/core/hash.h"
#include "runtime/core/time.h"
#include "runtime/engine/identity.h"
#include "runtime/engine/topic_names.h"
#include "runtime/operate/state_reader.h"
#include "runtime/program/setting_text.h"
#include "runtime/state/changelog.h"
#include "runtime/state/lmdb_store.h"

namespace weir {
namespace {

// How much longer than its session a member that died may be seen.
constexpr int64_t kMemberGraceNs = 10 * kNsPerSecond;
constexpr int64_t kLookAgainNs = 500 * kNsPerMs;

bool ReadsTopic(const SourceSpec& source) { return source.operation == "topic" && source.exchange < 0; }

template <class T>
bool Number(std::string_view text, T* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::set<int> Connections(const Program& program) {
  std::set<int> connections;
  for (const SourceSpec& source : program.sources) {
    if (source.operation == "topic") connections.insert(source.connection);
  }
  return connections;
}

const SourceSpec& SourceOf(const Program& program, SourcePartition at) { return program.sources[static_cast<size_t>(at.first)]; }

uint64_t StepHash(const Program& program, uint32_t step) { return Hash(Str(std::string_view(program.steps[step].name))); }

// A copy that runs on this machine holds a lock in its state directory.
Status LookForLocalCopy(const std::string& directory) {
  for (const char* name : {"/instance", "/lock"}) {
    int fd = open((directory + name).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    bool held = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    if (held) return Status::Exists("a copy of the pipeline runs on the state directory " + directory + ": stop it first");
  }
  return Status();
}

}  // namespace

std::string PartitionText(const Program& program, SourcePartition at) {
  return SourceOf(program, at).name + "/" + std::to_string(at.second);
}

Status ParseRecordPlace(const Program& program, const std::string& text, SourcePartition* at, int64_t* offset) {
  std::vector<std::string> names;
  for (const SourceSpec& source : program.sources) {
    if (ReadsTopic(source)) names.push_back(source.name);
  }
  if (names.empty()) return Status::Invalid("no source of " + program.file + " reads a topic, so nothing has an offset");
  size_t at_sign = text.rfind('@'), slash = text.rfind('/', at_sign);
  std::string_view all = text;
  int32_t partition = 0;
  bool fine = at_sign != std::string::npos && slash != std::string::npos && Number(all.substr(at_sign + 1), offset) &&
              Number(all.substr(slash + 1, at_sign - slash - 1), &partition) && partition >= 0 && *offset >= 0;
  if (!fine) return Status::Invalid("`" + text + "` is no SOURCE/PARTITION@OFFSET, such as " + names[0] + "/0@17");
  std::string name = text.substr(0, slash);
  for (size_t s = 0; s < program.sources.size(); ++s) {
    if (!ReadsTopic(program.sources[s]) || program.sources[s].name != name) continue;
    *at = {static_cast<int>(s), partition};
    return Status();
  }
  std::string meant = DidYouMean(name, names);
  return Status::Invalid("no source of " + program.file + " is called `" + name + "`" +
                         (meant.empty() ? "; `" + names[0] + "` is one" : "; did you mean `" + meant + "`?"));
}

Status ParseStartTargets(const Program& program, const std::vector<std::string>& texts, StartTargets* targets) {
  *targets = StartTargets();
  bool said = false;
  for (const std::string& text : texts) {
    if (text.find('@') != std::string::npos) {
      SourcePartition at;
      int64_t offset = 0;
      if (Status status = ParseRecordPlace(program, text, &at, &offset); !status.ok()) return status;
      if (!targets->exact.emplace(at, offset).second) {
        return Status::Invalid("--to says twice where " + PartitionText(program, at) + " begins");
      }
      continue;
    }
    if (said) return Status::Invalid("--to says twice where everything begins: `" + text + "` is the second");
    said = true;
    targets->rest = text == "committed" ? StartTargets::kCommitted : StartTargets::kPolicy;
    if (targets->rest == StartTargets::kPolicy && !ParseStartPolicy(text, &targets->policy)) {
      return Status::Invalid("--to takes earliest, latest, committed, a time such as 2026-01-02T09:00:00Z, or " +
                             std::string("SOURCE/PARTITION@OFFSET, not `") + text + "`");
    }
  }
  if (!said && !targets->exact.empty()) targets->rest = StartTargets::kCommitted;
  return Status();
}

Status ResolveTargets(const Program& program, CommitMode mode, const StartTargets& targets,
                      const std::vector<Standing>& standings, const std::map<int, std::vector<int64_t>>& times,
                      std::vector<int64_t>* offsets) {
  offsets->clear();
  std::set<SourcePartition> known;
  for (const Standing& standing : standings) {
    known.insert(standing.at);
    int64_t offset = -1;
    auto exact = targets.exact.find(standing.at);
    if (exact != targets.exact.end()) {
      offset = exact->second;
      if (offset < standing.range.begin || offset > standing.range.end) {
        return Status::Invalid(PartitionText(program, standing.at) + " has no offset " + std::to_string(offset) + ": topic " +
                               SourceOf(program, standing.at).address + " has those from " +
                               std::to_string(standing.range.begin) + " to " + std::to_string(standing.range.end));
      }
    } else if (targets.rest == StartTargets::kCommitted) {
      offset = standing.offset(mode);
    } else if (targets.rest == StartTargets::kPolicy) {
      switch (targets.policy.kind) {
        case StartPolicy::kEarliest: offset = standing.range.begin; break;
        case StartPolicy::kLatest: offset = standing.range.end; break;
        case StartPolicy::kTime: {
          auto of = times.find(standing.at.first);
          size_t p = static_cast<size_t>(standing.at.second);
          offset = of != times.end() && p < of->second.size() ? of->second[p] : standing.range.end;
          break;
        }
      }
    }
    offsets->push_back(offset);
  }
  for (const auto& [at, offset] : targets.exact) {
    if (known.count(at) != 0) continue;
    return Status::Invalid("topic " + SourceOf(program, at).address + " has no partition " + std::to_string(at.second));
  }
  return Status();
}

Status DescribeMembers(Operator& op, std::vector<std::string>* members) {
  members->clear();
  for (int connection : Connections(op.program())) {
    kafka::OperatorClient* client = nullptr;
    std::vector<std::string> found;
    Status status = op.Client(connection, &client);
    if (status.ok()) status = client->Members(&found);
    if (!status.ok()) return status;
    for (const std::string& member : found) members->push_back("group `" + client->group() + "`: " + member);
  }
  return Status();
}

Status WaitForEmptyGroups(Operator& op) {
  if (Status status = LookForLocalCopy(op.options().state_dir); !status.ok()) return status;
  int64_t wait_ns = kMemberGraceNs;
  for (int connection : Connections(op.program())) {
    kafka::OperatorClient* client = nullptr;
    if (Status status = op.Client(connection, &client); !status.ok()) return status;
    wait_ns = std::max(wait_ns, client->session_timeout_ns() + kMemberGraceNs);
  }
  const int64_t end = op.options().clock->MonoNs() + wait_ns;
  std::vector<std::string> members;
  for (bool told = false;; told = true) {
    if (Status status = DescribeMembers(op, &members); !status.ok()) return status;
    if (members.empty()) return Status();
    if (!told) {
      std::fprintf(op.options().errors,
                   "waiting up to %lld s: %s. A copy that was stopped keeps its place until its session ends\n",
                   static_cast<long long>(wait_ns / kNsPerSecond), members[0].c_str());
    }
    if (op.options().clock->MonoNs() > end) {
      return Status::Exists("a copy of the pipeline runs, in " + members[0] + ": stop every copy first");
    }
    std::this_thread::sleep_for(std::chrono::nanoseconds(kLookAgainNs));
  }
}

Status LoadStandings(Operator& op, bool with_state, const SourcePartition* only, std::vector<Standing>* standings) {
  const Program& program = op.program();
  standings->clear();
  for (size_t s = 0; s < program.sources.size(); ++s) {
    const SourceSpec& source = program.sources[s];
    if (!ReadsTopic(source) || (only != nullptr && only->first != static_cast<int>(s))) continue;
    kafka::OperatorClient* client = nullptr;
    std::vector<kafka::OffsetRange> ranges;
    std::vector<kafka::GroupOffset> group;
    Status status = op.Client(source.connection, &client);
    if (status.ok()) status = client->Ranges(source.address, &ranges);
    if (status.ok()) status = client->Committed(source.address, &group);
    if (!status.ok()) return status.Within("source `" + source.name + "`");
    for (size_t p = 0; p < ranges.size() && p < group.size(); ++p) {
      Standing standing;
      standing.at = {static_cast<int>(s), static_cast<int32_t>(p)};
      standing.range = ranges[p];
      standing.group = group[p];
      if (only == nullptr || *only == standing.at) standings->push_back(standing);
    }
    if (only != nullptr && standings->empty()) {
      return Status::Invalid("topic " + source.address + " has no partition " + std::to_string(only->second));
    }
  }
  if (!with_state) return Status();
  for (Standing& standing : *standings) {
    const SourceSpec& source = SourceOf(program, standing.at);
    Status status = ReadState(op, source.stage, standing.at.second, StateRead::kAlone, [&](const DeltaEntry& entry) {
      if (entry.kind != StateKind::kSource || entry.step != StepHash(program, source.step)) return Status();
      standing.in_state = ReadStoredSource(entry.value, &standing.state);
      return standing.in_state ? Status() : Status::Corrupt("the position of `" + source.name + "` cannot be read");
    });
    if (!status.ok()) return status;
  }
  return Status();
}

Status CheckPositionsAgree(const Program& program, CommitMode mode, const Standing& standing) {
  if (mode != CommitMode::kTransactions || !standing.in_state || standing.group.offset < 0) return Status();
  if (standing.state.position.offset < 0 || standing.state.position.offset == standing.group.offset) return Status();
  return Status::Exists(PartitionText(program, standing.at) + ": the group's offset is " +
                        std::to_string(standing.group.offset) + " and the state belongs to " +
                        std::to_string(standing.state.position.offset) + ": somebody set the group's offsets while the " +
                        "state stayed. Set them back, or `reset`, which loses the state");
}

namespace {

kafka::OperatorClient::Move MoveOf(const Program& program, const PositionMove& move) {
  kafka::OperatorClient::Move out;
  out.topic = SourceOf(program, move.from.at).address;
  out.partition = move.from.at.second;
  out.to = move.from.group;
  out.to.offset = move.to;
  return out;
}

// The positions as the local store's delta.
void WritePositions(const Program& program, const std::vector<PositionMove>& moves, Buffer* bytes) {
  std::vector<uint64_t> hashes;
  for (size_t s = 0; s < program.steps.size(); ++s) hashes.push_back(StepHash(program, static_cast<uint32_t>(s)));
  DeltaWriter delta(bytes, hashes.data());
  for (const PositionMove& move : moves) {
    StoredSource stored = move.from.state;
    stored.position.offset = move.to;
    const SourceSpec& source = SourceOf(program, move.from.at);
    if (source.operation == "topic") stored.position.identity.clear();  // of whatever topic has the name now
    const uint32_t step = source.step;
    WriteStoredSource(stored, delta.BeginPut(step, StateKind::kSource, move.from.at.second, Str()));
    delta.EndPut();
  }
}

Status MoveInStore(Operator& op, const std::vector<PositionMove>& moves) {
  Buffer bytes;
  WritePositions(op.program(), moves, &bytes);
  LmdbStore store(op.options().state_dir);
  Status status = store.Open(IdentityOf(op.program()));
  if (status.ok()) status = store.Commit(store.epoch() + 1, {&bytes});
  store.Close();
  return status;
}

// Of one cluster.
Status MoveInTransaction(Operator& op, kafka::OperatorClient& client, const std::vector<PositionMove>& moves) {
  const Program& program = op.program();
  std::vector<std::string> topics;
  std::vector<kafka::OperatorClient::Move> offsets;
  for (const PositionMove& move : moves) {
    offsets.push_back(MoveOf(program, move));
    if (move.from.in_state) topics.push_back(ChangelogTopic(program, SourceOf(program, move.from.at).stage));
  }
  if (topics.empty()) return client.Commit(offsets);
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  if (Status status = client.Fence("operator", topics); !status.ok()) return status;
  auto write = [&]() -> Status {
    for (const PositionMove& move : moves) {
      if (!move.from.in_state) continue;
      const SourceSpec& source = SourceOf(program, move.from.at);
      StoredSource stored = move.from.state;
      stored.position.offset = move.to;
      stored.position.identity.clear();  // of whatever topic has the name now
      Buffer key, value, sealed;
      AppendStoreKey(StepHash(program, source.step), StateKind::kSource, move.from.at.second, Str(), &key);
      RowWriter row(&value);
      WriteStoredSource(stored, row);
      SealChange(key.str(), value.str(), &sealed);
      OutputBuffer out;
      OutputRecord record;
      record.has_key = true;
      record.key_size = static_cast<uint32_t>(key.size());
      out.bytes.Append(key.str());
      record.value_begin = record.key_size;
      record.value_size = static_cast<uint32_t>(sealed.size());
      out.bytes.Append(sealed.str());
      size_t topic = static_cast<size_t>(
          std::find(topics.begin(), topics.end(), ChangelogTopic(program, source.stage)) - topics.begin());
      if (Status status = client.Send(topic, move.from.at.second, out, record); !status.ok()) return status;
    }
    if (Status status = client.SendOffsets(offsets); !status.ok()) return status;
    // A copy that joins from now on waits for these offsets. One that joined before may have read the old ones, and then it
    // is in the group.
    std::vector<std::string> members;
    if (Status status = client.Members(&members); !status.ok()) return status;
    if (!members.empty()) return Status::Exists("a copy was started meanwhile, " + members[0] + ": stop it first");
    return client.EndTransaction();
  };
  if (Status status = client.Begin(); !status.ok()) return status;
  Status status = write();
  return status.ok() ? status : client.GiveUp(status);
}

// What the group and, with transactions, the changelogs say of them.
Status MoveInKafka(Operator& op, const std::vector<PositionMove>& moves) {
  const Program& program = op.program();
  const CommitMode mode = CommitModeOf(program);
  std::map<int, std::vector<PositionMove>> by_connection;
  for (const PositionMove& move : moves) by_connection[SourceOf(program, move.from.at).connection].push_back(move);
  for (const auto& [connection, of] : by_connection) {
    kafka::OperatorClient* client = nullptr;
    if (Status status = op.Client(connection, &client); !status.ok()) return status;
    if (mode == CommitMode::kTransactions) {
      if (Status status = MoveInTransaction(op, *client, of); !status.ok()) return status;
      continue;
    }
    std::vector<kafka::OperatorClient::Move> offsets;
    for (const PositionMove& move : of) offsets.push_back(MoveOf(program, move));
    if (Status status = client->Commit(offsets); !status.ok()) return status;
  }
  return Status();
}

}  // namespace

Status MovePositions(Operator& op, const std::vector<PositionMove>& moves) {
  if (CommitModeOf(op.program()) == CommitMode::kStore) {
    if (Status status = MoveInStore(op, moves); !status.ok()) return status;
  }
  return MoveInKafka(op, moves);
}

Status BeginInStore(Operator& op, const std::vector<PositionMove>& moves) {
  Buffer bytes;
  WritePositions(op.program(), moves, &bytes);
  Status status = LmdbStore::Replace(op.options().state_dir, IdentityOf(op.program()), {&bytes});
  return status.ok() ? MoveInKafka(op, moves) : status;
}

}  // namespace weir
