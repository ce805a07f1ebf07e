#include "runtime/operate/reset.h"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/engine/former_topics.h"
#include "runtime/engine/topic_names.h"
#include "runtime/operate/letter.h"
#include "runtime/operate/positions.h"
#include "runtime/state/lmdb_store.h"

namespace weir {
namespace {

constexpr size_t kShownBytes = 4096;

std::string OffsetText(int64_t offset) { return offset < 0 ? "nowhere yet" : std::to_string(offset); }

class Resetting {
 public:
  Resetting(Operator& op, const ResetOptions& options)
      : op_(op), program_(op.program()), options_(options), mode_(CommitModeOf(program_)) {}

  ExitCode Run() {
    if (Status status = ParseStartTargets(program_, options_.to, &targets_); !status.ok()) return op_.Failed(status);
    if (options_.keep_state && options_.to.empty()) {
      return op_.Failed(ExitCode::kUsage, "--keep-state moves positions, and needs --to with where to");
    }
    std::vector<std::string> members;
    Status status = op_.options().dry_run ? DescribeMembers(op_, &members) : WaitForEmptyGroups(op_);
    if (status.ok()) status = LoadStandings(op_, options_.keep_state || mode_ == CommitMode::kStore, nullptr, &standings_);
    if (status.ok()) status = Resolve();
    if (status.ok() && !options_.keep_state) status = FindTopics();
    if (status.ok() && !options_.keep_state) status = FindFormer();
    if (!status.ok()) return op_.Failed(status);
    for (const std::string& member : members) op_.Print("%s: a reset waits until it has gone\n", member.c_str());
    if (options_.keep_state) return Move();
    return Forget();
  }

 private:
  kafka::OperatorClient* ClientOf(int connection) {
    kafka::OperatorClient* client = nullptr;
    (void)op_.Client(connection, &client);  // it was made before
    return client;
  }

  Status Resolve() {
    std::map<int, std::vector<int64_t>> times;
    if (targets_.rest == StartTargets::kPolicy && targets_.policy.kind == StartPolicy::kTime) {
      for (const Standing& standing : standings_) {
        if (times.count(standing.at.first) != 0) continue;
        const SourceSpec& source = program_.sources[static_cast<size_t>(standing.at.first)];
        Status status = ClientOf(source.connection)->Times(source.address, targets_.policy.time_ns, &times[standing.at.first]);
        if (!status.ok()) return status;
      }
    }
    return ResolveTargets(program_, mode_, targets_, standings_, times, &offsets_);
  }

  // The pipeline's own topics that are there.
  Status FindTopics() {
    if (mode_ != CommitMode::kTransactions) return Status();
    std::vector<std::string> names;
    for (size_t s = 0; s < program_.stages.size(); ++s) names.push_back(ChangelogTopic(program_, static_cast<int>(s)));
    for (size_t e = 0; e < program_.exchanges.size(); ++e) names.push_back(RekeyTopic(program_, static_cast<int>(e)));
    const int connection = program_.sources.front().connection;
    for (const std::string& name : names) {
      bool rekeyed = std::any_of(program_.sources.begin(), program_.sources.end(), [&](const SourceSpec& source) {
        return source.exchange >= 0 && source.address == name;
      });
      if (Status status = AddTopic(connection, name, "", rekeyed); !status.ok()) return status;
    }
    return Status();
  }

  // And those of earlier versions, which this one does not have.
  Status FindFormer() {
    if (mode_ == CommitMode::kStore) return Status();
    std::set<int> connections;
    for (const SourceSpec& source : program_.sources) connections.insert(source.connection);
    for (int connection : connections) {
      std::vector<FormerTopic> found;
      Status status = FindFormerTopics(program_, *ClientOf(connection)->Topics(), &found);
      for (const FormerTopic& former : found) {
        if (!former.own) left_.push_back(former.warning);
        if (!former.own || !status.ok()) continue;
        const std::string what = ", " + former.purpose + (former.waits.empty() ? "" : ": " + former.waits);
        status = AddTopic(connection, former.topic, what, former.rekey);
      }
      if (!status.ok()) return status;
    }
    return Status();
  }

  Status AddTopic(int connection, const std::string& name, const std::string& what, bool rekeyed) {
    kafka::OperatorClient* client = nullptr;
    int32_t partitions = 0;
    Status status = op_.Client(connection, &client);
    if (status.ok()) status = client->Partitions(name, &partitions);
    if (status.code() == StatusCode::kNotFound) return Status();
    // Also where it may not be seen: one of an earlier version, which this one does not need, would be believed at the
    // next start.
    if (!status.ok()) return status;
    OwnTopics& own = own_[connection];
    own.names.push_back(name);
    own.texts.push_back(name + what);
    for (int32_t p = 0; rekeyed && p < partitions; ++p) own.rekeyed.push_back({name, p, {}});
    return Status();
  }

  void PrintPositions() {
    for (size_t i = 0; i < standings_.size(); ++i) {
      const Standing& standing = standings_[i];
      const SourceSpec& source = program_.sources[static_cast<size_t>(standing.at.first)];
      std::string to = offsets_[i] >= 0 ? std::to_string(offsets_[i]) : "where `start:` of the source says";
      op_.Print("begins  %s at %s (it stands at %s; topic %s has %lld to %lld)\n",
                PartitionText(program_, standing.at).c_str(), to.c_str(), OffsetText(standing.offset(mode_)).c_str(),
                source.address.c_str(), static_cast<long long>(standing.range.begin), static_cast<long long>(standing.range.end));
    }
  }

  // ---- With the state ----

  ExitCode Move() {
    std::vector<PositionMove> moves;
    for (size_t i = 0; i < standings_.size(); ++i) {
      const Standing& standing = standings_[i];
      int64_t now = standing.offset(mode_);
      // One that is named may stand there and be doubted: what it knows of the topic before it is forgotten.
      if (offsets_[i] < 0 || (offsets_[i] == now && targets_.exact.count(standing.at) == 0)) continue;
      if (now < 0) {
        return op_.Failed(ExitCode::kRefused, PartitionText(program_, standing.at) + " was never read, so there is no state to " +
                                                  "keep; give its beginning with `run --start`");
      }
      if (Status status = CheckPositionsAgree(program_, mode_, standing); !status.ok()) return op_.Failed(status);
      moves.push_back({standing, offsets_[i]});
      op_.Print("moves   %s from %lld to %lld: %s\n", PartitionText(program_, standing.at).c_str(), static_cast<long long>(now),
                static_cast<long long>(offsets_[i]),
                offsets_[i] < now   ? "what lies between is read, counted and written a second time"
                : offsets_[i] > now ? "what lies between is never read"
                                    : "whatever its topic holds there is read next");
    }
    if (moves.empty()) {
      op_.Print("every partition stands there already\n");
      return ExitCode::kOk;
    }
    op_.Print("keeps   the state as it is: windows, pending requests, watermarks\n");
    ExitCode code;
    if (!op_.Confirmed("Move them?", &code)) return code;
    if (Status status = MovePositions(op_, moves); !status.ok()) return op_.Failed(status);
    op_.Print("moved: %s\n", Counted(moves.size(), "partition").c_str());
    return ExitCode::kOk;
  }

  // ---- Without ----

  ExitCode Forget() {
    const std::string& directory = op_.options().state_dir;
    for (const auto& [connection, own] : own_) {
      for (const std::string& text : own.texts) op_.Print("deletes topic %s\n", text.c_str());
    }
    for (const std::string& text : left_) op_.Print("leaves  %s\n", text.c_str());
    if (mode_ == CommitMode::kStore) op_.Print("empties %s: windows, pending requests, positions\n", directory.c_str());
    PrintPositions();
    for (const SourceSpec& source : program_.sources) {
      if (source.operation != "topic") op_.Print("begins  %s at its beginning\n", source.name.c_str());
    }
    for (const SinkSpec& sink : program_.sinks) {
      if (mode_ == CommitMode::kStore && sink.operation != "topic" && sink.operation != "stdout") {
        op_.Print("keeps   %s: what it has stays, and new output goes behind it\n", sink.address.c_str());
      }
    }
    ExitCode code;
    if (!op_.Confirmed("Forget the state, and begin there?", &code)) return code;
    if (Status status = DoForget(); !status.ok()) {
      return op_.Failed(Status(status.code(), status.message() + "; the reset is not complete: do it again"));
    }
    op_.Print("done: the next start begins without state\n");
    return ExitCode::kOk;
  }

  Status DoForget() {
    for (const auto& [connection, own] : own_) {
      kafka::OperatorClient* client = ClientOf(connection);
      // Offsets come last: below them a start misses what is gone, be it one topic of them or all.
      if (Status status = client->DeleteTopics(own.names); !status.ok()) return status;
      if (Status status = client->Forget(own.rekeyed); !status.ok()) return status;
    }
    std::vector<PositionMove> in_store;
    std::map<int, std::vector<kafka::OperatorClient::Move>> set, forget;  // by connection
    for (size_t i = 0; i < standings_.size(); ++i) {
      const Standing& standing = standings_[i];
      const SourceSpec& source = program_.sources[static_cast<size_t>(standing.at.first)];
      kafka::OperatorClient::Move move{source.address, standing.at.second, {}};
      if (offsets_[i] < 0) {
        if (standing.group.offset >= 0) forget[source.connection].push_back(move);
        continue;
      }
      move.to.offset = offsets_[i];
      move.to.start = mode_ == CommitMode::kTransactions;
      set[source.connection].push_back(move);
      Standing fresh = standing;
      fresh.state = StoredSource();
      fresh.group = {};
      in_store.push_back({fresh, offsets_[i]});
    }
    if (mode_ == CommitMode::kStore) {
      if (!in_store.empty()) return Join(BeginInStore(op_, in_store), forget);
      if (Status status = LmdbStore::Empty(op_.options().state_dir); !status.ok()) return status;
    }
    for (const auto& [connection, moves] : set) {
      if (Status status = ClientOf(connection)->Commit(moves); !status.ok()) return status;
    }
    return Join(Status(), forget);
  }
  Status Join(Status status, const std::map<int, std::vector<kafka::OperatorClient::Move>>& forget) {
    for (const auto& [connection, moves] : forget) {
      if (status.ok()) status = ClientOf(connection)->Forget(moves);
    }
    return status;
  }

  Operator& op_;
  const Program& program_;
  const ResetOptions& options_;
  const CommitMode mode_;
  StartTargets targets_;
  std::vector<Standing> standings_;
  std::vector<int64_t> offsets_;  // beside them
  struct OwnTopics {
    std::vector<std::string> names;
    std::vector<std::string> texts;  // beside them: what each is called in the list
    std::vector<kafka::OperatorClient::Move> rekeyed;
  };
  std::map<int, OwnTopics> own_;   // by connection
  std::vector<std::string> left_;  // what is said of topics that may be the pipeline's, and stay
};

Str View(const std::string& text) { return Str(std::string_view(text)); }

}  // namespace

ExitCode Reset(Operator& op, const ResetOptions& options) { return Resetting(op, options).Run(); }

ExitCode Skip(Operator& op, const std::string& record) {
  const Program& program = op.program();
  const CommitMode mode = CommitModeOf(program);
  SourcePartition at;
  int64_t offset = 0;
  if (Status status = ParseRecordPlace(program, record, &at, &offset); !status.ok()) return op.Failed(status);
  const std::string name = PartitionText(program, at);
  const SourceSpec& source = program.sources[static_cast<size_t>(at.first)];
  std::vector<std::string> members;
  std::vector<Standing> standings;
  Status status = op.options().dry_run ? DescribeMembers(op, &members) : WaitForEmptyGroups(op);
  if (status.ok()) status = LoadStandings(op, true, &at, &standings);
  if (!status.ok()) return op.Failed(status);
  const Standing& standing = standings[0];
  const int64_t stands = standing.offset(mode);
  if (stands < 0) {
    return op.Failed(ExitCode::kRefused, name + " was never read, so no record of it is next; `reset --to " + name + "@" +
                                             std::to_string(offset + 1) + "` lets it begin behind this one");
  }
  if (status = CheckPositionsAgree(program, mode, standing); !status.ok()) return op.Failed(status);
  // It may stand on something that no reader sees.
  kafka::OperatorClient* client = nullptr;
  status = op.Client(source.connection, &client);
  int64_t next = -1, behind = -1;
  Letter found;
  if (status.ok()) {
    kafka::OffsetRange range{std::max(stands, standing.range.begin), standing.range.end};
    status = client->Read(source.address, at.second, range, [&](const Message& message, bool* stop) {
      next = message.offset;
      behind = message.next_offset;
      found.has_key = message.has_key;
      found.key = std::string(message.key.view());
      found.has_value = message.has_value;
      found.value = std::string(message.value.view());
      found.time_ns = message.timestamp_ns;
      *stop = true;
      return Status();
    });
  }
  if (!status.ok()) return op.Failed(status);
  if (next != offset) {
    std::string where = next < 0 ? ", at its end: nothing is there to be skipped"
                                 : ", and the record that comes next has offset " + std::to_string(next);
    return op.Failed(ExitCode::kRefused, name + " stands at " + std::to_string(stands) + where +
                                             ". Only the next record can be skipped, one at a time");
  }
  for (const std::string& member : members) op.Print("%s: a skip waits until it has gone\n", member.c_str());
  op.Print("skips   %s@%lld, topic %s, %s\n", name.c_str(), static_cast<long long>(offset), source.address.c_str(),
           TimeText(found.time_ns).c_str());
  if (found.has_key) {
    op.Print("key, %zu bytes\n%s", found.key.size(), SafeBytes(View(found.key), kShownBytes, "  ").c_str());
  }
  if (found.has_value) {
    op.Print("value, %zu bytes\n%s", found.value.size(), SafeBytes(View(found.value), kShownBytes, "  ").c_str());
  } else {
    op.Print("no value\n");
  }
  ExitCode code;
  if (!op.Confirmed("Skip it? It will never be read by this pipeline", &code)) return code;
  if (status = MovePositions(op, {{standing, behind}}); !status.ok()) return op.Failed(status);
  op.Print("skipped: %s goes on at %lld\n", name.c_str(), static_cast<long long>(behind));
  return ExitCode::kOk;
}

}  // namespace weir
