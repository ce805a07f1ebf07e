// Pipelines as their authors write them, compiled and simulated by the command that their authors use.
#include <stdlib.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

// A folder that the compiler may keep programs in.
class Cache {
 public:
  Cache() { REQUIRE(mkdtemp(path_) != nullptr); }
  ~Cache() { fs::remove_all(path_); }
  int Simulate(const std::string& words, std::string* said) {
    const std::string out = std::string(path_) + "/out";
    const std::string command = "XDG_CACHE_HOME=" + std::string(path_) + " " WEIR_BINARY " simulate " WEIR_ROOT "/" + words +
                                " >" + out + " 2>&1 </dev/null";
    int status = system(command.c_str());
    std::stringstream text;
    text << std::ifstream(out).rdbuf();
    *said = text.str();
    return WEXITSTATUS(status);
  }

 private:
  char path_[32] = "/tmp/weir-simulate-XXXXXX";
};

TEST_CASE("the example survives whatever a seed does to it", "[simulate]") {
  Cache cache;
  std::string said;
  CHECK(cache.Simulate("examples/trade_enrichment/pipeline.weir --seeds 1000", &said) == 0);
  INFO(said);
  CHECK(said.find("1000 seeds, 0 found something") != std::string::npos);
}

TEST_CASE("results of windows that wait to be re-keyed are not late when input goes quiet", "[simulate]") {
  Cache cache;
  std::string said;
  CHECK(cache.Simulate("tests/simulate/window_chain.weir --seeds 100", &said) == 0);
  INFO(said);
  CHECK(said.find("100 seeds, 0 found something") != std::string::npos);
}

}  // namespace
