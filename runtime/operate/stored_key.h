// A key as an operator writes it on a command line, and the bytes by which the state has it.
#pragma once

#include <string>

#include "runtime/core/status.h"
#include "runtime/program/layout.h"

namespace weir {

// "`symbol` (string), `account` (string)"
std::string ColumnsText(const List<Column>& columns);

// The bytes of a key. `text`: of one column its value, plain (`ACME`, `12.5`, `2026-01-02T09:00:00Z`) or as JSON; of
// several, and also of one, a JSON object of the columns' names or a JSON array in their order. kInvalid: says what is
// wrong with it, and how a key of these columns is written. Plain text that looks like JSON is taken as JSON where that fits.
Status ReadKey(const List<Column>& columns, const std::string& text, std::string* key);

}  // namespace weir
