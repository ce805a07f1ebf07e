#include "compiler/native/lld.h"

#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>

LLD_HAS_DRIVER(elf)

namespace weirc {

bool Link(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"ld.lld"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return lld::elf::link(argv, llvm::outs(), llvm::errs(), /*exitEarly=*/false,
                        /*disableOutput=*/false);
}

}  // namespace weirc
