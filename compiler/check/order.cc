// compiler/check/order.cc — Who needs records in order, and who may have lost it: a keyed sink and
// `first`, `last` behind a lookup with `order none`, or with `order key K` where K is not a
// function of their own key.
#include <algorithm>

#include "compiler/check/print.h"
#include "compiler/check/stream_checker.h"
#include "compiler/check/typed_walk.h"

namespace weirc::check {

namespace {

void CollectLeaves(const Row& row, const typed::Expr& e, std::set<std::string>* leaves) {
  if (e.kind == typed::ExprKind::kField &&
      typed::As<typed::FieldExpr>(e).base->kind == typed::ExprKind::kRow) {
    const std::string& name =
        row.record->fields[static_cast<size_t>(typed::As<typed::FieldExpr>(e).field)].name;
    auto it = row.origins.find(name);
    if (it == row.origins.end()) {
      leaves->insert(row.owner + "." + name);
    } else {
      leaves->insert(it->second.leaves.begin(), it->second.leaves.end());
    }
    return;
  }
  typed::ForEachChild(e, [&](const typed::Expr& child) { CollectLeaves(row, child, leaves); });
}

// Formulas are only compared; a long one is as good as none.
constexpr size_t kFormulaMax = 2000;

bool IsFunctionOf(const Origin& part, const std::vector<Origin>& key) {
  for (const Origin& k : key) {
    if (k.formula == part.formula) return true;
  }
  return std::all_of(part.leaves.begin(), part.leaves.end(), [&](const std::string& leaf) {
    return std::any_of(key.begin(), key.end(), [&](const Origin& k) { return k.formula == leaf; });
  });
}

}  // namespace

Origin OriginOf(const Context& context, const Row& row, const typed::Expr& e) {
  Origin origin;
  if (row.record == nullptr || HasError(e.type)) return origin;
  origin.formula = PrintExpr(context.out, e, [&](int field) {
    const std::string& name = row.record->fields[static_cast<size_t>(field)].name;
    auto it = row.origins.find(name);
    return it == row.origins.end() ? row.owner + "." + name : it->second.formula;
  });
  CollectLeaves(row, e, &origin.leaves);
  if (origin.formula.size() > kFormulaMax) {
    origin.formula = row.owner + " at " + std::to_string(e.span.begin);
    origin.leaves = {origin.formula};
  }
  return origin;
}

void CheckOrder(Context& context, const Row& row, const std::vector<Origin>& key,
                const std::string& key_text, Span span, const std::string& what) {
  for (const Disorder& disorder : row.disorders) {
    if (disorder.by_key &&
        std::all_of(disorder.key.begin(), disorder.key.end(),
                    [&](const Origin& part) { return IsFunctionOf(part, key); })) {
      continue;
    }
    std::string path = disorder.step;
    for (size_t i = 1; i < disorder.path.size(); ++i) path += " → " + disorder.path[i];
    Reported reported =
        disorder.by_key
            ? context.Report(Code::kOrderByOtherKey, span, "",
                             {what, key_text.empty() ? "all records" : key_text, disorder.key_text})
            : context.Report(Code::kOrderLost, span, "", {what});
    reported.Secondary(
        disorder.span,
        "from here on records may overtake one another" +
            std::string(disorder.by_key ? ", but for those with one `" + disorder.key_text + "`"
                                        : ""));
    reported.Note("the way: " + path + " → " + what);
    // The key by the names it has at the lookup, if they are names.
    std::string names;
    for (const Origin& part : key) {
      size_t dot = part.formula.rfind('.');
      bool is_name = part.leaves.size() == 1 && *part.leaves.begin() == part.formula &&
                     dot != std::string::npos;
      names += (names.empty() ? "" : ", ") + (is_name ? part.formula.substr(dot + 1) : "?");
    }
    if (key.size() > 1) names = "(" + names + ")";
    bool known = !key.empty() && names.find('?') == std::string::npos;
    reported.Help(known ? "write `order key " + names + "` there, or `order input`"
                        : "write `order input` there");
    return;
  }
}

}  // namespace weirc::check
