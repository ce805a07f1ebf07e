// weir run --embedded: a pipeline with everything it talks to, in one terminal.
#pragma once

#include <string>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile.h"

namespace weirc {

// Makes a typed pipeline talk to the embedded servers: a Kafka connection keeps nothing but its brokers and an HTTP
// connection loses what it says about TLS; addresses become params of their own, which RunEmbedded gives values.
// Part of the compilation for --embedded (CompileOptions::embedded).
void RedirectConnections(typed::TypedPipeline* pipeline);

// Runs the compiled `program` as a child beside a broker and HTTP services inside this process:
//  - every Kafka topic it names is made, with `arguments.partitions` partitions;
//  - input/<topic>.ndjson beside the pipeline is published, tables before sources;
//  - services/<connection>.json answers for each http connection (embedded/http_service.h);
//  - records of the output topics come out on stdout, one JSON object a line:
//      {"topic":"trades.enriched","key":"ACME","value":{…}}
// It ends when the input is processed and the outputs are quiet, when the pipeline ends, or with Ctrl-C, and closes with
// a summary on stderr. Returns the pipeline's exit code, or kExitFailed when it could not be started.
int RunEmbedded(const Weir& weir, const Compilation& compilation, const std::string& program,
                const RunArguments& arguments);

}  // namespace weirc
