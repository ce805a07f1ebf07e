// The input files of `weir run --embedded`: lines of NDJSON as records for a topic.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/driver/embedded/broker.h"

namespace weirc {

// A line is the record's value, or, if it is an object of nothing but these names with `value` among them, an envelope:
//   {"key": "ACME", "value": {…} or null, "headers": {"trace": "t1"}, "timestamp": 1767344400000}
// (`timestamp` in milliseconds). A string value is sent as its text, anything else as its JSON. A record without a key
// of its own gets the text of the value's field at `key_path` (names in wire form), if there is one. Lines that are not
// JSON are sent as they are: a pipeline must be able to meet them. Empty lines count for nothing.
std::vector<BrokerRecord> ReadInput(std::string_view ndjson, const std::vector<std::string>& key_path);

// {"topic":…,"key":…,"value":…}: the value as it is if it is JSON, else as a string (bytes that are no UTF-8 replaced);
// headers and a null value where there are some.
std::string FormatOutput(const std::string& topic, const BrokerRecord& record);

}  // namespace weirc
