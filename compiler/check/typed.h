// The typed pipeline: what `Check` makes of an Ast. Every name is resolved, every expression has a
// type, every implicit conversion is a node of its own, and every outcome has a route. Later stages
// never look at the Ast again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/base/span.h"

namespace weirc::typed {

// ---- Types --------------------------------------------------------------------------------------

enum class TypeKind : uint8_t {
  kError,  // something was wrong and has been reported; silent from here on
  kNull,   // the literal `null` before it meets a T?
  kBool,
  kInt32,
  kInt64,
  kFloat64,
  kDecimal,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kDate,
  kEnum,
  kRecord,
  kList,
  kMap,
  kOptional,
  kOutcome,  // of `lookup … as outcome r`: only `match` may look at it
};

struct EnumDef;
struct RecordDef;

// Interned by TypeTable: equal types are the same pointer.
struct Type {
  TypeKind kind = TypeKind::kError;
  int precision = 0, scale = 0;  // decimals, 1 <= precision <= 38, 0 <= scale <= precision
  std::string unit;              // `in USD`, else empty; part of the type
  const EnumDef* enum_def = nullptr;
  const RecordDef* record = nullptr;
  const Type* element = nullptr;  // of list, map (values), optional, outcome (found type)

  bool Is(TypeKind k) const { return kind == k; }
  // A decimal that fits int64_t in generated code.
  bool IsSmallDecimal() const { return kind == TypeKind::kDecimal && precision <= 18; }
};

// As a pipeline author writes it: "decimal(18, 4)?", "list<string>", "Trade".
std::string ToString(const Type* type);

class TypeTable {
 public:
  TypeTable();
  ~TypeTable();
  TypeTable(const TypeTable&) = delete;
  TypeTable& operator=(const TypeTable&) = delete;
  const Type* Simple(TypeKind kind);  // kinds without parts
  const Type* Decimal(int precision, int scale, const std::string& unit = "");
  const Type* WithUnit(const Type* type, const std::string& unit);
  const Type* Enum(const EnumDef* def);
  const Type* Record(const RecordDef* def);
  const Type* List(const Type* element);
  const Type* Map(const Type* value);
  const Type* Optional(const Type* type);  // of an optional: itself
  const Type* Outcome(const Type* found);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct EnumValue {
  std::string name;  // as the pipeline says it
  std::string text;  // as data says it (`from "BUY"`), else the name
  Span span;
};
struct EnumDef {
  std::string name;
  std::vector<EnumValue> values;
  Span span;
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Field {
  std::string name;
  std::string json_name;  // `from "_id"`, else the name
  const Type* type = nullptr;
  // Constant, of the field's type; null: must be present (or null when optional).
  std::shared_ptr<Expr> default_value;
  Span span;
};

// A declared record, or the row type of a stream between two steps (then `name` is "<stream>.<n>"
// and synthetic is set).
struct RecordDef {
  std::string name;
  bool synthetic = false;
  std::vector<Field> fields;
  Span span;
  int IndexOf(const std::string& field) const {
    for (size_t i = 0; i < fields.size(); ++i)
      if (fields[i].name == field) return static_cast<int>(i);
    return -1;
  }
};

// ---- Expressions --------------------------------------------------------------------------------

// A constant. Integers, unscaled decimals, ns of durations and timestamps, days of dates, enum
// indices: `number`.
struct Value {
  bool is_null = false;
  bool boolean = false;
  __int128 number = 0;
  double real = 0;
  std::string text;  // strings, bytes
};

enum class ExprKind : uint8_t {
  kLiteral,
  kParam,
  kLocal,
  kRow,
  kField,
  kMeta,
  kWindow,
  kAggregate,
  kUnary,
  kBinary,
  kConvert,
  kCallStd,
  kCallFn,
  kIf,
  kMatch,
  kTry,
  kCoalesce,
  kList,
  kMap,
  kRecord,
  kIndex,
  kIn,
  kInterpolate,
  kHas,
};

struct Expr {
  explicit Expr(ExprKind k) : kind(k) {}
  virtual ~Expr() = default;
  ExprKind kind;
  const Type* type = nullptr;
  // Evaluating it can fail at run time (division, checked cast, a `fails` function, int64 or
  // decimal(38) overflow). A `try` is not fallible; its operand is.
  bool fallible = false;
  // Fails only by arithmetic overflow, which the language does not ask authors to handle: it takes
  // the stream's `on unhandled` route or else the source's `on bad` route.
  bool overflow_only = false;
  Span span;
};

struct LiteralExpr : Expr {
  LiteralExpr() : Expr(ExprKind::kLiteral) {}
  Value value;
};
// TypedPipeline::params (secrets too).
struct ParamExpr : Expr {
  ParamExpr() : Expr(ExprKind::kParam) {}
  int param = -1;
};
// FnDef::locals: parameters first; also names bound by match arms.
struct LocalExpr : Expr {
  LocalExpr() : Expr(ExprKind::kLocal) {}
  int local = -1;
  std::string name;  // as written, for messages; empty where a conversion made it
};
// The record at this step, of its row type.
struct RowExpr : Expr {
  RowExpr() : Expr(ExprKind::kRow) {}
};
// `base.field`. When the base is optional (`?.`), the result is optional and absent with it.
struct FieldExpr : Expr {
  FieldExpr() : Expr(ExprKind::kField) {}
  ExprPtr base;
  int field = -1;
  bool through_optional = false;
};
enum class MetaField : uint8_t { kTime, kKey, kHeader, kTopic, kPartition, kOffset, kArrival };
// Key, header: string?.
struct MetaExpr : Expr {
  MetaExpr() : Expr(ExprKind::kMeta) {}
  MetaField field;
  std::string header;
};
enum class WindowField : uint8_t { kStart, kEnd };
struct WindowExpr : Expr {
  WindowExpr() : Expr(ExprKind::kWindow) {}
  WindowField field;
};
// The result of WindowAggregateStep::aggregates[index], inside that step's fields.
struct AggregateExpr : Expr {
  AggregateExpr() : Expr(ExprKind::kAggregate) {}
  int index = -1;
};

enum class UnaryOp : uint8_t { kNegate, kNot };
struct UnaryExpr : Expr {
  UnaryExpr() : Expr(ExprKind::kUnary) {}
  UnaryOp op;
  ExprPtr operand;
};

enum class BinaryOp : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kRemainder,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr
};
// Both operands have the same type, except: decimals may differ in precision (and, for multiply,
// divide and comparisons, in scale); timestamp ± duration; timestamp - timestamp (duration);
// date - date is not defined. Optionals compare with == and != only (null equals null).
// Results of decimals:
//   + and -  scale = max(s1, s2), precision = min(38, max(p1-s1, p2-s2) + scale + 1)
//   *        decimal(min(38, p1+p2), s1+s2) with s1+s2 <= 38, else an error asks for round()
//   /        decimal(38, max(6, s1, s2)), half to even, fallible
// int / int is fallible and truncates toward zero; % likewise; float / float is fallible: it fails
// when the divisor is zero. int32 operands are widened to int64 first. A division by a literal
// other than zero fails by overflow only.
struct BinaryExpr : Expr {
  BinaryExpr() : Expr(ExprKind::kBinary) {}
  BinaryOp op;
  ExprPtr left, right;
};

// Lossless, implicit. Casts that can fail are standard functions (int32(x), decimal(x, p, s), …).
enum class Conversion : uint8_t {
  kWidenInt,        // int32 → int64
  kIntToDecimal,    // int → decimal(p, s) with p - s >= 10 or 19; literals: exact fit
  kWidenDecimal,    // decimal(p, s) → decimal(p2, s2), s2 >= s, p2 - s2 >= p - s
  kIntToFloat,      // int32 → float64 only
  kToOptional,      // T → T?
  kNullToOptional,  // null → T?
  kRecord,  // a record literal's or row's type → declared record with the same fields in its order
};
struct ConvertExpr : Expr {
  ConvertExpr() : Expr(ExprKind::kConvert) {}
  Conversion conversion;
  ExprPtr operand;
};

// Index into the standard library's generated table (compiler/check/stdlib_index.h).
struct CallStdExpr : Expr {
  CallStdExpr() : Expr(ExprKind::kCallStd) {}
  int function = -1;
  std::vector<ExprPtr> args;
};
struct CallFnExpr : Expr {
  CallFnExpr() : Expr(ExprKind::kCallFn) {}
  int fn = -1;
  std::vector<ExprPtr> args;
};
struct IfExpr : Expr {
  IfExpr() : Expr(ExprKind::kIf) {}
  ExprPtr condition, then_value, else_value;
};
// `try a else b`: b when evaluating a fails.
struct TryExpr : Expr {
  TryExpr() : Expr(ExprKind::kTry) {}
  ExprPtr operand, fallback;
};
// `a ?? b`: b when the optional a is absent. Result is T, or T? when b is optional.
struct CoalesceExpr : Expr {
  CoalesceExpr() : Expr(ExprKind::kCoalesce) {}
  ExprPtr operand, fallback;
};
// `x is present` as needed by lowered patterns.
struct HasExpr : Expr {
  HasExpr() : Expr(ExprKind::kHas) {}
  ExprPtr operand;
};

struct Pattern {
  enum Kind : uint8_t { kAny, kNull, kPresent, kConstant, kRange, kOutcome } kind = kAny;
  Value low, high;  // constant; range (inclusive), of the subject's type
  // kOutcome: 0 found, 1 missing, 2 timeout, 3 rejected, 4 error, 5 failed (2, 3 or 4)
  int outcome = -1;
  // kPresent: the value, without its `?` (made by conversions of T? to U?, not by authors);
  // kOutcome: `found a` binds the value, `failed f` a record { reason: string, kind: string }
  int bind_local = -1;
};
struct MatchArm {
  std::vector<Pattern> patterns;  // alternatives
  ExprPtr guard;                  // may be null
  ExprPtr value;
};
// Exhaustive: checked.
struct MatchExpr : Expr {
  MatchExpr() : Expr(ExprKind::kMatch) {}
  ExprPtr subject;
  std::vector<MatchArm> arms;
  std::vector<const Type*> local_types;
  int first_local = 0;
};

struct ListExpr : Expr {
  ListExpr() : Expr(ExprKind::kList) {}
  std::vector<ExprPtr> elements;
};
struct MapExpr : Expr {
  MapExpr() : Expr(ExprKind::kMap) {}
  std::vector<std::pair<std::string, ExprPtr>> entries;
};
// Values in the order of the record type's fields.
struct RecordExpr : Expr {
  RecordExpr() : Expr(ExprKind::kRecord) {}
  std::vector<ExprPtr> values;
};
// list[i], map["k"]: optional, absent when there is none.
struct IndexExpr : Expr {
  IndexExpr() : Expr(ExprKind::kIndex) {}
  ExprPtr base, index;
};
// x in [..], x in a..b (inclusive), not in.
struct InExpr : Expr {
  InExpr() : Expr(ExprKind::kIn) {}
  ExprPtr operand;
  ExprPtr list;
  ExprPtr low, high;
  bool negated = false;
};
// "…{expr}…": parts are strings already (to_string inserted); absent optionals are refused by the
// checker.
struct InterpolateExpr : Expr {
  InterpolateExpr() : Expr(ExprKind::kInterpolate) {}
  std::vector<ExprPtr> parts;
};

template <class T>
const T& As(const Expr& e) {
  return static_cast<const T&>(e);
}

// ---- Declarations -------------------------------------------------------------------------------

struct ParamDef {
  std::string name;
  const Type* type = nullptr;
  bool secret = false;
  ExprPtr default_value;
  std::string default_text;
  std::string doc;
  Span span;
};
struct FnDef {
  std::string name;
  int param_count = 0;
  std::vector<std::pair<std::string, const Type*>> locals;
  std::vector<std::pair<int, ExprPtr>> lets;
  ExprPtr result;
  const Type* result_type = nullptr;
  bool fallible = false;
  bool overflow_only = false;
  Span span;
};

// An entry that a connector or the runtime reads by name. `value` is evaluated at start: it may use
// params and secrets.
struct PropertyDef {
  std::string name;
  ExprPtr value;
  Span span;
};
enum class ConnectionKind : uint8_t { kFile, kKafka, kHttp };
std::string_view NameOf(ConnectionKind kind);  // as the language spells it
struct ConnectionDef {
  std::string name;
  ConnectionKind kind;
  std::vector<PropertyDef> properties;
  Span span;
};

// What happens to a record that cannot go on.
struct Route {
  enum Kind : uint8_t { kNone, kDrop, kSend, kStop, kUse } kind = kNone;
  int deadletter = -1;
  ExprPtr use;  // `use VALUE`
  Span span;
};

struct DeadletterDef {
  std::string name;
  Span span;
};
enum class Format : uint8_t { kJson, kRaw };

// Shared by sources, tables and sinks: `main.topic("trades")`, `ndjson("file")`, `stdin`.
struct EndpointDef {
  int connection = -1;
  std::string operation;
  ExprPtr address;
  std::vector<PropertyDef> properties;
  Format format = Format::kJson;
  Span span;
};

struct SourceDef {
  std::string name;
  EndpointDef endpoint;
  const RecordDef* record = nullptr;
  std::vector<ExprPtr> key;  // over the record (kRow); empty: not declared
  // A timestamp over the record (if it overflows: on_bad); null: the record's own (Kafka) time, or
  // arrival for files.
  ExprPtr time;
  ExprPtr lateness, idle;  // duration constants over params; null: not declared
  Route on_bad;
  Span span;
  std::string doc;
};
struct TableDef {
  std::string name;
  EndpointDef endpoint;
  const RecordDef* record = nullptr;
  std::vector<ExprPtr> key;
  Route on_bad;
  Span span;
};

// One part of a rendered request: constant text, or an expression over the lookup's parameters
// (locals).
struct RequestPart {
  std::string text;
  ExprPtr value;
};
struct LookupDef {
  std::string name;
  std::vector<std::pair<std::string, const Type*>> params;
  const RecordDef* result = nullptr;
  int connection = -1;
  std::string operation;          // "get", "post"
  std::vector<RequestPart> path;  // params are percent-encoded per component
  ExprPtr body;                   // post: a record/map expression over the params, else null
  bool sync = false;
  ExprPtr in_flight, timeout, deadline, retries, backoff_min, backoff_max, cache_entries, cache_ttl,
      cache_missing_ttl;  // null: default
  bool jitter_full = true;
  bool coalesce = true;
  Span span;
};

// ---- Streams ------------------------------------------------------------------------------------

enum class StepKind : uint8_t { kWhere, kSelect, kLet, kTableJoin, kLookup, kWindowAggregate };
struct Step {
  explicit Step(StepKind k) : kind(k) {}
  virtual ~Step() = default;
  StepKind kind;
  const RecordDef* input = nullptr;   // row type before
  const RecordDef* output = nullptr;  // row type after
  // "<stream>.<alias>", else "<stream>.<kind>" made unique: names state, dead letters and metrics.
  std::string name;
  // A fallible, unhandled expression of this step (from `on unhandled`, or the source's on bad).
  Route on_error;
  Span span;  // the whole step
};
struct WhereStep : Step {
  WhereStep() : Step(StepKind::kWhere) {}
  ExprPtr condition;
};
// Values in the order of output->fields.
struct SelectStep : Step {
  SelectStep() : Step(StepKind::kSelect) {}
  std::vector<ExprPtr> values;
  ExprPtr with_time;
};
// Output = input fields + one.
struct LetStep : Step {
  LetStep() : Step(StepKind::kLet) {}
  ExprPtr value;
};
// output = input fields + one field named by the alias: the table's record, optional when `on
// missing use null`.
struct TableJoinStep : Step {
  TableJoinStep() : Step(StepKind::kTableJoin) {}
  int table = -1;
  std::string alias;
  std::vector<ExprPtr> key;
  Route on_missing;
};
enum class OrderMode : uint8_t { kInput, kKey, kNone };
// output = input fields + the alias: the result record, optional when an outcome uses null, or an
// outcome (`as outcome`).
struct LookupStep : Step {
  LookupStep() : Step(StepKind::kLookup) {}
  int lookup = -1;
  std::string alias;
  bool as_outcome = false;
  std::vector<ExprPtr> args;
  OrderMode order = OrderMode::kInput;
  std::vector<ExprPtr> order_key;
  Route on_missing, on_timeout, on_rejected, on_error_outcome;  // `on failed` fills the last three
};
enum class AggregateKind : uint8_t { kCount, kSum, kMin, kMax, kFirst, kLast, kAvg, kVwap };
// count(): int64, of all records. count(x): where x is present. sum: int → int64 (overflow fails),
// decimal(p,s) → decimal(38,s), float64. min, max, first, last: the argument's type. avg:
// decimal(38, max(6, s)) half to even for ints and decimals, float64 for floats. vwap(price, qty) =
// sum(price*qty) / sum(qty): decimal(38, max(6, s_price)); T? (absent when the quantities sum to
// zero). A window exists only once a record is in it, so count() >= 1 and min, max, first, last of
// non-optional arguments are never absent. Optional arguments: absent values are skipped;
// min/max/first/last/avg of optional arguments are optional.
struct Aggregate {
  AggregateKind kind;
  std::vector<ExprPtr> args;
  const Type* type = nullptr;
  Span span;
};
struct WindowAggregateStep : Step {
  WindowAggregateStep() : Step(StepKind::kWindowAggregate) {}
  ExprPtr size;             // duration constant over params, > 0
  std::vector<ExprPtr> by;  // over the input row; empty: one window for all
  // For by expression i: the index of the output field that is it, unchanged; -1: none.
  std::vector<int> by_fields;
  const RecordDef* key_record = nullptr;  // the by expressions as fields; kRow inside `values`
  Route on_late;
  std::vector<Aggregate> aggregates;  // over the input row
  // In the order of output->fields; over key_record, kWindow and kAggregate.
  std::vector<ExprPtr> values;
};

struct StreamInput {
  enum Kind : uint8_t { kSource, kStream, kDeadletter } kind = kSource;
  int index = -1;
};
struct StreamDef {
  std::string name;
  StreamInput input;
  std::vector<std::unique_ptr<Step>> steps;
  const RecordDef* row = nullptr;
  Route on_unhandled;
  Span span;
};
// Key over the stream's row; empty: the record's own key passes through.
struct SinkDef {
  std::string name;
  StreamInput from;
  EndpointDef endpoint;
  std::vector<ExprPtr> key;
  Span span;
};

// ---- Tests: evaluated to data -------------------------------------------------------------------

struct TestItem {
  enum Kind : uint8_t { kFeedSource, kFeedTable, kStub, kWait, kContains, kExactly } kind;
  int target = -1;     // source, table, lookup
  StreamInput stream;  // expect
  // Feed, expect: a JSON array of records, of a raw record its text alone; stub: an array of
  // {"outcome":…,"value":…,"reason":…}.
  std::string json;
  std::string args_json;    // stub: JSON array, null for `_`
  int64_t duration_ns = 0;  // stub: after; wait
  Span span;                // expect: the value's span, for --update
};
struct TestDef {
  std::string name;
  std::vector<TestItem> items;
  Span span;
};

enum class Delivery : uint8_t { kDefault, kExactlyOnce, kAtLeastOnce };

struct TypedPipeline {
  std::string name;
  int version = 1;
  Delivery delivery = Delivery::kDefault;
  ExprPtr commit;  // duration; null: default
  std::shared_ptr<TypeTable> types;
  std::vector<std::unique_ptr<EnumDef>> enums;
  std::vector<std::unique_ptr<RecordDef>> records;  // declared and synthetic
  std::vector<ParamDef> params;
  std::vector<FnDef> fns;
  std::vector<ConnectionDef> connections;
  std::vector<DeadletterDef> deadletters;
  std::vector<SourceDef> sources;
  std::vector<TableDef> tables;
  std::vector<LookupDef> lookups;
  std::vector<StreamDef> streams;  // in dependency order
  std::vector<SinkDef> sinks;
  std::vector<TestDef> tests;
};

}  // namespace weirc::typed
