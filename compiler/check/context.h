// compiler/check/context.h — What all parts of the checker share: the pipeline under construction,
// the names in it, and what is known about streams beyond their types.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/check/check.h"
#include "compiler/check/type_rules.h"
#include "compiler/check/typed.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/ast.h"

namespace weirc::check {

using typed::ExprPtr;
using typed::RecordDef;
using typed::Route;
using typed::Type;
using typed::TypeKind;

enum class SymbolKind : uint8_t {
  kParam,
  kSecret,
  kConnection,
  kEnum,
  kRecord,
  kDeadletter,
  kSource,
  kTable,
  kLookup,
  kFn,
  kStream,
  kSink,
  kNamespace,
  kLater,  // declared with a construct of a later version: known, reported where it is declared
};
// "param", "dead letter", …
std::string_view NameOf(SymbolKind kind);

struct Symbol {
  SymbolKind kind;
  std::string name;
  Span span;  // of the name
  const ast::Decl* decl = nullptr;
  const ast::File* file = nullptr;
  int index = -1;  // into the pipeline's vector of its kind; -1: has none (broken, or an error)
  bool used = false;
  std::unordered_map<std::string, Symbol*> members;  // kNamespace
};

// A field's history: its value as a formula over the fields of the records that entered the stream.
// Two fields with one formula have the same value; a formula over known leaves is a function of
// them.
struct Origin {
  std::string formula;
  std::set<std::string> leaves;
};

// Records behind this step may come out of order: a lookup with `order none` or `order key …`.
struct Disorder {
  std::string step;  // name of the lookup step
  Span span;         // of the clause
  bool by_key = false;
  std::vector<Origin> key;        // kept in order per value of this
  std::string key_text;           // as written
  std::vector<std::string> path;  // streams it came through
};

// What bare names mean at a step, and what is known about its records.
struct Row {
  const RecordDef* record = nullptr;    // null: unknown, and already reported
  std::string owner;                    // the stream's name, for messages and for `owner.field`
  std::vector<std::string> qualifiers;  // names that `x.field` may use for the record itself
  // Joined sides since the record last got a new shape: alias → its record; names on both sides
  // need an owner.
  struct Joined {
    std::string alias;
    const RecordDef* record = nullptr;
    std::set<std::string> equal;  // fields the join itself made equal
  };
  std::vector<Joined> joined;
  std::unordered_map<std::string, Origin> origins;  // by field
  std::vector<Disorder> disorders;
  int source = -1;        // where the records came from; -1: unknown or a dead letter
  bool windowed = false;  // behind a window: times and order are the window's
};

// What is known about a declared stream (or source) besides its StreamDef.
struct StreamFacts {
  Row row;
  bool known = false;  // checked without an error that hides its row
  bool has_split = false;
};

struct Context {
  Context(const std::vector<const ast::File*>& files, const CheckOptions& options,
          Diagnostics& diagnostics);

  const std::vector<const ast::File*>& files;
  const CheckOptions& options;
  Diagnostics& diagnostics;
  typed::TypedPipeline out;
  typed::TypeTable& types;

  // ---- Types that are often needed
  const Type* error;
  const Type* null_type;
  const Type* boolean;
  const Type* int32;
  const Type* int64;
  const Type* float64;
  const Type* string;
  const Type* bytes;
  const Type* timestamp;
  const Type* duration;
  const Type* date;
  const RecordDef* failure = nullptr;      // what `failed f` binds: { reason, kind }
  const RecordDef* dead_letter = nullptr;  // a record of a dead letter stream

  // ---- Names. Values (params, streams, …) and types (records, enums) have a namespace each.
  std::vector<std::unique_ptr<Symbol>> symbols;  // in source order, root file first
  std::unordered_map<std::string, Symbol*> values;
  std::unordered_map<std::string, Symbol*> type_names;
  // Enum values by name: which enums have one.
  std::unordered_map<std::string, std::vector<std::pair<const typed::EnumDef*, int>>> enum_values;

  // Null when there is none. Marks as used.
  Symbol* FindValue(std::string_view name);
  Symbol* FindType(std::string_view name);
  std::vector<std::string> ValueNames(std::initializer_list<SymbolKind> kinds) const;

  // Records whose fields are not all known: a field they lack is not reported.
  std::unordered_set<const RecordDef*> poisoned;
  bool IsPoisoned(const RecordDef* record) const {
    return record == nullptr || poisoned.contains(record);
  }

  std::vector<StreamFacts> source_facts, stream_facts;
  std::vector<bool> source_timed;  // declares an event time
  std::vector<bool> deadletter_written, deadletter_read;
  std::vector<bool> source_read, table_read, lookup_used, stream_read, fn_used;

  // A record without a name, once per shape.
  const RecordDef* AnonymousRecord(std::vector<typed::Field> fields, Span span);
  // A row type of its own: "<stream>.<n>".
  const RecordDef* NewRow(const std::string& stream, int step, std::vector<typed::Field> fields,
                          Span span);

  // ---- Reporting
  Reported Report(Code code, Span span, std::string label = {},
                  std::initializer_list<MessageArg> args = {}) {
    return diagnostics.Report(code, span, std::move(label), args);
  }
  // "did you mean `x`?" or empty.
  static std::string Suggest(std::string_view written, const std::vector<std::string>& candidates);
  // What stands in the source, for help to repeat; `…` when it is long or not at hand.
  std::string Written(Span span) const;
  // The construct exists in the grammar, its meaning comes later.
  void ReportLater(Code code, Span span, std::string_view construct, std::string instead = {});

  // A record as messages call it: `Trade`, or the stream whose row it is.
  std::string DisplayName(const RecordDef* record) const;
  std::string DisplayName(const Type* type) const;

 private:
  std::unordered_map<std::string, const RecordDef*> anonymous_;
};

// Text that stands for a field of the record itself when aliases hide it.
std::string Quoted(std::string_view name);

}  // namespace weirc::check
