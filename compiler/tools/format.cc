// compiler/tools/format.cc — `weir fmt`: from text to the formatter's tree.
#include "compiler/tools/format.h"

#include <algorithm>

#include "compiler/parse/parse.h"
#include "compiler/parse/source_tokens.h"
#include "compiler/parse/walk.h"
#include "compiler/tools/format_tree.h"

namespace weirc {
namespace format {
namespace {

// ------------------------------------------------------------------------------------------- marks

class MarkFinder : public ast::Walker {
 public:
  MarkFinder(const std::vector<SourceToken>& tokens, Marks* marks)
      : tokens_(tokens), marks_(marks) {}

 protected:
  void OnDecl(const ast::Decl& decl) override {
    switch (decl.kind) {
      case ast::DeclKind::kLookup:
      case ast::DeclKind::kExternLookup:
      case ast::DeclKind::kExternFn:
      case ast::DeclKind::kFn:
      case ast::DeclKind::kAggregateFn: MarkNext(decl.name.span.end, "("); break;
      default: break;
    }
  }
  void OnAnswer(const ast::Answer& answer) override { MarkNext(answer.name.span.end, "("); }
  void OnStep(const ast::Step& step) override {
    if (auto* lookup = As<ast::LookupStep>(&step))
      marks_->tight_brackets.insert(lookup->parens.begin);
    if (auto* window = As<ast::WindowStep>(&step); window && window->has_args)
      MarkNext(window->window_kind.span.end, "(");
  }
  void OnTestItem(const ast::TestItem& item) override {
    if (auto* stub = As<ast::StubItem>(&item)) marks_->tight_brackets.insert(stub->parens.begin);
    if (auto* feed = As<ast::FeedItem>(&item)) {
      size_t i = IndexFrom(feed->target.span.end);
      if (i < tokens_.size()) marks_->feed_arrows.insert(tokens_[i].span.begin);
    }
  }
  void OnExpr(const ast::Expr& expr) override {
    if (auto* call = As<ast::CallExpr>(&expr)) marks_->tight_brackets.insert(call->parens.begin);
    if (auto* index = As<ast::IndexExpr>(&expr)) MarkNext(index->object->span.end, "[");
    if (auto* unary = As<ast::UnaryExpr>(&expr); unary && unary->op == ast::UnaryOp::kNegate) {
      marks_->unary_minus.insert(unary->op_span.begin);
    }
  }
  void OnType(const ast::TypeRef& type) override {
    if (!type.parameters.empty()) {
      MarkNext(type.name.span.end, "(");
      marks_->type_brackets.insert(tokens_[IndexFrom(type.name.span.end)].span.begin);
    }
    if (type.arguments.empty()) return;
    marks_->type_angles.insert(tokens_[IndexFrom(type.name.span.end)].span.begin);
    marks_->type_angles.insert(tokens_[IndexFrom(type.arguments.back().span.end)].span.begin);
  }

 private:
  // The first token with text that starts at or behind an offset. Empty tokens stand at the end of
  // the one before them, so the order by begin holds.
  size_t IndexFrom(uint32_t offset) const {
    auto next =
        std::lower_bound(tokens_.begin(), tokens_.end(), offset,
                         [](const SourceToken& t, uint32_t at) { return t.span.begin < at; });
    size_t i = static_cast<size_t>(next - tokens_.begin());
    while (i < tokens_.size() && tokens_[i].span.IsEmpty()) ++i;
    return i;
  }
  void MarkNext(uint32_t offset, std::string_view bracket) {
    size_t i = IndexFrom(offset);
    while (i < tokens_.size() && tokens_[i].text == ")")
      ++i;  // the object of an index may stand in parentheses
    if (i < tokens_.size() && tokens_[i].text == bracket)
      marks_->tight_brackets.insert(tokens_[i].span.begin);
  }

  const std::vector<SourceToken>& tokens_;
  Marks* marks_;
};

// -------------------------------------------------------------------------------------------- tree

class TreeBuilder {
 public:
  TreeBuilder(const SourceFile& file, const std::vector<SourceToken>& tokens,
              const std::vector<ast::Comment>& comments, const Marks& marks)
      : file_(file), tokens_(tokens), comments_(comments), marks_(marks) {}

  Group Build() {
    Group root;
    while (next_ < tokens_.size()) {
      Item item = ReadItem();
      ++next_;  // the end of the declaration
      item.trailing_comment = TakeTrailingComment(NextBegin());
      root.items.push_back(std::move(item));
    }
    root.dangling = TakeCommentLines(static_cast<uint32_t>(file_.text().size()) + 1);
    return root;
  }

 private:
  const SourceToken& Current() const { return tokens_[next_]; }

  bool BlankBetween(uint32_t end, uint32_t begin) const {
    return end > 0 && file_.LineOf(begin) > file_.LineOf(end) + 1;
  }

  // Comments that start before `offset`.
  std::vector<CommentLine> TakeCommentLines(uint32_t offset) {
    std::vector<CommentLine> lines;
    while (next_comment_ < comments_.size() && comments_[next_comment_].span.begin < offset) {
      const ast::Comment& comment = comments_[next_comment_++];
      lines.push_back({std::string(comment.text), BlankBetween(last_end_, comment.span.begin)});
      last_end_ = comment.span.end;
    }
    return lines;
  }

  // A comment on the line on which the last token ended, before the next token.
  std::string TakeTrailingComment(uint32_t before) {
    if (next_comment_ == comments_.size()) return "";
    const ast::Comment& comment = comments_[next_comment_];
    if (comment.own_line || comment.span.begin >= before || last_end_ == 0) return "";
    if (file_.LineOf(comment.span.begin) != file_.LineOf(last_end_)) return "";
    ++next_comment_;
    last_end_ = comment.span.end;
    return std::string(comment.text);
  }

  // Up to a separator, a closing bracket or the end of the declaration, which stays.
  Item ReadItem() {
    Item item;
    uint32_t begin = Current().span.begin;
    uint32_t end_before = last_end_;
    item.leading = TakeCommentLines(begin);
    item.blank_before = BlankBetween(last_end_, begin);
    item.line_before =
        !item.leading.empty() || (end_before > 0 && file_.LineOf(begin) > file_.LineOf(end_before));
    int angles = 0;  // the comma of map<string, int64> separates no items
    while (next_ < tokens_.size()) {
      const SourceToken& t = Current();
      if (marks_.type_angles.count(t.span.begin)) angles += t.text == "<" ? 1 : -1;
      if (angles > 0 && t.kind == SourceTokenKind::kComma) {
        // A plain piece of the type.
      } else if (t.kind == SourceTokenKind::kEnd || t.kind == SourceTokenKind::kSeparator ||
                 t.kind == SourceTokenKind::kComma || t.kind == SourceTokenKind::kClose) {
        break;
      }
      Piece piece;
      piece.kind = t.kind;
      piece.begin = t.span.begin;
      if (!item.pieces.empty()) {
        item.pieces.back().trailing_comment = TakeTrailingComment(t.span.begin);
        for (CommentLine& line : TakeCommentLines(t.span.begin))
          piece.leading_comments.push_back(std::move(line.text));
        piece.line_before = file_.LineOf(t.span.begin) > file_.LineOf(last_end_);
      }
      if (t.kind == SourceTokenKind::kOpen) {
        piece.group = ReadGroup();
      } else {
        piece.text = std::string(t.text);
        last_end_ = t.span.end;
        ++next_;
      }
      item.pieces.push_back(std::move(piece));
    }
    return item;
  }

  std::unique_ptr<Group> ReadGroup() {
    auto group = std::make_unique<Group>();
    group->open = Current().text[0];
    group->is_type = marks_.type_brackets.count(Current().span.begin) > 0;
    last_end_ = Current().span.end;
    uint32_t open_line = file_.LineOf(Current().span.begin);
    ++next_;
    group->open_comment = TakeTrailingComment(NextBegin());
    group->line_after_open = !group->open_comment.empty() || file_.LineOf(NextBegin()) > open_line;
    while (Current().kind != SourceTokenKind::kClose) {
      if (Current().kind == SourceTokenKind::kComma ||
          Current().kind == SourceTokenKind::kSeparator) {
        group->trailing_comma = Current().kind == SourceTokenKind::kComma;
        if (group->trailing_comma) last_end_ = Current().span.end;
        ++next_;
        // `a  // one ⏎ , // two`: the second one becomes a line of its own.
        if (!group->items.empty() && group->items.back().trailing_comment.empty()) {
          group->items.back().trailing_comment = TakeTrailingComment(NextBegin());
        }
        continue;
      }
      group->trailing_comma = false;
      Item item = ReadItem();
      // `a // comment` before the comma, or before the closing bracket on another line.
      item.trailing_comment = TakeTrailingComment(NextBegin());
      group->items.push_back(std::move(item));
    }
    group->dangling = TakeCommentLines(Current().span.begin);
    last_end_ = Current().span.end;
    ++next_;
    return group;
  }

  // Where the next token that has text begins.
  uint32_t NextBegin() const {
    size_t i = next_;
    while (i < tokens_.size() && tokens_[i].span.IsEmpty()) ++i;
    return i < tokens_.size() ? tokens_[i].span.begin
                              : static_cast<uint32_t>(file_.text().size()) + 1;
  }

  const SourceFile& file_;
  const std::vector<SourceToken>& tokens_;
  const std::vector<ast::Comment>& comments_;
  const Marks& marks_;
  size_t next_ = 0;
  size_t next_comment_ = 0;
  uint32_t last_end_ = 0;
};

}  // namespace

Group BuildTree(const SourceFile& file, const std::vector<SourceToken>& tokens,
                const std::vector<ast::Comment>& comments, const Marks& marks) {
  return TreeBuilder(file, tokens, comments, marks).Build();
}

Marks FindMarks(const ast::File& file, const std::vector<SourceToken>& tokens) {
  Marks marks;
  MarkFinder(tokens, &marks).Walk(file);
  return marks;
}

}  // namespace format

std::string Format(const SourceFile& file, Diagnostics& diagnostics) {
  Diagnostics found;
  ast::File tree = Parse(file, found);
  bool errors = found.HasErrors();
  for (const Diagnostic& d : found.list()) diagnostics.Add(d);
  if (errors) return std::string(file.text());
  std::vector<ast::Comment> comments;
  std::vector<SourceToken> tokens = SourceTokens(file, &comments);
  format::Marks marks = format::FindMarks(tree, tokens);
  return format::LayOutText(format::BuildTree(file, tokens, comments, marks), marks);
}

}  // namespace weirc
