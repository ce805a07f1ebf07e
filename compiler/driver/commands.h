// The commands of `weir`, one function each: they do the work and return the exit code (talk.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/driver/talk.h"

namespace weirc {

// What every command is given.
struct Weir {
  const char* argv0 = "weir";
  Talk talk;
};

struct BuildArguments {
  std::string file;
  std::string output;   // "" is the program's name, in the current folder
  std::string print;    // "", or ast, typed, plan, cpp: print that instead of building
  bool keep_objects = false;
  bool quick = false;   // -O1, as `weir run` compiles
  bool timings = false;
};

struct RunArguments {
  std::string file;
  std::vector<std::string> set;   // name=value
  bool embedded = false;
  int partitions = 1;             // of each embedded topic
  bool timings = false;
  std::vector<std::string> rest;  // for the pipeline
};

struct TestArguments {
  std::vector<std::string> paths;
  std::string filter;
  bool update = false;
};

struct SimulateArguments {
  std::string file;
  std::vector<std::string> set;   // name=value
  uint64_t seeds = 100;
  uint64_t first_seed = 1;
  std::string faults;             // "" is all
  int records = 40;               // of each source, about
  uint64_t seconds_limit = 0;     // 0: none
  bool trace = false;
  std::string mutation;           // a step of the commit protocol to break, to see that it is found
};

struct FmtArguments {
  std::vector<std::string> paths;
  bool check = false;
  bool diff = false;
};

int CheckCommand(const Weir& weir, const std::vector<std::string>& files);
int BuildCommand(const Weir& weir, const BuildArguments& arguments);
int RunCommand(const Weir& weir, const RunArguments& arguments);
int TestCommand(const Weir& weir, const TestArguments& arguments);
int SimulateCommand(const Weir& weir, const SimulateArguments& arguments);
int PlanCommand(const Weir& weir, const std::string& file);
int ExplainCommand(const Weir& weir, const std::string& code);
int FmtCommand(const Weir& weir, const FmtArguments& arguments);
int NewCommand(const Weir& weir, const std::string& name);

}  // namespace weirc
