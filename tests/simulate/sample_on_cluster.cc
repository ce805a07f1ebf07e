#include "tests/simulate/sample_on_cluster.h"

#include "runtime/engine/rekey_sources.h"
#include "runtime/engine/topic_names.h"
#include "runtime/state/changelog.h"
#include "runtime/testing/cluster_connectors.h"

namespace weir {

namespace {
constexpr const char* kSinks[] = {"out", "bars", "dead", "late"};
constexpr int64_t kAcknowledgedNs = 400'000'000;
}  // namespace

SampleOnCluster::SampleOnCluster(const SampleOptions& options, const RigInput& input, uint64_t seed, bool outputs_at_once)
    : rig(options, input, seed), cluster(rig.world.clock, seed) {
  rig.program.transactional = true;
  rig.program.outputs_at_once = outputs_at_once;
  rig.exactly_once = !outputs_at_once;
  for (SourceSpec& source : rig.program.sources) source.operation = "topic";
  for (SinkSpec& sink : rig.program.sinks) sink.operation = "topic";
  AddRekeySources(&rig.program);
  TopicOptions growing;
  growing.may_grow = !options.with_window;  // windows are kept by where their keys lie: nothing may be added below them
  cluster.AddTopic("events", input.partitions, growing);
  TopicOptions foreign;
  foreign.foreign = true;
  for (const char* sink : kSinks) {
    cluster.AddTopic(sink, 1, foreign);
    rig.world.LoseUnacknowledged(sink, kAcknowledgedNs);
  }
}

void SampleOnCluster::AppendAll() {
  for (size_t p = 0; p < rig.events.size(); ++p) {
    for (const SampleEvent& event : rig.events[p]) {
      MemoryRecord record;
      record.value = EventJson(event);
      cluster.Append("events", static_cast<int32_t>(p), record);
    }
  }
}

std::string SampleOnCluster::Check() {
  for (const char* sink : kSinks) rig.world.output(sink).records = WrittenTo(sink, rig.program, rig.world, cluster);
  for (size_t s = 0; s < rig.program.stages.size(); ++s) {
    const std::string topic = ChangelogTopic(rig.program, static_cast<int>(s));
    for (int32_t p = 0; p < cluster.Partitions(topic); ++p) {
      for (const LogEntry& entry : cluster.log({topic, p}).entries()) {
        // Kafka would keep it for days, one for each row that ever waited.
        if (entry.kind == LogEntry::kRecord && !entry.record.has_value && IsSlot(Str(std::string_view(entry.record.key)))) {
          return "topic " + topic + " holds a tombstone of a pending row at offset " + std::to_string(entry.offset);
        }
      }
    }
  }
  return rig.Check();
}

}  // namespace weir
