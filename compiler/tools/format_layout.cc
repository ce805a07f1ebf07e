// compiler/tools/format_layout.cc — The one style.
//
// The author's line ends decide what stands on one line and what on several; this file decides
// everything else: spaces, indentation, commas, columns. A group stays on several lines if its
// author broke the line behind its bracket, if it holds a comment, or if it does not fit; items
// that share a line go on sharing it. In braces the line end separates, so that no comma stands
// there; in parentheses and square brackets each line ends with one. Neighbouring lines of one kind
// — entries, arms, params — have their parts in columns, as have comments behind them.
#include <algorithm>
#include <string_view>

#include "compiler/base/utf8.h"
#include "compiler/tools/format_tree.h"

namespace weirc::format {
namespace {

constexpr size_t kLineWidth = 100;
constexpr size_t kStep = 2;  // indentation of a block's content
constexpr size_t kDeclContinuation =
    4;  // of a declaration's further lines, so that they differ from a block's
constexpr size_t kCellWidthMax = 40;  // a wider part has no column

size_t Width(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    Utf8Character c = DecodeUtf8(text, i);
    width += c.valid ? static_cast<size_t>(DisplayWidth(c.code)) : 1;
    i += c.size;
  }
  return width;
}

bool HasLineEnd(std::string_view text) { return text.find('\n') != std::string_view::npos; }

bool IsReservedWord(std::string_view word) {
  static constexpr std::string_view kWords[] = {"if",  "then", "else", "match",
                                                "try", "and",  "or",   "not"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

// True if a value may end with this piece: what follows in braces is then a block, not a literal.
bool EndsValue(const Piece& piece) {
  if (piece.group) return true;
  if (piece.kind == SourceTokenKind::kWord) return !IsReservedWord(piece.text);
  return piece.kind == SourceTokenKind::kLiteral || piece.kind == SourceTokenKind::kString;
}

// ----------------------------------------------------------------------------------- aligned lines

// A line of output in parts that may stand in columns with those of its neighbours.
struct Line {
  size_t indent = 0;
  std::vector<std::string> cells;
  std::string comment;
  int run = -1;  // lines of the same run, one below the other, share columns; −1 stands alone
};

class Lines {
 public:
  void Add(Line line) { lines_.push_back(std::move(line)); }
  void AddBlank() {
    if (!lines_.empty() && !(lines_.back().cells.empty() && lines_.back().comment.empty()))
      lines_.push_back(Line());
  }

  std::string Text() {
    while (!lines_.empty() && lines_.back().cells.empty() && lines_.back().comment.empty())
      lines_.pop_back();
    AlignCells();
    std::vector<std::string> texts;
    for (const Line& line : lines_) {
      std::string text;
      for (const std::string& cell : line.cells) text += cell;
      while (!text.empty() && text.back() == ' ') text.pop_back();
      if (!text.empty()) text.insert(0, line.indent, ' ');
      texts.push_back(std::move(text));
    }
    AppendComments(&texts);
    std::string whole;
    for (const std::string& text : texts) whole += text + "\n";
    return whole;
  }

 private:
  // Pads cell k of neighbouring lines of a run to one width, where a cell k + 1 follows in each.
  void AlignCells() {
    for (size_t begin = 0; begin < lines_.size();) {
      size_t end = begin + 1;
      if (lines_[begin].run >= 0) {
        while (end < lines_.size() && lines_[end].run == lines_[begin].run &&
               lines_[end].indent == lines_[begin].indent)
          ++end;
        AlignRun(begin, end, 0);
      } else {
        JoinCells(&lines_[begin]);
      }
      begin = end;
    }
  }

  void AlignRun(size_t begin, size_t end, size_t column) {
    for (size_t i = begin; i < end;) {
      if (lines_[i].cells.size() <= column + 1 || Width(lines_[i].cells[column]) > kCellWidthMax) {
        if (lines_[i].cells.size() > column + 1) JoinCells(&lines_[i], column);
        ++i;
        continue;
      }
      size_t k = i;
      size_t width = 0;
      while (k < end && lines_[k].cells.size() > column + 1 &&
             Width(lines_[k].cells[column]) <= kCellWidthMax) {
        width = std::max(width, Width(lines_[k].cells[column]));
        ++k;
      }
      for (size_t n = i; n < k; ++n)
        lines_[n].cells[column].append(width - Width(lines_[n].cells[column]) + 1, ' ');
      AlignRun(i, k, column + 1);
      i = k;
    }
  }

  // One space between cells, from `column` on.
  static void JoinCells(Line* line, size_t column = 0) {
    for (size_t i = column; i + 1 < line->cells.size(); ++i) line->cells[i] += ' ';
  }

  // Comments behind neighbouring lines stand in one column, unless a line is too long for that.
  void AppendComments(std::vector<std::string>* texts) {
    for (size_t begin = 0; begin < lines_.size();) {
      size_t end = begin;
      size_t width = 0;
      while (end < lines_.size() && !lines_[end].comment.empty() && !lines_[end].cells.empty() &&
             !HasLineEnd((*texts)[end])) {
        width = std::max(width, Width((*texts)[end]));
        ++end;
      }
      for (size_t i = begin; i < end; ++i) {
        size_t gap = width <= kLineWidth * 4 / 5 ? width - Width((*texts)[i]) + 2 : 2;
        (*texts)[i] += std::string(gap, ' ') + lines_[i].comment;
      }
      if (end == begin) {
        if (!lines_[begin].comment.empty()) {
          std::string& text = (*texts)[begin];
          text += (text.empty() ? std::string(lines_[begin].indent, ' ') : "  ") +
                  lines_[begin].comment;
        }
        end = begin + 1;
      }
      begin = end;
    }
  }

  std::vector<Line> lines_;
};

// ------------------------------------------------------------------------------------------ layout

class Layouter {
 public:
  explicit Layouter(const Marks& marks) : marks_(marks) {}

  std::string Run(const Group& file) {
    const Item* before = nullptr;
    std::string run_word;
    for (const Item& item : file.items) {
      EmitLeading(item.leading, item.blank_before, 0);
      std::string word = RunWord(item);
      bool single = !Breaks(item) && Fits(item, 0) && !StepsBreak(item);
      // A run ends at a blank line, a comment line, another kind of declaration or one of several
      // lines.
      bool goes_on = before != nullptr && single && !word.empty() && word == run_word &&
                     item.leading.empty() && !item.blank_before;
      if (!goes_on) ++run_;
      if (single) {
        lines_.Add({0, word.empty() ? std::vector<std::string>{Flat(item)} : DeclCells(item),
                    item.trailing_comment, word.empty() ? -1 : run_});
        run_word = word;
      } else {
        EmitBroken(item, 0, kDeclContinuation, item.trailing_comment);
        run_word.clear();
      }
      before = &item;
    }
    EmitLeading(file.dangling, false, 0);
    return lines_.Text();
  }

 private:
  // --- on one line

  bool SpaceBetween(const Piece& left, const Piece& right) const {
    if (right.group) {
      if (right.group->open == '{') return true;
      if (marks_.tight_brackets.count(right.begin)) return false;
    } else {
      std::string_view r = right.text;
      if (r == ":" || r == "." || r == "?." || r == ".." || r == ",") return false;
      if (r == "?") return false;
      if (marks_.type_angles.count(right.begin)) return false;
      if (r == "-" && marks_.feed_arrows.count(left.begin)) return false;
    }
    if (left.group) return true;
    std::string_view l = left.text;
    if (l == "." || l == "?." || l == "..") return false;
    if (l == "<" && marks_.type_angles.count(left.begin)) return false;
    if (l == "-" && marks_.unary_minus.count(left.begin)) {
      return !right.group && right.text == "-";  // two in a row would be a comment elsewhere
    }
    return true;
  }

  std::string Flat(const Piece& piece) const {
    return piece.group ? Flat(*piece.group) : piece.text;
  }

  std::string Flat(const Group& group) const {
    if (group.items.empty()) return group.open == '{' ? "{}" : group.open == '(' ? "()" : "[]";
    std::string text(1, group.open);
    if (group.open == '{') text += ' ';
    for (size_t i = 0; i < group.items.size(); ++i)
      text += (i > 0 ? ", " : "") + Flat(group.items[i]);
    if (KeepsComma(group)) text += ',';
    if (group.open == '{') text += ' ';
    return text + Closer(group);
  }

  std::string Flat(const Item& item) const { return Flat(item, 0, item.pieces.size()); }

  std::string Flat(const Item& item, size_t begin, size_t end) const {
    std::string text;
    for (size_t i = begin; i < end; ++i) {
      if (i > begin && SpaceBetween(item.pieces[i - 1], item.pieces[i])) text += ' ';
      text += Flat(item.pieces[i]);
    }
    return text;
  }

  static char Closer(const Group& group) {
    return group.open == '{' ? '}' : group.open == '(' ? ')' : ']';
  }

  // The comma of a tuple of one, (a,), must stay. A call's may go, but then f((a,)) has its own
  // group.
  bool KeepsComma(const Group& group) const {
    return group.open == '(' && group.trailing_comma && group.items.size() == 1;
  }

  // --- what cannot stand on one line

  static bool Breaks(const Group& group) {
    if (group.line_after_open && !group.items.empty() && !group.is_type) return true;
    if (!group.open_comment.empty() || !group.dangling.empty()) return true;
    for (size_t i = 0; i < group.items.size(); ++i) {
      const Item& item = group.items[i];
      if (Breaks(item) || !item.leading.empty() || !item.trailing_comment.empty()) return true;
      if (i > 0 && item.line_before && group.open == '{') return true;
    }
    return false;
  }

  static bool Breaks(const Item& item) {
    for (size_t i = 0; i < item.pieces.size(); ++i) {
      if (BreaksBefore(item, i) || !item.pieces[i].trailing_comment.empty()) return true;
      if (item.pieces[i].group && Breaks(*item.pieces[i].group)) return true;
    }
    return false;
  }

  // A line end the author made inside an item stays, but not before a brace or a colon.
  static bool BreaksBefore(const Item& item, size_t i) {
    const Piece& piece = item.pieces[i];
    if (i == 0) return false;
    if (!piece.leading_comments.empty()) return true;
    if (!piece.line_before) return false;
    return !(piece.group && piece.group->open == '{' && EndsValue(item.pieces[i - 1])) &&
           piece.text != ":";
  }

  bool Fits(const Item& item, size_t indent) const {
    std::string text = Flat(item);
    if (!HasLineEnd(text)) return indent + Width(text) <= kLineWidth;
    // A text of several lines: what stands before and behind it counts.
    return indent + Width(text.substr(0, text.find('\n'))) <= kLineWidth &&
           Width(text.substr(text.rfind('\n') + 1)) <= kLineWidth;
  }

  // Whether the steps of a stream go on lines of their own: when one does, or when they do not fit.
  static bool StepsBreak(const Item& item) {
    for (const Piece& piece : item.pieces) {
      if (piece.text == "|" && piece.line_before) return true;
    }
    return false;
  }

  // --- cells

  // The word of declarations that make a table together; empty for others.
  static std::string RunWord(const Item& item) {
    if (item.pieces.empty() || HasLineEndInside(item)) return "";
    const std::string& word = item.pieces[0].text;
    if (word == "param" || word == "secret") return "param";
    if (word == "connection" || word == "sink" || word == "record" || word == "enum") return word;
    return "";
  }

  static bool HasLineEndInside(const Item& item) {
    for (const Piece& piece : item.pieces) {
      if (HasLineEnd(piece.text)) return true;
      if (!piece.group) continue;
      for (const Item& inner : piece.group->items) {
        if (HasLineEndInside(inner)) return true;
      }
    }
    return false;
  }

  // param | name: | type | = value      connection name | = kind | { … }      sink name | from
  // stream | = target | { … }
  std::vector<std::string> DeclCells(const Item& item) const {
    const std::string& word = item.pieces[0].text;
    std::vector<size_t> starts = {0};
    for (size_t i = 1; i < item.pieces.size(); ++i) {
      const Piece& piece = item.pieces[i];
      bool start = false;
      if (word == "param" || word == "secret") {
        start = i == 1 || (i == 3 && item.pieces[2].text == ":") || (piece.text == "=" && i > 3);
      } else if (word == "connection") {
        start = i == 2 || (piece.group && i == 4);
      } else if (word == "sink") {
        start = i == 2 || piece.text == "=" ||
                (piece.group && piece.group->open == '{' && i + 1 == item.pieces.size());
      } else {
        start = i == 2;
      }
      if (start && i > starts.back()) starts.push_back(i);
    }
    return Cells(item, starts);
  }

  std::vector<std::string> Cells(const Item& item, const std::vector<size_t>& starts) const {
    std::vector<std::string> cells;
    for (size_t k = 0; k < starts.size(); ++k) {
      cells.push_back(
          Flat(item, starts[k], k + 1 < starts.size() ? starts[k + 1] : item.pieces.size()));
    }
    return cells;
  }

  // `name: | value` of an entry, field or pair; `pattern | -> value` of an arm.
  std::vector<std::string> ItemCells(const Item& item) const {
    if (item.pieces.size() > 2 && item.pieces[1].text == ":") return Cells(item, {0, 2});
    for (size_t i = 1; i + 1 < item.pieces.size(); ++i) {
      if (item.pieces[i].text == ":") break;
      if (item.pieces[i].text == "->" && item.pieces[0].text != "answer")
        return Cells(item, {0, i});
    }
    return {Flat(item)};
  }

  // --- on several lines

  void EmitLeading(const std::vector<CommentLine>& comments, bool blank_behind, size_t indent) {
    for (const CommentLine& comment : comments) {
      if (comment.blank_before) lines_.AddBlank();
      lines_.Add({indent, {}, comment.text, -1});
    }
    if (blank_behind) lines_.AddBlank();
  }

  // The line being written by EmitBroken.
  struct Pen {
    size_t indent = 0;
    std::string text;
    size_t Column() const {
      size_t last = text.rfind('\n');
      return last == std::string::npos ? indent + Width(text)
                                       : Width(std::string_view(text).substr(last + 1));
    }
  };

  void EndLine(Pen* pen, std::string comment) {
    if (!pen->text.empty())
      lines_.Add({pen->indent, {std::move(pen->text)}, std::move(comment), -1});
    else if (!comment.empty()) lines_.Add({pen->indent, {}, std::move(comment), -1});
    pen->text.clear();
  }

  // An item that takes more than a line, starting on a line of its own.
  void EmitBroken(const Item& item, size_t indent, size_t continuation,
                  const std::string& trailing_comment, std::string_view suffix = "") {
    Pen pen{indent, ""};
    WritePieces(item, 0, item.pieces.size(), indent, indent + continuation, &pen);
    pen.text += suffix;
    EndLine(&pen, trailing_comment);
  }

  // Writes the pieces of an item; `base` is the indentation its blocks hang from, `continuation`
  // that of its further lines.
  void WritePieces(const Item& item, size_t begin, size_t end, size_t base, size_t continuation,
                   Pen* pen) {
    bool steps =
        base == 0 && item.pieces[0].text == "stream" && (StepsBreak(item) || !Fits(item, 0));
    for (size_t i = begin; i < end; ++i) {
      const Piece& piece = item.pieces[i];
      bool step = steps && piece.text == "|";
      if (step) {
        // Each step on a line of its own; what hangs from it stands behind its `| `.
        base = 2 * kStep;
        continuation = 3 * kStep;
      }
      // name(…) -> T =⏎    value { … }
      bool after_assign = base == 0 && !steps && i > begin && item.pieces[i - 1].text == "=" &&
                          ValueNeedsLine(item, i, *pen, continuation);
      bool after_comment = i > begin && !item.pieces[i - 1].trailing_comment.empty();
      if (i > begin && (step || after_comment || after_assign || BreaksBefore(item, i))) {
        EndLine(pen, i > begin ? item.pieces[i - 1].trailing_comment : "");
        pen->indent = step ? kStep : continuation;
        for (const std::string& comment : piece.leading_comments)
          lines_.Add({pen->indent, {}, comment, -1});
      } else if (i > begin && !pen->text.empty() && SpaceBetween(item.pieces[i - 1], piece)) {
        pen->text += ' ';
      }
      if (!piece.group) {
        pen->text += piece.text;
        continue;
      }
      bool block = piece.group->open == '{' && i > 0 && EndsValue(item.pieces[i - 1]);
      size_t hang = block ? base : pen->indent > base && pen->indent != kStep ? pen->indent : base;
      WriteGroup(*piece.group, hang, WidthBehind(item, i, end), pen);
    }
  }

  // Whether the value of a declaration, up to its block, fits only on a line of its own.
  bool ValueNeedsLine(const Item& item, size_t i, const Pen& pen, size_t continuation) const {
    size_t end = item.pieces.size();
    bool block = end > i + 1 && item.pieces[end - 1].group &&
                 item.pieces[end - 1].group->open == '{' && EndsValue(item.pieces[end - 2]);
    if (block) --end;
    for (size_t k = i; k < end; ++k) {
      if (BreaksBefore(item, k) || (item.pieces[k].group && Breaks(*item.pieces[k].group)))
        return false;
    }
    std::string text = Flat(item, i, end);
    if (HasLineEnd(text)) return false;
    size_t width = Width(text) + (block ? 2 : 0);
    return pen.Column() + 1 + width > kLineWidth && continuation + width <= kLineWidth;
  }

  // What must stand on a group's last line: up to the next bracket that may break, or the next
  // line.
  size_t WidthBehind(const Item& item, size_t i, size_t end) const {
    size_t width = 0;
    for (size_t k = i + 1; k < end && !BreaksBefore(item, k); ++k) {
      if (item.pieces[k].text == "|") break;
      width += SpaceBetween(item.pieces[k - 1], item.pieces[k]) ? 1 : 0;
      if (item.pieces[k].group && !item.pieces[k].group->is_type) return width + 1;
      width += Width(Flat(item.pieces[k]));
    }
    return width;
  }

  void WriteGroup(const Group& group, size_t hang, size_t width_behind, Pen* pen) {
    bool breaks = Breaks(group);
    std::string flat = Flat(group);
    if (!breaks && (group.items.empty() || group.is_type || HasLineEnd(flat) ||
                    pen->Column() + Width(flat) + width_behind <= kLineWidth)) {
      pen->text += flat;
      return;
    }
    if (!group.line_after_open && group.open != '{' && Hugs(group, *pen)) {
      // f(a, { … }): the inner group's lines are those of the outer one.
      pen->text += group.open;
      for (size_t i = 0; i < group.items.size(); ++i) {
        if (i > 0) pen->text += ", ";
        WritePieces(group.items[i], 0, group.items[i].pieces.size(), hang, hang + kStep, pen);
      }
      if (KeepsComma(group)) pen->text += ',';
      pen->text += Closer(group);
      return;
    }
    pen->text += group.open;
    EndLine(pen, group.open_comment);
    EmitItems(group, hang + kStep);
    pen->indent = hang;
    pen->text = std::string(1, Closer(group));
  }

  // In parentheses whose author did not break the line: only inner groups break, the last one at
  // least.
  bool Hugs(const Group& group, const Pen& pen) const {
    if (!group.open_comment.empty() || !group.dangling.empty()) return false;
    for (const Item& item : group.items) {
      if (!item.leading.empty() || !item.trailing_comment.empty()) return false;
      for (size_t i = 0; i < item.pieces.size(); ++i) {
        if (BreaksBefore(item, i) || !item.pieces[i].trailing_comment.empty()) return false;
      }
    }
    const Item& last = group.items.back();
    if (!last.pieces.back().group || last.pieces.back().group->items.empty()) return false;
    size_t width = pen.Column() + 1;
    for (size_t i = 0; i + 1 < group.items.size(); ++i) {
      const Item& item = group.items[i];
      if (Breaks(item)) return true;  // the author has it so already
      if (item.pieces.back().group && item.pieces.back().group->open == '{')
        return false;  // rows: one a line
      width += Width(Flat(group.items[i])) + 2;
    }
    return width + Width(Flat(last, 0, last.pieces.size() - 1)) + 2 <= kLineWidth;
  }

  // The items of a group on lines of their own. In braces no comma ends a line.
  void EmitItems(const Group& group, size_t indent) {
    ++run_;
    // A comma behind the only item would make a tuple of it, or an index wrong.
    bool single = group.items.size() == 1 && !group.trailing_comma;
    const char* suffix = group.open == '{' || single ? "" : ",";
    bool authors_lines = Breaks(group);  // else the group broke for its width: one item a line
    for (size_t i = 0; i < group.items.size();) {
      const Item& first = group.items[i];
      bool comment_lines = !first.leading.empty();
      EmitLeading(first.leading, first.blank_before && (i > 0 || comment_lines), indent);
      if (comment_lines || first.blank_before) ++run_;
      if (Breaks(first) || !Fits(first, indent + 1)) {
        ++run_;
        EmitBroken(first, indent, kStep, first.trailing_comment, suffix);
        ++run_;
        ++i;
        continue;
      }
      // Items that share a line go on doing so, as long as they fit.
      size_t end = i + 1;
      std::string text = Flat(first);
      std::string comment = first.trailing_comment;
      while (authors_lines && comment.empty() && end < group.items.size()) {
        const Item& next = group.items[end];
        if (next.line_before || !next.leading.empty() || Breaks(next) || HasLineEnd(text)) break;
        std::string flat = Flat(next);
        if (indent + Width(text) + 2 + Width(flat) + 1 > kLineWidth) break;
        text += ", " + flat;
        comment = next.trailing_comment;
        ++end;
      }
      if (group.open == '{' && !HasLineEnd(text)) {
        Line line{indent, ItemCells(first), comment, run_};
        for (size_t k = i + 1; k < end; ++k) line.cells.back() += ", " + Flat(group.items[k]);
        lines_.Add(std::move(line));
      } else {
        ++run_;
        lines_.Add({indent, {text + suffix}, comment, -1});
      }
      i = end;
    }
    EmitLeading(group.dangling, false, indent);
  }

  const Marks& marks_;
  Lines lines_;
  int run_ = 0;
};

}  // namespace

std::string LayOutText(const Group& file, const Marks& marks) { return Layouter(marks).Run(file); }

}  // namespace weirc::format
