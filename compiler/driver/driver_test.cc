// The weir command as a user meets it: words in, streams and exit codes out. Runs the built program.
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>

#include "compiler/driver/files.h"

namespace weirc {
namespace {

namespace fs = std::filesystem;

struct Result {
  int code;
  std::string out;
  std::string err;
};

std::string Slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A folder of its own, which is also the current one of what runs in it.
class Place {
 public:
  Place() { REQUIRE(mkdtemp(path_) != nullptr); }
  ~Place() { fs::remove_all(path_); }
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((fs::path(path_) / name).parent_path());
    std::ofstream(fs::path(path_) / name, std::ios::binary) << text;
  }
  std::string Read(const std::string& name) { return Slurp(fs::path(path_) / name); }
  std::string path() const { return path_; }
  bool Has(const std::string& name) { return fs::exists(fs::path(path_) / name); }
  Result Weir(const std::string& words, const std::string& variables = "") {
    std::string command = "cd " + std::string(path_) + " && env -u GITHUB_ACTIONS XDG_CACHE_HOME=" + path_ +
                          "/.cache " + variables + " " + WEIR_BINARY + " " + words +
                          " >.out 2>.err </dev/null";
    int status = system(command.c_str());
    return {WEXITSTATUS(status), Read(".out"), Read(".err")};
  }

 private:
  char path_[32] = "/tmp/weir-driver-XXXXXX";
};

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr char kGood[] =
    "pipeline good version 1\n"
    "record Order { id: int64, amount: decimal(12, 2) }\n"
    "deadletter dead\n"
    "source orders: Order = ndjson(\"orders.ndjson\") { format: json, on bad send dead }\n"
    "stream large = orders\n"
    "  | where amount >= 100\n"
    "sink out from large = stdout { format: json }\n"
    "sink dead_out from dead = ndjson(\"dead.ndjson\")\n";

TEST_CASE("help comes first with examples, and goes to stdout only when asked for") {
  Place place;
  Result help = place.Weir("--help");
  CHECK(help.code == 0);
  CHECK(help.err == "");
  CHECK(help.out.find("Examples:") < help.out.find("Usage:"));
  CHECK(Contains(help.out, "Exit codes:"));
  CHECK(place.Weir("-h").out == help.out);
  Result none = place.Weir("");
  CHECK(none.code == 2);
  CHECK(none.out == "");
  CHECK(Contains(none.err, "Usage: weir"));
  Result build = place.Weir("build --help");
  CHECK(build.code == 0);
  CHECK(Contains(build.out, "Usage: weir build FILE"));
  CHECK(Contains(place.Weir("--version").out, "weir 0."));
}

TEST_CASE("misspelled words get a suggestion and exit code 2") {
  Place place;
  Result command = place.Weir("biuld x.weir");
  CHECK(command.code == 2);
  CHECK(command.out == "");
  CHECK(Contains(command.err, "did you mean `weir build`?"));
  Result option = place.Weir("build x.weir --keep-object");
  CHECK(option.code == 2);
  CHECK(Contains(option.err, "did you mean `--keep-objects`?"));
  CHECK(Contains(place.Weir("build").err, "weir build --help"));
  CHECK(Contains(place.Weir("check x.weir --format xml").err, "text, json or github"));
  CHECK(Contains(place.Weir("build x.weir -- y").err, "only `weir run`"));
}

TEST_CASE("check says nothing on stdout, and its exit code tells findings from failures") {
  Place place;
  place.Write("good.weir", kGood);
  place.Write("bad.weir", std::string(kGood) + "stream x = nowhere | where true\n");
  Result good = place.Weir("check good.weir");
  INFO(good.err);
  CHECK(good.code == 0);
  CHECK(good.out == "");
  CHECK(good.err == "good.weir is right\n");
  Result bad = place.Weir("check good.weir bad.weir");
  CHECK(bad.code == 1);
  CHECK(bad.out == "");
  CHECK(Contains(bad.err, "nowhere"));
  CHECK(Contains(bad.err, "bad.weir:9:"));
  CHECK_FALSE(Contains(bad.err, "\033["));
  Result absent = place.Weir("check absent.weir");
  CHECK(absent.code == 2);
  CHECK(Contains(absent.err, "cannot read absent.weir: No such file or directory"));
  CHECK(place.Weir("check .").code == 1);
}

TEST_CASE("diagnostics come as text, JSON lines or workflow commands") {
  Place place;
  place.Write("bad.weir", std::string(kGood) + "stream x = nowhere | where true\n");
  Result json = place.Weir("check bad.weir --format json");
  CHECK(json.code == 1);
  CHECK(json.err == "");
  CHECK(json.out.starts_with("{\"code\":\"W0"));
  CHECK(Contains(json.out, "\"line\":9"));
  Result github = place.Weir("check bad.weir --format github");
  CHECK(github.out.starts_with("::error file=bad.weir,line=9"));
  CHECK(place.Weir("check bad.weir", "GITHUB_ACTIONS=true").out == github.out);
  CHECK(Contains(place.Weir("check bad.weir --color always").err, "\033["));
  CHECK_FALSE(Contains(place.Weir("check bad.weir", "NO_COLOR=1").err, "\033["));
}

TEST_CASE("imports are read relative to their file, each once, and a missing one is shown where it is named") {
  Place place;
  std::string rest = std::string(kGood).substr(std::string(kGood).find("deadletter"));
  place.Write("p/pipeline.weir", "pipeline good version 1\nimport \"schemas/order.weir\"\n" + rest);
  place.Write("p/schemas/order.weir",
              "import \"money.weir\"\nrecord Order { id: int64, amount: decimal(12, 2), from: Place }\n");
  place.Write("p/schemas/money.weir",
              "import \"order.weir\"\nrecord Place { country: string }\n");
  Result result = place.Weir("check p/pipeline.weir");
  INFO(result.err);
  CHECK(result.code == 0);
  place.Write("p/pipeline.weir", "pipeline good version 1\nimport \"schemas/order.wier\"\n" + rest);
  result = place.Weir("check p/pipeline.weir");
  CHECK(result.code == 1);
  CHECK(Contains(result.err, "W0290"));
  CHECK(Contains(result.err, "p/pipeline.weir:2:8"));
  CHECK(Contains(result.err, "No such file or directory"));
}

TEST_CASE("build makes an executable, prints the forms on the way, and keeps objects on request") {
  Place place;
  place.Write("good.weir", kGood);
  Result built = place.Weir("build good.weir -o out --timings --keep-objects");
  INFO(built.err);
  REQUIRE(built.code == 0);
  CHECK(built.out == "");
  CHECK(Contains(built.err, "parse"));
  CHECK(Contains(built.err, "link"));
  CHECK(Contains(built.err, "MB, static)"));
  CHECK(place.Has("out"));
  CHECK(place.Has("out.o"));
  CHECK(place.Has("out.link"));
  for (const char* form : {"ast", "typed", "plan", "cpp"}) {
    Result printed = place.Weir(std::string("build good.weir --print ") + form);
    CHECK(printed.code == 0);
    CHECK(Contains(printed.out, "orders"));
  }
  CHECK(place.Weir("build good.weir --print tree").code == 2);
  CHECK(Contains(place.Weir("build good.weir -o no/such/out").err, "cannot write no/such/out"));
  CHECK(place.Weir("build good.weir -o no/such/out").code == 2);
  CHECK(place.Weir("plan good.weir").out == place.Weir("build good.weir --print plan").out);
}

TEST_CASE("run takes an unchanged pipeline from the cache and ends with the pipeline's own code") {
  Place place;
  place.Write("good.weir", kGood);
  place.Write("orders.ndjson", "{\"id\": 1, \"amount\": 100.00}\n{\"id\": 2, \"amount\": 5}\n{\"id\": 3\n");
  Result first = place.Weir("run good.weir --timings");
  INFO(first.err);
  CHECK(first.code == 0);
  CHECK(first.out == "{\"id\":1,\"amount\":100}\n");
  CHECK(Contains(first.err, "compile"));
  CHECK(Contains(place.Read("dead.ndjson"), "orders"));
  Result second = place.Weir("run good.weir --timings -- --help");
  CHECK_FALSE(Contains(second.err, "compile"));
  CHECK(place.Weir("run good.weir").out == first.out);  // with state of its own
  CHECK(place.Weir("run good.weir -- --state-dir kept").out == first.out);
  CHECK(place.Weir("run good.weir -- --state-dir kept").out == "");
  CHECK(place.Weir("run good.weir -- --no-such-option").code == 1);
}

TEST_CASE("new makes a pipeline that is right, passes its test and runs") {
  Place place;
  REQUIRE(place.Weir("new orders").code == 0);
  Result check = place.Weir("check orders");
  INFO(check.err);
  CHECK(check.code == 0);
  Result test = place.Weir("test orders");
  INFO(test.err);
  CHECK(test.code == 0);
  CHECK(place.Weir("fmt --check orders").code == 0);
  CHECK(Contains(place.Weir("new orders").err, "orders is there already"));
  CHECK(place.Weir("new Orders").code == 2);
}

TEST_CASE("test runs test blocks, says which failed, and writes what came out on request") {
  Place place;
  const std::string text = std::string(kGood) +
      "test \"large ones pass\" {\n"
      "  orders <- [{ id: 1, amount: 150 }, { id: 2, amount: 50 }]\n"
      "  expect large exactly [{ id: 1, amount: 150 }]\n"
      "}\n"
      "test \"a wrong one\" {\n"
      "  orders <- { id: 7, amount: 100.25 }\n"
      "  expect large exactly [{ id: 8, amount: 1 }]\n"
      "}\n";
  place.Write("good.weir", text);
  Result failed = place.Weir("test");
  CHECK(failed.code == 1);
  CHECK(Contains(failed.out, "ok: large ones pass"));
  CHECK(Contains(failed.out, "FAILED: a wrong one"));
  CHECK(place.Weir("test --filter large").code == 0);
  Result updated = place.Weir("test good.weir --update");
  INFO(updated.out << updated.err);
  CHECK(updated.code == 0);
  CHECK(Contains(updated.err, "updated 1 expectation in good.weir"));
  CHECK(Contains(place.Read("good.weir"), "100.25"));
  CHECK(Contains(place.Read("good.weir"), "exactly [{ id: 1, amount: 150 }]"));
  CHECK(place.Weir("test good.weir").code == 0);
  place.Write("none.weir", kGood);
  CHECK(Contains(place.Weir("test none.weir").err, "there are no test blocks here"));
}

constexpr char kTopics[] =
    "pipeline topics version 1\n"
    "connection k = kafka { brokers: \"nowhere:1\" }\n"
    "connection api = http { url: \"http://nowhere:1\" }\n"
    "record Order { id: int64, customer: string, ts: timestamp }\n"
    "record Customer { name: string }\n"
    "deadletter dead\n"
    "source orders: Order = k.topic(\"orders\") { key: customer, time: ts, lateness: 2s, idle: 5s, on bad send dead }\n"
    "lookup customer(id: string) -> Customer = api.get(\"/customers/{id}\") { timeout: 1s, retry: 1 }\n"
    "stream named = orders\n"
    "  | lookup customer(id: customer) as c { on missing use null, on failed send dead }\n"
    "  | select { id, customer, name: c?.name }\n"
    "stream counts = named | window tumbling 1s by customer { on late send dead } | aggregate { customer, n: count() }\n"
    "sink out from named = k.topic(\"named\")\n"
    "sink counts_out from counts = k.topic(\"counts\") { key: customer }\n"
    "sink dead_out from dead = k.topic(\"dead\")\n";

std::string Replaced(std::string text, const std::string& part, const std::string& by) {
  return text.replace(text.find(part), part.size(), by);
}

std::string WithoutLine(std::string text, const std::string& begin) {
  const size_t at = text.find("\n" + begin) + 1;
  return text.erase(at, text.find('\n', at) + 1 - at);
}

std::string AtLeastOnce(const std::string& pipeline) {
  return Replaced(pipeline, "version 1", "version 1 { deliver: at_least_once }");
}

// Of a line "<times>  <what>" of a simulation's summary; 0: there is none.
int Times(const std::string& summary, const std::string& what) {
  const size_t at = summary.find("  " + what + "\n");
  return at == std::string::npos ? 0 : std::stoi(summary.substr(summary.rfind('\n', at)));
}

// How many outputs were repeated; -1: that is not said.
int Repeated(const std::string& summary) {
  const std::string before = " outputs compared, ";
  const size_t at = summary.find(before), end = summary.find(" repeated, ");
  return at == std::string::npos || end == std::string::npos ? -1 : std::stoi(summary.substr(at + before.size(), end - at));
}

TEST_CASE("simulate kills a pipeline in every way and says how often what happened") {
  Place place;
  place.Write("topics.weir", kTopics);
  Result calm = place.Weir("simulate topics.weir --seeds 20 --faults none");
  INFO(calm.out << calm.err);
  CHECK(calm.code == 0);
  CHECK_FALSE(Contains(calm.out, "copy killed"));
  Result wild = place.Weir("simulate topics.weir --seeds 200");
  INFO(wild.out << wild.err);
  CHECK(wild.code == 0);
  CHECK(wild.err == "");
  CHECK(Contains(wild.out, "topics.weir: 200 seeds, 0 found something; "));
  CHECK(Repeated(wild.out) == -1);
  for (const char* what : {"recovery.replayed", "transaction.committed", "copy killed", "copy paused", "answer lost",
                           "session expired", "answer that never comes", "answer after its time-out",
                           "answer that comes twice", "rows that waited"}) {
    CHECK(Contains(wild.out, what));
  }
  Result chosen = place.Weir("simulate topics.weir --seeds 20 --faults kill,marker-lag");
  CHECK(chosen.code == 0);
  CHECK(Contains(chosen.out, "copy killed"));
  CHECK_FALSE(Contains(chosen.out, "copy paused"));
  CHECK_FALSE(Contains(chosen.out, "answer lost"));
  CHECK_FALSE(Contains(place.Weir("simulate topics.weir --seeds 20 --faults=-kill").out, "copy killed"));
  Result brief = place.Weir("simulate topics.weir --seeds 100000 --seconds-limit 1");
  CHECK(Contains(brief.out, "of 100000 seeds were begun: the time was over"));
}

TEST_CASE("simulate finds what a wrong commit does, and a seed replays it byte for byte") {
  Place place;
  place.Write("topics.weir", kTopics);
  // Each is found in the words of the pipeline's author.
  for (auto [mutation, found] :
       {std::pair{"row removed before its output", "lost in `out`"}, std::pair{"late answer accepted", "changed in `"},
        std::pair{"changelog end is the last stable offset", ": ended\n  a copy ended with code 3"}}) {
    Result result = place.Weir(std::string("simulate topics.weir --seeds 500 --mutation '") + mutation + "'");
    INFO(mutation << "\n" << result.out << result.err);
    CHECK(result.code == 1);
    CHECK(Contains(result.out, found));
    const std::string again = "again: weir simulate topics.weir --mutation '" + std::string(mutation) + "' --first-seed ";
    size_t at = result.out.find(again);
    REQUIRE(at != std::string::npos);
    at = result.out.find("simulate", at);
    const std::string words = result.out.substr(at, result.out.find('\n', at) - at);
    CHECK(words.ends_with("--seeds 1"));
    auto without_time = [](const std::string& out) { return out.substr(0, out.find("virtual seconds")); };
    Result one = place.Weir(words + " --trace"), two = place.Weir(words + " --trace");
    CHECK(one.code == 1);
    CHECK(Contains(one.out, "copy copy1 starts"));
    CHECK(without_time(one.out) == without_time(two.out));
    CHECK(Contains(one.out, "1 seed, 1 found something"));
  }
}

// Many seeds of an at-least-once pipeline: nothing is found, outputs are repeated, and each of these occurred.
Result RunsAndRepeats(Place& place, int seeds, std::initializer_list<const char*> occurred) {
  Result wild = place.Weir("simulate topics.weir --seeds " + std::to_string(seeds));
  INFO(wild.out << wild.err);
  CHECK(wild.code == 0);
  CHECK(wild.err == "");
  CHECK(Contains(wild.out, "topics.weir: " + std::to_string(seeds) + " seeds, 0 found something; "));
  CHECK(Repeated(wild.out) > seeds);
  for (const char* what : occurred) {
    INFO(what);
    CHECK(Times(wild.out, what) > 0);
  }
  return wild;
}

TEST_CASE("simulate lets outputs of a pipeline with state repeat that is at least once, and nothing else") {
  Place place;
  place.Write("topics.weir", AtLeastOnce(kTopics));
  Result wild = RunsAndRepeats(
      place, 300,
      {"recovery.replayed", "transaction.outputs_acknowledged", "transaction.fenced", "transaction.begun",
        "transaction.changes_written", "transaction.flushed", "transaction.offsets_sent", "transaction.committed",
        "transaction.done", "transaction.aborted", "abort demanded", "answer lost", "change followed by a standby",
        "coordinator unavailable", "copy killed", "copy paused", "copy paused at a step", "copy stopped", "disk lost power",
        "leader moved", "log compacted", "marker lag", "news late", "producer throttled", "rebalance", "rebalance at commit",
        "request late", "session expired", "transaction timed out", "unstable offsets", "answer that never comes",
        "rows that waited for answers in copies that died"});
  // Outputs are not among what transactions write.
  CHECK(Times(wild.out, "transaction.output_written") == 0);
  for (auto [mutation, found] : {std::pair{"outputs not acknowledged", ": lost in `"},
                                 std::pair{"late answer accepted", ": changed in `"},
                                 std::pair{"restored rows unsorted", ": out of order in `out`"},
                                 std::pair{"offsets before changelog", ": ended\n  a copy ended with code 3"},
                                 std::pair{"epoch without offsets", ": ended\n  a copy ended with code 3"},
                                 std::pair{"local store written early", ": ended\n  a copy ended with code 3"}}) {
    Result result = place.Weir(std::string("simulate topics.weir --seeds 500 --mutation '") + mutation + "'");
    INFO(mutation << "\n" << result.out << result.err);
    CHECK(result.code == 1);
    CHECK(Contains(result.out, found));
    CHECK_FALSE(Contains(result.out, ": repeated in `"));
  }
}

TEST_CASE("simulate runs pipelines that commit offsets alone, and finds offsets that pass what is not finished") {
  const std::string stateless = WithoutLine(WithoutLine(kTopics, "stream counts"), "sink counts_out");
  Place place;
  place.Write("topics.weir", AtLeastOnce(stateless));
  RunsAndRepeats(
      place, 500,
      {"offsets.acknowledged", "offsets.sent", "copy killed", "copy paused", "copy paused at a step", "copy stopped",
        "coordinator unavailable", "illegal generation", "leader moved", "news late", "partition added", "rebalance",
        "request delayed", "session expired", "answer after its time-out", "answer that comes twice",
        "answer that never comes", "rows that waited for answers in copies that died"});
  // Nothing else is promised where exactly once cannot be had: to standard output, to another cluster.
  place.Write("printed.weir", Replaced(stateless, "k.topic(\"named\")", "stdout"));
  place.Write("mirrored.weir", "connection other = kafka { brokers: \"nowhere:2\" }\n" +
                                   Replaced(stateless, "k.topic(\"named\")", "other.topic(\"orders\")"));
  for (const char* file : {"printed.weir", "mirrored.weir"}) {
    Result result = place.Weir(std::string("simulate ") + file + " --seeds 50");
    INFO(result.out << result.err);
    CHECK(result.code == 0);
    CHECK(Repeated(result.out) > 50);
  }
  for (auto [mutation, found] : {std::pair{"outputs not acknowledged", ": lost in `"},
                                 std::pair{"late answer accepted", ": changed in `"}}) {
    Result result = place.Weir(std::string("simulate topics.weir --seeds 500 --mutation '") + mutation + "'");
    INFO(mutation << "\n" << result.out << result.err);
    CHECK(result.code == 1);
    CHECK(Contains(result.out, found));
  }
}

TEST_CASE("simulate says why a pipeline or a word is not for it") {
  Place place;
  place.Write("good.weir", kGood);
  Result files = place.Weir("simulate good.weir");
  CHECK(files.code == 2);
  CHECK(files.out == "");
  CHECK(Contains(files.err, "error: good.weir:4:8: `orders` is no topic, so one process keeps positions and state"));
  CHECK(Contains(files.err, "weir plan"));
  place.Write("to_file.weir", Replaced(kTopics, "k.topic(\"named\")", "ndjson(\"named\")"));
  Result to_file = place.Weir("simulate to_file.weir");
  CHECK(to_file.code == 2);
  CHECK(Contains(to_file.err, "error: to_file.weir:13:6: `out` is a file, so one process keeps positions and state"));
  place.Write("two.weir", std::string(kTopics) + "connection other = kafka { brokers: \"nowhere:2\" }\n"
                          "source more: Order = other.topic(\"more\") { key: customer, time: ts, lateness: 2s, on bad drop }\n"
                          "sink more_out from more = k.topic(\"more_out\")\n");
  Result two = place.Weir("simulate two.weir");
  CHECK(two.code == 2);
  CHECK(Contains(two.err, "error: two.weir:17:8: `more` is of another Kafka connection than `orders`, so one process"));
  place.Write("idle.weir", "pipeline idle version 1\nconnection k = kafka { brokers: \"nowhere:1\" }\n"
                           "record Order { id: int64 }\nsource orders: Order = k.topic(\"orders\") { on bad drop }\n");
  Result idle = place.Weir("simulate idle.weir");
  CHECK(idle.code == 2);
  CHECK(Contains(idle.err, "error: idle.weir:1: no stream of it is read by a sink"));
  place.Write("circle.weir", Replaced(kTopics, "\"named\"", "\"orders\""));
  Result circle = place.Weir("simulate circle.weir");
  CHECK(circle.code == 2);
  CHECK(Contains(circle.err, "`out` writes to `orders`, which `orders` reads"));
  place.Write("topics.weir", kTopics);
  Result fault = place.Weir("simulate topics.weir --faults kill,flood");
  CHECK(fault.code == 2);
  CHECK(Contains(fault.err, "there is no fault `flood`; there are all, none, request-delayed"));
  CHECK(place.Weir("simulate topics.weir --records 0").code == 2);
  // A route that stops the pipeline is no fault of the protocol: its input is milder then.
  place.Write("stops.weir", Replaced(kTopics, "on bad send dead", "on bad stop"));
  Result stops = place.Weir("simulate stops.weir --seeds 50");
  INFO(stops.out << stops.err);
  CHECK(stops.code == 0);
  CHECK(Contains(stops.out, "seeds had input that stops nothing, since with other input a copy ended with code 5: "));
  place.Write("arrival.weir", Replaced(kTopics, "name: c?.name", "name: meta.arrival"));
  Result arrival = place.Weir("simulate arrival.weir --seeds 20");
  CHECK(arrival.code == 0);
  CHECK(Contains(arrival.out, "`out` was not compared: `named.select` reads meta.arrival"));
}

TEST_CASE("fmt rewrites, checks, shows a diff, and leaves broken files alone") {
  Place place;
  const std::string untidy = "pipeline p version 1\nparam   x:int64=1\n";
  place.Write("p.weir", untidy);
  CHECK(place.Weir("fmt --check p.weir").code == 1);
  Result diff = place.Weir("fmt --diff p.weir");
  CHECK(diff.code == 1);
  CHECK(diff.out.starts_with("--- p.weir\n+++ p.weir\n@@ -1,"));
  CHECK(Contains(diff.out, "\n-param   x:int64=1\n"));
  CHECK(Contains(diff.out, "\n+param x: int64 = 1\n"));
  CHECK(place.Read("p.weir") == untidy);
  CHECK(place.Weir("fmt p.weir").code == 0);
  CHECK(Contains(place.Read("p.weir"), "param x: int64 = 1\n"));
  CHECK(place.Weir("fmt --check").code == 0);
  CHECK(place.Weir("fmt --diff").out == "");
  place.Write("broken.weir", "param x: = \n");
  CHECK(place.Weir("fmt broken.weir").code == 1);
  CHECK(place.Read("broken.weir") == "param x: = \n");
}

TEST_CASE("explain prints a page, and suggests a code for one that is not") {
  Place place;
  Result page = place.Weir("explain w0201");
  CHECK(page.code == 0);
  CHECK(page.out.starts_with("W0201: "));
  CHECK(Contains(page.out, "This works:"));
  CHECK(place.Weir("explain W0999").code == 2);
}

TEST_CASE("an embedded run answers lookups, feeds topics and ends by itself") {
  Place place;
  place.Write("p/pipeline.weir",
              "pipeline embedded version 1\n"
              "secret password: string\n"
              "param topic: string = \"orders\"\n"
              "connection k = kafka { brokers: \"nowhere:1\", tls: true, user: \"me\", password: password }\n"
              "connection api = http { url: \"http://nowhere:1\" }\n"
              "record Order { id: int64, customer: string }\n"
              "record Customer { name: string }\n"
              "deadletter dead\n"
              "source orders: Order = k.topic(topic) { format: json, key: customer, on bad send dead }\n"
              "lookup customer(id: string) -> Customer = api.get(\"/customers/{id}\") { timeout: 5s }\n"
              "stream named = orders\n"
              "  | lookup customer(id: customer) as c {\n"
              "      on missing send dead\n"
              "      on failed send dead\n"
              "    }\n"
              "  | select { id, name: c.name }\n"
              "sink out from named = k.topic(\"named\") { format: json }\n"
              "sink dead_out from dead = k.topic(\"dead\")\n");
  place.Write("p/input/orders.ndjson",
              "{\"id\": 1, \"customer\": \"a\"}\n"
              "{\"id\": 2, \"customer\": \"b\"}\n"
              "{\"id\": broken\n");
  Result missing = place.Weir("run --embedded p/pipeline.weir");
  CHECK(missing.code == 2);
  CHECK(Contains(missing.err, "p/services/api.json"));
  place.Write("p/services/api.json",
              "{\"routes\": [{\"path\": \"/customers/a\", \"body\": {\"name\": \"Ada\"}, \"delay_ms\": 5}]}");
  Result run = place.Weir("run --embedded p/pipeline.weir --partitions 3");
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(Contains(run.out, "{\"topic\":\"named\",\"key\":\"a\",\"value\":{\"id\":1,\"name\":\"Ada\"}}\n"));
  CHECK(std::count(run.out.begin(), run.out.end(), '\n') == 3);
  CHECK(run.err.starts_with("embedded broker: at least once"));
  CHECK(Contains(run.err, "3 records in, 1 record out, 2 dead letters"));
  Result other = place.Weir("run --embedded p/pipeline.weir --set topic=other");
  CHECK(other.code == 0);
  CHECK(Contains(other.err, "0 records in"));
}

TEST_CASE("an embedded run refuses what it cannot promise") {
  Place place;
  std::string text = kGood;
  text.replace(text.find("version 1"), 9, "version 1 { deliver: exactly_once }");
  place.Write("good.weir", text);
  Result run = place.Weir("run --embedded good.weir");
  CHECK(run.code != 0);
}

TEST_CASE("files are found below folders, sorted and once") {
  Place place;
  place.Write("a/x.weir", "");
  place.Write("a/b/y.weir", "");
  place.Write("a/.hidden/z.weir", "");
  place.Write("a/readme.md", "");
  const std::string root = place.path();
  std::vector<std::string> files;
  std::string error;
  REQUIRE(FindPipelines({root + "/a", root + "/a/x.weir"}, &files, &error));
  CHECK(files == std::vector<std::string>{root + "/a/b/y.weir", root + "/a/x.weir"});
  CHECK_FALSE(FindPipelines({"/nowhere"}, &files, &error));
  CHECK(error == "cannot read /nowhere: No such file or directory");
}

}  // namespace
}  // namespace weirc
