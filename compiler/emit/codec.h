// Code that turns values into bytes and back: rows (state, pending rows, exchanges, table rows), JSON in and out, keys.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/emit/cpp_writer.h"
#include "compiler/emit/types.h"

namespace weirc::emit {

class Codec {
 public:
  // Writes `target` = a constant expression; `arena` is in reach there.
  using Constant = std::function<void(const typed::Expr& e, const std::string& target, Code* code)>;
  Codec(const Types& types, Scope* scope, Constant constant)
      : types_(types), scope_(*scope), constant_(std::move(constant)) {}

  // Numbers of helper variables start again: at the beginning of each function.
  void Restart() { temporaries_ = 0; }

  // ---- Rows: what is live, in declared order ----
  // Statements that write `value` to the RowWriter called `row`.
  void Save(const typed::Type* type, const plan::Live& live, const std::string& row, const std::string& value, Code* code);
  // Statements that read it back into `target` from the RowReader called `row`; lists go to the Arena `arena`.
  void Load(const typed::Type* type, const plan::Live& live, const std::string& row, const std::string& arena,
            const std::string& target, Code* code);
  // Whether loading needs an arena: lists and maps do.
  static bool NeedsArena(const typed::Type* type, const plan::Live& live);

  // ---- JSON out ----
  // Collects constant text between values and writes it with them.
  class Json {
   public:
    Json(Codec* codec, std::string writer, Code* code) : codec_(*codec), writer_(std::move(writer)), code_(*code) {}
    ~Json() { Flush(); }
    void Text(const std::string& json) { text_ += json; }
    void Value(const typed::Type* type, const std::string& value);
    // A field's name and colon, with the comma in front unless it is the first.
    void Name(bool first, const std::string& name);
    void Flush();

   private:
    void Loop(const typed::Type* type, const std::string& value);
    Codec& codec_;
    std::string writer_, text_;
    Code& code_;
  };

  // ---- JSON in ----
  // The name of the function that reads the live fields of a record: bool Decode…(JsonReader&, Arena&, T*). Written by
  // WriteDecoders.
  const std::string& Decoder(const typed::RecordDef* record, const plan::Live& live);
  // Tables of field names and all decoders asked for so far, each behind those it calls.
  void WriteDecoders(CppWriter* out);
  // Names of an enum's values as JSON: "kSideNames" (to read), "kSideJson" (to write), "kSideText" (keys).
  std::string EnumTable(const typed::EnumDef* def, const char* what) const { return "k" + types_.EnumName(def) + what; }
  void WriteEnums(CppWriter* out);

  // ---- Keys ----
  // The bytes of a key of one or several values: a single string is itself, anything else its row encoding. Returns a
  // C++ expression (Str), valid until the next key is written.
  std::string KeyBytes(const std::vector<std::pair<const typed::Type*, std::string>>& values, Code* code);
  static bool IsTextKey(const std::vector<const typed::Type*>& types);

  // A literal or computed number with its exact C++ type, where overloads choose by it.
  std::string Exact(const typed::Type* type, const std::string& value) const;

 private:
  void Decode(const typed::Type* type, const plan::Live& live, const std::string& target, Code* code);
  void WriteDecoder(const typed::RecordDef* record, const plan::Live& live, const std::string& name, CppWriter* out);
  std::string Temporary(const char* what) { return std::string(what) + std::to_string(++temporaries_) + "_"; }

  struct DecoderOf {
    const typed::RecordDef* record;
    plan::Live live;
    std::string name;
  };

  const Types& types_;
  Scope& scope_;
  Constant constant_;
  int temporaries_ = 0;
  std::vector<std::unique_ptr<DecoderOf>> decoders_;  // callees first
};

// JSON text of a string, quotes included.
std::string JsonString(std::string_view text);

}  // namespace weirc::emit
