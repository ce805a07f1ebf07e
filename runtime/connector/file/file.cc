#include "runtime/connector/file/file.h"

#include <unistd.h>

#include "runtime/connector/file/file_sink.h"
#include "runtime/connector/file/file_source.h"
#include "runtime/connector/file/stdin_source.h"
#include "runtime/connector/file/stdout_sink.h"

namespace weir::file {
namespace {

Status Make(const std::string& operation, const std::string& address, Format format, Loop* loop,
            std::unique_ptr<Source>* out) {
  LineOptions options;
  options.skip_blank = format == Format::kJson;
  if (operation == "stdin") {
    *out = std::make_unique<StdinSource>(STDIN_FILENO, options, loop);
  } else if (operation == "ndjson" || operation == "lines") {
    *out = std::make_unique<FileSource>(address, options);
  } else {
    return Status::Invalid("files cannot be read with `" + operation + "`");
  }
  return Status();
}

}  // namespace

FileConnector::FileConnector() : stdout_(std::make_shared<StreamWriter>(STDOUT_FILENO)) {}
FileConnector::~FileConnector() = default;

Status FileConnector::MakeSource(const SourceSpec& source, const ConnectorContext& context,
                                 std::unique_ptr<Source>* out) {
  return Make(source.operation, source.address, source.format, context.loop, out);
}

Status FileConnector::MakeTable(const TableSpec& table, const ConnectorContext& context,
                                std::unique_ptr<Source>* out) {
  return Make(table.operation, table.address, table.format, context.loop, out);
}

bool FileConnector::StoreBacked(const SinkSpec& sink) { return sink.operation != "stdout"; }

Status FileConnector::MakeSink(const SinkSpec& sink, const ConnectorContext& context, std::unique_ptr<Sink>* out) {
  if (sink.operation == "stdout") {
    *out = std::make_unique<StdoutSink>(stdout_, context.loop);
  } else if (sink.operation == "ndjson" || sink.operation == "lines") {
    *out = std::make_unique<FileSink>(sink.address);
  } else {
    return Status::Invalid("files cannot be written with `" + sink.operation + "`");
  }
  return Status();
}

}  // namespace weir::file
