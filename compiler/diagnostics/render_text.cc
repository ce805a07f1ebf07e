// compiler/diagnostics/render_text.cc — Diagnostics for people at a terminal, in rustc's layout.
//
//   error[W0201]: no field `amonut` in `Order`
//     --> enrich.weir:7:11
//      |
//    3 | record Order { id: int64, amount: int64 }
//      |        ----- `Order` is declared here
//   ...
//    7 |   | where amonut > 0
//      |           ^^^^^^ did you mean `amount`?
//      |
//      = help: write `amount`
#include <algorithm>
#include <map>

#include "compiler/base/utf8.h"
#include "compiler/diagnostics/render.h"

namespace weirc {
namespace {

constexpr size_t kTabWidth = 4;
// Longer lines are cut to a window around the labels.
constexpr size_t kLineWidthMax = 160;
constexpr size_t kContextWidth = 60;
constexpr size_t kBytesAround = 1000;

enum class Style { kNone, kBold, kError, kWarning, kGutter, kHelp };

std::string Paint(Style style, const std::string& text, bool color) {
  if (!color || text.empty() || style == Style::kNone) return text;
  const char* code = style == Style::kBold      ? "\x1b[1m"
                     : style == Style::kError   ? "\x1b[1;31m"
                     : style == Style::kWarning ? "\x1b[1;33m"
                     : style == Style::kGutter  ? "\x1b[1;34m"
                                                : "\x1b[1;36m";
  return code + text + "\x1b[0m";
}

// A line as a terminal shows it, with the column at which each of its bytes lands.
struct ShownLine {
  std::vector<std::string>
      cells;  // one for each column; a wide character is followed by an empty cell
  std::vector<size_t> column_of;  // for each byte, and one for the end
};

ShownLine Show(std::string_view line) {
  ShownLine shown;
  for (size_t i = 0; i < line.size();) {
    Utf8Character c = DecodeUtf8(line, i);
    for (uint32_t k = 0; k < c.size; ++k) shown.column_of.push_back(shown.cells.size());
    if (!c.valid) {
      shown.cells.push_back("\xEF\xBF\xBD");
    } else if (c.code == '\t') {
      size_t width = kTabWidth - shown.cells.size() % kTabWidth;
      shown.cells.insert(shown.cells.end(), width, " ");
    } else if (c.code < 0x20) {
      // U+2400 and following: a picture for each control character.
      std::string picture;
      AppendUtf8(0x2400 + c.code, &picture);
      shown.cells.push_back(picture);
    } else if ((c.code >= 0x7F && c.code < 0xA0) || (c.code >= 0x202A && c.code <= 0x202E) ||
               (c.code >= 0x2066 && c.code <= 0x2069)) {
      // What would delete, or turn the direction of the text around, must not reach the terminal.
      shown.cells.push_back("\xEF\xBF\xBD");
    } else {
      int width = DisplayWidth(c.code);
      std::string text(line.substr(i, c.size));
      if (width == 0 && !shown.cells.empty()) {
        shown.cells.back() += text;
      } else {
        shown.cells.push_back(text);
        if (width == 2) shown.cells.push_back("");
      }
    }
    i += c.size;
  }
  shown.column_of.push_back(shown.cells.size());
  return shown;
}

struct Mark {
  size_t begin;  // columns
  size_t end;
  bool primary;
  std::string text;
};

class Writer {
 public:
  Writer(const SourceSet& sources, RenderOptions options)
      : sources_(sources), color_(options.color) {}

  std::string Render(const Diagnostic& d) {
    out_.clear();
    style_ = d.severity == Severity::Error ? Style::kError : Style::kWarning;
    std::string head = d.severity == Severity::Error ? "error" : "warning";
    head += "[" + std::string(InfoOf(d.code).id) + "]";
    out_ +=
        Paint(style_, head, color_) + Paint(Style::kBold, ": " + Safe(d.message), color_) + "\n";

    gutter_ = 1;
    Widen(d.primary.span);
    for (const Label& label : d.secondary) Widen(label.span);
    if (sources_.Find(d.primary.span) != nullptr) {
      Excerpt(d.primary.span.file, d, "-->");
      for (size_t i = 0; i < d.secondary.size(); ++i) {
        uint32_t file = d.secondary[i].span.file;
        bool shown = file == d.primary.span.file;
        for (size_t k = 0; k < i; ++k) shown = shown || d.secondary[k].span.file == file;
        if (!shown && sources_.Find(file) != nullptr) Excerpt(file, d, ":::");
      }
    }
    if (sources_.Find(d.primary.span) != nullptr && !(d.help.empty() && d.notes.empty())) Bar();
    for (const std::string& help : d.help) Remark("help", help);
    for (const std::string& note : d.notes) Remark("note", note);
    out_ += "\n";
    return std::move(out_);
  }

 private:
  // Messages quote source text; the terminal must not obey it.
  static std::string Safe(std::string_view text) {
    std::string safe;
    std::string_view rest = text;
    while (true) {
      size_t end = rest.find('\n');
      for (const std::string& cell : Show(rest.substr(0, end)).cells) safe += cell;
      if (end == std::string_view::npos) return safe;
      safe += '\n';
      rest.remove_prefix(end + 1);
    }
  }

  void Widen(Span span) {
    if (const SourceFile* file = sources_.Find(span)) {
      gutter_ = std::max(gutter_, std::to_string(file->Locate(span.begin).line).size());
    }
  }

  std::string Pad(const std::string& text) const {
    return " " + std::string(gutter_ - std::min(gutter_, text.size()), ' ') + text + " ";
  }
  void Bar() { out_ += Paint(Style::kGutter, Pad("") + "|", color_) + "\n"; }

  void Remark(const std::string& kind, const std::string& text) {
    std::string lines = Safe(text);
    std::string indent = "\n" + Pad("") + std::string(kind.size() + 4, ' ');
    for (size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; at += indent.size())
      lines.replace(at, 1, indent);
    out_ += Paint(Style::kGutter, Pad("") + "= ", color_) +
            Paint(Style::kBold, kind + ":", color_) + " " + lines + "\n";
  }

  // The lines of one file that carry labels, in their order.
  void Excerpt(uint32_t file_id, const Diagnostic& d, const char* arrow) {
    const SourceFile& file = *sources_.Find(file_id);
    Span place = d.primary.span;
    std::map<uint32_t, std::vector<Mark>> lines;
    if (d.primary.span.file == file_id) AddMark(file, d.primary, true, &lines);
    for (const Label& label : d.secondary) {
      if (label.span.file != file_id) continue;
      AddMark(file, label, false, &lines);
      if (place.file != file_id) place = label.span;
    }
    out_ += Paint(Style::kGutter, std::string(gutter_ + 1, ' ') + arrow, color_) + " " +
            Safe(sources_.Place(place)) + "\n";
    Bar();
    uint32_t last = 0;
    for (auto& [line, marks] : lines) {
      if (last != 0 && line > last + 1) out_ += Paint(Style::kGutter, "...", color_) + "\n";
      Line(file, line, std::move(marks));
      last = line;
    }
  }

  // A span over several lines is marked on its first one.
  static void AddMark(const SourceFile& file, const Label& label, bool primary,
                      std::map<uint32_t, std::vector<Mark>>* lines) {
    uint32_t line = file.Locate(label.span.begin).line;
    uint32_t line_begin = file.LineBegin(line);
    size_t size = file.LineText(line).size();
    size_t begin = std::min<size_t>(label.span.begin - line_begin, size);
    size_t end = std::clamp<size_t>(label.span.end >= line_begin ? label.span.end - line_begin : 0,
                                    begin, size);
    (*lines)[line].push_back({begin, end, primary, Safe(label.text)});
  }

  void Line(const SourceFile& file, uint32_t number, std::vector<Mark> marks) {
    // Of a line as long as a file only the bytes around the first mark are looked at.
    std::string_view line = file.LineText(number);
    size_t first = line.size();
    for (const Mark& mark : marks) first = std::min(first, mark.begin);
    size_t begin = first > kBytesAround ? first - kBytesAround : 0;
    size_t end = std::min(line.size(), first + kBytesAround);
    while (begin > 0 && (static_cast<unsigned char>(line[begin]) & 0xC0) == 0x80) --begin;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) ++end;
    ShownLine shown = Show(line.substr(begin, end - begin));
    for (Mark& mark : marks) {
      mark.begin = shown.column_of[std::min(mark.begin, end) - begin];
      mark.end = std::max(shown.column_of[std::min(mark.end, end) - begin], mark.begin + 1);
    }
    std::string text = Window(shown, begin > 0, end < line.size(), &marks);
    out_ += Paint(Style::kGutter, Pad(std::to_string(number)) + "|", color_) +
            (text.empty() ? "" : " " + text) + "\n";
    Underline(std::move(marks));
  }

  // Cuts a very long line to what surrounds its first mark, moving the marks along.
  static std::string Window(const ShownLine& shown, bool cut_left, bool cut_right,
                            std::vector<Mark>* marks) {
    size_t begin = 0, end = shown.cells.size();
    if (end > kLineWidthMax) {
      size_t first = end;
      for (const Mark& mark : *marks) first = std::min(first, mark.begin);
      begin = first > kContextWidth ? first - kContextWidth : 0;
      end = std::min(end, begin + kLineWidthMax);
    }
    std::string text;
    for (size_t i = begin; i < end; ++i) text += shown.cells[i];
    cut_left = cut_left || begin > 0;
    cut_right = cut_right || end < shown.cells.size();
    size_t dots = cut_left ? 1 : 0;
    if (cut_left) text = "…" + text;
    if (cut_right) text += "…";
    size_t width = end - begin + dots + 1;
    for (Mark& mark : *marks) {
      mark.begin = std::min(mark.begin >= begin ? mark.begin - begin + dots : 0, width - 1);
      mark.end = std::clamp(mark.end >= begin ? mark.end - begin + dots : 0, mark.begin + 1, width);
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
  }

  // The row of ^^^ and --- with the last label behind it; other labels hang below their marks, the
  // rightmost first.
  void Underline(std::vector<Mark> marks) {
    std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) {
      return std::pair(a.begin, !a.primary) < std::pair(b.begin, !b.primary);
    });
    size_t width = 0;
    for (const Mark& mark : marks) width = std::max(width, mark.end);
    std::vector<char> row(width, ' ');
    for (bool primary : {false, true}) {  // the primary mark wins where they overlap
      for (const Mark& mark : marks) {
        if (mark.primary == primary)
          std::fill(row.begin() + mark.begin, row.begin() + mark.end, primary ? '^' : '-');
      }
    }
    std::string line = PaintRow(row);
    // The last label stands in the row unless another mark starts at or goes beyond its place.
    const Mark& last = marks.back();
    bool inline_last =
        !last.text.empty() && last.end == width && last.text.find('\n') == std::string::npos;
    if (inline_last) line += " " + Paint(last.primary ? style_ : Style::kGutter, last.text, color_);
    Gutter(line);

    std::vector<Mark> hanging;
    for (size_t i = 0; i < marks.size(); ++i) {
      if (!marks[i].text.empty() && !(inline_last && i + 1 == marks.size()))
        hanging.push_back(marks[i]);
    }
    while (!hanging.empty()) {
      Mark mark = hanging.back();
      Gutter(Stems(hanging, hanging.size()));
      std::string before = Stems(hanging, hanging.size() - 1);
      size_t stem_columns = hanging.size() > 1 ? hanging[hanging.size() - 2].begin + 1 : 0;
      if (hanging.size() > 1 && hanging[hanging.size() - 2].begin == mark.begin) {
        // Two labels on one place: the second goes on a line of its own below.
        before = Stems(hanging, hanging.size() - 2);
        stem_columns = hanging.size() > 2 ? hanging[hanging.size() - 3].begin + 1 : 0;
      }
      size_t fill = mark.begin >= stem_columns ? mark.begin - stem_columns : 0;
      Gutter(before + std::string(fill, ' ') +
             Paint(mark.primary ? style_ : Style::kGutter, mark.text, color_));
      hanging.pop_back();
    }
  }

  // `|` under each of the first `count` hanging marks.
  std::string Stems(const std::vector<Mark>& hanging, size_t count) const {
    std::string line;
    size_t column = 0;
    for (size_t i = 0; i < count; ++i) {
      if (hanging[i].begin < column) continue;
      line += std::string(hanging[i].begin - column, ' ') +
              Paint(hanging[i].primary ? style_ : Style::kGutter, "|", color_);
      column = hanging[i].begin + 1;
    }
    return line;
  }

  std::string PaintRow(const std::vector<char>& row) const {
    std::string line;
    for (size_t i = 0; i < row.size();) {
      size_t k = i;
      while (k < row.size() && row[k] == row[i]) ++k;
      Style style = row[i] == '^' ? style_ : row[i] == '-' ? Style::kGutter : Style::kNone;
      line += Paint(style, std::string(row.begin() + i, row.begin() + k), color_);
      i = k;
    }
    return line;
  }

  void Gutter(const std::string& line) {
    out_ += Paint(Style::kGutter, Pad("") + "|", color_) + (line.empty() ? "" : " " + line) + "\n";
  }

  const SourceSet& sources_;
  bool color_;
  Style style_ = Style::kError;
  size_t gutter_ = 1;
  std::string out_;
};

}  // namespace

std::string RenderText(const Diagnostics& diagnostics, const SourceSet& sources,
                       RenderOptions options) {
  std::string text;
  Writer writer(sources, options);
  for (const Diagnostic& d : diagnostics.Sorted()) text += writer.Render(d);
  return text;
}

}  // namespace weirc
