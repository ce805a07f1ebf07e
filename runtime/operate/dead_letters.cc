#include "runtime/operate/dead_letters.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "runtime/core/arena.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"
#include "runtime/core/utf8.h"
#include "runtime/engine/topic_names.h"
#include "runtime/operate/letter.h"

namespace weir {
namespace {

constexpr size_t kShownBytes = 4096;
constexpr size_t kDetailWidth = 60;
// Of one transaction of replay.
constexpr size_t kBatchLetters = 500, kBatchBytes = 4 << 20;

struct Counts {
  uint64_t others = 0;   // of other pipelines
  uint64_t foreign = 0;  // records without the headers of dead letters
};

// ---- Reading ----------------------------------------------------------------------------------------------------------

using LetterVisitor = std::function<Status(Letter& letter)>;

class Reader {
 public:
  Reader(Operator& op, const DeadLetterOptions& options) : op_(op), program_(op.program()), options_(options) {}

  // Which letters: reads what was asked for. To be called first.
  Status Open() {
    sinks_ = LetterSinks(program_);
    if (sinks_.empty()) {
      return Status::Invalid(program_.deadletters.empty()
                                 ? "this pipeline has no dead letters: " + program_.file + " declares no `deadletter`"
                                 : "the dead letters of this pipeline go nowhere that keeps them: give one of its "
                                   "`deadletter` streams a sink that is a topic or a file");
    }
    for (const std::string& text : options_.letters) {
      LetterPlace place;
      if (Status status = ParsePlace(program_, text, &place); !status.ok()) return status;
      wanted_.insert(KeyOf(place));
    }
    for (int sink : sinks_) {
      const SinkSpec& spec = program_.sinks[static_cast<size_t>(sink)];
      if (spec.operation != "topic") continue;
      kafka::OperatorClient* client = nullptr;
      Status status = op_.Client(spec.connection, &client);
      std::vector<kafka::OffsetRange>& ranges = ranges_[sink];
      if (status.ok()) status = client->Ranges(spec.address, &ranges);
      std::vector<int64_t> since;
      if (status.ok() && options_.since_ns != INT64_MIN) status = client->Times(spec.address, options_.since_ns, &since);
      if (!status.ok()) return status.Within("sink `" + spec.name + "`");
      for (size_t p = 0; p < since.size() && p < ranges.size(); ++p) ranges[p].begin = std::max(ranges[p].begin, since[p]);
      if (!wanted_.empty()) Narrow(sink, &ranges);
    }
    return Status();
  }

  // Visits them by sink, partition and offset; each time the same ones.
  Status Read(const LetterVisitor& visitor) {
    counts_ = Counts();
    for (int sink : sinks_) {
      const SinkSpec& spec = program_.sinks[static_cast<size_t>(sink)];
      Status status = spec.operation == "topic" ? ReadTopic(sink, spec, visitor) : ReadFile(sink, spec, visitor);
      if (!status.ok()) return status;
    }
    return Status();
  }

  // Of what was asked for by name, what Read did not find.
  std::vector<std::string> Missing() const {
    std::vector<std::string> missing;
    for (const auto& [sink, partition, offset] : wanted_) {
      if (found_.count({sink, partition, offset}) == 0) missing.push_back(PlaceText(program_, {sink, partition, offset}));
    }
    return missing;
  }
  const Counts& counts() const { return counts_; }

 private:
  using Key = std::tuple<int, int32_t, int64_t>;
  static Key KeyOf(const LetterPlace& place) { return {place.sink, place.partition, place.offset}; }

  // Only from the first to the last of those that are named.
  void Narrow(int sink, std::vector<kafka::OffsetRange>* ranges) const {
    for (size_t p = 0; p < ranges->size(); ++p) {
      int64_t first = INT64_MAX, last = -1;
      for (const auto& [s, partition, offset] : wanted_) {
        if (s != sink || partition != static_cast<int32_t>(p)) continue;
        first = std::min(first, offset);
        last = std::max(last, offset);
      }
      kafka::OffsetRange& range = (*ranges)[p];
      range.begin = std::max(range.begin, first);
      range.end = std::min(range.end, last + 1);
    }
  }

  Status ReadTopic(int sink, const SinkSpec& spec, const LetterVisitor& visitor) {
    kafka::OperatorClient* client = nullptr;
    if (Status status = op_.Client(spec.connection, &client); !status.ok()) return status;
    const std::vector<kafka::OffsetRange>& ranges = ranges_[sink];
    for (size_t p = 0; p < ranges.size(); ++p) {
      LetterPlace place{sink, static_cast<int32_t>(p), 0};
      Status status = client->Read(spec.address, place.partition, ranges[p], [&](const Message& message, bool*) {
        Letter letter;
        letter.place = place;
        letter.place.offset = message.offset;
        bool is_letter = spec.format == Format::kJson ? message.has_value && ReadLetter(message.value, &letter)
                                                      : ReadLetter(message, &letter);
        if (is_letter && letter.time_ns == kNoTime) letter.time_ns = message.timestamp_ns;
        return Visit(is_letter, letter, visitor);
      });
      if (!status.ok()) return status;
    }
    return Status();
  }

  Status ReadFile(int sink, const SinkSpec& spec, const LetterVisitor& visitor) {
    std::ifstream in(spec.address, std::ios::binary);
    // A file that was never written to has no letters.
    std::string line;
    LetterPlace place{sink, 0, 0};
    while (std::getline(in, line)) {
      if (in.eof()) break;  // a line without its end is being written
      ++place.offset;
      Letter letter;
      letter.place = place;
      Status status = Visit(ReadLetter(Str(std::string_view(line)), &letter), letter, visitor);
      if (!status.ok()) return status;
    }
    return in.bad() ? Status::Io("reading " + spec.address) : Status();
  }

  Status Visit(bool is_letter, Letter& letter, const LetterVisitor& visitor) {
    if (!wanted_.empty() && wanted_.count(KeyOf(letter.place)) == 0) return Status();
    if (!is_letter || letter.pipeline != program_.name) {
      ++(is_letter ? counts_.others : counts_.foreign);
      return Status();
    }
    bool passes = (options_.step.empty() || letter.step == options_.step) &&
                  (options_.reason.empty() || letter.reason == options_.reason) &&
                  (options_.since_ns == INT64_MIN || (letter.time_ns != kNoTime && letter.time_ns >= options_.since_ns));
    if (!passes) return Status();
    found_.insert(KeyOf(letter.place));
    return visitor(letter);
  }

  Operator& op_;
  const Program& program_;
  const DeadLetterOptions& options_;
  std::vector<int> sinks_;
  std::set<Key> wanted_, found_;
  std::map<int, std::vector<kafka::OffsetRange>> ranges_;  // by sink
  Counts counts_;
};

// ---- Notes of what was sent again --------------------------------------------------------------------------------------

// By connection: which records were, with the hash that tells a record from another one at its offset.
class Notes {
 public:
  explicit Notes(Operator& op) : op_(op), topic_(ReplayedTopic(op.program())) {}

  const std::string& topic() const { return topic_; }
  // Reads them. A cluster without the topic has none.
  Status Load(int connection) {
    std::map<std::string, std::string>& notes = notes_[connection];
    notes.clear();
    kafka::OperatorClient* client = nullptr;
    if (Status status = op_.Client(connection, &client); !status.ok()) return status;
    std::vector<kafka::OffsetRange> ranges;
    Status status = client->Ranges(topic_, &ranges);
    if (status.code() == StatusCode::kNotFound) return Status();
    if (!status.ok()) return status;
    return client->Read(topic_, 0, ranges[0], [&](const Message& message, bool*) {
      notes[std::string(message.key.view())] = message.has_value ? std::string(message.value.view()) : "";
      return Status();
    });
  }
  // Of all clusters that the pipeline's sources are in.
  Status LoadAll() {
    std::set<int> connections;
    for (const SourceSpec& source : op_.program().sources) {
      if (source.operation == "topic") connections.insert(source.connection);
    }
    for (int connection : connections) {
      if (Status status = Load(connection); !status.ok()) return status;
    }
    return Status();
  }
  bool Has(int connection, const std::string& origin, const std::string& hash) const {
    auto notes = notes_.find(connection);
    if (notes == notes_.end()) return false;
    auto note = notes->second.find(origin);
    return note != notes->second.end() && note->second == hash;
  }
  // Of a letter whose source may be any.
  bool Has(const Letter& letter) const {
    std::string origin = OriginText(letter), hash = RecordHash(letter);
    auto has = [&](const auto& notes) { return Has(notes.first, origin, hash); };
    return !origin.empty() && std::any_of(notes_.begin(), notes_.end(), has);
  }

 private:
  Operator& op_;
  std::string topic_;
  std::map<int, std::map<std::string, std::string>> notes_;
};

// ---- Printing ----------------------------------------------------------------------------------------------------------

Str View(const std::string& text) { return Str(std::string_view(text)); }

void BytesField(JsonWriter& json, const std::string& name, const std::string& bytes) {
  if (ValidUtf8(View(bytes))) {
    json.Field(View(name));
    json.Str(View(bytes));
  } else {
    std::string base64 = name + "_base64";
    json.Field(View(base64));
    json.Bytes(View(bytes));
  }
}

std::string JsonOf(const Program& program, const Letter& letter, bool replayed) {
  Buffer out;
  JsonWriter json(&out);
  auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) BytesField(json, name, value);
  };
  auto number = [&](const char* name, int64_t value) {
    if (value < 0) return;
    json.Field(Str(std::string_view(name)));
    json.Int64(value);
  };
  json.BeginObject();
  json.Literal("\"letter\":");
  json.Str(View(PlaceText(program, letter.place)));
  text("pipeline", letter.pipeline);
  text("step", letter.step);
  number("line", letter.line);
  text("reason", letter.reason);
  text("detail", letter.detail);
  text("source", letter.source);
  text("origin", letter.origin);
  number("partition", letter.origin_partition);
  number("offset", letter.origin_offset);
  text("replay_of", letter.replay_of);
  if (letter.time_ns != kNoTime) {
    json.Field("time");
    json.Timestamp(letter.time_ns);
  }
  json.Field("replayed");
  json.Bool(replayed);
  if (letter.has_key) BytesField(json, "key", letter.key);
  number("key_size", letter.key_size);
  json.Field("headers");
  json.BeginArray();
  for (const LetterHeader& header : letter.headers) {
    json.Element();
    json.BeginObject();
    json.Literal("\"name\":");
    json.Str(ValidUtf8(View(header.name)) ? View(header.name) : Str("?"));
    if (header.has_value) BytesField(json, "value", header.value);
    json.EndObject();
  }
  json.EndArray();
  if (letter.headers_left_out > 0) number("headers_left_out", letter.headers_left_out);
  if (letter.has_value) BytesField(json, "value", letter.value);
  number("value_size", letter.value_size);
  text("value_hash", letter.value_hash);
  json.EndObject();
  return std::string(out.str().view());
}

void PrintLeftOut(Operator& op, const Counts& counts) {
  if (counts.others != 0) op.Print("not shown: %s of other pipelines\n", Counted(counts.others, "dead letter").c_str());
  if (counts.foreign == 0) return;
  op.Print("not shown: %s without the headers of dead letters\n", Counted(counts.foreign, "record").c_str());
}

void PrintLetter(Operator& op, const Letter& letter, bool replayed, bool full) {
  const size_t bytes_max = full ? SIZE_MAX : kShownBytes;
  auto line = [&](const char* name, const std::string& text) {
    if (!text.empty()) op.Print("%-10s %s\n", name, SafeLine(View(text), full ? SIZE_MAX >> 33 : 4096).c_str());
  };
  line("letter", PlaceText(op.program(), letter.place));
  line("reason", letter.reason);
  line("step", letter.step + (letter.line != 0 ? "  (" + op.At(letter.line) + ")" : ""));
  line("message", letter.detail);
  line("source", letter.source);
  std::string origin = OriginText(letter);
  line("record", origin.empty() ? letter.origin : origin);
  line("time", letter.time_ns == kNoTime ? "" : TimeText(letter.time_ns));
  line("repeats", letter.replay_of);
  if (replayed) line("replayed", "yes");
  int source = -1;
  std::string why = WhyNotReplay(op.program(), letter, &source);
  if (!why.empty()) line("no replay", why);
  if (letter.key_size >= 0) line("cut", "the key, which had " + std::to_string(letter.key_size) + " bytes");
  if (letter.headers_left_out > 0) line("cut", std::to_string(letter.headers_left_out) + " headers");
  if (letter.value_size >= 0) {
    line("cut", "the value, which had " + std::to_string(letter.value_size) + " bytes (XXH3-128 " + letter.value_hash + ")");
  }
  for (const LetterHeader& header : letter.headers) {
    std::string name = SafeLine(View(header.name), 80);
    if (!header.has_value) {
      line("header", name + " (no value)");
    } else if (ValidUtf8(View(header.value))) {
      line("header", name + ": " + header.value);
    } else {
      line("header", name + ":");
      op.Print("%s", SafeBytes(View(header.value), bytes_max, "  ").c_str());
    }
  }
  if (letter.has_key) {
    op.Print("key, %zu bytes\n%s", letter.key.size(), SafeBytes(View(letter.key), bytes_max, "  ").c_str());
  }
  if (letter.has_value) {
    op.Print("value, %zu bytes\n%s", letter.value.size(), SafeBytes(View(letter.value), bytes_max, "  ").c_str());
  } else {
    op.Print("no value\n");
  }
}

// ---- Replay ------------------------------------------------------------------------------------------------------------

// A letter whose record is to be sent, without its bytes.
struct Chosen {
  LetterPlace place;
  int source = -1;
  std::string origin, hash;
};

class Replay {
 public:
  Replay(Operator& op, const DeadLetterOptions& options) : op_(op), options_(options), reader_(op, options), notes_(op) {}

  ExitCode Run() {
    Status status = reader_.Open();
    if (status.ok()) status = notes_.LoadAll();
    if (status.ok()) status = Choose();
    if (!status.ok()) return op_.Failed(status);
    std::vector<std::string> missing = reader_.Missing();
    for (const std::string& letter : missing) op_.Failed(ExitCode::kUsage, "there is no dead letter " + letter);
    if (!missing.empty()) return ExitCode::kUsage;
    PrintLeftOut(op_, reader_.counts());
    if (chosen_.empty()) {
      op_.Print("nothing to send\n");
      return refused_ != 0 && !options_.letters.empty() ? ExitCode::kRefused : ExitCode::kOk;
    }
    op_.Print("%s to send again. Every stream that reads their source gets them, also one that had no trouble with them\n",
              Counted(chosen_.size(), "record").c_str());
    ExitCode code;
    if (!op_.Confirmed("Send them?", &code)) return code;
    std::map<int, std::vector<int>> sources;  // by connection
    for (const Chosen& one : chosen_) {
      std::vector<int>& of = sources[op_.program().sources[static_cast<size_t>(one.source)].connection];
      if (std::find(of.begin(), of.end(), one.source) == of.end()) of.push_back(one.source);
    }
    for (const auto& [connection, of] : sources) {
      status = Send(connection, of);
      if (!status.ok()) break;
    }
    op_.Print("sent again: %s\n", Counted(sent_, "record").c_str());
    if (status.ok()) return ExitCode::kOk;
    if (status.code() == StatusCode::kExists) status = Status::Exists("another replay began and ended this one");
    if (status.code() == StatusCode::kTimeout) {
      status = Status(StatusCode::kTimeout, status.message() + "; replay again: what was sent is not sent twice");
    }
    return op_.Failed(status);
  }

 private:
  Status Choose() {
    std::set<std::string> seen;
    return reader_.Read([&](Letter& letter) {
      std::string name = PlaceText(op_.program(), letter.place);
      Chosen one;
      std::string why = WhyNotReplay(op_.program(), letter, &one.source);
      one.place = letter.place;
      one.origin = OriginText(letter);
      one.hash = RecordHash(letter);
      if (why.empty()) {
        int connection = op_.program().sources[static_cast<size_t>(one.source)].connection;
        if (!seen.insert(one.origin).second) {
          why = "record " + one.origin + " is in the list already";
        } else if (!options_.again && notes_.Has(connection, one.origin, one.hash)) {
          why = "record " + one.origin + " was sent again before; --again sends it once more";
        }
      }
      if (!why.empty()) {
        ++refused_;
        op_.Print("not sent  %s: %s\n", name.c_str(), SafeLine(View(why), 400).c_str());
        return Status();
      }
      op_.Print("send      %s: record %s, %s in `%s`%s\n", name.c_str(), SafeLine(View(one.origin), 200).c_str(),
                SafeLine(View(letter.reason), 40).c_str(), SafeLine(View(letter.step), 80).c_str(),
                letter.line != 0 ? (" (" + op_.At(letter.line) + ")").c_str() : "");
      chosen_.push_back(std::move(one));
      return Status();
    });
  }

  // All that go to one cluster.
  Status Send(int connection, const std::vector<int>& sources) {
    kafka::OperatorClient* client = nullptr;
    if (Status status = op_.Client(connection, &client); !status.ok()) return status;
    if (Status status = client->OpenNotes(notes_.topic(), op_.options().create_topics); !status.ok()) return status;
    std::vector<std::string> topics = {notes_.topic()};
    std::map<int, size_t> target_of;
    std::map<int, int32_t> partitions;
    for (int source : sources) {
      const SourceSpec& spec = op_.program().sources[static_cast<size_t>(source)];
      target_of[source] = topics.size();
      topics.push_back(spec.address);
      if (Status status = client->Partitions(spec.address, &partitions[source]); !status.ok()) return status;
    }
    // From here on no other replay commits anything: what the notes say now stays true.
    if (Status status = client->Fence("replay", topics); !status.ok()) return status;
    if (Status status = notes_.Load(connection); !status.ok()) return status;
    std::map<std::tuple<int, int32_t, int64_t>, const Chosen*> wanted;
    for (const Chosen& one : chosen_) {
      if (target_of.count(one.source) != 0) wanted[{one.place.sink, one.place.partition, one.place.offset}] = &one;
    }
    size_t in_batch = 0, bytes = 0;
    bool open = false;
    auto end = [&]() -> Status {
      if (!open) return Status();
      open = false;
      if (Status status = client->EndTransaction(); !status.ok()) return client->GiveUp(status);
      sent_ += in_batch;
      in_batch = bytes = 0;
      return Status();
    };
    Status status = reader_.Read([&](Letter& letter) -> Status {
      auto found = wanted.find({letter.place.sink, letter.place.partition, letter.place.offset});
      if (found == wanted.end()) return Status();
      const Chosen& one = *found->second;
      if (one.hash != RecordHash(letter)) return Status();  // a file was written anew meanwhile
      if (!options_.again && notes_.Has(connection, one.origin, one.hash)) return Status();
      if (!open) {
        if (Status begun = client->Begin(); !begun.ok()) return begun;
        open = true;
      }
      Status sent = SendOne(*client, target_of[one.source], partitions[one.source], letter, one);
      if (!sent.ok()) return sent.Within("dead letter " + PlaceText(op_.program(), letter.place));
      ++in_batch;
      bytes += letter.key.size() + letter.value.size();
      return in_batch >= kBatchLetters || bytes >= kBatchBytes ? end() : Status();
    });
    if (status.ok()) return end();
    return open ? client->GiveUp(status) : status;
  }

  Status SendOne(kafka::OperatorClient& client, size_t target, int32_t partitions, const Letter& letter, const Chosen& one) {
    OutputBuffer out;
    OutputRecord record;
    auto append = [&](const std::string& text, uint32_t* begin, uint32_t* size) {
      *begin = static_cast<uint32_t>(out.bytes.size());
      *size = static_cast<uint32_t>(text.size());
      out.bytes.Append(text.data(), text.size());
    };
    append(letter.key, &record.key_begin, &record.key_size);
    append(letter.value, &record.value_begin, &record.value_size);
    record.has_key = letter.has_key;
    record.has_value = letter.has_value;
    record.time_ns = letter.time_ns;
    auto header = [&](const std::string& name, const std::string& value, bool has_value) {
      OutputHeader h;
      append(name, &h.name_begin, &h.name_size);
      append(value, &h.value_begin, &h.value_size);
      h.has_value = has_value;
      out.headers.push_back(h);
    };
    for (const LetterHeader& h : letter.headers) header(h.name, h.value, h.has_value);
    header(kReplayOf, one.origin, true);
    record.headers_size = static_cast<uint32_t>(out.headers.size());
    // Where it was, unless the pipeline relies on equal keys being together: then where its key is now.
    const SourceSpec& source = op_.program().sources[static_cast<size_t>(one.source)];
    bool by_key = source.keyed;
    for (const Property& property : source.properties) {
      by_key = by_key && !(property.name == "partitioner" && property.value == "other");
    }
    int32_t partition = letter.origin_partition < partitions ? letter.origin_partition : -1;
    if (by_key && letter.has_key) partition = kafka::OperatorClient::PartitionOf(View(letter.key), partitions);
    if (Status status = client.Send(target, partition, out, record); !status.ok()) return status;
    OutputBuffer note;
    OutputRecord noted;
    noted.has_key = true;
    noted.key_size = static_cast<uint32_t>(one.origin.size());
    note.bytes.Append(one.origin.data(), one.origin.size());
    noted.value_begin = noted.key_size;
    noted.value_size = static_cast<uint32_t>(one.hash.size());
    note.bytes.Append(one.hash.data(), one.hash.size());
    return client.Send(0, 0, note, noted);
  }

  Operator& op_;
  const DeadLetterOptions& options_;
  Reader reader_;
  Notes notes_;
  std::vector<Chosen> chosen_;
  size_t refused_ = 0, sent_ = 0;
};

}  // namespace

ExitCode ListDeadLetters(Operator& op, const DeadLetterOptions& options) {
  Reader reader(op, options);
  Notes notes(op);
  uint64_t matching = 0;
  // The newest, without their bytes unless they are asked for.
  std::multimap<std::pair<int64_t, uint64_t>, Letter> newest;
  Status status = reader.Open();
  if (status.ok()) status = notes.LoadAll();
  if (status.ok()) {
    status = reader.Read([&](Letter& letter) {
      newest.emplace(std::make_pair(letter.time_ns, matching++), std::move(letter));
      if (options.limit > 0 && newest.size() > static_cast<size_t>(options.limit)) newest.erase(newest.begin());
      return Status();
    });
  }
  if (!status.ok()) return op.Failed(status);
  if (options.json) {
    for (const auto& [at, letter] : newest) op.Print("%s\n", JsonOf(op.program(), letter, notes.Has(letter)).c_str());
    return ExitCode::kOk;
  }
  std::vector<std::vector<std::string>> rows = {
      {"letter", "time", "reason", "step", "line", "record", "replayed", "message"}};
  for (const auto& [at, letter] : newest) {
    rows.push_back({PlaceText(op.program(), letter.place), TimeText(letter.time_ns), SafeLine(View(letter.reason), 20),
                    SafeLine(View(letter.step), 40), op.At(letter.line), SafeLine(View(OriginText(letter)), 40),
                    notes.Has(letter) ? "yes" : "", SafeLine(View(letter.detail), kDetailWidth)});
  }
  if (matching != 0) op.PrintTable(rows);
  if (matching > newest.size()) {
    op.Print("the newest %zu of %llu; --limit shows more\n", newest.size(), static_cast<unsigned long long>(matching));
  } else {
    op.Print("%s\n", Counted(matching, "dead letter").c_str());
  }
  PrintLeftOut(op, reader.counts());
  return ExitCode::kOk;
}

ExitCode ShowDeadLetters(Operator& op, const DeadLetterOptions& options) {
  Reader reader(op, options);
  Notes notes(op);
  Status status = reader.Open();
  if (status.ok()) status = notes.LoadAll();
  bool first = true;
  if (status.ok()) {
    status = reader.Read([&](Letter& letter) {
      bool replayed = notes.Has(letter);
      if (options.json) {
        op.Print("%s\n", JsonOf(op.program(), letter, replayed).c_str());
      } else {
        if (!first) op.Print("\n");
        PrintLetter(op, letter, replayed, options.full);
      }
      first = false;
      return Status();
    });
  }
  if (!status.ok()) return op.Failed(status);
  ExitCode code = ExitCode::kOk;
  for (const std::string& letter : reader.Missing()) {
    code = op.Failed(ExitCode::kUsage, "there is no dead letter " + letter + " of this pipeline: it never was, or its topic " +
                                           "keeps it no longer");
  }
  return code;
}

ExitCode ReplayDeadLetters(Operator& op, const DeadLetterOptions& options) { return Replay(op, options).Run(); }

}  // namespace weir
