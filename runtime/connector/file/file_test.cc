// Files and streams as the engine uses them: what is read, where it goes on, what is cut back, what is refused.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "runtime/connector/file/file_list.h"
#include "runtime/connector/file/file_sink.h"
#include "runtime/connector/file/file_source.h"
#include "runtime/connector/file/stdin_source.h"
#include "runtime/connector/file/stdout_sink.h"

using namespace weir;
using namespace weir::file;

namespace {

class Directory {
 public:
  Directory() {
    char name[] = "/tmp/weir-file-test-XXXXXX";
    REQUIRE(mkdtemp(name));
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void Put(const std::string& path, const std::string& text, bool append = false) {
  std::ofstream file(path, append ? std::ios::app : std::ios::trunc);
  file << text;
}

std::string Get(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Events final : public SourceEvents {
 public:
  void Assigned(const std::vector<int32_t>& partitions, std::vector<Position>* positions) override {
    for (int32_t p : partitions) positions->push_back(starts.count(p) ? starts[p] : Position());
  }
  void Revoked(const std::vector<int32_t>&) override {}
  void Lost(const std::vector<int32_t>&) override {}
  std::map<int32_t, Position> starts;
};

class WaitLoop final : public Loop {
 public:
  void Run(int64_t wait_ns_max) override {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait_for(lock, std::chrono::nanoseconds(wait_ns_max), [&] { return woken_; });
    woken_ = false;
  }
  void Wake() override {
    std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
    condition_.notify_all();
  }
  void Watch(int, std::function<void()>) override {}
  void Forget(int) override {}
  void* io_context() override { return nullptr; }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool woken_ = false;
};

// Reads everything there is; what each partition's position is afterwards.
struct Run {
  std::map<int32_t, std::vector<std::string>> values;
  std::map<int32_t, Position> positions;
  Status failed;
};

Run ReadAll(const std::string& address, const std::map<int32_t, Position>& starts = {}, bool ndjson = true,
            size_t records_max = SIZE_MAX) {
  LineOptions options;
  options.skip_blank = ndjson;
  FileSource source(address, options);
  Run run;
  int32_t count = 0;
  run.failed = source.Partitions(0, &count);
  if (!run.failed.ok()) return run;
  std::vector<int32_t> all;
  for (int32_t p = 0; p < count; ++p) all.push_back(p);
  Events events;
  events.starts = starts;
  REQUIRE(source.Open(all, &events).ok());
  size_t records = 0;
  while (records < records_max) {
    std::unique_ptr<Batch> batch;
    run.failed = source.Poll(&batch);
    if (!run.failed.ok()) return run;
    if (!batch) break;
    for (uint32_t i = 0; i < batch->size && records < records_max; ++i, ++records) {
      run.values[batch->partition].push_back(std::string(batch->messages[i].value.view()));
      run.positions[batch->partition].offset = batch->messages[i].next_offset;
    }
  }
  for (int32_t p : all) {
    run.positions[p].identity = source.Identity(p);
    run.positions[p].finished = source.Tell(p).finished && records < records_max;
  }
  return run;
}

OutputBuffer Lines(const std::vector<std::string>& values, Ticket* ticket = nullptr) {
  OutputBuffer out;
  for (const std::string& value : values) {
    OutputRecord record;
    record.value_begin = static_cast<uint32_t>(out.bytes.size());
    record.value_size = static_cast<uint32_t>(value.size());
    record.ticket = ticket;
    if (ticket) ticket->Raise();
    out.bytes.Append(value.data(), value.size());
    out.records.push_back(record);
  }
  return out;
}

}  // namespace

TEST_CASE("An address is a file, a directory or a pattern, sorted by name") {
  Directory d;
  mkdir((d / "sub").c_str(), 0755);
  for (const char* name : {"b.ndjson", "a.ndjson", "c.txt", ".hidden", "sub/x.ndjson"}) Put(d / name, "1\n");
  std::vector<std::string> files;
  REQUIRE(ListFiles(d.path(), &files).ok());
  CHECK(files == std::vector<std::string>{d / "a.ndjson", d / "b.ndjson", d / "c.txt"});
  REQUIRE(ListFiles(d / "*.ndjson", &files).ok());
  CHECK(files == std::vector<std::string>{d / "a.ndjson", d / "b.ndjson"});
  REQUIRE(ListFiles(d / "s?b/*", &files).ok());
  CHECK(files == std::vector<std::string>{d / "sub/x.ndjson"});
  CHECK(ListFiles(d / "*.csv", &files).code() == StatusCode::kNotFound);
  CHECK(ListFiles(d / "none", &files).code() == StatusCode::kNotFound);
  CHECK_THAT(ListFiles("/dev/null", &files).message(), Catch::Contains("no regular file"));
}

TEST_CASE("Each file is a partition, read once to its end") {
  Directory d;
  Put(d / "a", "{\"i\":1}\n\n{\"i\":2}");
  Put(d / "b", "");
  Put(d / "c", "x\n");
  Run run = ReadAll(d.path());
  REQUIRE(run.failed.ok());
  CHECK(run.values[0] == std::vector<std::string>{"{\"i\":1}", "{\"i\":2}"});
  CHECK(run.values[2] == std::vector<std::string>{"x"});
  for (int p = 0; p < 3; ++p) CHECK(run.positions[p].finished);
}

TEST_CASE("Files larger than what is read at once come whole") {
  Directory d;
  std::string text;
  std::vector<std::string> expected;
  for (int i = 0; i < 20'000; ++i) {
    expected.push_back(std::to_string(i) + std::string(static_cast<size_t>(i % 97), 'x'));
    text += expected.back() + "\n";
  }
  Put(d / "a", text);
  CHECK(ReadAll(d / "a").values[0] == expected);
}

TEST_CASE("Reading goes on where it stopped, also in a file that grew") {
  Directory d;
  Put(d / "a", "1\n2\n3\n");
  Run first = ReadAll(d / "a", {}, true, 2);
  CHECK(first.positions[0].offset == 4);
  Run second = ReadAll(d / "a", first.positions);
  CHECK(second.values[0] == std::vector<std::string>{"3"});
  Put(d / "a", "4\n", true);
  Run third = ReadAll(d / "a", second.positions);
  REQUIRE(third.failed.ok());
  CHECK(third.values[0] == std::vector<std::string>{"4"});
  Run fourth = ReadAll(d / "a", third.positions);
  CHECK(fourth.failed.ok());
  CHECK(fourth.values.empty());
}

TEST_CASE("A file that is not the one that was read stops the pipeline") {
  Directory d;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + "\n";
  Put(d / "a", text);
  Run run = ReadAll(d / "a");
  REQUIRE(run.failed.ok());
  SECTION("shorter") {
    Put(d / "a", text.substr(0, 100));
    CHECK_THAT(ReadAll(d / "a", run.positions).failed.message(), Catch::Contains("cut or replaced"));
  }
  SECTION("other content at the front") {
    Put(d / "a", "9" + text.substr(1));
    CHECK_THAT(ReadAll(d / "a", run.positions).failed.message(), Catch::Contains("written over"));
  }
  SECTION("other content before the place reached") {
    text[text.size() - 3] = 'x';
    Put(d / "new", text);
    std::filesystem::rename(d / "new", d / "a");
    CHECK_THAT(ReadAll(d / "a", run.positions).failed.message(), Catch::Contains("replaced by another"));
  }
  SECTION("a copy with the same content is as good") {
    Put(d / "new", text + "more\n");
    std::filesystem::rename(d / "new", d / "a");
    Run again = ReadAll(d / "a", run.positions);
    CHECK(again.failed.ok());
    CHECK(again.values[0] == std::vector<std::string>{"more"});
  }
  SECTION("another file before it") {
    Run directory = ReadAll(d.path());
    Put(d / "0", "x\n");
    CHECK_THAT(ReadAll(d.path(), directory.positions).failed.message(), Catch::Contains("`0` stands where `a`"));
  }
  SECTION("files that are gone") {
    Put(d / "b", "x\n");
    Run directory = ReadAll(d.path());
    std::filesystem::remove(d / "b");
    FileSource source(d.path(), LineOptions());
    Events events;
    REQUIRE(source.Open({0, 1}, &events).ok());
    std::unique_ptr<Batch> batch;
    CHECK_THAT(source.Poll(&batch).message(), Catch::Contains("had more files"));
  }
}

TEST_CASE("Standard input is read to its end without blocking, and offsets go on over a restart") {
  int pipe_ends[2];
  REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
  WaitLoop loop;
  LineOptions options;
  StdinSource source(pipe_ends[0], options, &loop);
  Events events;
  events.starts[0].offset = 1000;
  REQUIRE(source.Open({0}, &events).ok());
  std::vector<std::pair<std::string, int64_t>> lines;
  auto poll = [&] {
    std::unique_ptr<Batch> batch;
    REQUIRE(source.Poll(&batch).ok());
    for (uint32_t i = 0; batch && i < batch->size; ++i) {
      lines.push_back({std::string(batch->messages[i].value.view()), batch->messages[i].offset});
    }
    if (!batch) loop.Run(10'000'000);
  };
  poll();
  CHECK(lines.empty());
  CHECK_FALSE(source.Tell(0).finished);
  REQUIRE(write(pipe_ends[1], "one\ntw", 6) == 6);
  while (lines.empty()) poll();
  CHECK(lines[0] == std::make_pair(std::string("one"), int64_t{1000}));
  REQUIRE(write(pipe_ends[1], "o\nthree", 7) == 7);
  close(pipe_ends[1]);
  while (!source.Tell(0).finished) poll();
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] == std::make_pair(std::string("two"), int64_t{1004}));
  CHECK(lines[2] == std::make_pair(std::string("three"), int64_t{1008}));
  close(pipe_ends[0]);
}

TEST_CASE("A source on a quiet pipe closes at once") {
  int pipe_ends[2];
  REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
  {
    WaitLoop loop;
    StdinSource source(pipe_ends[0], LineOptions(), &loop);
    Events events;
    REQUIRE(source.Open({0}, &events).ok());
    std::unique_ptr<Batch> batch;
    REQUIRE(source.Poll(&batch).ok());
  }
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST_CASE("A file sink keeps what was committed and cuts off the rest") {
  Directory d;
  SinkPosition committed;
  std::vector<Sink::Refused> refused;
  {
    FileSink sink(d / "out");
    REQUIRE(sink.Open({}).ok());
    REQUIRE(sink.Write(Lines({"1", "2"}), &refused).ok());
    REQUIRE(sink.Prepare(&committed).ok());
    CHECK(committed.length == 4);
    REQUIRE(sink.Write(Lines({"3"}), &refused).ok());
    SinkPosition never;
    REQUIRE(sink.Prepare(&never).ok());
    CHECK(Get(d / "out") == "1\n2\n3\n");
    FileSink second(d / "out");
    CHECK(second.Open(committed).code() == StatusCode::kExists);
  }
  {
    FileSink sink(d / "out");
    REQUIRE(sink.Open(committed).ok());
    CHECK(Get(d / "out") == "1\n2\n");
    REQUIRE(sink.Write(Lines({"3", "a\nb"}), &refused).ok());
    REQUIRE(sink.Prepare(&committed).ok());
  }
  CHECK(Get(d / "out") == "1\n2\n3\na\\nb\n");
  Put(d / "out", "1\n");
  FileSink sink(d / "out");
  Status status = sink.Open(committed);
  CHECK(status.code() == StatusCode::kCorrupt);
  CHECK_THAT(status.message(), Catch::Contains("has 2 bytes"));
}

TEST_CASE("What a file held before the pipeline's first commit stays") {
  Directory d;
  Put(d / "out", "old\n");
  FileSink sink(d / "out");
  REQUIRE(sink.Open({}).ok());
  SinkPosition position;
  REQUIRE(sink.Prepare(&position).ok());
  CHECK(position.length == 4);
  std::vector<Sink::Refused> refused;
  REQUIRE(sink.Write(Lines({"new"}), &refused).ok());
  REQUIRE(sink.Prepare(&position).ok());
  CHECK(Get(d / "out") == "old\nnew\n");
}

TEST_CASE("A file that cannot be written says so") {
  std::vector<Sink::Refused> refused;
  FileSink full("/dev/full");
  CHECK_THAT(full.Open({}).message(), Catch::Contains("no regular file"));
  FileSink nowhere("/nowhere/at/all");
  CHECK_THAT(nowhere.Open({}).message(), Catch::Contains("/nowhere/at/all"));
}

TEST_CASE("Lines of several workers come out whole, and tickets fall when they are out") {
  int pipe_ends[2];
  REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
  auto writer = std::make_shared<StreamWriter>(pipe_ends[1]);
  WaitLoop loop_a, loop_b;
  auto a = std::make_unique<StdoutSink>(writer, &loop_a);
  auto b = std::make_unique<StdoutSink>(writer, &loop_b);
  REQUIRE(a->Open({}).ok());
  REQUIRE(b->Open({}).ok());
  Ticket ticket;
  std::vector<Sink::Refused> refused;
  // More than a pipe holds: nothing can be out before somebody reads.
  size_t bytes = 0;
  for (int i = 0; i < 100; ++i) {
    std::string line(1000, static_cast<char>('a' + i % 26));
    REQUIRE((i % 2 ? a : b)->Write(Lines({line, line}, &ticket), &refused).ok());
    bytes += 2 * 1001;
  }
  REQUIRE(a->Poll().ok());
  CHECK(ticket.open() > 0);
  std::string text;
  while (text.size() < bytes) {
    char buffer[4096];
    ssize_t n = read(pipe_ends[0], buffer, sizeof buffer);
    REQUIRE(n > 0);
    text.append(buffer, static_cast<size_t>(n));
  }
  while (!ticket.Done()) {
    REQUIRE(a->Poll().ok());
    REQUIRE(b->Poll().ok());
    loop_a.Run(5'000'000);
  }
  std::stringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    REQUIRE(line.size() == 1000);
    REQUIRE(line.find_first_not_of(line[0]) == std::string::npos);
  }
  CHECK(count == 200);

  SECTION("A reader that has gone is an error, not the end of the process") {
    close(pipe_ends[0]);
    REQUIRE(a->Write(Lines({"x"}, &ticket), &refused).ok());
    Status status;
    while (status.ok()) {
      status = a->Poll();
      loop_a.Run(5'000'000);
    }
    CHECK_THAT(status.message(), Catch::Contains("writing stdout"));
    CHECK(ticket.open() == 1);
    pipe_ends[0] = -1;
  }
  a.reset();
  b.reset();
  if (pipe_ends[0] >= 0) close(pipe_ends[0]);
  close(pipe_ends[1]);
}
