// Files and standard streams for a pipeline: makes its sources, tables and sinks. The only header of this folder that
// others need.
#pragma once

#include <memory>
#include <mutex>

#include "runtime/core/status.h"
#include "runtime/engine/connectors.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/source.h"
#include "runtime/program/program.h"

namespace weir::file {

class StreamWriter;

// Operations of a source or table: ndjson, lines (a path, a directory, or a pattern with * ? [ ]) and stdin; of a sink:
// ndjson, lines, stdout. Relative paths start at the process's working directory.
class FileConnector {
 public:
  FileConnector();
  ~FileConnector();

  Status MakeSource(const SourceSpec& source, const ConnectorContext& context, std::unique_ptr<Source>* out);
  Status MakeTable(const TableSpec& table, const ConnectorContext& context, std::unique_ptr<Source>* out);
  // Files are written behind the commit; standard output at once.
  static bool StoreBacked(const SinkSpec& sink);
  Status MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out);

 private:
  std::shared_ptr<StreamWriter> stdout_;  // one for all workers, so that lines stay whole
};

}  // namespace weir::file
