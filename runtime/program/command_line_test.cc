#include "runtime/program/command_line.h"

#include <catch2/catch.hpp>

namespace weir {
namespace {

constexpr CommandOption kOwn[] = {{"step", true}, {"dry-run"}};

CommandLine Split(std::vector<std::string> arguments) { return SplitCommandLine(arguments, kOwn, {"leave"}); }

TEST_CASE("A command takes its own options and words, and leaves the settings with their values") {
  CommandLine line = Split({"show", "0@17", "--set", "brokers=a:1", "--step", "enriched.a", "--leave", "1@2", "--dry-run",
                            "--group=g", "--step=x"});
  CHECK(line.errors.empty());
  CHECK(line.words == std::vector<std::string>{"show", "0@17", "1@2"});
  CHECK(line.settings == std::vector<std::string>{"--set", "brokers=a:1", "--leave", "--group=g"});
  CHECK(line.Has("dry-run"));
  CHECK(line.Get("step") == "x");
  CHECK(line.options.at("step").size() == 2);
}

TEST_CASE("An option without its value, or with one too many, is told") {
  CHECK(Split({"--step"}).errors == std::vector<std::string>{"`--step` needs a value"});
  CHECK(Split({"--dry-run=no"}).errors == std::vector<std::string>{"`--dry-run` takes no value"});
  // A setting without its value is told by Settings.
  CHECK(Split({"--group"}).settings == std::vector<std::string>{"--group"});
}

TEST_CASE("Behind two dashes everything is a word") {
  CHECK(Split({"--", "--step", "-1"}).words == std::vector<std::string>{"--step", "-1"});
}

}  // namespace
}  // namespace weir
