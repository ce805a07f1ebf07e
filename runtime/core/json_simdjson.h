// For tests: what simdjson reads, in the form that Walk of json_walk.h writes.
#pragma once

#include <simdjson.h>

#include <string>

#include "runtime/core/json_walk.h"

namespace weir_test {

inline void Dump(simdjson::dom::element e, std::string* out) {
  using simdjson::dom::element_type;
  switch (e.type()) {
    case element_type::OBJECT:
      *out += '{';
      for (auto field : simdjson::dom::object(e)) {
        AppendText(field.key, out);
        *out += '=';
        Dump(field.value, out);
        *out += ';';
      }
      *out += '}';
      break;
    case element_type::ARRAY:
      *out += '[';
      for (auto element : simdjson::dom::array(e)) {
        Dump(element, out);
        *out += ';';
      }
      *out += ']';
      break;
    case element_type::STRING: AppendText(std::string_view(e), out); break;
    case element_type::BOOL: *out += bool(e) ? 'T' : 'F'; break;
    case element_type::NULL_VALUE: *out += 'N'; break;
    case element_type::INT64: *out += 'i' + std::to_string(int64_t(e)); break;
    case element_type::UINT64: AppendDouble(static_cast<double>(uint64_t(e)), out); break;
    case element_type::DOUBLE: AppendDouble(double(e), out); break;
  }
}

}  // namespace weir_test
