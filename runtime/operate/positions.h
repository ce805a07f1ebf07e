// Where a pipeline's sources stand between two runs, and how an operator says where they are to stand. Positions are kept
// in up to two places that must agree: the group's offsets, and what the state remembers of them (the changelog of the task
// in pipelines with transactions, the local store in others that keep state there).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/commit_mode.h"
#include "runtime/engine/input.h"
#include "runtime/engine/start_policy.h"
#include "runtime/operate/operator.h"

namespace weir {

using SourcePartition = std::pair<int, int32_t>;  // index into Program::sources, partition

// "trades/0@17": a record of a source that reads a topic. kInvalid with what is meant.
Status ParseRecordPlace(const Program& program, const std::string& text, SourcePartition* at, int64_t* offset);
// "trades/0"
std::string PartitionText(const Program& program, SourcePartition at);

// What `--to` says, given any number of times.
struct StartTargets {
  enum Rest : uint8_t { kDeclared, kCommitted, kPolicy } rest = kDeclared;  // for partitions that are not named
  StartPolicy policy;                                                     // kPolicy
  std::map<SourcePartition, int64_t> exact;
};
// `earliest`, `latest`, a time, `committed`, or SOURCE/PARTITION@OFFSET. With the last alone, the other partitions stay
// where they are.
Status ParseStartTargets(const Program& program, const std::vector<std::string>& texts, StartTargets* targets);

// One partition of a source that reads a topic.
struct Standing {
  SourcePartition at;
  kafka::OffsetRange range;     // what its topic has
  kafka::GroupOffset group;
  bool in_state = false;        // the state remembers a position
  StoredSource state;
  // Where it goes on; -1: nowhere yet. As a start does it: where the group has no offset, since it expired or went with its
  // topic, the state's counts.
  int64_t offset(CommitMode mode) const {
    return mode == CommitMode::kStore || group.offset < 0 ? (in_state ? state.position.offset : -1) : group.offset;
  }
};

// The new offset of each partition, in their order; -1: its source's `start:` decides. kInvalid: an offset that the topic
// does not have. `times`: by source, what kPolicy with a time came to.
Status ResolveTargets(const Program& program, CommitMode mode, const StartTargets& targets,
                      const std::vector<Standing>& standings, const std::map<int, std::vector<int64_t>>& times,
                      std::vector<int64_t>* offsets);

// The group of every Kafka connection that a source reads from is without members when this returns OK; waits as long as a
// copy that was stopped keeps its place. kExists: a copy runs.
Status WaitForEmptyGroups(Operator& op);
// As it is now, for a dry run: who is in the groups.
Status DescribeMembers(Operator& op, std::vector<std::string>* members);

// All partitions of the sources that read topics, re-keyed ones left out, or `only` one. `with_state`: what the state
// remembers too.
Status LoadStandings(Operator& op, bool with_state, const SourcePartition* only, std::vector<Standing>* standings);

// kExists: the group's offset and what the state remembers differ, so nothing can be moved from there.
Status CheckPositionsAgree(const Program& program, CommitMode mode, const Standing& standing);

// Moves some of them while the state stays: its memory of the position and the group's offset as one, so that a command
// that dies has moved all or nothing. Only without members in the group, which is looked at again before the end.
struct PositionMove {
  Standing from;
  int64_t to = 0;
};
Status MovePositions(Operator& op, const std::vector<PositionMove>& moves);

// Where the state directory is the truth: forgets all of it but that these partitions begin there, again all or nothing, and
// tells the group.
Status BeginInStore(Operator& op, const std::vector<PositionMove>& moves);

}  // namespace weir
