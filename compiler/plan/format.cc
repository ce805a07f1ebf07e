// The plan in words: what `weir plan` shows.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/live.h"
#include "compiler/plan/passes/derive_state.h"
#include "compiler/plan/passes/project_fields.h"
#include "compiler/plan/plan.h"

namespace weirc::plan {

using namespace typed;

namespace {

std::string Join(const std::vector<std::string>& parts, const char* between = ", ") {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

// A description broken into lines at most this wide, the following ones indented.
constexpr size_t kColumns = 100;

class Formatter {
 public:
  explicit Formatter(const Plan& plan) : plan_(plan), typed_(*plan.typed) {
    text_.typed = &typed_;
    for (int id : plan.order) width_ = std::max(width_, ShortName(plan.node(id)).size());
    for (const Table& table : plan.tables) {
      if (table.used) width_ = std::max(width_, typed_.tables[static_cast<size_t>(table.table)].name.size());
    }
    for (const SinkDef& sink : typed_.sinks) width_ = std::max(width_, sink.name.size());
  }

  std::string Run() {
    out_ = "pipeline " + typed_.name + " version " + std::to_string(typed_.version) + "\n";
    Steps();
    Tables();
    Rekeying();
    State();
    Memory();
    Sinks();
    GoodToKnow();
    return std::move(out_);
  }

 private:
  void Section(const char* title) { out_ += std::string("\n") + title + "\n"; }

  // "  name    text", wrapped.
  void Item(const std::string& name, const std::string& text) {
    std::string line = "  " + name + std::string(width_ > name.size() ? width_ - name.size() : 0, ' ') + "  ";
    Wrap(std::move(line), width_ + 4, text);
  }
  // Continues an item.
  void More(const std::string& text) { Wrap(std::string(width_ + 4, ' '), width_ + 6, text); }

  void Wrap(std::string line, size_t indent, const std::string& text) {
    bool fresh = true;
    for (size_t at = 0; at < text.size();) {
      size_t end = std::min(text.find(' ', at), text.size());
      std::string word = text.substr(at, end - at);
      if (!fresh && line.size() + 1 + word.size() > kColumns) {
        out_ += line + "\n";
        line = std::string(indent, ' ');
        fresh = true;
      }
      line += (fresh ? "" : " ") + word;
      fresh = false;
      at = end + 1;
    }
    out_ += line + "\n";
  }

  std::string Say(const Expr& e) { return Text(e, text_); }
  std::string Say(const std::vector<ExprPtr>& list) { return Text(list, text_); }

  static std::string ShortName(const Node& node) { return node.name; }

  std::string Endpoint(const EndpointDef& endpoint) {
    if (endpoint.operation == "stdin" || endpoint.operation == "stdout") return endpoint.operation;
    std::string address = endpoint.address ? " " + Say(*endpoint.address) : "";
    if (endpoint.connection < 0) return "file" + address;
    return endpoint.operation + address + " of " + typed_.connections[static_cast<size_t>(endpoint.connection)].name;
  }

  std::string Say(const Route& route, const std::string& otherwise) {
    switch (route.kind) {
      case Route::kNone: return otherwise;
      case Route::kDrop: return "drop";
      case Route::kStop: return "stop";
      case Route::kSend: return "send " + typed_.deadletters[static_cast<size_t>(route.deadletter)].name;
      case Route::kUse: return "use " + (route.use ? Say(*route.use) : std::string("null"));
    }
    return otherwise;
  }

  // ---- Steps ----

  void Steps() {
    for (size_t i = 0; i < plan_.stages.size(); ++i) {
      const Node& feeder = plan_.node(plan_.stages[i].feeder);
      std::string title = "stage " + plan_.stages[i].name;
      title += feeder.Is<SourceOp>() ? ": one task per partition" : ": fed by re-keying, one task per partition of its input";
      Section(title.c_str());
      for (int id : plan_.order) {
        const Node& node = plan_.node(id);
        if (node.stage == static_cast<int>(i) && !node.dead) Step(node);
      }
    }
  }

  void Step(const Node& node) {
    switch (node.kind()) {
      case NodeKind::kSource: return Source(node);
      case NodeKind::kWhere: return Item(node.name, "where " + Say(*node.As<WhereOp>().condition) + OnError(node));
      case NodeKind::kSelect: {
        const SelectOp& op = node.As<SelectOp>();
        std::vector<std::string> fields;
        for (size_t f = 0; f < op.values.size(); ++f) {
          if (node.live.Field(static_cast<int>(f)) == nullptr) continue;
          const std::string& name = node.output_row->fields[f].name;
          std::string value = Say(*op.values[f]);
          fields.push_back(value == name ? name : name + ": " + value);
        }
        std::string text = "select " + Join(fields);
        if (op.with_time) text += "; time becomes " + Say(*op.with_time);
        return Item(node.name, text + OnError(node));
      }
      case NodeKind::kLet:
        return Item(node.name, "let " + node.output_row->fields.back().name + " = " + Say(*node.As<LetOp>().value) + OnError(node));
      case NodeKind::kTableJoin: {
        const TableJoinOp& op = node.As<TableJoinOp>();
        return Item(node.name, "join " + typed_.tables[static_cast<size_t>(op.table)].name + " on " + Say(op.key) +
                                   "; on missing " + Say(op.on_missing, "drop") + OnError(node));
      }
      case NodeKind::kLookup: return Lookup(node);
      case NodeKind::kExchange: return Item(node.name, "to the task of " + KeyText(node.As<ExchangeOp>().key));
      case NodeKind::kWindow: {
        const WindowOp& op = node.As<WindowOp>();
        std::vector<std::string> aggregates;
        for (const Aggregate& a : op.aggregates) aggregates.push_back(Text(a, text_));
        std::string text = "window tumbling " + Say(*op.size) + (op.by.empty() ? "" : " by " + Say(op.by));
        text += "; " + Join(aggregates) + "; on late " + Say(op.on_late, "drop");
        return Item(node.name, text + OnError(node));
      }
      case NodeKind::kSink: {
        const SinkOp& op = node.As<SinkOp>();
        const SinkDef& sink = typed_.sinks[static_cast<size_t>(op.sink)];
        std::string text = "to " + Endpoint(sink.endpoint) + ", " + FormatName(sink.endpoint.format);
        if (!op.key.empty()) text += ", key " + Say(op.key);
        std::string from = node.input >= 0 && plan_.node(node.input).stream.empty() ? plan_.node(node.input).name
                                                                                   : OriginOf(op.sink);
        return Item(node.name, text + ", from " + from);
      }
    }
  }

  std::string OriginOf(int sink) {
    const StreamInput& from = typed_.sinks[static_cast<size_t>(sink)].from;
    switch (from.kind) {
      case StreamInput::kSource: return typed_.sources[static_cast<size_t>(from.index)].name;
      case StreamInput::kStream: return typed_.streams[static_cast<size_t>(from.index)].name;
      case StreamInput::kDeadletter: return typed_.deadletters[static_cast<size_t>(from.index)].name;
    }
    return "";
  }

  static const char* FormatName(Format format) { return format == Format::kJson ? "json" : "raw"; }

  std::string KeyText(const std::vector<ExprPtr>& key) { return key.empty() ? "all keys" : Say(key); }

  std::string OnError(const Node& node) {
    return IsFallible(node) ? "; on failure " + Say(node.on_error, "stop") : "";
  }

  void Source(const Node& node) {
    const SourceDef& source = typed_.sources[static_cast<size_t>(node.As<SourceOp>().source)];
    std::string text = "from " + Endpoint(source.endpoint) + ", " + FormatName(source.endpoint.format);
    if (!source.key.empty()) text += ", key " + Say(source.key);
    bool kafka = source.endpoint.connection >= 0;
    text += source.time ? ", time " + Say(*source.time) : kafka ? ", time of the record" : ", time of arrival";
    if (source.lateness) text += ", lateness " + Say(*source.lateness);
    if (source.idle) text += ", idle " + Say(*source.idle);
    Item(node.name, text + "; on bad " + Say(source.on_bad, "stop"));
    Live live = SourceLive(plan_, node);
    std::vector<std::string> skipped;
    for (size_t i = 0; i < source.record->fields.size(); ++i) {
      if (live.Field(static_cast<int>(i)) == nullptr) skipped.push_back(source.record->fields[i].name);
    }
    std::vector<std::string> paths = LivePaths(*source.record, live);
    More("decodes " + (paths.empty() ? std::string("nothing") : Join(paths)) +
         (skipped.empty() ? "" : "; passes over " + Join(skipped)));
  }

  void Lookup(const Node& node) {
    const LookupOp& op = node.As<LookupOp>();
    const LookupDef& lookup = typed_.lookups[static_cast<size_t>(op.lookup)];
    std::string text = "lookup " + lookup.name + "(" + Join(Each(op.args)) + ")";
    if (lookup.connection >= 0) {
      text += ", " + lookup.operation + " of " + typed_.connections[static_cast<size_t>(lookup.connection)].name;
    }
    text += lookup.sync ? ", sync" : ", ";
    if (!lookup.sync) {
      text += op.order == OrderMode::kInput ? "order input"
              : op.order == OrderMode::kNone ? "order none"
                                             : "order key " + Say(op.order_key);
    }
    if (op.as_outcome) {
      text += "; every outcome goes on";
    } else {
      text += "; on missing " + Say(op.on_missing, "stop") + ", timeout " + Say(op.on_timeout, "stop") + ", rejected " +
              Say(op.on_rejected, "stop") + ", error " + Say(op.on_error_outcome, "stop");
    }
    Item(node.name, text + OnError(node));
    if (!node.renames.empty()) More("also answers " + Join(node.renames) + ": the same request");
  }

  std::vector<std::string> Each(const std::vector<ExprPtr>& list) {
    std::vector<std::string> out;
    for (const ExprPtr& e : list) out.push_back(Say(*e));
    return out;
  }

  // ---- The other sections ----

  void Tables() {
    bool any = false;
    for (const Table& table : plan_.tables) {
      if (!table.used) continue;
      if (!any) Section("tables: read whole before the streams that join them start, then kept up to date");
      any = true;
      const TableDef& def = typed_.tables[static_cast<size_t>(table.table)];
      std::vector<std::string> paths = LivePaths(*def.record, table.live);
      Item(def.name, "from " + Endpoint(def.endpoint) + ", key " + Say(def.key) + "; on bad " + Say(def.on_bad, "stop"));
      More(paths.empty() ? "keeps its keys only" : "keeps " + Join(paths));
    }
  }

  void Rekeying() {
    Section("re-keying");
    bool any = false;
    for (int id : plan_.order) {
      const Node& node = plan_.node(id);
      if (!node.Is<ExchangeOp>()) continue;
      any = true;
      const std::string way = plan_.transactional ? "through topic `" + typed_.name + "." + node.name + ".rekey`"
                                                  : "between tasks of this process";
      Item(node.name, "by " + KeyText(node.As<ExchangeOp>().key) + ", " + way + ": " + node.As<ExchangeOp>().reason);
      std::vector<std::string> sent = LivePaths(*node.output_row, node.live);
      More(sent.empty() ? "sends keys and times only" : "sends " + Join(sent));
    }
    if (!any) out_ += "  none\n";
  }

  // Whether a lookup's records that wait are in the committed state.
  bool IsKept(const Node& lookup) const {
    if (plan_.stateful) return true;
    return plan_.transactional && !plan_.stages[static_cast<size_t>(lookup.stage)].rereads;
  }

  void State() {
    Section("state");
    bool any = false;
    for (int id : plan_.order) {
      const Node& node = plan_.node(id);
      if (node.dead) continue;
      if (node.Is<LookupOp>()) {
        std::string kept = Join(LivePaths(*node.input_row, PendingLive(node)));
        Item(node.name, "records that wait for an answer" + std::string(kept.empty() ? "" : ": ") + kept +
                            (node.As<LookupOp>().keeps_raw ? ", and their original bytes" : "") +
                            "; until their output is committed" +
                            (IsKept(node) ? "" : "; in memory only: offsets do not pass them"));
        any = true;
      }
      if (node.Is<WindowOp>()) {
        const WindowOp& op = node.As<WindowOp>();
        Item(node.name, "one value for each " + (op.by.empty() ? std::string() : Say(op.by) + " and ") + "window of " +
                            Say(*op.size) + "; until the watermark passes the window's end");
        any = true;
      }
    }
    if (!any) out_ += "  none\n";
  }

  void Memory() {
    Section("memory");
    bool any = false;
    for (int id : plan_.order) {
      const Node& node = plan_.node(id);
      if (!node.Is<LookupOp>() || node.dead) continue;
      const LookupDef& lookup = typed_.lookups[static_cast<size_t>(node.As<LookupOp>().lookup)];
      std::string text = "at most " + (lookup.in_flight ? Say(*lookup.in_flight) : std::string("100")) +
                         " records wait per process; then its input waits";
      if (lookup.sync) text = "one record waits per partition; then that partition waits";
      if (lookup.cache_entries) {
        text += "; cache of " + Say(*lookup.cache_entries) + " answers";
        if (lookup.cache_ttl) text += " for " + Say(*lookup.cache_ttl);
      }
      Item(node.name, text);
      any = true;
    }
    for (const Table& table : plan_.tables) {
      if (!table.used) continue;
      Item(typed_.tables[static_cast<size_t>(table.table)].name, "every row, one copy per process");
      any = true;
    }
    for (int id : plan_.order) {
      const Node& node = plan_.node(id);
      if (!node.Is<WindowOp>()) continue;
      Item(node.name, "the open windows of every key");
      any = true;
    }
    if (!any) out_ += "  batches only\n";
  }

  void Sinks() {
    Section("sinks");
    for (const SinkPromise& promise : plan_.promises) {
      const SinkDef& sink = typed_.sinks[static_cast<size_t>(promise.sink)];
      if (sink.from.kind == StreamInput::kDeadletter) {
        Item(sink.name, "dead letters of " + OriginOf(promise.sink) + " to " + Endpoint(sink.endpoint));
        More("delivery: " + promise.delivery);
      } else {
        Item(sink.name, "delivery: " + promise.delivery);
      }
      More("order: " + promise.order);
    }
  }

  void GoodToKnow() {
    std::vector<std::string> notes;
    bool kafka = false, windows = false, joins = false;
    std::vector<std::string> idle, never_idle;
    for (int id : plan_.order) {
      const Node& node = plan_.node(id);
      windows = windows || node.Is<WindowOp>();
      joins = joins || (node.Is<TableJoinOp>() && !node.dead);
      if (!node.Is<SourceOp>()) continue;
      const SourceDef& source = typed_.sources[static_cast<size_t>(node.As<SourceOp>().source)];
      bool is_kafka = source.endpoint.connection >= 0 &&
                      typed_.connections[static_cast<size_t>(source.endpoint.connection)].kind == ConnectionKind::kKafka;
      kafka = kafka || is_kafka;
      if (!HasWindowBehind(id)) continue;
      if (source.idle) {
        idle.push_back("data of `" + source.name + "` that is withheld upstream for longer than " + Say(*source.idle) +
                       " is late: by then its windows have closed with the wall clock");
      } else {
        never_idle.push_back("a quiet partition of `" + source.name +
                             "` holds the windows behind it open: it declares no `idle:`");
      }
    }
    if (plan_.stateful && kafka) {
      notes.push_back("one process only: its state is in the state directory, so it assigns itself all partitions and refuses a second copy");
    }
    if (!plan_.stateful && kafka) {
      notes.push_back(std::string("any number of copies: they share the partitions of their sources as one consumer group") +
                      (plan_.transactional ? ", and state moves with its partition" : ""));
    }
    Internal(&notes);
    notes.insert(notes.end(), idle.begin(), idle.end());
    notes.insert(notes.end(), never_idle.begin(), never_idle.end());
    if (joins) notes.push_back("a replayed record may join a newer row: a table join sees what has arrived");
    if (notes.empty()) return;
    Section("good to know");
    for (const std::string& note : notes) Wrap("  - ", 4, note);
  }

  // The topics that the pipeline makes for itself.
  void Internal(std::vector<std::string>* notes) const {
    if (!plan_.transactional) return;
    std::set<std::string> topics;
    for (int id : plan_.order) {
      const Node& node = plan_.node(id);
      if (node.Is<ExchangeOp>()) topics.insert(typed_.name + "." + node.name + ".rekey");
      if (node.dead || (!node.Is<LookupOp>() && !node.Is<WindowOp>())) continue;
      int feeder = id;
      while (!plan_.node(feeder).Is<SourceOp>() && !plan_.node(feeder).Is<ExchangeOp>()) feeder = plan_.node(feeder).input;
      for (const Stage& stage : plan_.stages) {
        if (stage.feeder == feeder && !stage.rereads) topics.insert(typed_.name + "." + stage.name + ".changelog");
      }
    }
    if (topics.empty()) return;
    std::string all;
    for (const std::string& topic : topics) all += (all.empty() ? "`" : ", `") + topic + "`";
    notes->push_back("makes these topics for itself: " + all);
  }

  bool HasWindowBehind(int id) const {
    const Node& node = plan_.node(id);
    if (node.Is<WindowOp>()) return true;
    return std::any_of(node.outputs.begin(), node.outputs.end(), [&](int output) { return HasWindowBehind(output); });
  }

  const Plan& plan_;
  const TypedPipeline& typed_;
  TextOptions text_;
  size_t width_ = 12;
  std::string out_;
};

}  // namespace

std::string FormatPlan(const Plan& plan) { return Formatter(plan).Run(); }

}  // namespace weirc::plan
