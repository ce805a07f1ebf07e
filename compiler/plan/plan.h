// The plan: the typed pipeline as a dataflow graph, and what is promised about it. `BuildPlan` makes the graph, passes
// (passes.h) rewrite it, `FormatPlan` words it for people, and emit turns it into C++.
//
// A node is one step; records flow along edges from a node to its outputs. Each node has one input, except sources
// (none); a stream without steps of its own is its origin's node. Nodes are in an order in which inputs come first.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/base/span.h"
#include "compiler/check/typed.h"
#include "compiler/diagnostics/diagnostics.h"

namespace weirc::plan {

// Which parts of a value something reads: the whole of it, or some fields of a record (by index), or nothing but
// whether it is there (neither).
struct Live {
  bool whole = false;
  std::map<int, Live> fields;

  static Live Whole() { return Live{true, {}}; }
  bool Any() const { return whole || !fields.empty(); }
  void Add(const Live& other);
  // The part of it that is field `i`'s; nothing when the field is not read.
  const Live* Field(int i) const;
  friend bool operator==(const Live&, const Live&) = default;
};

// ---- Nodes ----------------------------------------------------------------------------------------------------------

enum class NodeKind : uint8_t { kSource, kWhere, kSelect, kLet, kTableJoin, kLookup, kExchange, kWindow, kSink };

struct SourceOp { int source = -1; };
struct WhereOp { typed::ExprPtr condition; };
struct SelectOp { std::vector<typed::ExprPtr> values; typed::ExprPtr with_time; };
struct LetOp { typed::ExprPtr value; };  // output row = input row and one field
struct TableJoinOp {
  int table = -1;
  std::vector<typed::ExprPtr> key;
  typed::Route on_missing;  // kUse: null, so the joined field is optional
};
struct LookupOp {
  int lookup = -1;
  std::vector<typed::ExprPtr> args;
  bool as_outcome = false;
  typed::OrderMode order = typed::OrderMode::kInput;
  std::vector<typed::ExprPtr> order_key;
  typed::Route on_missing, on_timeout, on_rejected, on_error_outcome;
  // Derived.
  bool keeps_raw = false;   // a later route needs the record's original bytes
  uint64_t row_schema = 0;  // of the fields that wait with the request
};
// Rows leave the tasks of one stage and enter those of another, chosen by the hash of their key.
struct ExchangeOp {
  std::vector<typed::ExprPtr> key;
  std::string reason;       // in words: "windows are by `account`, but `trades` is keyed by `symbol`"
  bool keeps_raw = false;
  uint64_t row_schema = 0;
};
struct WindowOp {
  typed::ExprPtr size;
  std::vector<typed::ExprPtr> by;             // over the input row
  const typed::RecordDef* key_record = nullptr;
  typed::Route on_late;
  std::vector<typed::Aggregate> aggregates;   // over the input row
  std::vector<typed::ExprPtr> values;         // over key_record, kWindow and kAggregate
  uint64_t value_schema = 0;
};
struct SinkOp { int sink = -1; std::vector<typed::ExprPtr> key; };

// In the order of NodeKind.
using Op = std::variant<SourceOp, WhereOp, SelectOp, LetOp, TableJoinOp, LookupOp, ExchangeOp, WindowOp, SinkOp>;

struct Node {
  int id = -1;
  // Stable: by source text, never by position. A source's or sink's own name; else "<stream>.<alias or kind>".
  std::string name;
  std::string stream;                       // whose chain it stands in; empty for sources and sinks
  Op op;
  int input = -1;
  std::vector<int> outputs;                 // in source order
  const typed::RecordDef* input_row = nullptr;
  const typed::RecordDef* output_row = nullptr;
  typed::Route on_error;                    // of an expression that failed
  Span span;
  std::vector<std::string> renames;         // names of equal nodes that were merged into this one
  // Derived by passes.
  int stage = 0;                            // index into Plan::stages; of the tasks that run this node
  Live live;                                // of the output row: what nodes behind it read
  int segment = -1;                         // nodes of one segment run one after another without leaving the record
  // Nobody reads what the step brings and it cannot fail or filter: its field stays in the row type, which keeps the
  // indices of the others, but nothing is computed or asked for it.
  bool dead = false;

  NodeKind kind() const { return static_cast<NodeKind>(op.index()); }
  template <class T> T& As() { return std::get<T>(op); }
  template <class T> const T& As() const { return std::get<T>(op); }
  template <class T> bool Is() const { return std::holds_alternative<T>(op); }
};

// ---- The graph ------------------------------------------------------------------------------------------------------

// Where a named stream can be seen. Behind the declared ones stand sources that tests look at.
struct Stream {
  std::string name;
  int typed = -1;     // index into TypedPipeline::streams; -1: a source
  int source = -1;    // index into TypedPipeline::sources; -1: a stream
  int node = -1;      // whose output it is; -1: removed, nothing needs it
  bool tapped = false;  // a test looks at it: all its fields are live
};

struct Stage {
  std::string name;   // of the source or exchange that feeds it
  int feeder = -1;    // node: a source or an exchange
  // Derived. Nothing of it has to be kept: records that wait for an answer can be read again, since nothing that comes
  // behind them has left the stage before them.
  bool rereads = false;
};

// A table some node joins with.
struct Table {
  int table = -1;     // index into TypedPipeline::tables
  Live live;          // of its record: which fields are kept in memory (its key is not among them for being the key)
  bool used = false;
};

struct SinkPromise {
  int sink = -1;                // index into TypedPipeline::sinks
  bool exactly_once = false;
  std::string delivery;         // "at least once: …", with the reason
  std::string order;            // "in the order of each partition of `trades`"
};

struct PlanOptions {
  bool tests = false;           // keep what tests look at
  bool embedded = false;        // for the embedded broker, which has no real transactions
};

struct Plan {
  const typed::TypedPipeline* typed = nullptr;  // outlives the plan
  PlanOptions options;
  std::vector<std::unique_ptr<Node>> nodes;     // by id; removed ones are null
  std::vector<int> order;                       // ids of what is left, inputs before outputs
  std::vector<Stream> streams;                  // by index of TypedPipeline::streams; then tapped sources
  std::vector<Table> tables;                    // by index of TypedPipeline::tables
  std::vector<typed::RecordDef*> rows;          // row types made by passes, owned by `owned_rows`
  std::vector<std::unique_ptr<typed::RecordDef>> owned_rows;
  // Derived.
  std::vector<Stage> stages;
  std::vector<SinkPromise> promises;            // of record sinks and dead letter sinks, by index of TypedPipeline::sinks
  bool transactional = false;   // Kafka is the truth: each epoch is one of its transactions
  bool outputs_at_once = false; // with it: sinks get their outputs at once, outside the transaction, and may get them again
  bool stateful = false;        // the local store is the truth: windows, re-keying, files, stdin

  Node& node(int id) { return *nodes[id]; }
  const Node& node(int id) const { return *nodes[id]; }
};

// The graph as the pipeline says it, before any rewrite but with everything a correct run needs (re-keying included).
// `typed` must be free of errors and outlive the plan.
Plan BuildPlan(const typed::TypedPipeline& typed, const PlanOptions& options = {});

// What `weir plan` and `--print plan` show: steps, state, re-keying, memory, promises. Ends with a newline; the same plan
// is the same text.
std::string FormatPlan(const Plan& plan);

}  // namespace weirc::plan
