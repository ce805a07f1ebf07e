// Random records for a program: mostly valid, written in many ways, some broken. The same seed makes the same records.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "compiler/check/typed.h"
#include "tests/run/run_case.h"

namespace run {

class RandomInput {
 public:
  RandomInput(const RunCase& run, uint64_t seed) : run_(run), random_(seed) {}

  RunInput Make(int records_max);
  // JSON of some value of the type; valid unless a fault was made on the way.
  std::string ValueOf(const weirc::typed::Type* type, int depth = 0);
  std::string RecordOf(const weirc::typed::RecordDef* record, int depth = 0);
  // In percent, of each value and each record: how often something is wrong with it.
  int faults = 2;

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Percent(int n) { return static_cast<int>(Below(100)) < n; }
  std::string Space();
  std::string Integer(bool wide);
  std::string Decimal(int precision, int scale);
  std::string String();
  std::string Quoted(const std::string& text);
  std::string Timestamp();
  std::string Break(std::string json);

  const RunCase& run_;
  std::mt19937_64 random_;
};

}  // namespace run
