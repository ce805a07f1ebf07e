#include "runtime/testing/expectation.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

namespace {

constexpr size_t kShownMax = 20;

// How many fields of `wanted` the record has with the same value.
size_t Likeness(const JsonValue& wanted, const JsonValue& record) {
  if (wanted.kind != JsonValue::kObject || record.kind != JsonValue::kObject) return SameJson(wanted, record) ? 1 : 0;
  size_t same = 0;
  for (const auto& [name, field] : wanted.fields) {
    const JsonValue* found = record.Find(name);
    if (found != nullptr && ContainsJson(*found, field)) ++same;
  }
  return same;
}

const JsonValue* Closest(const JsonValue& wanted, const std::vector<const JsonValue*>& among) {
  const JsonValue* best = nullptr;
  size_t most = 0;
  for (const JsonValue* record : among) {
    size_t same = Likeness(wanted, *record);
    if (best == nullptr || same > most) {
      best = record;
      most = same;
    }
  }
  return best;
}

// Field by field, what of `wanted` is otherwise in `record`; with `whole`, also what `wanted` does not have.
void AddFieldDiff(const JsonValue& wanted, const JsonValue& record, bool whole, const std::string& path,
                  std::vector<std::string>* out) {
  for (const auto& [name, field] : wanted.fields) {
    const JsonValue* found = record.Find(name);
    std::string at = path.empty() ? name : path + "." + name;
    if (found == nullptr) {
      if (field.kind != JsonValue::kNull) {
        out->push_back(fmt::format("    `{}`: expected {}, but there is no such field", at, FormatLiteral(field)));
      }
    } else if (field.kind == JsonValue::kObject && found->kind == JsonValue::kObject) {
      AddFieldDiff(field, *found, whole, at, out);
    } else if (!SameJson(field, *found)) {
      out->push_back(fmt::format("    `{}`: expected {}, got {}", at, FormatLiteral(field), FormatLiteral(*found)));
    }
  }
  if (!whole) return;
  for (const auto& [name, field] : record.fields) {
    if (wanted.Find(name) != nullptr || field.kind == JsonValue::kNull) continue;
    std::string at = path.empty() ? name : path + "." + name;
    out->push_back(fmt::format("    `{}`: got {}, which is not expected", at, FormatLiteral(field)));
  }
}

void AddMissing(const JsonValue& wanted, const std::vector<const JsonValue*>& among, bool whole,
                std::vector<std::string>* out) {
  out->push_back("  expected " + FormatLiteral(wanted));
  const JsonValue* closest = Closest(wanted, among);
  if (closest == nullptr) return;
  out->push_back("  closest  " + FormatLiteral(*closest));
  if (wanted.kind == JsonValue::kObject && closest->kind == JsonValue::kObject) {
    AddFieldDiff(wanted, *closest, whole, "", out);
  }
}

std::vector<const JsonValue*> Pointers(const std::vector<JsonValue>& records) {
  std::vector<const JsonValue*> pointers;
  for (const JsonValue& record : records) pointers.push_back(&record);
  return pointers;
}

std::string Count(size_t n) { return n == 0 ? "no record" : n == 1 ? "1 record" : std::to_string(n) + " records"; }

}  // namespace

std::vector<std::string> CompareContains(const std::vector<JsonValue>& wanted, const std::vector<JsonValue>& actual) {
  std::vector<std::string> out;
  for (const JsonValue& one : wanted) {
    bool found = std::any_of(actual.begin(), actual.end(),
                             [&one](const JsonValue& record) { return ContainsJson(record, one); });
    if (found) continue;
    if (out.empty()) {
      out.push_back(actual.empty() ? "the stream put out no record" :
                    fmt::format("none of the {} contains this", Count(actual.size())));
    }
    AddMissing(one, Pointers(actual), false, &out);
  }
  return out;
}

std::vector<std::string> CompareExactly(const std::vector<JsonValue>& wanted, const std::vector<JsonValue>& actual,
                                        bool ordered, bool parts) {
  auto same = [parts](const JsonValue& one, const JsonValue& record) {
    return parts ? ContainsJson(record, one) : SameJson(one, record);
  };
  std::vector<std::string> out;
  // First as multisets: what is missing, what is too many.
  std::vector<const JsonValue*> rest = Pointers(actual), missing;
  for (const JsonValue& one : wanted) {
    auto at = std::find_if(rest.begin(), rest.end(), [&](const JsonValue* record) { return same(one, *record); });
    if (at == rest.end()) {
      missing.push_back(&one);
    } else {
      rest.erase(at);
    }
  }
  if (!missing.empty() || !rest.empty()) {
    out.push_back(fmt::format("expected {}, got {}", Count(wanted.size()), Count(actual.size())));
    // What is too many is often what is missing, a little different.
    for (const JsonValue* one : missing) {
      if (out.size() > kShownMax) break;
      AddMissing(*one, rest, !parts, &out);
      const JsonValue* closest = Closest(*one, rest);
      if (closest != nullptr) rest.erase(std::find(rest.begin(), rest.end(), closest));
    }
    for (const JsonValue* record : rest) {
      if (out.size() > kShownMax) {
        out.push_back("  …");
        break;
      }
      out.push_back("  not expected " + FormatLiteral(*record));
    }
    return out;
  }
  if (!ordered) return out;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (same(wanted[i], actual[i])) continue;
    out.push_back("the same records in another order");
    out.push_back(fmt::format("  record {} should be {}", i + 1, FormatLiteral(wanted[i])));
    out.push_back("  but is             " + FormatLiteral(actual[i]));
    break;
  }
  return out;
}

}  // namespace weir
