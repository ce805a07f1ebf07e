// Settings: who wins, what is refused, and that everything wrong is said at once.
#include "runtime/program/settings.h"

#include <catch2/catch.hpp>

#include "runtime/core/time.h"
#include "runtime/program/setting_text.h"

namespace weir {
namespace {

constexpr ParamSpec kParams[] = {
    {"brokers", ParamKind::kString, 0, 0, false, "localhost:9092", 3},
    {"limit", ParamKind::kInt64, 0, 0, false, nullptr, 4},
    {"token", ParamKind::kString, 0, 0, true, nullptr, 5},
    {"fee", ParamKind::kDecimal, 10, 2, false, "0.5", 6},
    {"every", ParamKind::kDuration, 0, 0, false, "1m", 7},
    {"since", ParamKind::kTimestamp, 0, 0, false, "2026-01-02T00:00:00Z", 8},
    {"day", ParamKind::kDate, 0, 0, false, "2026-01-02", 9},
    {"symbols", ParamKind::kStringList, 0, 0, false, "A,B", 10},
    {"strict", ParamKind::kBool, 0, 0, false, "true", 11},
    {"rate", ParamKind::kFloat64, 0, 0, false, "1.5", 12},
    {"workers", ParamKind::kString, 0, 0, false, "x", 13},
};
const Compiled kCompiled = {kParams, 11, "trade", "trade.weir", nullptr, nullptr};

struct World {
  SettingSources sources;
  std::map<std::string, std::string> files;
  Settings settings{kCompiled};
  void Load() {
    sources.read_file = [this](const std::string& path, std::string* text) {
      auto found = files.find(path);
      if (found == files.end()) return Status::NotFound("cannot be read");
      *text = found->second;
      return Status();
    };
    settings.Load(sources);
  }
  std::string Errors() {
    std::string all;
    for (const std::string& e : settings.errors()) all += e + "\n";
    return all;
  }
};

World Good() {
  World w;
  w.sources.environment = {{"WEIR_LIMIT", "7"}, {"WEIR_TOKEN", "s3cret"}};
  return w;
}

TEST_CASE("Defaults, and values of every kind") {
  World w = Good();
  w.Load();
  CHECK(w.Errors() == "");
  const Settings& s = w.settings;
  CHECK(s.String(0) == Str("localhost:9092"));
  CHECK(s.Int64(1) == 7);
  CHECK(s.String(2) == Str("s3cret"));
  CHECK(s.Decimal(3) == 50);
  CHECK(s.Int64(4) == kNsPerMinute);
  CHECK(s.Int64(6) == DaysFromCivil({2026, 1, 2}));
  CHECK(s.StringList(7) == std::vector<Str>{Str("A"), Str("B")});
  CHECK(s.Bool(8));
  CHECK(s.Float64(9) == 1.5);
  CHECK(s.run().workers == 1);
  CHECK(s.run().state_dir == "trade.state");
  CHECK(s.run().http_host == "127.0.0.1");
  CHECK(s.run().http_port == 9640);
  CHECK(s.run().http_default);
  CHECK(s.run().commit_ns == 0);
}

TEST_CASE("A flag beats the environment, which beats the file, which beats the default") {
  for (int level = 0; level <= 3; ++level) {
    World w = Good();
    w.files["c.json"] = "{\"state_dir\": \"file\", \"kafka\": {\"fetch.min.bytes\": 1}}";
    if (level >= 1) w.sources.flags = {"--config", "c.json"};
    if (level >= 1) w.files["c.json"] = "{\"brokers\": \"file:1\", \"state_dir\": \"file\", \"kafka\": {\"fetch.min.bytes\": 1}}";
    if (level >= 2) {
      w.sources.environment["WEIR_BROKERS"] = "env:1";
      w.sources.environment["WEIR_STATE_DIR"] = "env";
      w.sources.environment["WEIR_KAFKA_FETCH_MIN_BYTES"] = "2";
    }
    if (level >= 3) {
      for (const char* f : {"--set", "brokers=flag:1", "--state-dir=flag", "--kafka.fetch.min.bytes=3"}) w.sources.flags.push_back(f);
    }
    w.Load();
    CAPTURE(level);
    REQUIRE(w.Errors() == "");
    const char* brokers[] = {"localhost:9092", "file:1", "env:1", "flag:1"};
    const char* dirs[] = {"trade.state", "file", "env", "flag"};
    CHECK(std::string(w.settings.String(0).view()) == brokers[level]);
    CHECK(w.settings.run().state_dir == dirs[level]);
    REQUIRE(w.settings.kafka().size() == (level == 0 ? 0u : 1u));
    if (level > 0) {
      CHECK(w.settings.kafka()[0].name == "kafka.fetch.min.bytes");
      CHECK(w.settings.kafka()[0].value == std::to_string(level));
    }
  }
}

TEST_CASE("Everything missing or wrong is said at once, with line and origin") {
  World w;
  w.sources.environment = {{"WEIR_FEE", "1.005"}, {"WEIR_STRICT", "yes"}, {"WEIR_LOG", "xml"}, {"WEIR_HTTP", "9640"}};
  w.sources.flags = {"--set", "every=soon", "--workers", "0", "--set", "brokres=x", "--state-dri", "y", "--grace=-1s", "stray", "--commit-interval"};
  w.Load();
  const std::string errors = w.Errors();
  for (const char* part : {
           "param `limit` (trade.weir:4) is not set: give it as --set limit=…, as WEIR_LIMIT or in a configuration file",
           "secret `token` (trade.weir:5) is not set: give it as WEIR_TOKEN, or name a file with it in WEIR_TOKEN_FILE",
           "param `fee` (trade.weir:6) must be a decimal(10, 2), not `1.005` (WEIR_FEE)",
           "param `strict` (trade.weir:11) must be true or false, not `yes` (WEIR_STRICT)",
           "param `every` (trade.weir:7) must be a duration such as 1h30m or 250ms, not `soon` (--set every)",
           "`workers` must be a whole number from 1 to 256, not `0` (--workers)",
           "the pipeline has no param `brokres`; did you mean `brokers`?",
           "there is no flag `--state-dri`; did you mean `--state-dir`?",
           "`log` must be json, text or auto, not `xml` (WEIR_LOG)",
           "`http` must be HOST:PORT or off, not `9640` (WEIR_HTTP)",
           "`grace` must be a duration, not `-1s` (--grace)",
           "`stray` is no flag",
           "`--commit-interval` needs a value",
       }) {
    CAPTURE(errors, part);
    CHECK(errors.find(part) != std::string::npos);
  }
  CHECK(w.settings.errors().size() == 13);
}

TEST_CASE("Secrets: environment or files, never flags, never shown") {
  World w = Good();
  w.sources.flags = {"--set", "token=visible"};
  w.Load();
  CHECK(w.Errors().find("secret `token` (trade.weir:5) cannot be given by a flag") != std::string::npos);
  CHECK(w.Errors().find("visible") == std::string::npos);
  CHECK(w.settings.Describe().find("s3cret") == std::string::npos);
  CHECK(w.settings.Describe().find("***") != std::string::npos);

  World file;
  file.sources.environment = {{"WEIR_LIMIT", "7"}, {"WEIR_TOKEN_FILE", "/run/token"}};
  file.files["/run/token"] = "from-file\n";
  file.Load();
  CHECK(file.Errors() == "");
  CHECK(file.settings.String(2) == Str("from-file"));

  World gone;
  gone.sources.environment = {{"WEIR_LIMIT", "7"}, {"WEIR_TOKEN_FILE", "/run/gone"}};
  gone.Load();
  CHECK(gone.Errors().find("the file /run/gone, named by WEIR_TOKEN_FILE, cannot be read") != std::string::npos);

  World twice = Good();
  twice.sources.environment["WEIR_TOKEN_FILE"] = "/run/token";
  twice.Load();
  CHECK(twice.Errors().find("is given twice, by WEIR_TOKEN and by WEIR_TOKEN_FILE") != std::string::npos);
}

TEST_CASE("The configuration file: typed leaves, lists, unknown names, broken text") {
  World w = Good();
  w.sources.flags = {"--config=c.json"};
  w.files["c.json"] = R"({"limit": 9, "strict": false, "symbols": ["X", "Y,Z"], "fee": 1.25, "workers": 3, "param.workers": "p"})";
  w.sources.environment.erase("WEIR_LIMIT");
  w.Load();
  CHECK(w.Errors() == "");
  CHECK(w.settings.Int64(1) == 9);
  CHECK_FALSE(w.settings.Bool(8));
  CHECK(w.settings.StringList(7) == std::vector<Str>{Str("X"), Str("Y,Z")});
  CHECK(w.settings.Decimal(3) == 125);
  CHECK(w.settings.run().workers == 3);
  CHECK(w.settings.String(10) == Str("p"));

  auto errors = [](const std::string& text) {
    World bad = Good();
    bad.sources.environment["WEIR_CONFIG"] = "c.json";
    bad.files["c.json"] = text;
    bad.Load();
    return bad.Errors();
  };
  CHECK(errors("{\"limti\": 1}").find("`limti` in c.json is no setting of this pipeline; did you mean `limit`?") != std::string::npos);
  CHECK(errors("{\"limit\": ").find("c.json is not one JSON object of settings") != std::string::npos);
  CHECK(errors("[]").find("c.json is not one JSON object of settings") != std::string::npos);
  CHECK(errors("{\"day\": [\"x\"]}").find("param `day` (trade.weir:9) must be a date") != std::string::npos);
  CHECK(errors("{\"config\": \"d.json\"}").find("names no other") != std::string::npos);
  World missing = Good();
  missing.sources.flags = {"--config", "nowhere.json"};
  missing.Load();
  CHECK(missing.Errors().find("the configuration file nowhere.json cannot be read") != std::string::npos);
}

TEST_CASE("A param that is called like a setting has its own spelling") {
  World w = Good();
  w.sources.environment["WEIR_WORKERS"] = "2";
  w.sources.environment["WEIR_PARAM_WORKERS"] = "mine";
  w.Load();
  CHECK(w.Errors() == "");
  CHECK(w.settings.run().workers == 2);
  CHECK(w.settings.String(10) == Str("mine"));
  World flag = Good();
  flag.sources.flags = {"--set", "workers=set", "--workers=4"};
  flag.Load();
  CHECK(flag.settings.run().workers == 4);
  CHECK(flag.settings.String(10) == Str("set"));
}

TEST_CASE("A switch may stand alone or have a value; http may be off") {
  World w = Good();
  w.sources.flags = {"--stop-at-end", "--http", "off", "--log=json", "--commit-interval", "20ms"};
  w.Load();
  CHECK(w.Errors() == "");
  CHECK(w.settings.run().stop_at_end);
  CHECK(w.settings.run().http_off);
  CHECK(w.settings.run().log == LogFormat::kJson);
  CHECK(w.settings.run().commit_ns == 20 * kNsPerMs);
  World no = Good();
  no.sources.flags = {"--stop-at-end=false", "--http=[::1]:80"};
  no.Load();
  CHECK_FALSE(no.settings.run().stop_at_end);
  CHECK(no.settings.run().http_host == "::1");
}

TEST_CASE("plan and version run without any settings") {
  World w;
  w.Load();
  CHECK_FALSE(w.Errors().empty());
  w.settings.FillMissing();
  CHECK(w.settings.String(2) == Str("<token>"));
  CHECK(w.settings.Int64(1) == 1);
  CHECK(w.settings.String(0) == Str("localhost:9092"));
}

TEST_CASE("Host and port") {
  std::string host;
  int port;
  REQUIRE(ParseHostPort(":80", &host, &port));
  CHECK(host == "0.0.0.0");
  for (const char* bad : {"", "80", "h:", "h:70000", "::1:80", "h:x"}) CHECK_FALSE(ParseHostPort(bad, &host, &port));
}

}  // namespace
}  // namespace weir
