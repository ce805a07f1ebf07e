// compiler/plan/passes/derive_state.h — What waits or is kept is known: its layout's hash, and whether bytes wait with it.
// The hash names the layout of a lookup's pending rows, of rows between workers and of window values: stored bytes of
// another layout are not read. A record's original bytes wait with it when a later route of the same record may send it
// to a dead letter stream, which shows them. Runs after the live fields are known. Test: tests/plan/project_fields.weir
#pragma once

#include <string>

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan DeriveState(Plan plan);

// What waits with a request: what is read behind the lookup, and by `on … use VALUE`.
Live PendingLive(const Node& lookup);

// FNV-1a, 64 bits. Its values are stored, so it never changes.
uint64_t LayoutHash(const std::string& text);
// "int64", "{symbol:string,a:{tier:string}?}": what a value's bytes look like, live parts only.
std::string LayoutText(const typed::Type* type, const Live& live);
std::string LayoutText(const typed::RecordDef& record, const Live& live);

}  // namespace weirc::plan
