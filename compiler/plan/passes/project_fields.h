// compiler/plan/passes/project_fields.h — Only what somebody reads is decoded, kept, saved and sent on.
// Before: Source{a, b, c} → Let(x = b) → Lookup(a) → Sink{a}     After: Source{a} → Lookup(a), saving {a} → Sink{a}
// Goes backwards from sinks and tests: each node learns which parts of its output row are read behind it (Node::live),
// tables learn which fields of their rows are (Table::live), and steps whose only result is a field nobody reads are
// dead. Fields that are not live are passed over by the decoder: they must be
// well-formed JSON that occurs once, but no more.
// Keeps: all outputs. Test: tests/plan/project_fields.weir
#pragma once

#include "compiler/plan/plan.h"

namespace weirc::plan {

Plan ProjectFields(Plan plan);

// What a node needs of its input row, given its own live fields. Public for emit and the slow evaluator.
Live InputLive(const Plan& plan, const Node& node);
// Which fields of a source's record must be decoded: what is read behind it, its event time.
Live SourceLive(const Plan& plan, const Node& source);

}  // namespace weirc::plan
