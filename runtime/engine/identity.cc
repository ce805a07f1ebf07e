#include "runtime/engine/identity.h"

#include <map>
#include <set>

#include "runtime/core/hash.h"
#include "runtime/engine/stage_graph.h"

namespace weir {

namespace {

uint64_t TextHash(const std::string& text) { return Hash(Str(std::string_view(text))); }

// Of the parts that runtime/engine and runtime/lookup write themselves; raised when their layout changes.
constexpr uint64_t kSourceLayout = 1, kRowLayout = 1, kWindowLayout = 1, kExchangeLayout = 1;

}  // namespace

std::vector<bool> StagesWithChangelog(const Program& program) {
  std::vector<bool> stages(program.stages.size());
  if (!program.transactional) return stages;
  for (const LookupStepSpec& step : program.lookup_steps) stages[step.stage] = !program.stages[step.stage].rereads;
  for (const WindowSpec& window : program.windows) stages[window.stage] = true;
  // Watermarks: what upstream tasks told, and how far they are themselves.
  for (const ExchangeSpec& exchange : program.exchanges) stages[exchange.from_stage] = stages[exchange.to_stage] = true;
  return stages;
}

Status AddStagesWithOldChangelog(const Program& program, Transactions& transactions, int64_t wait_ns_max,
                                 std::vector<bool>* stages) {
  for (size_t s = 0; s < program.stages.size(); ++s) {
    bool exists = true;
    Status status;
    if (!(*stages)[s]) status = transactions.ChangelogExists(static_cast<int>(s), wait_ns_max, &exists);
    if (!status.ok()) return status;
    (*stages)[s] = exists;
  }
  return Status();
}

std::vector<Transactions::Changelog> ChangelogsOf(const Program& program, const std::vector<bool>& stages,
                                                  const std::vector<int>& tasks) {
  std::vector<Transactions::Changelog> changelogs;
  std::vector<StageGraph> graphs = BuildStageGraphs(program);
  for (size_t s = 0; s < stages.size(); ++s) {
    // Windows are kept by where their keys lie; pending rows belong to their partition.
    bool grows = !graphs[s].windows && program.stages[s].exchange < 0;
    if (stages[s]) changelogs.push_back({static_cast<int>(s), tasks[s], grows});
  }
  return changelogs;
}

StoreIdentity IdentityOf(const Program& program) {
  StoreIdentity identity;
  identity.pipeline = program.name;
  identity.version = program.version;
  std::map<uint32_t, size_t> by_step;
  auto add = [&](uint32_t step, const char* what, uint64_t schema) {
    auto [at, added] = by_step.emplace(step, identity.steps.size());
    if (added) {
      StepIdentity one;
      one.name = program.steps[step].name;
      one.what = what;
      one.hash = TextHash(one.name);
      identity.steps.push_back(std::move(one));
    }
    StepIdentity& one = identity.steps[at->second];
    one.schema = HashCombine(one.schema, schema);
  };
  for (const SourceSpec& source : program.sources) {
    // Offsets mean nothing in another topic; files are told apart by what their source says of them.
    uint64_t schema = HashCombine(kSourceLayout, TextHash(source.operation));
    if (source.operation == "topic") schema = HashCombine(schema, TextHash(source.address));
    add(source.step, "positions of a source", schema);
  }
  for (const LookupStepSpec& step : program.lookup_steps) {
    uint64_t schema = HashCombine(kRowLayout, step.row_schema);
    add(step.step, "pending requests of a lookup", HashCombine(schema, TextHash(program.lookups[step.lookup].name)));
  }
  for (const WindowSpec& window : program.windows) {
    uint64_t schema = HashCombine(kWindowLayout, window.value_schema);
    add(window.step, "windows", HashCombine(schema, static_cast<uint64_t>(window.size_ns)));
  }
  for (const ExchangeSpec& exchange : program.exchanges) add(exchange.step, "re-keying", kExchangeLayout);
  for (const SinkSpec& sink : program.sinks) {
    add(sink.step, "length of an output", HashCombine(TextHash(sink.operation), TextHash(sink.address)));
  }
  return identity;
}

StoreIdentity IdentityOf(const Program& program, int stage) {
  std::set<uint64_t> own;
  auto add = [&](uint32_t step, int of) {
    if (of == stage) own.insert(TextHash(program.steps[step].name));
  };
  for (const SourceSpec& source : program.sources) add(source.step, source.stage);
  for (const LookupStepSpec& step : program.lookup_steps) add(step.step, step.stage);
  for (const WindowSpec& window : program.windows) add(window.step, window.stage);
  for (const ExchangeSpec& exchange : program.exchanges) add(exchange.step, exchange.to_stage);
  StoreIdentity identity = IdentityOf(program);
  std::erase_if(identity.steps, [&](const StepIdentity& step) { return own.count(step.hash) == 0; });
  return identity;
}

}  // namespace weir
