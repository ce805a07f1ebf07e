// compiler/parse/builder.h — From ANTLR's parse tree of one declaration to its Ast.
//
// Every context may be incomplete after a syntax error: absent children become ErrorExpr, empty
// names, or are left out.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "WeirParser.h"
#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/ast.h"
#include "compiler/parse/tokens.h"

namespace weirc {

class Builder {
 public:
  Builder(const SourceFile& file, const std::vector<ast::Comment>& comments,
          Diagnostics& diagnostics)
      : file_(file), comments_(comments), diagnostics_(diagnostics) {}

  // `tree` may be null: then only the name is known. `broken` as found by layout and parser.
  ast::DeclPtr BuildDecl(const Chunk& chunk, WeirParser::DeclContext* tree, bool broken);

 private:
  using P = WeirParser;
  using Node = antlr4::ParserRuleContext;

  // Finds names that come twice in one list, and reports them.
  class FirstUses {
   public:
    explicit FirstUses(Builder* builder) : builder_(builder) {}
    // True for the first use of a name. `again` is where a second one is reported.
    bool Take(const std::string& name, Span span, Span again);
    bool Take(const ast::Name& name) { return Take(name.text, name.span, name.span); }

   private:
    Builder* builder_;
    std::unordered_map<std::string, Span> spans_;
  };

  // --- declarations (builder_decls.cc)
  ast::DeclPtr BuildBareDecl(const Chunk& chunk);
  ast::DeclPtr BuildDeclOf(P::DeclContext* tree);
  std::vector<ast::Param> BuildParams(P::ParamsContext* tree);
  ast::StreamRef BuildStreamRef(P::StreamRefContext* tree);
  ast::TypeRef BuildType(P::TypeRefContext* tree);
  ast::EnumMember BuildEnumMember(P::EnumMemberContext* tree);
  ast::RecordField BuildField(P::FieldContext* tree);
  ast::TestItemPtr BuildTestItem(P::TestItemContext* tree);
  ast::Block BuildBlock(P::BlockContext* tree);
  void BuildItem(P::ItemContext* tree, bool after_comma, ast::Block* block, FirstUses* entries,
                 FirstUses* flags);
  ast::Action BuildAction(P::ActionContext* tree);
  ast::StringPtr BuildPlainString(P::StringContext* tree, const char* what);
  std::unique_ptr<ast::IntLit> BuildIntLit(antlr4::tree::TerminalNode* node);
  std::string DocBefore(uint32_t offset) const;

  // --- steps (builder_steps.cc)
  ast::StepPtr BuildStep(P::StepContext* tree);
  ast::StepPtr BuildStepOf(P::StepContext* tree);
  ast::ExprPtr BuildSize(P::SizeContext* tree);

  // --- expressions (builder_exprs.cc)
  ast::ExprPtr BuildExpr(P::ExprContext* tree);
  ast::ExprPtr BuildBinary(P::BinaryContext* tree);
  ast::ExprPtr BuildOperator(P::OperatorExprContext* tree);
  ast::ExprPtr BuildPrimary(P::PrimaryContext* tree);
  ast::ExprPtr BuildLiteral(const Token& token);
  ast::ExprPtr BuildSignedLiteral(P::LiteralContext* tree);
  ast::StringPtr BuildString(P::StringContext* tree);
  void DecodeText(const Token& token, std::string* out);
  ast::RecordPtr BuildRecord(P::RecordLitContext* tree);
  std::vector<ast::Arg> BuildArgs(P::ArgsContext* tree);
  ast::ExprPtr BuildMatch(P::MatchPrimaryContext* tree);
  ast::PatternPtr BuildPattern(P::PatternContext* tree);
  ast::ExprPtr Error(Span span);

  // --- tokens and spans
  const Token& TokenOf(antlr4::Token* token) const {
    return chunk_->tokens[token->getTokenIndex()];
  }
  const Token& TokenOf(antlr4::tree::TerminalNode* node) const {
    return TokenOf(node->getSymbol());
  }
  Span SpanOf(const Token& t) const { return {file_.id(), t.begin, t.end}; }
  Span SpanOf(antlr4::tree::TerminalNode* node) const {
    return node != nullptr ? SpanOf(TokenOf(node)) : Span();
  }
  Span SpanOf(Node* tree) const;
  std::string TextOf(const Token& t) const { return std::string(file_.Text(SpanOf(t))); }
  ast::Name NameOf(const Token& t);
  ast::Name NameOf(P::NameContext* tree);
  ast::Name NameOf(P::WordContext* tree);

  // Whether a subtree is as the grammar wants it.
  static bool IsWhole(Node* tree) { return tree != nullptr && tree->exception == nullptr; }

  // Counts how deep the Ast gets; reports and gives up once per declaration when it is too deep.
  class Depth {
   public:
    Depth(Builder* builder, Span span);
    ~Depth() { --builder_->depth_; }
    bool TooDeep() const { return builder_->depth_ > ast::kDepthMax; }

   private:
    Builder* builder_;
  };

  const SourceFile& file_;
  const std::vector<ast::Comment>& comments_;
  Diagnostics& diagnostics_;
  const Chunk* chunk_ = nullptr;
  int depth_ = 0;
  bool depth_reported_ = false;
  bool broken_ = false;
};

// The longest name, and the longest text of a string.
inline constexpr size_t kNameBytesMax = 128;
inline constexpr size_t kTextBytesMax = 64 * 1024;

}  // namespace weirc
