// One look at each declaration, in the order of the file's kinds.
#include "runtime/program/check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "runtime/engine/engine.h"
#include "runtime/engine/former_topics.h"
#include "runtime/program/connectors.h"
#include "runtime/state/lmdb_store.h"

namespace weir {
namespace {

class Checker {
 public:
  Checker(const Program& program, Connectors& connectors, const ConnectorContext& context, int64_t wait_ns)
      : program_(program), connectors_(connectors), context_(context), wait_ns_(wait_ns) {}

  std::vector<Checked> Run(const std::string& state_dir) {
    for (const SourceSpec& source : program_.sources) {
      if (source.exchange < 0) Source(source);  // the pipeline makes those topics itself
    }
    for (const TableSpec& table : program_.tables) Table(table);
    for (size_t i = 0; i < program_.connections.size(); ++i) Lookups(static_cast<int>(i));
    for (const SinkSpec& sink : program_.sinks) Sink(sink);
    OwnTopics();
    FormerTopics();
    if (CommitModeOf(program_) == CommitMode::kStore) {
      Begin("state directory", state_dir, 0).problem = Writable(state_dir, true);
    } else if (Status status = BeginsBesideState(program_, state_dir); !status.ok()) {
      Begin("state directory", state_dir, 0).problem = status.message();
    }
    return std::move(out_);
  }

 private:
  Checked& Begin(std::string what, std::string where, uint32_t line) {
    out_.push_back({std::move(what), std::move(where), line, "", ""});
    return out_.back();
  }
  uint32_t LineOf(uint32_t step) const { return step < program_.steps.size() ? program_.steps[step].line : 0; }
  static std::string Place(const std::string& operation, const std::string& address) {
    return address.empty() ? operation : operation + " " + address;
  }

  void Reader(weir::Source& reader, Checked* checked, int32_t* partitions) {
    int32_t& count = *partitions;
    Status status = reader.Partitions(wait_ns_, &count);
    if (!status.ok()) {
      checked->problem = status.message();
    } else {
      checked->where += ", " + std::to_string(count) + (count == 1 ? " partition" : " partitions");
    }
    reader.Close();
  }
  void Source(const SourceSpec& source) {
    Checked& checked = Begin("source `" + source.name + "`", Place(source.operation, source.address), LineOf(source.step));
    std::unique_ptr<weir::Source> reader;
    Status status = connectors_.MakeSource(source, context_, &reader);
    if (!status.ok()) {
      checked.problem = status.message();
    } else {
      Reader(*reader, &checked, &partitions_[&source]);
    }
  }
  void Table(const TableSpec& table) {
    Checked& checked = Begin("table `" + table.name + "`", Place(table.operation, table.address), LineOf(table.step));
    std::unique_ptr<weir::Source> reader;
    Status status = connectors_.MakeTable(table, context_, &reader);
    if (!status.ok()) {
      checked.problem = status.message();
    } else {
      int32_t partitions = 0;
      Reader(*reader, &checked, &partitions);
    }
  }
  void Lookups(int connection) {
    std::string names;
    for (const LookupSpec& lookup : program_.lookups) {
      if (lookup.connection == connection) names += (names.empty() ? "`" : ", `") + lookup.name + "`";
    }
    if (names.empty()) return;
    const ConnectionSpec& spec = program_.connections[static_cast<size_t>(connection)];
    std::string url;
    for (const Property& p : spec.properties) {
      if (p.name == "url" && !p.secret) url = p.value;
    }
    Checked& checked = Begin("connection `" + spec.name + "` of lookup " + names, url, spec.line);
    std::unique_ptr<LookupConnector> client;
    Status status = connectors_.MakeLookup(spec, context_, &client);
    if (status.ok()) status = client->Check(wait_ns_);
    checked.problem = status.message();
  }
  void Sink(const SinkSpec& sink) {
    Checked& checked = Begin("sink `" + sink.name + "`", Place(sink.operation, sink.address), LineOf(sink.step));
    if (KindOf(program_, sink.connection) != "kafka") {
      // Opening a file sink would cut the file to its committed length.
      if (connectors_.StoreBacked(program_, sink)) checked.problem = Writable(sink.address, false);
      return;
    }
    // The topic, seen as a reader would see it: nothing is written.
    SourceSpec probe;
    probe.name = sink.name;
    probe.connection = sink.connection;
    probe.operation = "topic";
    probe.address = sink.address;
    std::unique_ptr<weir::Source> reader;
    Status status = connectors_.MakeSource(probe, context_, &reader);
    if (!status.ok()) {
      checked.problem = status.message();
      return;
    }
    int32_t partitions = 0;
    Reader(*reader, &checked, &partitions);
    std::string wrong = "source `" + sink.name + "`";
    if (checked.problem.rfind(wrong, 0) == 0) checked.problem = "sink `" + sink.name + "`" + checked.problem.substr(wrong.size());
  }

  // Those that the pipeline has for itself, once it is known how many partitions its sources have.
  void OwnTopics() {
    if (!program_.transactional) return;
    int32_t largest = 0;
    for (const SourceSpec& source : program_.sources) {
      if (source.exchange >= 0) continue;
      if (partitions_[&source] == 0) return;  // said already
      largest = std::max(largest, partitions_[&source]);
    }
    std::vector<Transactions::Rekey> rekeys;
    for (size_t e = 0; e < program_.exchanges.size(); ++e) rekeys.push_back({static_cast<int>(e), largest});
    std::vector<bool> kept = StagesWithChangelog(program_);
    auto changelogs = [this, &kept](const std::vector<Transactions::Rekey>& made) {
      std::vector<int> tasks;
      for (const StageSpec& stage : program_.stages) {
        tasks.push_back(stage.exchange >= 0 ? made[static_cast<size_t>(stage.exchange)].partitions
                                            : partitions_[&program_.sources[static_cast<size_t>(stage.source)]]);
      }
      return ChangelogsOf(program_, kept, tasks);
    };
    ConnectorContext context = context_;
    context.worker = ConnectorContext::kNoWorker;
    std::unique_ptr<Transactions> transactions;
    std::vector<Transactions::OwnTopic> topics;
    Status status = connectors_.MakeTransactions(context, &transactions);
    if (status.ok()) status = AddStagesWithOldChangelog(program_, *transactions, wait_ns_, &kept);
    if (status.ok()) status = transactions->LookAtTopics(&rekeys, changelogs, wait_ns_, &topics);
    if (!status.ok()) Begin("the pipeline's own topics", "", 0).problem = status.message();
    for (Transactions::OwnTopic& topic : topics) {
      std::string where = topic.purpose + ", " + std::to_string(topic.partitions) +
                          (topic.partitions == 1 ? " partition" : " partitions");
      if (!topic.command.empty()) where += topic.there ? ", to which the start adds some" : ", which the start makes";
      Checked& checked = Begin("topic `" + topic.topic + "`", where, 0);
      checked.problem = std::move(topic.problem);
      checked.warning = std::move(topic.warning);
    }
    if (transactions) transactions->Close();
  }

  // Those that an earlier version had for itself, and this one does not have.
  void FormerTopics() {
    ConnectorContext context = context_;
    context.worker = ConnectorContext::kNoWorker;
    std::vector<FormerTopic> topics;
    Status status = FindFormerTopics(program_, connectors_, context, wait_ns_, &topics);
    if (!status.ok()) Begin("topics of earlier versions", "", 0).problem = status.message();
    for (FormerTopic& topic : topics) {
      Checked& checked = Begin("topic `" + topic.topic + "`", topic.purpose, topic.line);
      checked.problem = std::move(topic.problem);
      checked.warning = std::move(topic.warning);
    }
  }

  // A file, or a directory to be, that this process may write; empty: it may.
  static std::string Writable(const std::string& path, bool directory) {
    struct stat info;
    if (stat(path.c_str(), &info) == 0) {
      if (directory && !S_ISDIR(info.st_mode)) return path + " is there and is no directory";
      if (!directory && S_ISDIR(info.st_mode)) return path + " is a directory";
      if (access(path.c_str(), W_OK) != 0) return path + " cannot be written: " + std::strerror(errno);
      return "";
    }
    if (errno != ENOENT) return path + ": " + std::strerror(errno);
    // The nearest folder above that exists decides.
    std::string above = path;
    while (!above.empty() && above.back() == '/') above.pop_back();
    for (;;) {
      size_t slash = above.rfind('/');
      above = slash == std::string::npos ? "." : slash == 0 ? "/" : above.substr(0, slash);
      if (stat(above.c_str(), &info) == 0) break;
      if (!directory || above == "." || above == "/") return "there is no folder " + above + " to make " + path + " in";
    }
    if (access(above.c_str(), W_OK | X_OK) != 0) return path + " cannot be made in " + above + ": " + std::strerror(errno);
    return "";
  }

  const Program& program_;
  Connectors& connectors_;
  const ConnectorContext& context_;
  const int64_t wait_ns_;
  std::map<const SourceSpec*, int32_t> partitions_;  // 0: not known
  std::vector<Checked> out_;
};

}  // namespace

Status BeginsBesideState(const Program& program, const std::string& state_dir) {
  if (!program.transactional || !LmdbStore::Exists(state_dir)) return Status();
  return Status::Invalid("the state directory " + state_dir + " holds the state of a version of this pipeline that kept it " +
                         "there; this one keeps it in Kafka and would begin without it. Run that version until nothing of it " +
                         "is wanted any more; then give this one another directory with --state-dir, and say with " +
                         "`reset --to` where its sources begin");
}

std::vector<Checked> CheckAll(const Program& program, Connectors& connectors, const ConnectorContext& context,
                              const std::string& state_dir, int64_t wait_ns_max) {
  return Checker(program, connectors, context, wait_ns_max).Run(state_dir);
}

}  // namespace weir
