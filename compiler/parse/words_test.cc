// compiler/parse/words_test.cc — Every contextual word is a name wherever a name may stand, and no
// sentence has two readings.

// Catch has a macro THEN and the grammar a token of that name: the parser comes first.
#include "WeirParser.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "compiler/diagnostics/render.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/tokens.h"

namespace weirc {
namespace {

constexpr char kEverywhere[] = R"(record R {
  %: string
  a: %
}
enum % { %, b from "x" }
param %: % = %
connection % = % { %: % }
stream x = % | where % == 1 and a.% > 2 | let % = % + 1 | join % as % on % { on % use % }
 | window tumbling 1s by % | aggregate { %, %2: %(x) } | aggregate { %: 3 } | rekey by % | dedup by % within 1s | flatten % as %
 | lookup %(%: %) as % { order key %, %: %
   %
   %3: 1 for % % % } | lookup a(b) as outcome % | select { %, a: %, b: a?.%, c: "{%}"
   %2
   %4: match % { % -> 1, %.% -> 2, % % -> 3 }
 } with time % | window count % every % by % { emit every % } | where a
stream % = %.%
sink % from % = %.topic("x") { key2: %
  %: % }
lookup %(%: %) -> % = %.get(%) else % { %: % }
fn %(%: %) -> % = %
fn f(%: %) -> % {
 let % = %
 return %
}
aggregate %(%: %) -> % with %: % { %: % }
service % version 1 = % { answer %(%: %) -> % = % }
test "x" {
  % <- { %: % }
  %("a") answers % after %
  expect % contains %
}
)";

std::string With(const std::string& word) {
  std::string text;
  for (char c : std::string_view(kEverywhere)) {
    if (c == '%') text += word;
    else text += c;
  }
  return text;
}

// Reports a decision that two readings pass.
class AmbiguityListener : public antlr4::BaseErrorListener {
 public:
  std::vector<std::string> found;
  void reportAmbiguity(antlr4::Parser* parser, const antlr4::dfa::DFA& dfa, size_t begin,
                       size_t end, bool, const antlrcpp::BitSet&,
                       antlr4::atn::ATNConfigSet*) override {
    found.push_back(parser->getRuleNames()[dfa.atnStartState->ruleIndex] + " at tokens " +
                    std::to_string(begin) + " to " + std::to_string(end));
  }
};

class ChunkSource : public antlr4::TokenSource {
 public:
  explicit ChunkSource(const Chunk& chunk) : chunk_(chunk) {}
  std::unique_ptr<antlr4::Token> nextToken() override {
    size_t type = next_ < chunk_.tokens.size() ? chunk_.tokens[next_++].type : kEof;
    return std::unique_ptr<antlr4::Token>(
        new antlr4::CommonToken(type == kEof ? antlr4::Token::EOF : type));
  }
  size_t getLine() const override { return 0; }
  size_t getCharPositionInLine() override { return 0; }
  antlr4::CharStream* getInputStream() override { return nullptr; }
  std::string getSourceName() override { return ""; }
  antlr4::TokenFactory<antlr4::CommonToken>* getTokenFactory() override {
    return antlr4::CommonTokenFactory::DEFAULT.get();
  }

 private:
  const Chunk& chunk_;
  size_t next_ = 0;
};

std::vector<std::string> Ambiguities(const std::string& text) {
  SourceFile file(0, "a.weir", text);
  Diagnostics diagnostics;
  LayoutResult layout = LayOut(file, Lex(text), diagnostics);
  AmbiguityListener listener;
  for (const Chunk& chunk : layout.chunks) {
    ChunkSource source(chunk);
    antlr4::CommonTokenStream stream(&source);
    WeirParser parser(&stream);
    parser.removeErrorListeners();
    parser.addErrorListener(&listener);
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
        antlr4::atn::PredictionMode::LL_EXACT_AMBIG_DETECTION);
    parser.chunk();
  }
  return listener.found;
}

std::vector<std::string> ContextualWords() {
  std::vector<std::string> words;
  for (size_t type = WeirParser::PIPELINE; type <= WeirParser::WAIT; ++type)
    words.emplace_back(FixedText(type));
  return words;
}

}  // namespace

TEST_CASE("contextual words are names in every position") {
  std::vector<std::string> words = ContextualWords();
  CHECK(words.size() == 61);
  for (std::string word : words) {
    // `in` is an operator behind a value, and so no word of a phrase.
    std::string text = With(word);
    if (word == "in") {
      size_t phrase = text.find("1 for in in in");
      text.replace(phrase, 14, "1 for in");
    }
    SourceSet sources;
    Diagnostics diagnostics;
    Parse(sources.Add("a.weir", text), diagnostics);
    INFO(word << "\n" << RenderPlain(diagnostics, sources));
    CHECK_FALSE(diagnostics.HasErrors());
  }
}

TEST_CASE("reserved words are names in backticks") {
  for (const char* word :
       {"true", "false", "null", "if", "then", "else", "match", "try", "and", "or", "not"}) {
    SourceSet sources;
    Diagnostics diagnostics;
    Parse(sources.Add("a.weir", With("`" + std::string(word) + "`")), diagnostics);
    // `name`2 and `name`3 are two tokens.
    Diagnostics plain;
    Parse(sources.Add("b.weir", "record R { " + std::string(word) + ": string }"), plain);
    INFO(word);
    REQUIRE(plain.list().size() == 1);
    CHECK(plain.list()[0].code == Code::kReservedWord);
    Diagnostics quoted;
    Parse(sources.Add("c.weir", "record R { `" + std::string(word) +
                                    "`: string }\nstream s = t | where `" + word + "` == a.`" +
                                    word + "`"),
          quoted);
    CHECK_FALSE(quoted.HasErrors());
  }
}

TEST_CASE("no sentence has two readings") {
  for (const std::string& word : ContextualWords()) {
    INFO(word);
    CHECK(Ambiguities(With(word)) == std::vector<std::string>());
  }
  for (const char* path : {"tests/parse/everything.weir", "tests/parse/trade_enrichment.weir"}) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    std::string program = text.str();
    REQUIRE_FALSE(program.empty());
    CHECK(Ambiguities(program.substr(0, program.find("\n--- expect"))) ==
          std::vector<std::string>());
  }
}

}  // namespace weirc
