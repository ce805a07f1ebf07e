// The other half of the JSON benchmark, built for the machine's wider vectors: ondemand picks its kernel at compile time.
#include <simdjson.h>

#include "runtime/core/decimal.h"
#include "runtime/core/json_bench.h"

namespace weir_bench {

// Written by hand against simdjson as one would: fields are asked for in the expected order, and it finds them when
// they are not. The price stays text there (simdjson has no decimals) and is converted by the same routine.
bool DecodeWithSimdjson(const char* text, size_t size, size_t room, Trade* out) {
  static simdjson::ondemand::parser parser;
  simdjson::ondemand::document doc;
  if (parser.iterate(text, size, room).get(doc)) return false;
  simdjson::ondemand::object object;
  if (doc.get_object().get(object)) return false;
  std::string_view s;
  if (object["trade_id"].get_int64().get(out->trade_id)) return false;
  if (object["symbol"].get_string().get(s)) return false;
  out->symbol = weir::Str(s);
  simdjson::ondemand::value price;
  if (object["price"].get(price)) return false;
  s = price.raw_json_token();
  while (!s.empty() && (s.back() == ' ' || s.back() == '\n')) s.remove_suffix(1);
  if (weir::ParseDecimal(weir::Str(s), 18, 4, &out->price) != weir::DecimalError::kOk) return false;
  if (object["qty"].get_int64().get(out->qty)) return false;
  if (object["side"].get_string().get(s)) return false;
  if (s.size() != 1 || (s[0] != 'B' && s[0] != 'S')) return false;
  out->side = s[0] == 'B' ? 0 : 1;
  if (object["ts"].get_int64().get(out->ts)) return false;
  out->ts *= 1000000;
  if (object["account"].get_string().get(s)) return false;
  out->account = weir::Str(s);
  if (object["venue"].get_string().get(s)) return false;
  out->venue = weir::Str(s);
  return true;  // it has not looked at what follows the last field
}

const char* SimdjsonKernel() {
  static const std::string name = simdjson::get_active_implementation()->name();
  return name.c_str();
}

}  // namespace weir_bench
