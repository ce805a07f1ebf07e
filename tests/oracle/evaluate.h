// Evaluates typed expressions over dynamic values, one node at a time. A failing expression throws Failure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/check/typed.h"
#include "tests/oracle/value.h"

namespace oracle {

struct Meta {
  Big time_ns = 0;
  bool has_time = false;
  std::string key;
  bool has_key = false;
  std::map<std::string, std::string> headers;
  std::string topic;
  int partition = 0;
  long long offset = 0;
  std::string raw;
  std::string origin;     // the source, table or window step it came out of
  bool from_window = false;
  std::string sequence;   // see Output
};

struct Scope {
  const weirc::typed::TypedPipeline* pipeline = nullptr;
  const std::vector<Value>* params = nullptr;
  const Value* row = nullptr;
  const Meta* meta = nullptr;
  std::vector<Value> locals;
  Big window_start = 0, window_end = 0;
  const std::vector<Value>* aggregates = nullptr;
};

Value Evaluate(const weirc::typed::Expr& expr, Scope& scope);

// A standard function by its name; the only code shared with the product is the function itself (stdlib/).
Value CallStandard(const weirc::typed::CallStdExpr& call, const std::vector<Value>& args);

}  // namespace oracle
