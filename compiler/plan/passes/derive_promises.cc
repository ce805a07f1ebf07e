// Delivery and order of each sink, in words.
#include "compiler/plan/passes/derive_promises.h"

#include <set>
#include <utility>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"

namespace weirc::plan {

using namespace typed;

namespace {

ConnectionKind KindOf(const Plan& plan, const EndpointDef& endpoint) {
  if (endpoint.connection < 0) return ConnectionKind::kFile;
  return plan.typed->connections[static_cast<size_t>(endpoint.connection)].kind;
}

bool IsStdin(const SourceDef& source) { return source.endpoint.operation == "stdin"; }

class Promiser {
 public:
  explicit Promiser(Plan* plan) : plan_(*plan) {
    for (int id : plan_.order) {
      const Node& node = plan_.node(id);
      if (node.Is<WindowOp>() || node.Is<ExchangeOp>()) windows_ = true;
      if (!node.Is<SourceOp>()) continue;
      const SourceDef& source = plan_.typed->sources[static_cast<size_t>(node.As<SourceOp>().source)];
      if (KindOf(plan_, source.endpoint) == ConnectionKind::kKafka) {
        kafka_sources_.insert(source.name);
      } else {
        other_sources_ = true;
      }
    }
    // A file's length is committed in the local store, so a file needs it whatever feeds it.
    bool files = false;
    for (const SinkDef& sink : plan_.typed->sinks) {
      files = files || (KindOf(plan_, sink.endpoint) == ConnectionKind::kFile && sink.endpoint.operation != "stdout");
    }
    const bool exactly_once = !plan_.options.embedded && ExactlyOnce();
    plan_.outputs_at_once = !plan_.options.embedded && !exactly_once && !files && windows_ && OneKafka();
    plan_.transactional = exactly_once || plan_.outputs_at_once;
    plan_.stateful = !plan_.transactional && (windows_ || other_sources_ || files);
  }

  void Run() {
    plan_.promises.clear();
    for (size_t i = 0; i < plan_.typed->sinks.size(); ++i) plan_.promises.push_back(Promise(static_cast<int>(i)));
  }

 private:
  // Whether all sources are topics of one Kafka connection, which can then keep the state as well.
  bool OneKafka() const {
    if (kafka_sources_.empty() || other_sources_) return false;
    std::set<int> connections;
    for (const SourceDef& source : plan_.typed->sources) connections.insert(source.endpoint.connection);
    return connections.size() == 1;
  }

  // One Kafka transaction can cover what is of one cluster; the check of the pipeline has said so where more was asked.
  bool ExactlyOnce() const {
    if (plan_.typed->delivery == typed::Delivery::kAtLeastOnce || !OneKafka()) return false;
    for (const SinkDef& sink : plan_.typed->sinks) {
      if (KindOf(plan_, sink.endpoint) != ConnectionKind::kKafka) return false;
      if (sink.endpoint.connection != plan_.typed->sources.front().endpoint.connection) return false;
    }
    return true;
  }

  SinkPromise Promise(int index) {
    const SinkDef& sink = plan_.typed->sinks[static_cast<size_t>(index)];
    SinkPromise promise;
    promise.sink = index;
    std::set<std::string> lossy;
    int node = -1;
    for (int id : plan_.order) {
      if (plan_.node(id).Is<SinkOp>() && plan_.node(id).As<SinkOp>().sink == index) node = id;
    }
    for (const Node* source : SourcesOf(node)) {
      const SourceDef& def = plan_.typed->sources[static_cast<size_t>(source->As<SourceOp>().source)];
      if (IsStdin(def)) lossy.insert(def.name);
    }
    Delivery(KindOf(plan_, sink.endpoint), sink.endpoint.operation, &promise);
    for (const std::string& source : lossy) {
      promise.exactly_once = false;
      promise.delivery = "may lose: what `" + source + "` read from stdin since the last commit is lost with the process; the rest " +
                         promise.delivery;
    }
    promise.order = node < 0 ? "none: dead letters come from every step" : Order(node);
    return promise;
  }

  // Those a sink's records come from; all of them for dead letters (-1).
  std::vector<const Node*> SourcesOf(int node) const {
    std::vector<const Node*> out;
    if (node >= 0) {
      while (plan_.node(node).input >= 0) node = plan_.node(node).input;
      out.push_back(&plan_.node(node));
      return out;
    }
    for (int id : plan_.order) {
      if (plan_.node(id).Is<SourceOp>()) out.push_back(&plan_.node(id));
    }
    return out;
  }

  void Delivery(ConnectionKind kind, const std::string& operation, SinkPromise* promise) const {
    if (kind == ConnectionKind::kKafka) {
      promise->exactly_once = plan_.transactional && !plan_.outputs_at_once;
      if (promise->exactly_once) {
        promise->delivery = "exactly once: outputs, state and the offsets of " + Sources() + " are one Kafka transaction; read it with isolation.level=read_committed";
      } else if (plan_.typed->delivery == typed::Delivery::kAtLeastOnce) {
        promise->delivery = "at least once, as `deliver` says: " + Repeats();
      } else {
        promise->delivery = "at least once: " + WhyNot() + ", so " + Repeats();
      }
    } else if (operation == "stdout") {
      promise->delivery = "at least once: what was printed cannot be taken back; " + Repeats();
    } else {
      promise->exactly_once = true;
      promise->delivery = kafka_sources_.empty()
                              ? "exactly once: file, state and source positions commit together in the local store"
                              : "exactly once: file, state and the positions of `" + *kafka_sources_.begin() +
                                    "` commit together in the local store";
    }
  }

  std::string Repeats() const {
    const std::string repeats = "outputs since the last commit may repeat after a crash";
    if (!plan_.outputs_at_once) return repeats;
    return repeats + "; state and the offsets of " + Sources() + " are one Kafka transaction, so the state counts no record twice";
  }

  std::string Sources() const {
    std::string out;
    for (const std::string& source : kafka_sources_) out += (out.empty() ? "`" : ", `") + source + "`";
    return out;
  }

  // Why what goes to Kafka is no transaction with all that the pipeline does.
  std::string WhyNot() const {
    if (other_sources_ || kafka_sources_.empty()) return "not everything comes from Kafka";
    for (const SinkDef& sink : plan_.typed->sinks) {
      if (KindOf(plan_, sink.endpoint) != ConnectionKind::kKafka) return "`" + sink.name + "` is not in Kafka";
    }
    return "no transaction spans two Kafka connections";
  }

  std::string Order(int sink) const {
    TextOptions options;
    options.typed = plan_.typed;
    std::string order;
    for (int id = plan_.node(sink).input; id >= 0; id = plan_.node(id).input) {
      const Node& node = plan_.node(id);
      if (node.Is<WindowOp>()) {
        const WindowOp& op = node.As<WindowOp>();
        return op.by.empty() ? "by window start"
                             : "by window start, then by key, within each task; one key's windows follow each other";
      }
      if (node.Is<LookupOp>() && !node.dead) {
        const LookupOp& op = node.As<LookupOp>();
        bool sync = plan_.typed->lookups[static_cast<size_t>(op.lookup)].sync;
        if (!sync && op.order == OrderMode::kNone) return "none: `" + node.name + "` has `order none`";
        if (!sync && op.order == OrderMode::kKey && order.empty()) {
          order = "that of `" + Text(op.order_key, options) + "` within each partition: `" + node.name + "` has `order key`";
        }
      }
      if (node.Is<SourceOp>() && order.empty()) order = "that of each partition of `" + node.name + "`";
    }
    return order;
  }

  Plan& plan_;
  bool windows_ = false, other_sources_ = false;
  std::set<std::string> kafka_sources_;
};

}  // namespace

Plan DerivePromises(Plan plan) {
  Promiser(&plan).Run();
  return plan;
}

}  // namespace weirc::plan
