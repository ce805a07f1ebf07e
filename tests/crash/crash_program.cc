// crash.weir with faults at the steps of its commits: see step_faults.h. WEIR_FAULTS is where they are, WEIR_WRONG a step
// of the protocol that is done wrongly.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "runtime/program/program.h"
#include "runtime/program/run.h"
#include "tests/crash/step_faults.h"

namespace crash {
const weir::Compiled& CompiledProgram();
}

int main(int argc, char** argv) {
  const char* path = std::getenv("WEIR_FAULTS");
  const char* wrong = std::getenv("WEIR_WRONG");
  if (path == nullptr) {
    std::fprintf(stderr, "error: WEIR_FAULTS must say where faults are\n");
    return 1;
  }
  try {
    weir_test::StepFaults faults(path, wrong == nullptr ? "" : wrong);
    return weir::MainWithFaults(crash::CompiledProgram(), argc, argv, &faults);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
