// compiler/parse/ast.h — A program as it is written: declarations, steps, expressions, each with
// its place.
//
// The parser builds it, nobody changes it. Nodes are structs with public fields; `As<T>` and
// `Cast<T>` (base/casting.h) find out what a Decl, Step, Expr, Pattern or TestItem is. A tree is
// never deeper than kDepthMax, so recursion over it is safe. After a syntax error the tree is still
// whole: a missing expression is an ErrorExpr, a missing name has empty text, and the declaration
// is marked `broken`; later stages know its name, but say nothing about its inside.
//
// What is already checked: literal values are in range, a block and a literal name no entry twice,
// comparisons and ranges are not chained, and strings that must be plain are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/base/casting.h"
#include "compiler/base/span.h"

namespace weirc::ast {

// Nodes above a node, the node included.
inline constexpr int kDepthMax = 256;

struct Name {
  std::string text;     // without backticks; empty when absent
  Span span;            // with backticks
  bool quoted = false;  // written in backticks: never a keyword or a pseudo-record

  bool IsPresent() const { return !text.empty(); }
  explicit operator bool() const { return IsPresent(); }
};

// ------------------------------------------------------------------------------------- expressions

enum class ExprKind : uint8_t {
  kName,
  kInt,
  kDecimal,
  kDuration,
  kTimestamp,
  kDate,
  kBool,
  kNull,
  kString,
  kList,
  kRecord,
  kTuple,
  kUnary,
  kBinary,
  kField,
  kCall,
  kIndex,
  kIf,
  kTry,
  kMatch,
  kUnderscore,
  kError,
};

struct Expr {
  const ExprKind kind;
  Span span;  // without enclosing parentheses

  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

 protected:
  explicit Expr(ExprKind k) : kind(k) {}
};
using ExprPtr = std::unique_ptr<Expr>;

// Gives each expression class its kind and ClassOf.
template <ExprKind K>
struct ExprOf : Expr {
  static constexpr ExprKind kKind = K;
  ExprOf() : Expr(K) {}
  static bool ClassOf(const Expr* e) { return e->kind == K; }
};

// A bare name: a field, alias, enum value, param, function, option word; the checker decides.
struct NameExpr : ExprOf<ExprKind::kName> {
  Name name;
};

struct IntLit : ExprOf<ExprKind::kInt> {
  std::string text;    // as written: 100_000
  __int128 value = 0;  // never negative; at most 38 digits
};

// value = digits × 10^-scale. 1_000.50 is {"100050", 2}; 1e3 is {"1", -3}; 0.0 is {"0", 1}.
struct DecimalLit : ExprOf<ExprKind::kDecimal> {
  std::string text;    // as written
  std::string digits;  // at most 38, no leading zero unless it is all
  int scale = 0;       // −400 … 400
};

struct DurationLit : ExprOf<ExprKind::kDuration> {
  std::string text;
  int64_t nanoseconds = 0;
};

struct TimestampLit : ExprOf<ExprKind::kTimestamp> {
  std::string text;         // between the quotes
  int64_t nanoseconds = 0;  // since 1970-01-01T00:00:00Z
};

struct DateLit : ExprOf<ExprKind::kDate> {
  std::string text;  // between the quotes
  int32_t days = 0;  // since 1970-01-01
};

struct BoolLit : ExprOf<ExprKind::kBool> {
  bool value = false;
};

struct NullLit : ExprOf<ExprKind::kNull> {};

// A piece of a string: text (escapes and {{ decoded), or an expression in braces.
struct StringPart {
  std::string text;
  ExprPtr expr;  // null for text
  Span span;     // of an expression: with its braces
};

// Parts alternate as written; adjacent text is one part, and an empty string has none.
struct StringLit : ExprOf<ExprKind::kString> {
  std::vector<StringPart> parts;
  bool triple_quoted = false;

  bool IsPlain() const { return parts.empty() || (parts.size() == 1 && !parts[0].expr); }
  // The whole text of a plain string.
  std::string_view PlainText() const { return parts.empty() ? std::string_view() : parts[0].text; }
};
using StringPtr = std::unique_ptr<StringLit>;

struct ListLit : ExprOf<ExprKind::kList> {
  std::vector<ExprPtr> items;
};

// `name: value`, `"key": value` or the shorthand `name`, whose value is a NameExpr of the same name
// and place.
struct Pair {
  Name name;
  ExprPtr value;  // never null
  bool shorthand = false;
  // Written "key": name.text holds the key, which may be empty or any text.
  bool string_key = false;
  Span span;
};

struct RecordLit : ExprOf<ExprKind::kRecord> {
  std::vector<Pair> pairs;

  const Pair* Find(std::string_view name) const;
};
using RecordPtr = std::unique_ptr<RecordLit>;

// (a, b), or (a,) of one item. Plain parentheses leave no node.
struct TupleExpr : ExprOf<ExprKind::kTuple> {
  std::vector<ExprPtr> items;
};

enum class UnaryOp : uint8_t { kNegate, kNot };
std::string_view Spelling(UnaryOp op);

struct UnaryExpr : ExprOf<ExprKind::kUnary> {
  UnaryOp op{};
  Span op_span;
  ExprPtr operand;
};

enum class BinaryOp : uint8_t {
  kMultiply,
  kDivide,
  kModulo,
  kAdd,
  kSubtract,
  kRange,     // a..b
  kCoalesce,  // a ?? b
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
  kAnd,
  kOr,
};
std::string_view Spelling(BinaryOp op);

struct BinaryExpr : ExprOf<ExprKind::kBinary> {
  BinaryOp op{};
  Span op_span;
  ExprPtr left;
  ExprPtr right;
};

// object.name, or object?.name
struct FieldExpr : ExprOf<ExprKind::kField> {
  ExprPtr object;
  Name name;
  bool optional = false;
};

struct Arg {
  Name name;  // absent for a positional argument
  ExprPtr value;
  Span span;
};

// callee(args); the callee is a NameExpr or a FieldExpr (`main.topic`) in every program that makes
// sense.
struct CallExpr : ExprOf<ExprKind::kCall> {
  ExprPtr callee;
  std::vector<Arg> args;
  Span parens;  // from ( to )
};

struct IndexExpr : ExprOf<ExprKind::kIndex> {
  ExprPtr object;
  ExprPtr index;
};

struct IfExpr : ExprOf<ExprKind::kIf> {
  ExprPtr condition;
  ExprPtr then_value;
  ExprPtr else_value;
};

struct TryExpr : ExprOf<ExprKind::kTry> {
  ExprPtr value;
  ExprPtr fallback;
};

struct Pattern;
using PatternPtr = std::unique_ptr<Pattern>;

// p or q if guard -> value
struct MatchArm {
  std::vector<PatternPtr> patterns;  // one or more alternatives
  ExprPtr guard;                     // null when absent
  ExprPtr value;
  Span span;
};

struct MatchExpr : ExprOf<ExprKind::kMatch> {
  ExprPtr subject;
  std::vector<MatchArm> arms;  // one or more
};

// `_` where a value stands: any argument of a stub.
struct UnderscoreExpr : ExprOf<ExprKind::kUnderscore> {};

// What could not be read. Already reported: its type is Error, and nothing more is said.
struct ErrorExpr : ExprOf<ExprKind::kError> {};

// ---------------------------------------------------------------------------------------- patterns

enum class PatternKind : uint8_t {
  kWildcard,
  kNull,
  kBool,
  kLiteral,
  kRange,
  kName,
  kTuple,
  kError
};

struct Pattern {
  const PatternKind kind;
  Span span;

  virtual ~Pattern() = default;
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

 protected:
  explicit Pattern(PatternKind k) : kind(k) {}
};

template <PatternKind K>
struct PatternOf : Pattern {
  static constexpr PatternKind kKind = K;
  PatternOf() : Pattern(K) {}
  static bool ClassOf(const Pattern* p) { return p->kind == K; }
};

struct WildcardPattern : PatternOf<PatternKind::kWildcard> {};
struct NullPattern : PatternOf<PatternKind::kNull> {};
struct BoolPattern : PatternOf<PatternKind::kBool> {
  bool value = false;
};
// An Int, Decimal, Duration, Timestamp, Date or plain String literal, the first three possibly
// under a negation.
struct LiteralPattern : PatternOf<PatternKind::kLiteral> {
  ExprPtr value;
};
// low..high, both ends as in LiteralPattern
struct RangePattern : PatternOf<PatternKind::kRange> {
  ExprPtr low;
  ExprPtr high;
};
// `B`, `Side.B`, `missing`, `found a`. A bare name never binds: it is an enum value or an outcome.
struct NamePattern : PatternOf<PatternKind::kName> {
  Name qualifier;  // Side in Side.B
  Name name;
  Name binding;  // a in found a
};
struct TuplePattern : PatternOf<PatternKind::kTuple> {
  std::vector<PatternPtr> items;
};
// Already reported.
struct ErrorPattern : PatternOf<PatternKind::kError> {};

// -------------------------------------------------------------------------------- types and blocks

struct TypeRef {
  Name name;  // string, decimal, list, Trade …; absent after a syntax error
  std::vector<std::unique_ptr<IntLit>> parameters;  // decimal(18, 4)
  std::vector<TypeRef> arguments;                   // list<…>, map<…, …>
  bool nullable = false;                            // T?
  Span span;
};

struct Param {
  Name name;
  TypeRef type;
  Span span;
};

// stream, or stream.branch of a split
struct StreamRef {
  Name stream;
  Name branch;
  Span span;
};

// A word and its value behind an entry's value: `for 60s` in `cache: 100_000 for 60s`
struct Phrase {
  Name word;
  ExprPtr value;
  Span span;
};

struct Entry {
  Name name;
  ExprPtr value;
  std::vector<Phrase> phrases;
  Span span;
};

enum class ActionKind : uint8_t { kUse, kSend, kDrop, kStop };

struct Action {
  ActionKind kind{};
  ExprPtr value;  // use VALUE
  Name target;    // send DEADLETTER
  Span span;
};

// on missing or failed send dead
struct OnClause {
  std::vector<Name> events;  // one or more
  Action action;
  Span span;
};

enum class OrderKind : uint8_t { kInput, kNone, kKey };

struct OrderClause {
  OrderKind kind{};
  ExprPtr key;  // order key EXPR
  Span span;
};

enum class EmitKind : uint8_t { kFinal, kOnChange, kEvery };

struct EmitClause {
  EmitKind kind{};
  ExprPtr every;  // emit every EXPR
  Span span;
};

struct Answer;

// Everything in braces behind a declaration or a step. `present` tells {} from nothing at all.
struct Block {
  bool present = false;
  Span span;
  std::vector<Entry> entries;
  std::vector<OnClause> ons;
  std::optional<OrderClause> order;
  std::optional<EmitClause> emit;
  std::vector<Name> flags;      // bare names: sync, async, pin
  std::vector<Answer> answers;  // of a service

  Block();
  Block(Block&&) noexcept;
  Block& operator=(Block&&) noexcept;
  ~Block();

  const Entry* Find(std::string_view name) const;
  const Name* FindFlag(std::string_view name) const;
};

// answer account(id: string) -> Account = pg.query("…") { … }
struct Answer {
  Name name;
  std::vector<Param> params;
  TypeRef result;
  std::vector<ExprPtr> chain;  // one or more: the first, then each `else`
  Block block;
  std::string doc;
  Span span;
};

// ------------------------------------------------------------------------------------------- steps

enum class StepKind : uint8_t {
  kWhere,
  kSelect,
  kLet,
  kUnion,
  kSplit,
  kFlatten,
  kJoin,
  kWindowJoin,
  kLookup,
  kWindow,
  kAggregate,
  kDedup,
  kRekey,
  kError,
};

struct Step {
  const StepKind kind;
  Span span;     // without the `|`
  Span keyword;  // `where`, `asof join`, `lookup` …: where a message about the whole step points

  virtual ~Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 protected:
  explicit Step(StepKind k) : kind(k) {}
};
using StepPtr = std::unique_ptr<Step>;

template <StepKind K>
struct StepOf : Step {
  static constexpr StepKind kKind = K;
  StepOf() : Step(K) {}
  static bool ClassOf(const Step* s) { return s->kind == K; }
};

struct WhereStep : StepOf<StepKind::kWhere> {
  ExprPtr condition;
};

struct SelectStep : StepOf<StepKind::kSelect> {
  RecordPtr fields;
  ExprPtr time;  // with time EXPR; null when absent
};

struct LetStep : StepOf<StepKind::kLet> {
  Name name;
  ExprPtr value;
};

struct UnionStep : StepOf<StepKind::kUnion> {
  std::vector<StreamRef> streams;  // one or more
};

// Branches are the record's pairs: a condition, or the bare name `otherwise`.
struct SplitStep : StepOf<StepKind::kSplit> {
  RecordPtr branches;
};

struct FlattenStep : StepOf<StepKind::kFlatten> {
  ExprPtr list;
  Name alias;
  Block block;
};

enum class JoinKind : uint8_t { kPlain, kAsof, kOuter };

struct JoinStep : StepOf<StepKind::kJoin> {
  JoinKind join_kind{};
  StreamRef target;
  Name alias;      // absent: the target's name
  ExprPtr on;      // a field of both sides, a tuple of such, or a condition
  ExprPtr within;  // null when absent
  Block block;
};

struct WindowJoinStep : StepOf<StepKind::kWindowJoin> {
  StreamRef target;
  Name alias;
  ExprPtr on;
  ExprPtr within;
  RecordPtr fields;
};

struct LookupStep : StepOf<StepKind::kLookup> {
  bool is_call = false;
  Name lookup;
  std::vector<Arg> args;
  Span parens;
  bool as_outcome = false;  // as outcome r
  Name alias;               // absent: the lookup's name
  Block block;
};

// window KIND(args) SIZE every HOP by KEY { … }
struct WindowStep : StepOf<StepKind::kWindow> {
  Name window_kind;
  bool has_args = false;  // trading(XNYS)
  std::vector<Arg> args;
  ExprPtr size;   // an IntLit, DurationLit or NameExpr; null when absent
  ExprPtr every;  // likewise
  ExprPtr by;     // null when absent
  Block block;
};

struct AggregateStep : StepOf<StepKind::kAggregate> {
  RecordPtr fields;
};

struct DedupStep : StepOf<StepKind::kDedup> {
  ExprPtr by;
  ExprPtr within;  // null when absent
  Block block;
};

struct RekeyStep : StepOf<StepKind::kRekey> {
  ExprPtr by;
};

// Already reported; what it does to the stream's type is unknown.
struct ErrorStep : StepOf<StepKind::kError> {};

// ------------------------------------------------------------------------------------------- tests

enum class TestItemKind : uint8_t { kFeed, kStub, kWait, kExpect };

struct TestItem {
  const TestItemKind kind;
  Span span;

  virtual ~TestItem() = default;
  TestItem(const TestItem&) = delete;
  TestItem& operator=(const TestItem&) = delete;

 protected:
  explicit TestItem(TestItemKind k) : kind(k) {}
};
using TestItemPtr = std::unique_ptr<TestItem>;

template <TestItemKind K>
struct TestItemOf : TestItem {
  static constexpr TestItemKind kKind = K;
  TestItemOf() : TestItem(K) {}
  static bool ClassOf(const TestItem* i) { return i->kind == K; }
};

// trades <- { … }, or a list of rows
struct FeedItem : TestItemOf<TestItemKind::kFeed> {
  Name target;
  ExprPtr rows;
};

// account("a1") answers missing after 20ms
struct StubItem : TestItemOf<TestItemKind::kStub> {
  Name lookup;
  std::vector<Arg> args;
  Span parens;
  ExprPtr answer;  // an outcome, a record, or a list of those for one attempt after another
  ExprPtr after;   // null when absent
};

struct WaitItem : TestItemOf<TestItemKind::kWait> {
  ExprPtr duration;
};

struct ExpectItem : TestItemOf<TestItemKind::kExpect> {
  StreamRef target;
  bool exactly = false;  // else contains
  ExprPtr rows;
};

// ------------------------------------------------------------------------------------ declarations

enum class DeclKind : uint8_t {
  kPipeline,
  kImport,
  kParam,
  kSecret,
  kConnection,
  kEnum,
  kRecord,
  kDeadletter,
  kSource,
  kTable,
  kLookup,
  kExternLookup,
  kExternFn,
  kFn,
  kAggregateFn,
  kService,
  kStream,
  kSink,
  kTest,
};

struct Decl {
  const DeclKind kind;
  Name name;            // absent for a test, and for an import without alias
  std::string doc;      // the `///` lines above, joined by \n, without their slashes
  bool broken = false;  // has a syntax error: know its name, be silent about its inside
  Span span;
  Span keyword;

  virtual ~Decl() = default;
  Decl(const Decl&) = delete;
  Decl& operator=(const Decl&) = delete;

 protected:
  explicit Decl(DeclKind k) : kind(k) {}
};
using DeclPtr = std::unique_ptr<Decl>;

template <DeclKind K>
struct DeclOf : Decl {
  static constexpr DeclKind kKind = K;
  DeclOf() : Decl(K) {}
  static bool ClassOf(const Decl* d) { return d->kind == K; }
};

struct PipelineDecl : DeclOf<DeclKind::kPipeline> {
  std::unique_ptr<IntLit> version;  // null only when broken
  Block block;
};

// import "schemas/trade.weir" as trade; `name` is the alias
struct ImportDecl : DeclOf<DeclKind::kImport> {
  StringPtr path;  // plain; null only when broken
};

struct ParamDecl : DeclOf<DeclKind::kParam> {
  TypeRef type;
  ExprPtr default_value;  // null when absent
};

struct SecretDecl : DeclOf<DeclKind::kSecret> {
  TypeRef type;
};

// connection main = kafka { … }
struct ConnectionDecl : DeclOf<DeclKind::kConnection> {
  Name connector;  // kafka, http, postgres …
  Block block;
};

struct EnumMember {
  Name name;
  StringPtr from;  // plain; null when absent
  std::string doc;
  Span span;
};

struct EnumDecl : DeclOf<DeclKind::kEnum> {
  std::vector<EnumMember> members;
};

struct RecordField {
  Name name;
  TypeRef type;
  ExprPtr unit;           // in USD; null when absent
  StringPtr from;         // from "wire name", plain; null when absent
  ExprPtr default_value;  // null when absent
  std::string doc;
  Span span;
};

struct RecordDecl : DeclOf<DeclKind::kRecord> {
  std::vector<RecordField> fields;
};

struct DeadletterDecl : DeclOf<DeclKind::kDeadletter> {};

// source trades: Trade = main.topic("trades") { … }
struct SourceDecl : DeclOf<DeclKind::kSource> {
  TypeRef type;
  ExprPtr origin;
  Block block;
};

struct TableDecl : DeclOf<DeclKind::kTable> {
  std::optional<TypeRef> type;
  ExprPtr origin;
  Block block;
};

// lookup or call NAME(params) -> T = EXPR else EXPR … { … }
struct LookupDecl : DeclOf<DeclKind::kLookup> {
  bool is_call = false;
  std::vector<Param> params;
  TypeRef result;
  std::vector<ExprPtr> chain;  // one or more: the first, then each `else`
  Block block;
};

struct ExternLookupDecl : DeclOf<DeclKind::kExternLookup> {
  bool is_call = false;
  std::vector<Param> params;
  TypeRef result;
  StringPtr from;  // plain; null only when broken
  Block block;
};

struct ExternFnDecl : DeclOf<DeclKind::kExternFn> {
  std::vector<Param> params;
  TypeRef result;
  StringPtr from;  // plain; null only when broken
};

struct Local {
  Name name;
  ExprPtr value;
  Span span;
};

// fn f(…) -> T = body, or { let a = … ⏎ return body }
struct FnDecl : DeclOf<DeclKind::kFn> {
  std::vector<Param> params;
  TypeRef result;
  std::vector<Local> locals;
  ExprPtr body;
};

// aggregate spread(…) -> T with acc: State { init: …, add: …, merge: …, result: … }
struct AggregateFnDecl : DeclOf<DeclKind::kAggregateFn> {
  std::vector<Param> params;
  TypeRef result;
  Name state;
  TypeRef state_type;
  Block block;
};

struct ServiceDecl : DeclOf<DeclKind::kService> {
  std::unique_ptr<IntLit> version;  // null only when broken
  ExprPtr endpoint;
  Block block;
};

// stream NAME { on … } = ORIGIN | step | step
struct StreamDecl : DeclOf<DeclKind::kStream> {
  Block block;
  StreamRef origin;
  std::vector<StepPtr> steps;
};

struct SinkDecl : DeclOf<DeclKind::kSink> {
  StreamRef origin;
  ExprPtr target;
  Block block;
};

struct TestDecl : DeclOf<DeclKind::kTest> {
  StringPtr title;  // plain; null only when broken
  std::vector<TestItemPtr> items;
};

// -------------------------------------------------------------------------------------------- file

struct Comment {
  std::string_view text;  // with its slashes, without the line end; points into the source file
  Span span;
  bool is_doc = false;    // starts with exactly three slashes
  bool own_line = false;  // nothing but blanks before it on its line
};

struct File {
  uint32_t file = Span::kNoFile;
  std::vector<DeclPtr> decls;     // in source order
  std::vector<Comment> comments;  // all, in source order
};

}  // namespace weirc::ast
