#include "runtime/operate/stored_key.h"

#include <utility>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"
#include "runtime/core/row.h"
#include "runtime/core/utf8.h"
#include "runtime/operate/letter.h"
#include "runtime/program/setting_text.h"

namespace weir {
namespace {

constexpr size_t kShownText = 100;

Str View(const std::string& text) { return Str(std::string_view(text)); }

bool IsText(const Column& column) { return column.layout->kind == ValueKind::kString || column.layout->kind == ValueKind::kBytes; }

std::string Quoted(Str text) {
  Buffer buffer;
  JsonWriter out(&buffer);
  out.Str(text);
  return std::string(buffer.str().view());
}

// A value of the type, to show how it is written.
std::string Example(const Layout& layout, const char* name) {
  switch (layout.kind) {
    case ValueKind::kBool: return "true";
    case ValueKind::kInt32:
    case ValueKind::kInt64: return "1";
    case ValueKind::kDecimal: return layout.scale == 0 ? "1" : "1.5";
    case ValueKind::kBytes: return "\"AAEC\"";
    case ValueKind::kTimestamp: return "\"2026-01-02T09:00:00Z\"";
    case ValueKind::kDuration: return "\"1h30m\"";
    case ValueKind::kDate: return "\"2026-01-02\"";
    case ValueKind::kEnum: return layout.names.size == 0 ? "\"\"" : "\"" + std::string(layout.names[0].view()) + "\"";
    default: return Quoted(Str(std::string_view("some " + std::string(name))));
  }
}

std::string Expected(const List<Column>& columns) {
  std::string object, array;
  for (const Column& column : columns) {
    std::string value = Example(*column.layout, column.name);
    object += (object.empty() ? "" : ",") + Quoted(Str(std::string_view(column.name))) + ":" + value;
    array += (array.empty() ? "" : ",") + value;
  }
  std::string text = "a key is " + ColumnsText(columns) + ", written ";
  if (columns.size == 1) {
    if (!array.empty() && array.front() == '"') array = array.substr(1, array.size() - 2);
    return text + (array.find(' ') == std::string::npos ? array : "'" + array + "'") + " or '{" + object + "}'";
  }
  return text + "'{" + object + "}' or '[" + array + "]'";
}

// Appends the column's value from JSON. False: it is something else.
bool Encode(const Layout& layout, Str json, RowWriter& out) {
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(json, &context);
  switch (layout.kind) {
    case ValueKind::kBool: {
      bool value;
      if (!in.Bool(&value) || !in.End()) return false;
      out.Bool(value);
      return true;
    }
    case ValueKind::kInt32: {
      int32_t value;
      if (!in.Int32(&value) || !in.End()) return false;
      out.I32(value);
      return true;
    }
    case ValueKind::kInt64: {
      int64_t value;
      if (!in.Int64(&value) || !in.End()) return false;
      out.I64(value);
      return true;
    }
    case ValueKind::kDecimal: {
      i128 value;
      if (!in.Decimal128(layout.precision, layout.scale, &value) || !in.End()) return false;
      if (layout.precision > kDecimal64DigitsMax) {
        out.I128(value);
      } else {
        out.I64(static_cast<int64_t>(value));
      }
      return true;
    }
    case ValueKind::kString:
    case ValueKind::kBytes: {
      Str value;
      bool good = layout.kind == ValueKind::kString ? in.String(&value) : in.Bytes(&value);
      if (!good || !in.End()) return false;
      out.Str(value);
      return true;
    }
    case ValueKind::kTimestamp: {
      int64_t value;
      if (!in.Timestamp(&value) || !in.End()) return false;
      out.I64(value);
      return true;
    }
    case ValueKind::kDuration: {
      int64_t value;
      if (!in.Duration(&value) || !in.End()) return false;
      out.I64(value);
      return true;
    }
    case ValueKind::kDate: {
      int32_t value;
      if (!in.Date(&value) || !in.End()) return false;
      out.I32(value);
      return true;
    }
    case ValueKind::kEnum: {
      Str value;
      if (!in.String(&value) || !in.End()) return false;
      for (uint32_t i = 0; i < layout.names.size; ++i) {
        if (layout.names[i] != value) continue;
        out.I32(static_cast<int32_t>(i));
        return true;
      }
      return false;
    }
    default: return false;  // no type of a key
  }
}

// Whether JSON has a value of this kind without quotes: a timestamp of digits alone is milliseconds.
bool IsBare(ValueKind kind, const std::string& text) {
  switch (kind) {
    case ValueKind::kBool:
    case ValueKind::kInt32:
    case ValueKind::kInt64:
    case ValueKind::kDecimal: return true;
    case ValueKind::kTimestamp: return text.find_first_not_of("0123456789", text.starts_with('-') ? 1 : 0) == std::string::npos;
    default: return false;
  }
}

// The JSON of each column from an object or an array. False with what is wrong.
bool Split(const List<Column>& columns, Str json, std::vector<std::string>* values, std::string* problem) {
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(json, &context);
  values->assign(columns.size, "");
  if (in.Peek() == '[') {
    uint32_t count = 0;
    in.BeginArray();
    for (Str value; in.NextElement() && in.Raw(&value); ++count) {
      if (count < columns.size) (*values)[count] = value.view();
    }
    if (in.ok() && in.End() && count != columns.size) {
      *problem = "it has " + std::to_string(count) + (count == 1 ? " value" : " values") + " for " + std::to_string(columns.size) +
                 (columns.size == 1 ? " column" : " columns");
      return false;
    }
  } else {
    in.BeginObject();
    for (Str name, value; in.NextKey(&name) && in.Raw(&value);) {
      std::vector<std::string> names;
      bool known = false;
      for (uint32_t i = 0; i < columns.size; ++i) {
        names.push_back(columns[i].name);
        if (name.view() != columns[i].name) continue;
        if (!(*values)[i].empty()) {
          *problem = "it has `" + names.back() + "` twice";
          return false;
        }
        (*values)[i] = value.view();
        known = true;
      }
      if (!known) {
        std::string meant = DidYouMean(std::string(name.view()), names);
        *problem = "it has no column `" + SafeLine(name, kShownText) + "`";
        if (!meant.empty()) *problem += "; did you mean `" + meant + "`?";
        return false;
      }
    }
    for (uint32_t i = 0; i < columns.size && in.ok() && in.End(); ++i) {
      if (!(*values)[i].empty()) continue;
      *problem = std::string("`") + columns[i].name + "` is missing";
      return false;
    }
  }
  if (in.End()) return true;
  Buffer why;
  context.Describe(&why);
  *problem = "it is no JSON: " + std::string(why.str().view());
  return false;
}

// A single string is itself, anything else a row.
bool EncodeAll(const List<Column>& columns, const std::vector<std::string>& values, std::string* key, std::string* problem) {
  Buffer buffer;
  RowWriter out(&buffer);
  for (uint32_t i = 0; i < columns.size; ++i) {
    const Column& column = columns[i];
    if (Encode(*column.layout, View(values[i]), out)) continue;
    *problem = "`" + SafeLine(View(values[i]), kShownText) + "` is not a " + column.layout->type + ", which `" + column.name + "` is";
    return false;
  }
  Str bytes = buffer.str();
  RowReader in(bytes);
  *key = columns.size == 1 && IsText(columns[0]) ? in.Str().view() : bytes.view();
  return true;
}

}  // namespace

std::string ColumnsText(const List<Column>& columns) {
  std::string text;
  for (const Column& column : columns) {
    text += (text.empty() ? "`" : ", `") + std::string(column.name) + "` (" + column.layout->type;
    if (column.layout->kind == ValueKind::kEnum) {
      text += ":";
      for (Str name : column.layout->names) text += " " + std::string(name.view());
    }
    text += ")";
  }
  return text;
}

Status ReadKey(const List<Column>& columns, const std::string& text, std::string* key) {
  const std::string shown = "`" + SafeLine(View(text), kShownText) + "`";
  if (columns.size == 0) {
    if (text.empty()) return key->clear(), Status();
    return Status::Invalid(shown + " is no key: there is one window for all records, so leave it out");
  }
  if (!ValidUtf8(View(text))) return Status::Invalid(shown + " is no key, because it is not UTF-8: " + Expected(columns));
  const Column& first = columns[0];
  const bool plain_text = columns.size == 1 && first.layout->kind == ValueKind::kString;
  std::string problem;
  std::vector<std::string> values;
  size_t at = text.find_first_not_of(" \t\r\n");
  const char begin = at == std::string::npos ? '\0' : text[at];
  if (begin == '{' || begin == '[') {
    if (Split(columns, View(text), &values, &problem) && EncodeAll(columns, values, key, &problem)) return Status();
    // Any text is a key of one string, also this one.
    if (plain_text) return *key = text, Status();
    return Status::Invalid(shown + " is no key, because " + problem + "; " + Expected(columns));
  }
  if (columns.size > 1) return Status::Invalid(shown + " is no key: " + Expected(columns));
  // As JSON, or as what JSON would put in quotes.
  values = {begin == '"' || IsBare(first.layout->kind, text) ? text : Quoted(View(text))};
  if (EncodeAll(columns, values, key, &problem)) return Status();
  if (plain_text) return *key = text, Status();
  return Status::Invalid(shown + " is no key: " + Expected(columns));
}

}  // namespace weir
