// Code that turns values into bytes and back.
#include "compiler/emit/codec.h"

#include <cstdio>

namespace weirc::emit {

using namespace typed;
using plan::Live;

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned char>(c));
      out += hex;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string Codec::Exact(const Type* type, const std::string& value) const {
  bool name = value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.>-") == std::string::npos &&
              !value.empty() && (value[0] < '0' || value[0] > '9') && value[0] != '-';
  switch (type->kind) {
    case TypeKind::kInt64:
    case TypeKind::kDecimal:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration: return name ? value : types_.Of(type) + "(" + value + ")";
    default: return value;
  }
}

// ---- Rows ----

void Codec::Save(const Type* type, const Live& live, const std::string& row, const std::string& value, Code* code) {
  switch (type->kind) {
    case TypeKind::kBool: return code->Add(row + ".Bool(" + value + ");");
    case TypeKind::kInt32:
    case TypeKind::kDate: return code->Add(row + ".I32(" + value + ");");
    case TypeKind::kInt64:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration: return code->Add(row + ".I64(" + value + ");");
    case TypeKind::kFloat64: return code->Add(row + ".F64(" + value + ");");
    case TypeKind::kDecimal: return code->Add(row + (IsWide(type) ? ".I128(" : ".I64(") + value + ");");
    case TypeKind::kString:
    case TypeKind::kBytes: return code->Add(row + ".Str(" + value + ");");
    case TypeKind::kEnum: return code->Add(row + ".I32(static_cast<int32_t>(" + value + "));");
    case TypeKind::kRecord:
      for (size_t i = 0; i < type->record->fields.size(); ++i) {
        const Live* field = live.Field(static_cast<int>(i));
        if (field == nullptr) continue;
        const typed::Field& f = type->record->fields[i];
        Save(f.type, *field, row, value + "." + types_.Member(f.name), code);
      }
      return;
    case TypeKind::kOptional: {
      code->Add(row + ".OptTag(" + value + ".has);");
      Code inner;
      inner.At(code->at());
      Save(type->element, live, row, value + ".value", &inner);
      if (inner.empty()) return;
      if (inner.lines().size() == 1) return code->Add("if (" + value + ".has) " + inner.lines()[0].text);
      code->Open("if (" + value + ".has) {");
      code->Append(inner);
      return code->Close();
    }
    case TypeKind::kOutcome:
      code->Add(row + ".I32(static_cast<int32_t>(" + value + ".outcome));");
      code->Add(row + ".Str(" + value + ".reason);");
      code->Open("if (" + value + ".outcome == Outcome::kFound) {");
      Save(type->element, Live::Whole(), row, value + ".value", code);
      return code->Close();
    case TypeKind::kList:
    case TypeKind::kMap: {
      bool map = type->Is(TypeKind::kMap);
      std::string element = Temporary("element");
      code->Add(row + ".Count(" + value + ".size);");
      code->Open("for (const " + std::string(map ? "MapEntry<" : "") + types_.Of(type->element) + (map ? ">" : "") + "& " +
                 element + " : " + value + ") {");
      if (map) code->Add(row + ".Str(" + element + ".key);");
      Save(type->element, Live::Whole(), row, map ? element + ".value" : element, code);
      return code->Close();
    }
    case TypeKind::kError:
    case TypeKind::kNull: return;
  }
}

void Codec::Load(const Type* type, const Live& live, const std::string& row, const std::string& arena,
                 const std::string& target, Code* code) {
  auto set = [&](const std::string& call) { code->Add(target + " = " + row + call + ";"); };
  switch (type->kind) {
    case TypeKind::kBool: return set(".Bool()");
    case TypeKind::kInt32:
    case TypeKind::kDate: return set(".I32()");
    case TypeKind::kInt64:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration: return set(".I64()");
    case TypeKind::kFloat64: return set(".F64()");
    case TypeKind::kDecimal: return set(IsWide(type) ? ".I128()" : ".I64()");
    case TypeKind::kString:
    case TypeKind::kBytes: return set(".Str()");
    case TypeKind::kEnum:
      return code->Add(target + " = LoadEnum<" + types_.Of(type) + ">(" + row + ", " +
                       std::to_string(type->enum_def->values.size()) + ");");
    case TypeKind::kRecord:
      for (size_t i = 0; i < type->record->fields.size(); ++i) {
        const Live* field = live.Field(static_cast<int>(i));
        if (field == nullptr) continue;
        const typed::Field& f = type->record->fields[i];
        Load(f.type, *field, row, arena, target + "." + types_.Member(f.name), code);
      }
      return;
    case TypeKind::kOptional: {
      set(".OptTag()");
      code->lines().back().text = target + ".has = " + row + ".OptTag();";
      Code inner;
      inner.At(code->at());
      Load(type->element, live, row, arena, target + ".value", &inner);
      if (inner.empty()) return;
      if (inner.lines().size() == 1) return code->Add("if (" + target + ".has) " + inner.lines()[0].text);
      code->Open("if (" + target + ".has) {");
      code->Append(inner);
      return code->Close();
    }
    case TypeKind::kOutcome:
      code->Add(target + ".outcome = LoadEnum<Outcome>(" + row + ", 5);");
      code->Add(target + ".reason = " + row + ".Str();");
      code->Open("if (" + target + ".outcome == Outcome::kFound) {");
      Load(type->element, Live::Whole(), row, arena, target + ".value", code);
      return code->Close();
    case TypeKind::kList:
    case TypeKind::kMap: {
      bool map = type->Is(TypeKind::kMap);
      std::string builder = Temporary("list"), n = Temporary("n"), element = Temporary("element");
      std::string of = map ? "MapEntry<" + types_.Of(type->element) + ">" : types_.Of(type->element);
      code->Open("{");
      code->Add("ListBuilder<" + of + "> " + builder + "(" + arena + ");");
      code->Open("for (uint32_t " + n + " = " + row + ".Count(); " + n + " != 0 && " + row + ".ok(); --" + n + ") {");
      code->Add(of + "& " + element + " = *" + builder + ".Add();");
      if (map) code->Add(element + ".key = " + row + ".Str();");
      Load(type->element, Live::Whole(), row, arena, map ? element + ".value" : element, code);
      code->Close();
      code->Add(target + " = {" + builder + ".data(), " + builder + ".size()};");
      return code->Close();
    }
    case TypeKind::kError:
    case TypeKind::kNull: return;
  }
}

bool Codec::NeedsArena(const Type* type, const Live& live) {
  switch (type->kind) {
    case TypeKind::kList:
    case TypeKind::kMap: return true;
    case TypeKind::kOptional:
    case TypeKind::kOutcome: return NeedsArena(type->element, live);
    case TypeKind::kRecord:
      for (size_t i = 0; i < type->record->fields.size(); ++i) {
        const Live* field = live.Field(static_cast<int>(i));
        if (field != nullptr && NeedsArena(type->record->fields[i].type, *field)) return true;
      }
      return false;
    default: return false;
  }
}

// ---- JSON out ----

void Codec::Json::Flush() {
  if (text_.empty()) return;
  code_.Add(writer_ + ".Literal(" + StringLiteral(text_) + ");");
  text_.clear();
}

void Codec::Json::Name(bool first, const std::string& name) {
  text_ += (first ? "" : ",") + JsonString(name) + ":";
}

void Codec::Json::Value(const Type* type, const std::string& value) {
  auto call = [&](const std::string& method) {
    Flush();
    code_.Add(writer_ + "." + method);
  };
  switch (type->kind) {
    case TypeKind::kBool: return call("Bool(" + value + ");");
    case TypeKind::kInt32: return call("Int32(" + value + ");");
    case TypeKind::kInt64: return call("Int64(" + value + ");");
    case TypeKind::kFloat64: return call("F64(" + value + ");");
    case TypeKind::kDecimal:
      return call("Decimal(" + codec_.Exact(type, value) + ", " + std::to_string(type->scale) + ");");
    case TypeKind::kString: return call("Str(" + value + ");");
    case TypeKind::kBytes: return call("Bytes(" + value + ");");
    case TypeKind::kTimestamp: return call("Timestamp(" + value + ");");
    case TypeKind::kDuration: return call("Duration(" + value + ");");
    case TypeKind::kDate: return call("Date(" + value + ");");
    case TypeKind::kEnum:
      return call("Raw(" + codec_.EnumTable(type->enum_def, "Json") + "[static_cast<int32_t>(" + value + ")]);");
    case TypeKind::kRecord: {
      const RecordDef* record = type->record;
      Text("{");
      for (size_t i = 0; i < record->fields.size(); ++i) {
        Name(i == 0, record->fields[i].json_name);
        Value(record->fields[i].type, value + "." + codec_.types_.Member(record->fields[i].name));
      }
      return Text("}");
    }
    case TypeKind::kOptional: {
      Flush();
      code_.Open("if (" + value + ".has) {");
      Value(type->element, value + ".value");
      Flush();
      code_.Turn("} else {");
      code_.Add(writer_ + ".Null();");
      return code_.Close();
    }
    case TypeKind::kList:
    case TypeKind::kMap: return Loop(type, value);
    case TypeKind::kOutcome:
    case TypeKind::kError:
    case TypeKind::kNull: return Text("null");
  }
}

void Codec::Json::Loop(const Type* type, const std::string& value) {
  bool map = type->Is(TypeKind::kMap);
  std::string element = codec_.Temporary("element");
  Text(map ? "{" : "[");
  Flush();
  code_.Open("for (const " + std::string(map ? "MapEntry<" : "") + codec_.types_.Of(type->element) + (map ? ">" : "") +
             "& " + element + " : " + value + ") {");
  code_.Add(map ? writer_ + ".Field(" + element + ".key);" : writer_ + ".Element();");
  Value(type->element, map ? element + ".value" : element);
  Flush();
  code_.Close();
  Text(map ? "}" : "]");
}

// ---- JSON in ----

const std::string& Codec::Decoder(const RecordDef* record, const Live& live) {
  for (const auto& decoder : decoders_) {
    if (decoder->record == record && decoder->live == live) return decoder->name;
  }
  // Those it calls come first.
  for (size_t i = 0; i < record->fields.size(); ++i) {
    const Live* field = live.Field(static_cast<int>(i));
    if (field == nullptr) continue;
    const Type* type = record->fields[i].type;
    const Live whole = Live::Whole();
    while (!type->Is(TypeKind::kRecord) && type->element != nullptr) {
      if (!type->Is(TypeKind::kOptional)) field = &whole;
      type = type->element;
    }
    if (type->Is(TypeKind::kRecord)) Decoder(type->record, *field);
  }
  auto made = std::make_unique<DecoderOf>();
  made->record = record;
  made->live = live;
  made->name = scope_.Take("Decode" + types_.StructName(record));
  decoders_.push_back(std::move(made));
  return decoders_.back()->name;
}

void Codec::WriteDecoders(CppWriter* out) {
  for (const auto& decoder : decoders_) WriteDecoder(decoder->record, decoder->live, decoder->name, out);
}

void Codec::Decode(const Type* type, const Live& live, const std::string& target, Code* code) {
  auto check = [&](const std::string& call) { code->Add("if (!in." + call + ") return false;"); };
  switch (type->kind) {
    case TypeKind::kBool: return check("Bool(&" + target + ")");
    case TypeKind::kInt32: return check("Int32(&" + target + ")");
    case TypeKind::kInt64: return check("Int64(&" + target + ")");
    case TypeKind::kFloat64: return check("Float64(&" + target + ")");
    case TypeKind::kDecimal:
      return check(std::string(IsWide(type) ? "Decimal128(" : "Decimal64(") + std::to_string(type->precision) + ", " +
                   std::to_string(type->scale) + ", &" + target + ")");
    case TypeKind::kString: return check("String(&" + target + ")");
    case TypeKind::kBytes: return check("Bytes(&" + target + ")");
    case TypeKind::kTimestamp: return check("Timestamp(&" + target + ")");
    case TypeKind::kDuration: return check("Duration(&" + target + ")");
    case TypeKind::kDate: return check("Date(&" + target + ")");
    case TypeKind::kEnum: {
      std::string value = Temporary("value");
      code->Add("int32_t " + value + ";");
      check("Enum(" + EnumTable(type->enum_def, "Names") + ", &" + value + ")");
      return code->Add(target + " = static_cast<" + types_.Of(type) + ">(" + value + ");");
    }
    case TypeKind::kRecord: {
      // A copy of its own, so that this reader stays in registers.
      std::string nested = Temporary("nested");
      code->Add("JsonReader " + nested + " = in;");
      code->Add("if (!" + Decoder(type->record, live) + "(" + nested + ", arena, &" + target + ")) return false;");
      return code->Add("in = " + nested + ";");
    }
    case TypeKind::kOptional: {
      code->Open("if (!in.Null()) {");
      Decode(type->element, live, target + ".value", code);
      code->Add(target + ".has = true;");
      return code->Close();
    }
    case TypeKind::kList: {
      std::string builder = Temporary("list");
      std::string of = types_.Of(type->element);
      code->Add("ListBuilder<" + of + "> " + builder + "(arena);");
      check("BeginArray()");
      code->Open("while (in.NextElement()) {");
      std::string element = Temporary("element");
      code->Add(of + "& " + element + " = *" + builder + ".Add();");
      Decode(type->element, Live::Whole(), element, code);
      code->Close();
      code->Add("if (!in.ok()) return false;");
      return code->Add(target + " = " + builder + ".Finish();");
    }
    case TypeKind::kMap: {
      std::string builder = Temporary("map"), key = Temporary("key"), element = Temporary("element");
      std::string of = types_.Of(type->element);
      code->Add("MapBuilder<" + of + "> " + builder + "(arena);");
      check("BeginObject()");
      code->Open("for (Str " + key + "; in.NextKey(&" + key + ");) {");
      code->Add(of + "* " + element + " = " + builder + ".Add(" + key + ");");
      code->Add("if (" + element + " == nullptr) return in.DuplicateKey(" + key + ");");
      Decode(type->element, Live::Whole(), "(*" + element + ")", code);
      code->Close();
      code->Add("if (!in.ok()) return false;");
      return code->Add(target + " = " + builder + ".Finish();");
    }
    case TypeKind::kOutcome:
    case TypeKind::kError:
    case TypeKind::kNull: return;
  }
}

void Codec::WriteDecoder(const RecordDef* record, const Live& live, const std::string& name, CppWriter* out) {
  Restart();
  size_t count = record->fields.size();
  size_t words = (count + 63) / 64;
  // Fields nobody reads stand in the table too: they keep the expected order right.
  std::string table = scope_.Take("k" + name.substr(6) + "FieldNames"), fields = scope_.Take("k" + name.substr(6) + "Fields");
  std::string names;
  for (const typed::Field& field : record->fields) names += (names.empty() ? "" : ", ") + StringLiteral(field.json_name);
  if (count > 0) {
    out->Line("constexpr JsonField " + table + "[] = {" + names + "};");
    out->Line("constexpr JsonFields " + fields + "(" + table + ");");
  } else {
    out->Line("constexpr JsonFields " + fields + ";");
  }
  bool uses_arena = false, reads = false;
  auto note_arena = [&](const Code& code) {
    for (const Code::Line& line : code.lines()) uses_arena = uses_arena || line.text.find("arena") != std::string::npos;
  };
  std::map<size_t, Code> defaults;
  for (size_t i = 0; i < count; ++i) {
    const typed::Field& f = record->fields[i];
    if (live.Field(static_cast<int>(i)) == nullptr || f.default_value == nullptr) continue;
    constant_(*f.default_value, "out->" + types_.Member(f.name), &defaults[i]);
    note_arena(defaults[i]);
  }
  Code cases;
  for (size_t i = 0; i < count; ++i) {
    const Live* field = live.Field(static_cast<int>(i));
    if (field == nullptr) continue;
    reads = true;
    const typed::Field& f = record->fields[i];
    Code body;
    std::string target = "out->" + types_.Member(f.name);
    if (f.default_value != nullptr && f.type->Is(TypeKind::kOptional)) {
      // A default stands in for a field that is not there; one that is there and null is null.
      body.Open("if (in.Null()) {");
      body.Add(target + ".has = false;");
      body.Turn("} else {");
      Decode(f.type->element, *field, target + ".value", &body);
      body.Add(target + ".has = true;");
      body.Close();
    } else {
      Decode(f.type, *field, target, &body);
    }
    note_arena(body);
    std::string label = "case " + std::to_string(i) + ":";
    if (body.lines().size() == 1) {
      cases.Open(label);
    } else {
      cases.Open(label + " {");
    }
    cases.Append(body);
    cases.Add("break;");
    if (body.lines().size() == 1) {
      cases.Close("");
      cases.lines().pop_back();
    } else {
      cases.Close();
    }
  }
  bool all = true;
  for (size_t i = 0; i < count; ++i) all = all && live.Field(static_cast<int>(i)) != nullptr;
  if (!all || count == 0) {
    cases.Open("default:");
    cases.Add("if (!in.Skip()) return false;");
    cases.Close("");
    cases.lines().pop_back();
  }
  out->Open("static bool " + name + "(JsonReader& reader_, " + (uses_arena ? "Arena& arena" : "Arena&") + ", " +
            types_.StructName(record) + (reads ? "* out) {" : "*) {"));
  out->Line("JsonReader in = reader_;");
  out->Line("if (!in.BeginObject()) return false;");
  out->Line(words > 1 ? "uint64_t seen_[" + std::to_string(words) + "] = {};" : "uint64_t seen_ = 0;");
  for (const auto& [field, code] : defaults) out->Write(code);
  out->Open("for (int f_, next_ = 0; (f_ = in.NextField(" + fields + ", next_)) >= 0; next_ = f_ + 1) {");
  out->Open("if (f_ == kUnknownField) {");
  out->Line("if (!in.Skip()) return false;");
  out->Line("f_ = next_ - 1;");
  out->Line("continue;");
  out->Close();
  out->Line(words > 1 ? "if (!in.Once(&seen_[f_ >> 6], " + fields + ", f_)) return false;"
                      : "if (!in.Once(&seen_, " + fields + ", f_)) return false;");
  out->Open("switch (f_) {");
  out->Write(cases);
  out->Close();
  out->Close();
  out->Line("if (!in.ok()) return false;");
  for (size_t w = 0; w < words; ++w) {
    uint64_t required = 0;
    for (size_t i = w * 64; i < count && i < w * 64 + 64; ++i) {
      const typed::Field& f = record->fields[i];
      bool must = live.Field(static_cast<int>(i)) != nullptr && !f.type->Is(TypeKind::kOptional) && f.default_value == nullptr;
      if (must) required |= uint64_t{1} << (i - w * 64);
    }
    if (required == 0) continue;
    char hex[24];
    std::snprintf(hex, sizeof hex, "0x%llx", static_cast<unsigned long long>(required));
    out->Line("if (!in.Complete(" + fields + ", " + (words > 1 ? "seen_[" + std::to_string(w) + "]" : "seen_") + ", " + hex +
              (w > 0 ? ", " + std::to_string(w * 64) : "") + ")) return false;");
  }
  out->Line("reader_ = in;");
  out->Line("return true;");
  out->Close();
  out->Line();
}

void Codec::WriteEnums(CppWriter* out) {
  for (const EnumDef* def : types_.enums()) {
    std::string values, read, write, text;
    for (const EnumValue& value : def->values) {
      const char* comma = values.empty() ? "" : ", ";
      values += comma + types_.Member(value.name);
      read += comma + StringLiteral(value.text);
      write += comma + StringLiteral(JsonString(value.text));
      text += comma + StringLiteral(value.text);
    }
    const std::string& name = types_.EnumName(def);
    out->Line("enum class " + name + " : int32_t { " + values + " };");
    out->Line("[[maybe_unused]] constexpr EnumName " + EnumTable(def, "NameTable") + "[] = {" + read + "};");
    out->Line("[[maybe_unused]] constexpr EnumNames " + EnumTable(def, "Names") + "(" + EnumTable(def, "NameTable") + ");");
    out->Line("[[maybe_unused]] constexpr Str " + EnumTable(def, "Json") + "[] = {" + write + "};");
    out->Line("[[maybe_unused]] constexpr Str " + EnumTable(def, "Text") + "[] = {" + text + "};");
    out->Line();
  }
}

// ---- Keys ----

bool Codec::IsTextKey(const std::vector<const Type*>& types) { return types.size() == 1 && IsText(types[0]); }

std::string Codec::KeyBytes(const std::vector<std::pair<const Type*, std::string>>& values, Code* code) {
  if (values.size() == 1 && IsText(values[0].first)) return values[0].second;
  std::string key = Temporary("key");
  code->Add("KeyWriter " + key + ";");
  for (const auto& [type, value] : values) Save(type, Live::Whole(), key + ".row()", value, code);
  return key + ".str()";
}

}  // namespace weirc::emit
