// A compiled pipeline as the runtime sees it: tables of what was declared, with pointers to generated functions.
// Generated code fills a Program in `Build`, once, after parameters are known; the runtime owns it from then on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/row.h"
#include "runtime/core/str.h"
#include "runtime/engine/batch.h"
#include "runtime/lookup/connector.h"
#include "runtime/program/layout.h"

namespace weir {

class JsonWriter;
class Task;
struct Meta;
struct LookupResult;

// ---- Parameters and secrets -----------------------------------------------------------------------------------------

enum class ParamKind : uint8_t { kBool, kInt64, kFloat64, kDecimal, kString, kDuration, kTimestamp, kDate, kStringList };

struct ParamSpec {
  const char* name;
  ParamKind kind;
  int precision = 0, scale = 0;     // of decimals
  bool secret = false;              // environment or file only, never printed
  const char* default_text = nullptr;  // as `--set` would give it; null: must be set
  uint32_t line = 0;                // where it is declared
};

// Values by the index of their ParamSpec, already parsed and checked. Strings live as long as the process.
class ParamValues {
 public:
  virtual ~ParamValues() = default;
  virtual bool Bool(int i) const = 0;
  virtual int64_t Int64(int i) const = 0;      // also durations, timestamps (ns), dates (days)
  virtual double Float64(int i) const = 0;
  virtual i128 Decimal(int i) const = 0;       // unscaled
  virtual Str String(int i) const = 0;
  virtual std::vector<Str> StringList(int i) const = 0;
};

// ---- What was declared ----------------------------------------------------------------------------------------------

// One entry of a connection's, source's or sink's block that the runtime or a connector reads by name:
// {"brokers", "a:9092,b:9092"}. Lists are joined with commas; durations are nanoseconds in decimal; booleans true/false.
struct Property {
  std::string name;
  std::string value;
  bool secret = false;
};
using Properties = std::vector<Property>;

struct ConnectionSpec {
  std::string name;  // "main"
  std::string kind;  // "kafka", "http"; "file" for ndjson(…), stdin, stdout, which need no declaration
  Properties properties;
  uint32_t line = 0;
};

// A step of a stream (or a source, table, lookup, sink): what dead letters, logs and metrics name.
struct StepInfo {
  std::string name;  // "enriched.account": stream and alias; a source's or sink's own name
  std::string kind;  // "source", "where", "select", "join", "lookup", "window", "sink"
  uint32_t line = 0;
};

enum class Format : uint8_t { kJson, kRaw };

struct SourceSpec {
  std::string name;
  int connection = -1;
  std::string operation;    // "topic", "ndjson", "lines", "stdin"
  std::string address;      // topic name or path
  Properties properties;
  Format format = Format::kJson;
  bool keyed = false;       // `key:` was declared: partitions must follow it
  bool has_lateness = false;
  int64_t lateness_ns = 0;
  int64_t idle_ns = -1;     // -1: never idle
  int stage = 0;
  uint32_t step = 0;
  int exchange = -1;        // the source is the topic of this exchange, which the runtime reads itself; `process` is null
  // Takes records [begin, batch.size) of one partition and returns the index after the last one taken; it stops early
  // when the task is blocked (a lookup is full, or `sync` and waiting).
  uint32_t (*process)(Task& task, const Batch& batch, uint32_t begin) = nullptr;
};

struct TableSpec {
  std::string name;
  int connection = -1;
  std::string operation;
  std::string address;
  Properties properties;
  Format format = Format::kJson;
  uint32_t step = 0;
  uint32_t value_size = 0, value_align = 8;  // of the generated record struct
  // Decodes one record of the table's input into its key bytes and its row; false: bad input with the reason in *error.
  bool (*decode)(const Message& message, Arena& arena, RowWriter& key, RowWriter& row, std::string* error) = nullptr;
  // Makes the struct whose strings are views into the row; the row lives as long as the entry.
  bool (*load)(RowReader& row, void* value) = nullptr;
  // Key bytes of a tombstone from the record's Kafka key; null when keys cannot be derived from it.
  bool (*tombstone_key)(const Message& message, Arena& arena, RowWriter& key) = nullptr;
  int on_bad_deadletter = -1;  // -1: drop (counted); -2: stop
};

// `lookup name(args) -> T = connection.get(…) { … }`.
struct LookupSpec {
  std::string name;
  int connection = -1;
  uint32_t step = 0;
  bool sync = false;
  int32_t in_flight = 100;         // rows, per process
  int64_t timeout_ns = 1'000'000'000;   // of one attempt
  int64_t deadline_ns = 0;         // of all attempts together; 0: none
  int32_t retries = 0;             // attempts = retries + 1
  int64_t backoff_min_ns = 50'000'000, backoff_max_ns = 1'000'000'000;
  bool jitter_full = true;
  int64_t cache_entries = 0;       // 0: no cache
  int64_t cache_ttl_ns = 0;
  int64_t cache_missing_ttl_ns = 0;  // 0: as cache_ttl_ns
  bool coalesce = true;            // equal requests in flight share one
  // Renders the request from the encoded arguments: a pure function, so that a recovered row asks the same again.
  void (*render)(RowReader& args, Arena& arena, LookupRequest* request) = nullptr;
  // Decodes an answer's body into an encoded row of the result type; false makes the outcome `error`.
  bool (*decode)(Str body, Arena& arena, RowWriter& value, std::string* error) = nullptr;
  // Writes the encoded arguments as a JSON array: what stubs of tests are chosen by and messages show. Null where no
  // test is compiled in.
  void (*write_args)(RowReader& args, JsonWriter& out) = nullptr;
  List<Column> arguments;   // the encoded ones
};

enum class OrderMode : uint8_t { kInput, kKey, kNone };

// `| lookup name(…) as a { order … }`: one use of a lookup in a stream.
struct LookupStepSpec {
  int lookup = -1;
  uint32_t step = 0;
  int stage = 0;
  OrderMode order = OrderMode::kInput;
  int upstream = -1;        // index of the LookupStepSpec or, plus kWindowNode, WindowSpec it stands behind; -1: the stage's input
  bool keeps_raw = false;   // the record's original bytes are needed later (dead letters)
  uint64_t row_schema = 0;  // hash of the encoded row's layout
  List<Column> order_key;   // kKey: what its bytes hold; one string is itself
  List<Column> fields;      // the encoded row
  // Goes on with a record whose answer is there. Called on the worker's thread in the declared order.
  void (*resume)(Task& task, const Meta& meta, RowReader& row, const LookupResult& result) = nullptr;
};
inline constexpr int kWindowNode = 1 << 16;

// `| window tumbling … by … | aggregate { … }`: keyed state.
struct WindowSpec {
  uint32_t step = 0;
  int stage = 0;
  int upstream = -1;        // as above
  int64_t size_ns = 0;
  uint32_t value_size = 0, value_align = 8;  // of the generated accumulator, trivially copyable but for WindowStr members
  uint64_t value_schema = 0;
  List<Column> key;         // what its bytes hold; one string is itself, no column: one window for all
  List<AggregateLayout> aggregates;  // in the order in which they are saved
  bool counts_records = false;       // behind them a Count of the records that went in, for want of a count() among them
  void (*save)(const void* value, RowWriter& row) = nullptr;
  bool (*load)(RowReader& row, void* value, Task& task) = nullptr;
  // Frees what the accumulator owns (strings of first/last/min/max); null when it owns nothing.
  void (*drop)(void* value) = nullptr;
  // The window [start, start + size) of this key is complete: builds the result and hands it to the steps after it.
  void (*fire)(Task& task, Str key, int64_t start_ns, const void* value) = nullptr;
};

// Where the plan re-keys: rows leave tasks of one stage and enter tasks of another, chosen by the key's hash.
struct ExchangeSpec {
  uint32_t step = 0;
  int from_stage = 0, to_stage = 0;
  int upstream = -1;        // as for lookup steps: what it stands behind in from_stage
  bool keeps_raw = false;   // the record's original bytes are needed later (dead letters)
  uint64_t row_schema = 0;  // hash of the encoded row's layout
  void (*process)(Task& task, const Meta& meta, RowReader& row) = nullptr;
};

struct StageSpec {
  std::string name;         // by source text: "trades", or the step that re-keys
  int source = -1;          // the source that feeds it, or
  int exchange = -1;        // the exchange that does; with transactions both: the source is the exchange's topic
  // With transactions: needs no changelog. Records that wait for an answer are read again after a crash, since the source's
  // offset stays below them, and nothing behind them was written before them.
  bool rereads = false;
};

enum class Delivery : uint8_t { kExactlyOnce, kAtLeastOnce };

struct SinkSpec {
  std::string name;
  int connection = -1;
  std::string operation;    // "topic", "ndjson", "lines", "stdout"
  std::string address;
  Properties properties;
  Format format = Format::kJson;
  uint32_t step = 0;
  bool of_deadletter = false;
  const char* guarantee = "";  // as `plan` prints it
  int on_refused_deadletter = -2;  // a record the target can never take: -1 drop (counted); -2 stop
};

struct DeadletterSpec {
  std::string name;
  std::vector<int> sinks;   // every dead letter goes to all of them
};

// ---- Tests ----------------------------------------------------------------------------------------------------------

// A `test` block as data: the same generated code as production runs it on virtual time.
struct TestItem {
  enum Kind : uint8_t { kFeed, kStub, kWait, kExpectContains, kExpectExactly } kind;
  int target = -1;          // feed: source (or table + kTableTarget); stub: lookup; expect: index into Program::taps
  std::string text;         // feed, expect: a JSON array of records; stub: a JSON array of encoded answers, see testing/
  std::string arguments;    // stub: JSON array of arguments, null matches any (written `_`)
  int64_t duration_ns = 0;  // stub: after; wait
  uint32_t line = 0;
};
inline constexpr int kTableTarget = 1 << 16;

struct TestSpec {
  std::string name;
  uint32_t line = 0;
  std::vector<TestItem> items;
};

// A stream whose records a test looks at: generated code writes each as JSON when the task asks for it.
struct TapSpec {
  std::string stream;
  int deadletter = -1;      // of a dead letter stream: its index; then the runtime writes the records, not generated code
  bool ordered = true;      // its records come in one order in every run; else `exactly` compares without order
};

// ---- The whole ------------------------------------------------------------------------------------------------------

struct Program {
  std::string name;
  int version = 1;
  std::string file;          // trade_enrichment.weir
  std::string source_hash;   // of the pipeline's text
  std::string weir_version;
  Delivery delivery = Delivery::kAtLeastOnce;
  int64_t commit_ns = 100'000'000;
  // The local store is the truth: there are windows, re-keying, a source that is no topic or a sink that is a file, and
  // no transactions.
  bool stateful = false;
  // Kafka is the truth: each epoch is one transaction of the cluster that all sources are topics of. Outputs are part of
  // it, exactly once; or sinks get them at once, and the transaction waits for their acknowledgements.
  bool transactional = false;
  bool outputs_at_once = false;
  std::string plan_text;     // what `plan` prints
  std::vector<StepInfo> steps;
  std::vector<ConnectionSpec> connections;
  std::vector<SourceSpec> sources;
  std::vector<TableSpec> tables;
  std::vector<LookupSpec> lookups;
  std::vector<LookupStepSpec> lookup_steps;
  std::vector<WindowSpec> windows;
  std::vector<ExchangeSpec> exchanges;
  std::vector<StageSpec> stages;
  std::vector<SinkSpec> sinks;
  std::vector<DeadletterSpec> deadletters;
  std::vector<TapSpec> taps;
  std::vector<TestSpec> tests;
};

// What generated code hands to Main.
struct Compiled {
  const ParamSpec* params = nullptr;
  int param_count = 0;
  const char* name = "";
  const char* file = "";
  void (*load_params)(const ParamValues& values) = nullptr;
  void (*build)(Program* program) = nullptr;
};

// main() of every produced binary: settings, subcommands, exit codes.
int Main(const Compiled& compiled, int argc, char** argv);
// main() of what `weir test` links: runs Program::tests; see runtime/testing/test_main.cc.
int TestMain(const Compiled& compiled, int argc, char** argv);

}  // namespace weir
