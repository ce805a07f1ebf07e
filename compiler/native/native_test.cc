// Clang and lld inside this process: programs come out, errors are results, crashes stay in the child.
#include "compiler/native/native.h"

#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

#include "compiler/native/child.h"

namespace weirc {
namespace {

struct Folder {
  Folder() { REQUIRE(mkdtemp(path) != nullptr); }
  ~Folder() {
    std::string command = std::string("rm -rf ") + path;
    CHECK(system(command.c_str()) == 0);
  }
  std::string operator/(const char* name) const { return std::string(path) + "/" + name; }
  char path[32] = "/tmp/weir-native-XXXXXX";
};

Installation Weir() {
  setenv("WEIR_LIB", WEIR_TEST_LIB, 1);
  std::vector<std::string> tried;
  auto found = FindInstallation("native_test", &tried);
  REQUIRE(found.has_value());
  return *found;
}

NativeJob Job(const std::string& body, const std::string& output) {
  NativeJob job;
  job.source = "#include \"runtime/program/generated.h\"\n" + body;
  job.source_name = "small.gen.cc";
  job.output = output;
  return job;
}

std::string OutputOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char buffer[256];
  while (fgets(buffer, sizeof buffer, pipe) != nullptr) text += buffer;
  int status = pclose(pipe);
  return text + "exit " + std::to_string(WEXITSTATUS(status));
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

TEST_CASE("C++ text becomes an executable, at both levels") {
  Folder folder;
  for (OptLevel level : {OptLevel::kQuick, OptLevel::kBest}) {
    NativeJob job = Job(
        "int main(int count, char** words) {\n"
        "  try { throw count; } catch (int n) { __builtin_printf(\"%d words\\n\", n); }\n"
        "  return 7;\n"
        "}\n",
        folder / "small");
    job.opt = level;
    NativeResult result = CompileAndLink(job, Weir());
    CHECK(result.message == "");
    REQUIRE(result.ok());
    CHECK(OutputOf(job.output + " a b") == "3 words\nexit 7");
    CHECK(result.output_bytes > 100'000);
    CHECK_FALSE(Exists(folder / "small.o"));
  }
}

TEST_CASE("the executable is static") {
  Folder folder;
  NativeJob job = Job("int main() {}\n", folder / "small");
  REQUIRE(CompileAndLink(job, Weir()).ok());
  std::ifstream file(job.output, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  CHECK(bytes.substr(1, 3) == "ELF");
  auto* header = reinterpret_cast<const Elf64_Ehdr*>(bytes.data());
  CHECK(header->e_type == ET_EXEC);  // not position-independent
  auto* segments = reinterpret_cast<const Elf64_Phdr*>(bytes.data() + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i) CHECK(segments[i].p_type != PT_INTERP);
}

TEST_CASE("a mistake in generated code is shown at the line of the pipeline") {
  Folder folder;
  NativeJob job = Job("#line 12 \"trade.weir\"\nint main() { return \"text\"; }\n", folder / "small");
  NativeResult result = CompileAndLink(job, Weir());
  CHECK(result.failure == NativeResult::Failure::kCompile);
  CHECK(result.message.find("trade.weir:12:") != std::string::npos);
  CHECK_FALSE(Exists(job.output));
}

TEST_CASE("a missing function is an error of the link, and the next job works again") {
  Folder folder;
  NativeJob job = Job("int Missing();\nint main() { return Missing(); }\n", folder / "small");
  NativeResult result = CompileAndLink(job, Weir());
  CHECK(result.failure == NativeResult::Failure::kLink);
  CHECK(result.message.find("Missing") != std::string::npos);
  CHECK_FALSE(Exists(job.output));
  job.source = "int main() {}\n";
  CHECK(CompileAndLink(job, Weir()).ok());
}

TEST_CASE("objects are kept on request, with what links them again") {
  Folder folder;
  NativeJob job = Job("int main() { return 3; }\n", folder / "small");
  job.keep_objects = true;
  REQUIRE(CompileAndLink(job, Weir()).ok());
  CHECK(Exists(folder / "small.o"));
  REQUIRE(remove(job.output.c_str()) == 0);
  CHECK(OutputOf("ld.lld-19 @" + (folder / "small.link")) == "exit 0");
  CHECK(OutputOf(job.output) == "exit 3");
}

TEST_CASE("an output that cannot be written is the system's word, not a bug of ours") {
  Folder folder;
  NativeResult result = CompileAndLink(Job("int main() {}\n", folder / "no/such/small"), Weir());
  CHECK(result.failure == NativeResult::Failure::kSystem);
  CHECK(result.message.find("No such file or directory") != std::string::npos);
  result = CompileAndLink(Job("int main() {}\n", folder.path), Weir());
  CHECK(result.failure == NativeResult::Failure::kSystem);
  CHECK(result.message.find("it is a folder") != std::string::npos);
}

TEST_CASE("a crash stays in the child") {
  ChildResult result = RunInChild([]() -> int {
    fprintf(stderr, "last words\n");
    raise(SIGSEGV);
    return 0;
  });
  CHECK_FALSE(result.ok());
  CHECK(result.signal == SIGSEGV);
  CHECK(result.output == "last words\n");
}

TEST_CASE("an installation that is not there names the places it was looked for") {
  setenv("WEIR_LIB", "/nowhere/weir", 1);
  std::vector<std::string> tried;
  CHECK_FALSE(FindInstallation("weir", &tried).has_value());
  CHECK(tried == std::vector<std::string>{"/nowhere/weir"});
  unsetenv("WEIR_LIB");
  FindInstallation("weir", &tried);
  CHECK(tried.back() == "/usr/lib/weir");
}

}  // namespace
}  // namespace weirc
