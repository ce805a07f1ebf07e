// Which parts of a row an expression reads.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/typed.h"
#include "compiler/plan/plan.h"

namespace weirc::plan {

// Adds to `row` what evaluating `e` reads of the record at its step when `want` of its result is needed.
void AddUses(const typed::Expr& e, const Live& want, Live* row);
inline void AddUses(const typed::Expr& e, Live* row) { AddUses(e, Live::Whole(), row); }
void AddUses(const std::vector<typed::ExprPtr>& list, Live* row);

// Leaves that are live, as paths in declared order: {"trade_id", "i.name"}. A record that is read as a whole is one path.
std::vector<std::string> LivePaths(const typed::RecordDef& record, const Live& live);

}  // namespace weirc::plan
