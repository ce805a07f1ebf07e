// What of a program is kept, where, and how it is laid out: by this the state of one version is known to another.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/engine/transactions.h"
#include "runtime/program/program.h"
#include "runtime/state/store.h"

namespace weir {

// Stages whose tasks need a changelog, by index into Program::stages; none without transactions. With them, any other stage
// goes on with one that an earlier version of the pipeline made.
std::vector<bool> StagesWithChangelog(const Program& program);
// Adds those others of which there is one: what an earlier version kept is not forgotten in silence.
Status AddStagesWithOldChangelog(const Program& program, Transactions& transactions, int64_t wait_ns_max,
                                 std::vector<bool>* stages);
// The changelogs of these stages, `tasks` being how many tasks each has.
std::vector<Transactions::Changelog> ChangelogsOf(const Program& program, const std::vector<bool>& stages,
                                                  const std::vector<int>& tasks);

// What of a program its store holds.
StoreIdentity IdentityOf(const Program& program);
// And of it the changelog of one stage.
StoreIdentity IdentityOf(const Program& program, int stage);

}  // namespace weir
