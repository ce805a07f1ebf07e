// The parts of a generated file, and what they share. emit.cc has their order.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/emit/codec.h"
#include "compiler/emit/cpp_writer.h"
#include "compiler/emit/emit.h"
#include "compiler/emit/expr.h"
#include "compiler/emit/names.h"
#include "compiler/emit/types.h"
#include "compiler/plan/plan.h"

namespace weirc::emit {

// A row between two steps in C++: a struct (the last select's, window's or source's record), and what lets, joins and
// lookups have added since, each a variable of its own. Functions pass those parts that somebody behind reads.
struct Shape {
  const typed::RecordDef* base = nullptr;
  std::vector<std::pair<std::string, const typed::Type*>> added;  // C++ name and type
};

class ProgramEmitter {
 public:
  ProgramEmitter(const plan::Plan& plan, const SourceSet& sources, const EmitOptions& options);
  std::string Emit();

 private:
  // ---- emit.cc: the sections ----
  void Heading();
  void Params();
  void Globals();
  void EnumsAndRecords();
  void Indices();
  void Fns();
  void Decoders();
  void Declarations();
  void Steps();

  // ---- feeders.cc: what brings records in ----
  void Source(const plan::Node& node);
  void Tables();
  void Table(const plan::Table& table);
  void Lookups();
  void Lookup(int lookup);
  void WriteArgs(int lookup);
  void WriteJson(const typed::Expr& e, ExprEmitter* expressions, const std::string& writer, Code* code);
  void JsonOf(const typed::Expr& e, ExprEmitter* expressions, Codec::Json* json, Code* code);

  // ---- steps.cc: one function per step ----
  void Step(const plan::Node& node);
  void Where(const plan::Node& node);
  void Select(const plan::Node& node);
  void Construct(const typed::RecordDef* record, const std::vector<std::pair<Span, std::string>>& fields, Code* code);
  void Let(const plan::Node& node);
  void TableJoin(const plan::Node& node);
  void LookupAsk(const plan::Node& node);
  void LookupResume(const plan::Node& node);
  void ExchangeSend(const plan::Node& node);
  void ExchangeReceive(const plan::Node& node);
  void Sink(const plan::Node& node);

  // ---- windows.cc ----
  void Accumulator(const plan::Node& node);
  void WindowFold(const plan::Node& node);
  void WindowFire(const plan::Node& node);

  std::string WindowSize(const plan::Node& node) const;

  // ---- layouts.cc: each writes constant tables and returns the list of them, as Build hands it over ----
  std::string LayoutOf(const typed::Type* type, const plan::Live& live);
  std::string ColumnText(const std::string& name, const typed::Type* type, const plan::Live& live);
  std::string ColumnList(const std::string& what, const std::vector<std::string>& columns);
  std::string ArgumentsLayout(int lookup);
  std::string OrderKeyLayout(const plan::Node& node);
  std::string PendingFieldsLayout(const plan::Node& node);
  std::string WindowKeyLayout(const plan::Node& node);
  std::string AggregatesLayout(const plan::Node& node);

  // ---- wiring.cc: Build ----
  void Wiring();
  void LoadParams();
  void Build();
  void BuildTests(Code* code);
  void Endpoint(const typed::EndpointDef& endpoint, Code* code);
  void Properties(const std::vector<typed::PropertyDef>& list, const std::string& target, Code* code);
  // A start-up constant: an expression over params, as C++ text of its type.
  std::string StartValue(const typed::Expr& e, Code* code);

  // ---- Shared ----
  Shape ShapeOf(int node) const;  // of its output
  // The parts of `shape` that `live` touches, as parameters: ", const Trade& row, const Instrument& i".
  std::string Parameters(const Shape& shape, const plan::Live& live) const;
  std::string Arguments(const Shape& shape, const plan::Live& live, const std::string& base) const;
  CppValue FieldOf(const Shape& shape, int field, const std::string& base) const;
  // A place for expressions over the node's input row, in a function of its step.
  ExprPlace PlaceOf(const plan::Node& node);
  ExprPlace PlaceOf(const Shape& shape, const typed::RecordDef* row, const std::string& base, const plan::Node& node);
  ExprEmitter Expressions(ExprPlace* place) { return ExprEmitter(plan_, types_, fn_names_, place, &temporaries_); }
  // Hands the node's output row on to taps and the steps behind it. `base`: what the row's struct is called here;
  // `meta`: what its metadata is.
  void Next(const plan::Node& node, const std::string& base, const std::string& meta, Code* code);
  void Tap(const plan::Node& node, int tap, const std::string& base, const std::string& meta, Code* code);
  // The steps behind a node that do something: dead ones are looked through.
  std::vector<int> Outputs(const plan::Node& node) const;
  void JsonRow(const typed::RecordDef* row, const Shape& shape, const std::string& base, const std::string& writer, Code* code);
  void SaveRow(const Shape& shape, const plan::Live& live, const std::string& row, Code* code);
  void LoadRow(const Shape& shape, const plan::Live& live, const std::string& row, Code* code);
  // What happens to a record that cannot go on; `detail` is a C++ expression (Str). Without the return.
  std::string RouteText(const typed::Route& route, const std::string& step, const std::string& reason,
                        const std::string& detail) const;
  static int RouteNumber(const typed::Route& route);  // as SourceSpec and its like count: deadletter, -1 drop, -2 stop
  std::string RouteConstant(const typed::Route& route) const;
  void FailFunction(const plan::Node& node);
  void Function(const plan::Node& node, const std::string& signature, const Code& body);
  std::string Signature(const plan::Node& node) const;
  std::string UpstreamText(const plan::Node& node) const;
  std::string TopicOf(const plan::Node& node) const;
  std::vector<int> TappedDeadletters() const;
  plan::Live TableLive(const plan::Table& table) const;
  // Whether anything behind a source asks for meta.topic.
  bool IsOrdered(int node) const;
  bool UsesTopic(const plan::Node& source) const;
  bool KeyPasses(const plan::Node& node) const;
  const typed::SourceDef& SourceOf(const plan::Node& node) const {
    return typed_.sources[static_cast<size_t>(node.As<plan::SourceOp>().source)];
  }
  const typed::TableDef& TableOf(int table) const { return typed_.tables[static_cast<size_t>(table)]; }
  const typed::LookupDef& LookupOf(const plan::Node& node) const {
    return typed_.lookups[static_cast<size_t>(node.As<plan::LookupOp>().lookup)];
  }
  std::string FunctionOf(const plan::Node& node) const { return functions_.at(node.id); }
  // A second function of a step: "enriched_a_resume".
  std::string Derived(const plan::Node& node, const char* what);
  std::string StepOf(const plan::Node& node) const { return steps_.at(node.id); }
  std::string Indexed(const char* kind, const std::string& name);

  const plan::Plan& plan_;
  const typed::TypedPipeline& typed_;
  const SourceSet& sources_;
  const EmitOptions& options_;
  std::string file_;         // "pipeline.weir"
  Scope scope_;              // of the pipeline's namespace
  Types types_;
  Codec codec_;
  CppWriter out_;
  int temporaries_ = 0;

  // C++ names, by node or by index of the declaration.
  std::vector<std::string> fn_names_;
  std::map<int, std::string> functions_;      // of the node's function
  std::map<std::pair<int, std::string>, std::string> derived_;
  std::set<int> drops_;                       // windows whose accumulators own memory
  std::set<int> counting_windows_;            // whose accumulators count their records for want of a count()
  std::set<int> failures_;                    // nodes whose `_failed` is written
  std::map<int, std::string> steps_;          // kStep_… of nodes
  std::map<int, std::string> table_names_, lookup_names_, deadletter_names_;  // kTable_… and so on
  std::map<int, std::string> table_steps_, lookup_steps_, sink_steps_;        // kStep_… of declarations
  struct TableFunctions { std::string decode, load, tombstone, value; };
  struct LookupFunctions { std::string render, decode, write_args; };
  std::map<int, TableFunctions> table_functions_;
  std::map<int, LookupFunctions> lookup_functions_;
  std::map<int, std::string> sources_names_;  // kSource_… by node
  std::map<int, std::string> lookup_step_names_, window_names_, exchange_names_;  // by node
  std::map<int, std::string> sink_names_;     // kSink_… by index of the declaration
  std::map<int, std::string> tap_names_, dead_tap_names_;  // by index of Plan::streams; by dead letter stream
  std::map<int, plan::Live> lookup_live_;     // of lookups' results, by index of the declaration
  std::map<int, std::vector<std::string>> accumulator_members_;  // by node
  std::map<int, std::string> accumulators_;   // struct names by node
  std::map<std::string, std::string> layouts_, column_lists_;  // names of what layouts.cc wrote, by its text
};

}  // namespace weirc::emit
