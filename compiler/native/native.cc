#include "compiler/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "compiler/native/child.h"
#include "compiler/native/clang.h"
#include "compiler/native/lld.h"

namespace weirc {
namespace {

constexpr char kHeader[] = "runtime/program/generated.h";

// Third parties' archives in the private directory, each before the ones it needs. cmake/native.cmake puts them there.
constexpr const char* kArchives[] = {"librdkafka.a", "libssl.a",  "libcrypto.a", "libcares.a",
                                     "liblmdb.a",    "libzstd.a", "liblz4.a",    "libz.a",
                                     "libstdc++.a"};

std::vector<std::string> LinkArguments(const std::string& object, const std::string& output,
                                       const Installation& weir) {
  std::vector<std::string> arguments = {
      "-m", "elf_x86_64", "-static", "--hash-style=gnu", "--build-id=sha1", "--eh-frame-hdr",
      "--gc-sections", "--strip-all", "-o", output,
      weir.File("crt1.o"), weir.File("crti.o"), weir.File("crtbeginT.o"), object,
      weir.File("libweir_runtime.a"),
  };
  for (const char* archive : kArchives) arguments.push_back(weir.File(archive));
  // These need one another.
  arguments.push_back("--start-group");
  for (const char* archive : {"libm.a", "libgcc.a", "libgcc_eh.a", "libc.a"}) {
    arguments.push_back(weir.File(archive));
  }
  arguments.push_back("--end-group");
  arguments.push_back(weir.File("crtend.o"));
  arguments.push_back(weir.File("crtn.o"));
  return arguments;
}

// How to link the kept object again (`ld.lld @file`): whoever hands on a static program owes its users that.
bool WriteLinkFile(const std::string& path, const std::vector<std::string>& arguments) {
  FILE* file = fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  for (const std::string& argument : arguments) fprintf(file, "\"%s\"\n", argument.c_str());
  return fclose(file) == 0;
}

NativeResult System(std::string message) {
  NativeResult result;
  result.failure = NativeResult::Failure::kSystem;
  result.message = std::move(message);
  return result;
}

void Describe(const ChildResult& child, const char* who, NativeResult::Failure failure,
              NativeResult* result) {
  if (!child.error.empty()) {
    result->failure = NativeResult::Failure::kSystem;
    result->message = child.error;
    return;
  }
  result->failure = failure;
  result->message = child.output;
  if (child.signal != 0) {
    result->message += std::string(who) + " was ended by signal " + std::to_string(child.signal) +
                       " (" + strsignal(child.signal) + ")\n";
  } else if (child.output.empty()) {
    result->message = std::string(who) + " failed and said nothing\n";
  }
}

}  // namespace

NativeResult CompileAndLink(const NativeJob& job, const Installation& weir) {
  // Beside the output, so that a full or read-only disk shows now and the last step is a rename.
  const std::string scratch = job.output + ".tmp" + std::to_string(getpid());
  const std::string object = scratch + ".o";
  int probe = open(object.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (probe < 0) return System("cannot write " + job.output + ": " + strerror(errno));
  close(probe);
  struct stat status;
  if (stat(job.output.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    unlink(object.c_str());
    return System("cannot write " + job.output + ": it is a folder");
  }

  NativeResult result;
  ChildResult compiled = RunInChild([&] {
    ClangJob clang;
    clang.source = job.source;
    clang.source_name = job.source_name;
    clang.header = kHeader;
    clang.pch = weir.File("runtime.pch");
    clang.best = job.opt == OptLevel::kBest;
    clang.output = object;
    return CompileToObject(clang) ? 0 : 1;
  });
  result.compile_ms = compiled.wall_ms;
  if (!compiled.ok()) {
    Describe(compiled, "clang", NativeResult::Failure::kCompile, &result);
    unlink(object.c_str());
    return result;
  }

  ChildResult linked = RunInChild(
      [&] { return Link(LinkArguments(object, scratch, weir)) ? 0 : 1; });
  result.link_ms = linked.wall_ms;
  if (!linked.ok()) {
    Describe(linked, "lld", NativeResult::Failure::kLink, &result);
    unlink(object.c_str());
    unlink(scratch.c_str());
    return result;
  }

  if (stat(scratch.c_str(), &status) == 0) result.output_bytes = status.st_size;
  bool kept = true;
  if (job.keep_objects) {
    const std::string kept_object = job.output + ".o";
    kept = rename(object.c_str(), kept_object.c_str()) == 0 &&
           WriteLinkFile(job.output + ".link", LinkArguments(kept_object, job.output, weir));
  } else {
    unlink(object.c_str());
  }
  if (!kept || rename(scratch.c_str(), job.output.c_str()) != 0) {
    std::string reason = strerror(errno);
    unlink(object.c_str());
    unlink(scratch.c_str());
    return System("cannot write " + job.output + ": " + reason);
  }
  return result;
}

}  // namespace weirc
