// weir_make_pch: precompiles the header of generated code with the embedded Clang. Used while Weir is built, once.
//   weir_make_pch OUTPUT DEPFILE ROOT HEADER [-I DIR]… [-S SYSTEM_DIR]… [-D NAME=VALUE]…
#include <cstdio>
#include <cstring>

#include "compiler/native/clang.h"

int main(int argc, char** argv) {
  weirc::PchJob job;
  if (argc < 5 || argc % 2 == 0) {
    fprintf(stderr, "usage: weir_make_pch OUTPUT DEPFILE ROOT HEADER [-I|-S|-D VALUE]...\n");
    return 2;
  }
  job.output = argv[1];
  job.depfile = argv[2];
  job.root = argv[3];
  job.header = argv[4];
  for (int i = 5; i + 1 < argc; i += 2) {
    switch (argv[i][1]) {
      case 'I': job.include_dirs.push_back(argv[i + 1]); break;
      case 'S': job.system_dirs.push_back(argv[i + 1]); break;
      case 'D': job.defines.push_back(argv[i + 1]); break;
    }
  }
  return weirc::MakePch(job) ? 0 : 1;
}
