// compiler/check/context.cc — What all parts of the checker share.
#include "compiler/check/context.h"

#include "compiler/base/suggest.h"

namespace weirc::check {

std::string_view NameOf(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::kParam: return "param";
    case SymbolKind::kSecret: return "secret";
    case SymbolKind::kConnection: return "connection";
    case SymbolKind::kEnum: return "enum";
    case SymbolKind::kRecord: return "record";
    case SymbolKind::kDeadletter: return "dead letter";
    case SymbolKind::kSource: return "source";
    case SymbolKind::kTable: return "table";
    case SymbolKind::kLookup: return "lookup";
    case SymbolKind::kFn: return "function";
    case SymbolKind::kStream: return "stream";
    case SymbolKind::kSink: return "sink";
    case SymbolKind::kNamespace: return "imported file";
    case SymbolKind::kLater: return "declaration";
  }
  return "name";
}

std::string Quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

Context::Context(const std::vector<const ast::File*>& files, const CheckOptions& options,
                 Diagnostics& diagnostics)
    : files(files),
      options(options),
      diagnostics(diagnostics),
      out{.types = std::make_shared<typed::TypeTable>()},
      types(*out.types) {
  error = types.Simple(TypeKind::kError);
  null_type = types.Simple(TypeKind::kNull);
  boolean = types.Simple(TypeKind::kBool);
  int32 = types.Simple(TypeKind::kInt32);
  int64 = types.Simple(TypeKind::kInt64);
  float64 = types.Simple(TypeKind::kFloat64);
  string = types.Simple(TypeKind::kString);
  bytes = types.Simple(TypeKind::kBytes);
  timestamp = types.Simple(TypeKind::kTimestamp);
  duration = types.Simple(TypeKind::kDuration);
  date = types.Simple(TypeKind::kDate);

  auto builtin = [this](const char* name, std::vector<std::pair<const char*, const Type*>> fields) {
    auto record = std::make_unique<RecordDef>();
    record->name = name;
    record->synthetic = true;
    for (auto& [field, type] : fields) {
      typed::Field f;
      f.name = f.json_name = field;
      f.type = type;
      record->fields.push_back(std::move(f));
    }
    out.records.push_back(std::move(record));
    return out.records.back().get();
  };
  failure = builtin("Failure", {{"reason", string}, {"kind", string}});
  // The format that runtime/engine/dead_letter.h describes; what is not known is left out.
  dead_letter = builtin("DeadLetter", {{"pipeline", string},
                                       {"step", string},
                                       {"line", int64},
                                       {"reason", string},
                                       {"detail", types.Optional(string)},
                                       {"source", string},
                                       {"topic", types.Optional(string)},
                                       {"path", types.Optional(string)},
                                       {"partition", types.Optional(int64)},
                                       {"offset", types.Optional(int64)},
                                       {"start", types.Optional(timestamp)},
                                       {"time", types.Optional(timestamp)},
                                       {"key", types.Optional(string)},
                                       {"key_base64", types.Optional(string)},
                                       {"headers", types.Optional(types.Map(string))},
                                       {"value", types.Optional(string)},
                                       {"value_base64", types.Optional(string)},
                                       {"value_size", types.Optional(int64)},
                                       {"value_hash", types.Optional(string)}});
}

Symbol* Context::FindValue(std::string_view name) {
  auto it = values.find(std::string(name));
  if (it == values.end()) return nullptr;
  it->second->used = true;
  return it->second;
}

Symbol* Context::FindType(std::string_view name) {
  auto it = type_names.find(std::string(name));
  if (it == type_names.end()) return nullptr;
  it->second->used = true;
  return it->second;
}

std::vector<std::string> Context::ValueNames(std::initializer_list<SymbolKind> kinds) const {
  std::vector<std::string> names;
  for (const auto& symbol : symbols) {
    for (SymbolKind kind : kinds) {
      if (symbol->kind == kind) names.push_back(symbol->name);
    }
  }
  return names;
}

const RecordDef* Context::AnonymousRecord(std::vector<typed::Field> fields, Span span) {
  std::string shape;
  for (const typed::Field& field : fields) {
    shape += field.name + ":" + std::to_string(reinterpret_cast<uintptr_t>(field.type)) + ",";
  }
  auto [it, added] = anonymous_.try_emplace(shape, nullptr);
  if (!added) return it->second;
  auto record = std::make_unique<RecordDef>();
  record->name = "record." + std::to_string(anonymous_.size());
  record->synthetic = true;
  record->fields = std::move(fields);
  record->span = span;
  out.records.push_back(std::move(record));
  return it->second = out.records.back().get();
}

const RecordDef* Context::NewRow(const std::string& stream, int step,
                                 std::vector<typed::Field> fields, Span span) {
  auto record = std::make_unique<RecordDef>();
  record->name = stream + "." + std::to_string(step);
  record->synthetic = true;
  record->fields = std::move(fields);
  record->span = span;
  out.records.push_back(std::move(record));
  return out.records.back().get();
}

std::string Context::Suggest(std::string_view written, const std::vector<std::string>& candidates) {
  auto found = DidYouMean(written, candidates);
  return found ? "did you mean `" + *found + "`?" : "";
}

std::string Context::Written(Span span) const {
  const SourceFile* file = options.sources == nullptr ? nullptr : options.sources->Find(span);
  if (file == nullptr) return "…";
  std::string text(file->Text(span));
  bool plain = !text.empty() && text.size() <= 60 && text.find('\n') == std::string::npos;
  return plain ? text : "…";
}

void Context::ReportLater(Code code, Span span, std::string_view construct, std::string instead) {
  Reported reported =
      Report(code, span, "this version does not have it yet", {std::string(construct)});
  if (!instead.empty()) reported.Help(std::move(instead));
}

std::string Context::DisplayName(const RecordDef* record) const {
  if (record == nullptr) return "?";
  if (!record->synthetic) return record->name;
  size_t dot = record->name.find('.');
  std::string name = record->name.substr(0, dot);
  return name;
}

std::string Context::DisplayName(const Type* type) const {
  if (type->Is(TypeKind::kRecord)) return DisplayName(type->record);
  return ToString(type);
}

}  // namespace weirc::check
