#include "compiler/driver/make_program.h"

#include <stdio.h>

#include "compiler/driver/files.h"
#include "compiler/driver/program_cache.h"

namespace weirc {

int MakeProgram(const Weir& weir, const std::string& file, const ProgramOptions& options,
                Compilation* compilation, Program* program) {
  std::string error;
  CompileOptions compile;
  compile.tests = options.tests;
  compile.embedded = options.embedded;
  if (!Compile(file, compile, compilation, &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  if (compilation->diagnostics.HasErrors()) {
    weir.talk.Show(compilation->diagnostics, compilation->sources);
    return kExitFindings;
  }
  std::vector<std::string> tried;
  auto installation = FindInstallation(weir.argv0, &tried);
  if (!installation) {
    std::string places;
    for (const std::string& place : tried) places += "\n  " + place;
    weir.talk.Error("Weir's own files are missing; they were looked for in" + places +
                    "\nKeep lib/weir beside bin/weir, or set WEIR_LIB to it.");
    return kExitFailed;
  }

  NativeJob job;
  job.source = compilation->cpp;
  job.source_name = compilation->CppName();
  job.opt = options.opt;
  job.keep_objects = options.keep_objects;
  NativeResult result;
  if (options.cached) {
    CachedProgram cached = BuildCached(job, compilation->name, *installation);
    program->path = cached.path;
    program->was_cached = cached.was_there;
    result = cached.native;
  } else {
    job.output = options.output.empty() ? compilation->name : options.output;
    program->path = job.output;
    result = CompileAndLink(job, *installation);
  }
  program->bytes = result.output_bytes;
  if (!program->was_cached) {
    compilation->timings.push_back({"compile", result.compile_ms});
    compilation->timings.push_back({"link", result.link_ms});
  }
  if (result.failure == NativeResult::Failure::kSystem) {
    weir.talk.Error(result.message);
    return kExitFailed;
  }
  if (!result.ok()) {
    ReportNativeFailure(result, program->path + ".gen.cc", compilation);
  }
  weir.talk.Show(compilation->diagnostics, compilation->sources);
  return compilation->diagnostics.HasErrors() ? kExitFindings : kExitClean;
}

void ShowTimings(const Talk& talk, const Compilation& compilation) {
  std::string line;
  double sum = 0;
  for (const Timing& timing : compilation.timings) {
    char text[64];
    snprintf(text, sizeof text, "%s %.1f ms · ", timing.stage.c_str(), timing.ms);
    line += text;
    sum += timing.ms;
  }
  char text[32];
  snprintf(text, sizeof text, "%.0f ms in all", sum);
  talk.Note(line + text);
}

}  // namespace weirc
