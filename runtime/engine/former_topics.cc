#include "runtime/engine/former_topics.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "runtime/engine/commit_mode.h"
#include "runtime/engine/exchange.h"
#include "runtime/engine/input.h"
#include "runtime/engine/topic_names.h"
#include "runtime/state/changelog.h"
#include "runtime/state/store.h"

namespace weir {

namespace {

std::string Counted(uint64_t count, const char* what) { return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"); }

// False: it is none of Weir's, or damaged.
bool ReadRecord(Str key, const Str* sealed, DeltaEntry* entry, Str* value, bool* removed) {
  return ReadStoreKey(key, entry) && ReadChange(key, sealed, value, removed);
}

enum class Whose : uint8_t { kUnknown, kOwn, kForeign };

// Whose a changelog is: read record by record until one says it, which may be far behind what is older than the last version.
class Owner {
 public:
  explicit Owner(const Program& program) : program_(program) {}

  void Visit(Str key, const Str* sealed, bool* stop) {
    DeltaEntry entry;
    Str value;
    bool removed = false;
    const bool fine = ReadRecord(key, sealed, &entry, &value, &removed);
    StoreIdentity identity;
    if (fine && !removed && entry.kind == StateKind::kIdentity && ReadIdentity(value, &identity)) {
      whose = identity.pipeline == program_.name ? Whose::kOwn : Whose::kForeign;
    }
    // What is none of Weir's before anything that is, is somebody else's; behind it, it is damaged.
    if (!fine && !weirs_) whose = Whose::kForeign;
    weirs_ = weirs_ || (fine && sealed != nullptr);
    *stop = whose != Whose::kUnknown;
  }

  Whose whose = Whose::kUnknown;

 private:
  const Program& program_;
  bool weirs_ = false;
};

// What is in a changelog that is not known to be somebody else's.
class ChangelogContents {
 public:

  void Visit(int32_t partition, Str key, const Str* sealed) {
    if (partition != partition_) EndPartition();
    partition_ = partition;
    DeltaEntry entry;
    Str value;
    bool removed = false;
    bool fine = ReadRecord(key, sealed, &entry, &value, &removed);
    if (fine) fine = Take(entry, key, removed ? nullptr : &value);
    damaged = damaged || !fine;
  }
  void EndPartition() {
    for (const std::string& key : live_) {
      DeltaEntry entry;
      if (ReadStoreKey(Str(std::string_view(key)), &entry)) ++counts_[{entry.step, entry.kind}];
    }
    live_.clear();
  }
  // "3 pending requests of `enriched.a`, 1 open window of `bars.window`"; empty: nothing.
  std::string Waits() const {
    std::string text;
    for (const auto& [what, count] : counts_) {
      auto name = names_.find(what.first);
      text += fmt::format("{}{} of `{}`", text.empty() ? "" : ", ",
                          Counted(count, what.second == StateKind::kRow ? "pending request" : "open window"),
                          name == names_.end() ? "a step without a name" : name->second);
    }
    return text;
  }

  Whose whose = Whose::kUnknown;
  bool damaged = false;
  int version = 0;                       // of the pipeline, that wrote last
  std::map<int32_t, int64_t> positions;  // of what its tasks read, by partition

 private:
  bool Take(const DeltaEntry& entry, Str key, const Str* value) {
    switch (entry.kind) {
      case StateKind::kIdentity: return value == nullptr || TakeIdentity(*value);
      case StateKind::kSource: {
        StoredSource stored;
        if (value != nullptr && !ReadStoredSource(*value, &stored)) return false;
        positions[entry.partition] = stored.position.offset;
        return true;
      }
      case StateKind::kRow:
      case StateKind::kWindow:
        if (value == nullptr) {
          live_.erase(std::string(key.view()));
        } else {
          live_.emplace(key.view());
        }
        return true;
      default: return true;
    }
  }
  bool TakeIdentity(Str value) {
    StoreIdentity identity;
    if (!ReadIdentity(value, &identity)) return false;
    version = std::max(version, identity.version);
    for (const StepIdentity& step : identity.steps) names_[step.hash] = step.name;
    return true;
  }

  int32_t partition_ = -1;
  std::set<std::string> live_;  // keys of what waits in the partition at hand
  std::map<std::pair<uint64_t, StateKind>, uint64_t> counts_;
  std::map<uint64_t, std::string> names_;  // of steps
};

// Of a topic of re-keyed rows, from where its readers stand.
struct RekeyContents {
  bool damaged = false;
  uint64_t rows = 0;

  void Visit(const Str* value, bool* stop) {
    Str item;
    damaged = value == nullptr || !OpenChange(Str(), *value, &item) || item.size == 0;
    *stop = damaged;
    if (!damaged && item[0] == ExchangeBatch::kRow) ++rows;
  }
};

class Search {
 public:
  Search(const Program& program, TopicAccess& access, std::vector<FormerTopic>* out)
      : program_(program), access_(access), out_(out) {}

  Status Run() {
    std::vector<std::string> names;
    if (Status status = access_.Names(&names); !status.ok()) return status;
    names_.insert(names.begin(), names.end());
    std::set<std::string> known;
    for (size_t s = 0; s < program_.stages.size(); ++s) known.insert(ChangelogTopic(program_, static_cast<int>(s)));
    for (size_t e = 0; e < program_.exchanges.size(); ++e) known.insert(RekeyTopic(program_, static_cast<int>(e)));
    // Changelogs come first: what they say of the other topics is wanted then.
    for (bool rekey : {false, true}) {
      for (const std::string& topic : names_) {
        OwnTopicName name;
        if (known.contains(topic) || !ReadOwnTopicName(program_, topic, &name) || name.rekey != rekey) continue;
        if (Status status = rekey ? LookAtRekey(topic, name) : LookAtChangelog(topic, name); !status.ok()) return status;
      }
    }
    return Status();
  }

 private:
  Status LookAtChangelog(const std::string& topic, const OwnTopicName& name) {
    ChangelogContents& contents = changelogs_[topic];
    Owner owner(program_);
    Status status = access_.Read(topic, {}, [&](int32_t, Str key, const Str* sealed, bool* stop) { owner.Visit(key, sealed, stop); });
    contents.whose = owner.whose;
    if (contents.whose == Whose::kForeign) return Status();
    if (status.ok()) {
      status = access_.Read(topic, {}, [&](int32_t partition, Str key, const Str* sealed, bool*) {
        contents.Visit(partition, key, sealed);
      });
    }
    contents.EndPartition();
    const std::string waits = contents.Waits();
    if (contents.whose == Whose::kUnknown && waits.empty() && !contents.damaged && status.ok()) return Status();  // nothing is in it
    return Found(topic, name, contents.whose, contents.version, contents.damaged, waits, status);
  }

  Status LookAtRekey(const std::string& topic, const OwnTopicName& name) {
    auto changelog = changelogs_.find(TopicOf(program_, {name.of, false}));
    const ChangelogContents nothing;
    const ChangelogContents& behind = changelog == changelogs_.end() ? nothing : changelog->second;
    if (behind.whose == Whose::kForeign) return Status();
    RekeyContents contents;
    Status status = access_.Read(topic, behind.positions, [&](int32_t, Str, const Str* value, bool* stop) {
      contents.Visit(value, stop);
    });
    if (behind.whose == Whose::kUnknown && status.ok() && (contents.damaged || contents.rows == 0)) return Status();
    const std::string waits = contents.rows == 0 ? "" : Counted(contents.rows, "row") + " that nobody has read";
    return Found(topic, name, behind.whose, behind.version, contents.damaged, waits, status);
  }

  Status Found(const std::string& topic, const OwnTopicName& name, Whose whose, int version, bool damaged,
               const std::string& waits, const Status& read) {
    if (read.code() == StatusCode::kNotFound) return Status();  // it was deleted meanwhile
    // It will be looked at again: what cannot be read now may hold what must not be lost.
    if (whose == Whose::kOwn && !read.ok()) {
      return read.Within(fmt::format("looking what waits in topic `{}`, of `{}`, which an earlier version had and this one does not have",
                                     topic, name.of));
    }
    FormerTopic found;
    found.topic = topic;
    found.own = whose == Whose::kOwn;
    found.rekey = name.rekey;
    found.waits = waits;
    found.purpose = fmt::format("which {} `{}` in an earlier version", name.rekey ? "carried the rows of" : "held the state of", name.of);
    const std::string what = fmt::format("topic `{}`, {},", topic, found.purpose);
    // Re-keyed rows and the state of those that read them go together: the one does not say whose it is without the other.
    const std::string pair = TopicOf(program_, {name.of, !name.rekey});
    const bool both = names_.contains(pair);
    const std::string remove = std::string("once no copy of that version runs, delete ") + (both ? "both topics" : "the topic") + " with\n  " +
                               access_.DeleteCommand(topic) + (both ? "\n  " + access_.DeleteCommand(pair) : "");
    if (!found.own) {
      const std::string holds = !read.ok()     ? "cannot be read: " + read.message() + ". Start again when it can"
                                : waits.empty() ? "is damaged, or of a newer Weir, and does not say whose it is"
                                                : "holds " + waits + " and does not say whose they are";
      found.warning = fmt::format("topic `{}` {}. If an earlier version of this pipeline made it, with {} `{}` that this one does not "
                                  "have, what waits in it is lost: see to it with that version, or, {}",
                                  topic, holds, name.rekey ? "a re-keying" : "a stage", name.of, remove);
    } else if (waits.empty() && !damaged) {
      found.warning = fmt::format("{} is not read by this one, and nothing waits in it: {}{}", what, remove,
                                  name.rekey ? "" : "\nA version that has the stage again goes on with it; without it that one has to begin with `reset`");
    } else {
      const std::string holds = damaged ? "is damaged, so that nobody can say what waits in it" : "holds " + waits;
      const std::string until = name.rekey ? "has read them (with --stop-at-end it ends then)" : "has none of them in its `state list`";
      found.problem = fmt::format("{} {}. This version has no such {} and would lose them: put it back, or run the version that wrote "
                                  "them (version {}) until it {}. To give them up, {}\nor, to begin without any state, stop every "
                                  "copy and run this binary with `reset`",
                                  what, holds, name.rekey ? "re-keying" : "stage", version, until, remove);
    }
    out_->push_back(std::move(found));
    return Status();
  }

  const Program& program_;
  TopicAccess& access_;
  std::vector<FormerTopic>* out_;
  std::set<std::string> names_;  // of all topics
  std::map<std::string, ChangelogContents> changelogs_;  // by topic
};

}  // namespace

Status FindFormerTopics(const Program& program, TopicAccess& access, std::vector<FormerTopic>* out) {
  return Search(program, access, out).Run();
}

Status FindFormerTopics(const Program& program, Connectors& connectors, const ConnectorContext& context, int64_t wait_ns_max,
                        std::vector<FormerTopic>* out) {
  if (CommitModeOf(program) == CommitMode::kStore) return Status();
  std::set<int> connections;
  for (const SourceSpec& source : program.sources) connections.insert(source.connection);
  for (int connection : connections) {
    std::unique_ptr<TopicAccess> access;
    Status status = connectors.MakeTopicAccess(connection, context, wait_ns_max, &access);
    const size_t first = out->size();
    if (status.ok() && access != nullptr) status = FindFormerTopics(program, *access, out);
    if (!status.ok()) return status;
    for (size_t i = first; i < out->size() && connection >= 0; ++i) {
      (*out)[i].line = program.connections[static_cast<size_t>(connection)].line;
    }
  }
  // Two connections may lead to one cluster.
  for (size_t i = 0; i < out->size(); ++i) {
    auto same = [&](const FormerTopic& other) { return other.problem == (*out)[i].problem && other.warning == (*out)[i].warning; };
    out->erase(std::remove_if(out->begin() + static_cast<ptrdiff_t>(i) + 1, out->end(), same), out->end());
  }
  return Status();
}

}  // namespace weir
