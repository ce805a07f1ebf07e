// A pipeline as generated code makes it, written by hand: records of a file ask a service for their account and go to
// another file. Tests of Main run it as the produced binary it is.
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"
#include "runtime/engine/task.h"
#include "runtime/lookup/lookup_call.h"
#include "runtime/program/program.h"
#include "runtime/program/program_builder.h"
#include "runtime/program/values.h"

namespace sample {
using namespace weir;

struct {
  Str input, output, dead, service, token;
  int64_t in_flight;
} params;

constexpr uint32_t kStepIn = 0, kStepAccount = 1, kStepOut = 2, kStepDead = 3;
constexpr int kDead = 0, kSinkOut = 0;

struct Record {
  int64_t id = 0;
  Str account;
};
constexpr JsonField kRecordTable[] = {"id", "account"};
constexpr JsonFields kRecordFields(kRecordTable);

bool DecodeRecord(JsonReader& reader, Record* out) {
  JsonReader in = reader;
  if (!in.BeginObject()) return false;
  uint64_t seen = 0;
  for (int f, next = 0; (f = in.NextField(kRecordFields, next)) >= 0; next = f + 1) {
    if (f == kUnknownField) {
      if (!in.Skip()) return false;
      f = next - 1;
      continue;
    }
    if (!in.Once(&seen, kRecordFields, f)) return false;
    if (f == 0 ? !in.Int64(&out->id) : !in.String(&out->account)) return false;
  }
  if (!in.ok() || !in.Complete(kRecordFields, seen, 3)) return false;
  reader = in;
  return true;
}

void AccountRender(RowReader& args, Arena& arena, LookupRequest* request) {
  request->verb = "GET";
  request->target = Concat(arena, {Str("/accounts/"), PercentEncode(arena, args.Str())});
}

bool AccountDecode(Str body, Arena& arena, RowWriter& value, std::string* error) {
  JsonContext context(&arena);
  JsonReader in(body, &context);
  Str tier;
  Str key;
  if (in.BeginObject()) {
    while (in.NextKey(&key)) {
      if (key == Str("tier") ? !in.String(&tier) : !in.Skip()) break;
    }
  }
  if (!in.ok() || !in.End()) {
    DescribeError(context, error);
    return false;
  }
  value.Str(tier);
  return true;
}

void AccountResume(Task& task, const Meta& meta, RowReader& row, const LookupResult& result) {
  int64_t id = row.I64();
  Str account = row.Str();
  if (result.outcome != Outcome::kFound && result.outcome != Outcome::kMissing) {
    return task.SendDead(kDead, kStepAccount, result.outcome == Outcome::kRejected ? DeadReason::kLookupRejected : DeadReason::kLookupError, result.reason, meta);
  }
  OutputBuffer& out = task.BeginOutput(kSinkOut);
  JsonWriter json(&task.OutputValue(out));
  json.Literal("{\"id\":");
  json.Int64(id);
  json.Literal(",\"account\":");
  json.Str(account);
  json.Literal(",\"tier\":");
  if (result.outcome == Outcome::kFound) {
    RowReader value(result.value);
    json.Str(value.Str());
  } else {
    json.Null();
  }
  json.Literal("}");
  task.EndOutput(kSinkOut, meta);
}

uint32_t InProcess(Task& task, const Batch& batch, uint32_t begin) {
  for (uint32_t i = begin; i < batch.size; ++i) {
    if (task.blocked()) return i;
    Meta meta;
    task.BeginRecord(0, batch.messages[i], &meta);
    Record record;
    JsonContext& context = task.json();
    JsonReader in(batch.messages[i].value, &context);
    if (!DecodeRecord(in, &record) || !in.End()) {
      task.BadInput(0, meta, context, kDead);
      continue;
    }
    LookupCall call(task, 0);
    call.args().Str(record.account);
    call.row().I64(record.id);
    call.row().Str(record.account);
    call.Submit(meta);
    task.EndRecord(meta);
  }
  return batch.size;
}

void LoadParams(const ParamValues& values) {
  params.input = values.String(0);
  params.output = values.String(1);
  params.dead = values.String(2);
  params.service = values.String(3);
  params.token = values.String(4);
  params.in_flight = values.Int64(5);
}

void Build(Program* program) {
  program->name = "sample";
  program->version = 3;
  program->file = "sample.weir";
  program->source_hash = "0123abcd";
  program->weir_version = "0.1.0";
  program->plan_text = "in → account → out\n";
  program->commit_ns = 20'000'000;
  program->stateful = true;
  AddStep(program, "in", "source", 10);
  AddStep(program, "out.account", "lookup", 11);
  AddStep(program, "out", "sink", 12);
  AddStep(program, "dead_out", "sink", 13);
  ConnectionSpec& api = AddConnection(program, "api", "http", 5);
  AddProperty(&api.properties, "url", PropertyText(params.service));
  AddProperty(&api.properties, "token", PropertyText(params.token), true);
  SourceSpec& in = AddSource(program, "in");
  in.operation = "ndjson";
  in.address = PropertyText(params.input);
  in.step = kStepIn;
  in.process = &InProcess;
  LookupSpec& account = AddLookup(program, "account");
  account.connection = 0;
  account.step = kStepAccount;
  account.in_flight = static_cast<int32_t>(params.in_flight);
  account.timeout_ns = 5'000'000'000;
  account.retries = 2;
  account.coalesce = false;
  account.render = &AccountRender;
  account.decode = &AccountDecode;
  LookupStepSpec& step = AddLookupStep(program);
  step.lookup = 0;
  step.step = kStepAccount;
  step.keeps_raw = true;
  step.row_schema = 1;
  step.resume = &AccountResume;
  AddStage(program, "in", 0, -1);
  SinkSpec& out = AddSink(program, "out");
  out.operation = "ndjson";
  out.address = PropertyText(params.output);
  out.step = kStepOut;
  SinkSpec& dead = AddSink(program, "dead_out");
  dead.operation = "ndjson";
  dead.address = PropertyText(params.dead);
  dead.step = kStepDead;
  dead.of_deadletter = true;
  AddDeadletter(program, "dead");
  AddDeadletterSink(program, 0, 1);
}

constexpr ParamSpec kParams[] = {
    {"input", ParamKind::kString, 0, 0, false, nullptr, 1},   {"output", ParamKind::kString, 0, 0, false, nullptr, 2},
    {"dead", ParamKind::kString, 0, 0, false, nullptr, 3},    {"service", ParamKind::kString, 0, 0, false, nullptr, 4},
    {"token", ParamKind::kString, 0, 0, true, nullptr, 6},    {"in_flight", ParamKind::kInt64, 0, 0, false, "200", 7},
};

}  // namespace sample

int main(int argc, char** argv) {
  static const weir::Compiled compiled = {sample::kParams, 6, "sample", "sample.weir", &sample::LoadParams, &sample::Build};
  return weir::Main(compiled, argc, argv);
}
