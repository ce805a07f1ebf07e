// compiler/check/block_rules.cc — What may stand in the braces behind a declaration or a step.
#include "compiler/check/block_rules.h"

#include <algorithm>
#include <map>

#include "compiler/check/number_text.h"

namespace weirc::check {

const char* OtherNameOf(std::string_view entry) {
  static const std::map<std::string_view, const char*> names = {{"bootstrap", "brokers"},
                                                                {"bootstrap_servers", "brokers"},
                                                                {"servers", "brokers"},
                                                                {"broker", "brokers"},
                                                                {"base", "url"},
                                                                {"base_url", "url"},
                                                                {"uri", "url"},
                                                                {"host", "url"},
                                                                {"concurrency", "in_flight"},
                                                                {"capacity", "in_flight"},
                                                                {"max_in_flight", "in_flight"},
                                                                {"parallelism", "in_flight"},
                                                                {"retries", "retry"},
                                                                {"max_retries", "retry"},
                                                                {"delay", "backoff"},
                                                                {"ttl", "cache"},
                                                                {"watermark", "lateness"},
                                                                {"grace", "lateness"},
                                                                {"allowed_lateness", "lateness"},
                                                                {"timestamp", "time"},
                                                                {"event_time", "time"},
                                                                {"rowtime", "time"},
                                                                {"partition_by", "key"},
                                                                {"keys", "key"},
                                                                {"primary_key", "key"},
                                                                {"value_format", "format"},
                                                                {"guarantee", "deliver"},
                                                                {"delivery", "deliver"},
                                                                {"interval", "commit"},
                                                                {"checkpoint", "commit"}};
  auto it = names.find(entry);
  return it == names.end() ? nullptr : it->second;
}

namespace {

bool Has(const std::vector<std::string_view>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::vector<std::string> Strings(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

void CheckEntry(Context& context, const ast::Entry& entry, const BlockRules& rules) {
  const std::string& name = entry.name.text;
  if (name.empty()) return;
  auto rule = std::find_if(rules.entries.begin(), rules.entries.end(),
                           [&](const EntryRule& r) { return r.name == name; });
  if (rule == rules.entries.end()) {
    if (Has(rules.later_entries, name)) {
      context.ReportLater(Code::kLaterPolicy, entry.name.span, "`" + name + "` of " + rules.what);
      return;
    }
    std::vector<std::string> names;
    for (const EntryRule& r : rules.entries) names.emplace_back(r.name);
    std::string label = Context::Suggest(name, names);
    const char* other = OtherNameOf(name);
    if (label.empty() && other != nullptr &&
        std::find(names.begin(), names.end(), other) != names.end()) {
      label = std::string("here it is called `") + other + "`";
    }
    Reported reported =
        context.Report(Code::kUnknownEntry, entry.name.span, label, {rules.what, name});
    if (label.empty() && !names.empty())
      reported.Note(rules.what + " has " + OneOfNames(names, "and"));
    return;
  }
  for (const ast::Phrase& phrase : entry.phrases) {
    const std::string& word = phrase.word.text;
    if (Has(rule->phrases, word)) continue;
    if (Has(rule->later_phrases, word)) {
      context.ReportLater(Code::kLaterPolicy, phrase.word.span, "`" + name + ": … " + word + " …`");
      continue;
    }
    std::string label = Context::Suggest(word, Strings(rule->phrases));
    Reported reported = context.Report(Code::kUnknownPhrase, phrase.word.span, label, {name, word});
    if (label.empty() && !rule->phrases.empty()) {
      reported.Note("behind its value may stand " + OneOfNames(Strings(rule->phrases), "and"));
    }
  }
}

}  // namespace

void CheckBlock(Context& context, const ast::Block& block, const BlockRules& rules) {
  for (const ast::Entry& entry : block.entries) CheckEntry(context, entry, rules);
  for (const ast::Name& flag : block.flags) {
    if (Has(rules.flags, flag.text) || flag.text.empty()) continue;
    if (Has(rules.later_flags, flag.text)) {
      context.ReportLater(Code::kLaterPolicy, flag.span, "`" + flag.text + "` of " + rules.what);
      continue;
    }
    bool is_entry = std::any_of(rules.entries.begin(), rules.entries.end(),
                                [&](const EntryRule& r) { return r.name == flag.text; });
    std::string label =
        is_entry ? "it needs a value" : Context::Suggest(flag.text, Strings(rules.flags));
    Reported reported =
        context.Report(Code::kUnknownFlag, flag.span, label, {rules.what, flag.text});
    if (is_entry) reported.Help("write `" + flag.text + ": …`");
    // `order key a, b`: the second name lost its parentheses.
    if (!is_entry && block.order && block.order->kind == ast::OrderKind::kKey && block.order->key) {
      reported.Help("several keys stand in parentheses: `order key (" +
                    context.Written(block.order->key->span) + ", " + flag.text + ")`");
    } else if (!is_entry && block.Find("key") != nullptr) {
      reported.Help("several keys stand in parentheses: `key: (" +
                    context.Written(block.Find("key")->value->span) + ", " + flag.text + ")`");
    }
  }
  if (block.order && !rules.order) {
    context.Report(Code::kMisplacedClause, block.order->span, "", {"order", rules.what})
        .Note("`order` says how a lookup's answers are put back in line");
  }
  if (block.emit) {
    if (rules.emit_later) {
      context.ReportLater(Code::kLaterPolicy, block.emit->span, "`emit` of " + rules.what,
                          "a window gives its result once, when it is complete");
    } else {
      context.Report(Code::kMisplacedClause, block.emit->span, "", {"emit", rules.what});
    }
  }
  if (!rules.answers) {
    for (const ast::Answer& answer : block.answers) {
      context.Report(Code::kMisplacedClause, answer.name.span, "", {"answer", rules.what});
    }
  }
  for (const ast::OnClause& on : block.ons) {
    for (const ast::Name& event : on.events) {
      if (Has(rules.events, event.text) || event.text.empty()) continue;
      std::string label = Context::Suggest(event.text, Strings(rules.events));
      Reported reported =
          context.Report(Code::kUnknownEvent, event.span, label, {rules.what, event.text});
      if (event.text == "late") {
        reported.Help("what is late is decided where a window is: `| window … { on late … }`");
      } else if (event.text == "found") {
        reported.Help("a record that is found goes on");
      } else if (label.empty() && !rules.events.empty()) {
        reported.Note(rules.what + " has the events " + OneOfNames(Strings(rules.events), "and"));
      }
    }
  }
}

ExprPtr EntryReader::DurationValue(const ast::Expr& e, const std::string& name, bool may_be_zero) {
  Scope scope;
  scope.place = Place::kStart;
  scope.what = "`" + name + "`";
  ExprPtr value =
      ExprChecker(context_, scope).Check(e, context_.duration, {.role = "`" + name + "`"});
  if (HasError(value->type)) return nullptr;
  auto number = ConstantNumber(value.get());
  if (number && (*number < 0 || (*number == 0 && !may_be_zero))) {
    context_.Report(Code::kNotPositive, value->span, "",
                    {"`" + name + "`", may_be_zero ? "not be negative" : "be longer than zero"});
    return nullptr;
  }
  return value;
}

ExprPtr EntryReader::Duration(std::string_view name, bool may_be_zero) {
  const ast::Entry* entry = block_.Find(name);
  if (entry == nullptr) return nullptr;
  return DurationValue(*entry->value, std::string(name), may_be_zero);
}

ExprPtr EntryReader::CountValue(const ast::Expr& e, const std::string& name, int64_t low,
                                int64_t high) {
  Scope scope;
  scope.place = Place::kStart;
  scope.what = "`" + name + "`";
  ExprPtr value = ExprChecker(context_, scope).Check(e, context_.int64, {.role = "`" + name + "`"});
  if (HasError(value->type)) return nullptr;
  auto number = ConstantNumber(value.get());
  if (number && (*number < low || *number > high)) {
    context_.Report(Code::kOutOfBounds, value->span, "", {name, NumberText(low), NumberText(high)});
    return nullptr;
  }
  return value;
}

ExprPtr EntryReader::Count(std::string_view name, int64_t low, int64_t high) {
  const ast::Entry* entry = block_.Find(name);
  if (entry == nullptr) return nullptr;
  const auto* range = As<ast::BinaryExpr>(entry->value.get());
  if (range != nullptr && range->op == ast::BinaryOp::kRange) {
    context_.ReportLater(Code::kLaterPolicy, entry->value->span,
                         "a range for `" + std::string(name) + "`",
                         "give the largest number: `" + std::string(name) + ": " +
                             context_.Written(range->right->span) + "`");
    return nullptr;
  }
  return CountValue(*entry->value, std::string(name), low, high);
}

int EntryReader::Word(std::string_view name, const std::vector<std::string_view>& words) {
  const ast::Entry* entry = block_.Find(name);
  if (entry == nullptr || entry->value->kind == ast::ExprKind::kError) return -1;
  const auto* written = As<ast::NameExpr>(entry->value.get());
  std::string text = written == nullptr ? context_.Written(entry->value->span) : written->name.text;
  if (const auto* string = As<ast::StringLit>(entry->value.get());
      string != nullptr && string->IsPlain()) {
    text = std::string(string->PlainText());
  }
  for (size_t i = 0; i < words.size(); ++i) {
    if (written != nullptr && words[i] == text) return static_cast<int>(i);
  }
  std::string label = Context::Suggest(text, Strings(words));
  if (written == nullptr && Has(words, text)) label = "write it without quotes";
  context_.Report(Code::kUnknownWord, entry->value->span, label,
                  {std::string(name), OneOfNames(Strings(words), "or")});
  return -1;
}

std::optional<bool> EntryReader::Switch(std::string_view name) {
  const ast::Entry* entry = block_.Find(name);
  if (entry == nullptr) return std::nullopt;
  const auto* written = As<ast::BoolLit>(entry->value.get());
  if (written == nullptr) {
    if (entry->value->kind != ast::ExprKind::kError) {
      context_.Report(Code::kUnknownWord, entry->value->span, "",
                      {std::string(name), "`true` or `false`"});
    }
    return std::nullopt;
  }
  return written->value;
}

const ast::Phrase* EntryReader::Phrase(std::string_view entry, std::string_view word) {
  const ast::Entry* found = block_.Find(entry);
  if (found == nullptr) return nullptr;
  const ast::Phrase* first = nullptr;
  for (const ast::Phrase& phrase : found->phrases) {
    if (phrase.word.text != word) continue;
    if (first != nullptr) {
      context_.Report(Code::kPhraseTwice, phrase.span, "", {std::string(word)})
          .Secondary(first->span, "given here already");
      continue;
    }
    first = &phrase;
  }
  return first;
}

int FindDeadletter(Context& context, const ast::Name& name) {
  if (!name) return -1;
  Symbol* symbol = context.FindValue(name.text);
  if (symbol == nullptr) {
    std::vector<std::string> names = context.ValueNames({SymbolKind::kDeadletter});
    std::string label = Context::Suggest(name.text, names);
    Reported reported = context.Report(Code::kNotADeadletter, name.span, label,
                                       {name.text, "nothing with that name"});
    if (label.empty()) {
      reported.Help(names.empty() ? "declare it: `deadletter " + name.text +
                                        "`, and send it somewhere: `sink " + name.text +
                                        "_out from " + name.text + " = …`"
                                  : "the dead letters are " + OneOfNames(names, "and"));
    }
    return -1;
  }
  if (symbol->kind != SymbolKind::kDeadletter) {
    context
        .Report(Code::kNotADeadletter, name.span, "",
                {name.text, "a " + std::string(NameOf(symbol->kind))})
        .Secondary(symbol->span, "declared here");
    return -1;
  }
  context.deadletter_written[static_cast<size_t>(symbol->index)] = true;
  return symbol->index;
}

Route CopyRoute(const Route& route) {
  Route copy;
  copy.kind = route.kind == Route::kUse ? Route::kNone : route.kind;
  copy.deadletter = route.deadletter;
  copy.span = route.span;
  return copy;
}

void ReadRoutes(Context& context, const ast::Block& block,
                const std::vector<RouteRequest>& requests, const UseRule& use) {
  std::map<std::string, std::pair<Span, bool>>
      given;  // event → where, and whether through `failed`
  auto fill = [&](const std::string& event, const ast::Name& name, const ast::OnClause& on,
                  bool through_failed) {
    auto request = std::find_if(requests.begin(), requests.end(),
                                [&](const RouteRequest& r) { return r.event == event; });
    if (request == requests.end()) return;
    auto [it, added] = given.try_emplace(event, name.span, through_failed);
    if (!added) {
      // `on failed` is what is left beside a clause for one of its parts.
      if (through_failed && !it->second.second) return;
      if (!(it->second.second && !through_failed)) {
        context.Report(Code::kEventTwice, name.span, "", {name.text})
            .Secondary(it->second.first, "handled here already");
        return;
      }
      it->second = {name.span, false};
    }
    Route& route = *request->route;
    route = Route();
    route.span = on.action.span;
    switch (on.action.kind) {
      case ast::ActionKind::kDrop: route.kind = Route::kDrop; break;
      case ast::ActionKind::kStop: route.kind = Route::kStop; break;
      case ast::ActionKind::kSend:
        route.deadletter = FindDeadletter(context, on.action.target);
        route.kind = route.deadletter < 0 ? Route::kDrop : Route::kSend;
        break;
      case ast::ActionKind::kUse: {
        route.kind = Route::kDrop;
        if (!use.allowed) {
          context.Report(Code::kActionNotPossible, on.action.span, "", {"use", name.text})
              .Help(use.instead);
          break;
        }
        if (use.type == nullptr || !on.action.value) break;
        ExprChecker checker(context, *use.scope);
        bool null = on.action.value->kind == ast::ExprKind::kNull;
        const Type* wanted = null ? context.types.Optional(use.type) : use.type;
        ExprPtr value = checker.Check(*on.action.value, wanted, {.role = "what stands in for it"});
        if (HasError(value->type)) break;
        ReportUnhandled(context, *value, "`use`", false);
        route.kind = Route::kUse;
        route.use = std::move(value);
        break;
      }
    }
  };
  for (const ast::OnClause& on : block.ons) {
    for (const ast::Name& event : on.events) {
      if (event.text == "failed") {
        for (const char* part : {"timeout", "rejected", "error"}) fill(part, event, on, true);
      }
      fill(event.text, event, on, false);
    }
  }
}

}  // namespace weirc::check
