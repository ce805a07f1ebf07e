#!/usr/bin/env python3
"""Reads the `///` blocks of the standard library and writes what the build needs of them (see README.md).

  generate.py OUT_DIR          writes OUT_DIR/stdlib/{index.inc,all.h} and OUT_DIR/stdlib_examples_test.cc
  generate.py --docs FILE      writes the reference, docs/stdlib.md
  generate.py --check FILE     fails when FILE is not what --docs would write
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent
GROUPS = {
    "text": ("Text", "Text is UTF-8; a character is a Unicode code point, whatever number of bytes it takes."),
    "convert": ("Conversion", "`parse_…` reads text, `to_…` writes it; a type's own name converts between types. What could "
                "lose something fails instead."),
    "math": ("Numbers", "Decimals are exact. Functions of float64 follow IEEE 754."),
    "time": ("Time", "Times are in UTC."),
    "list": ("Lists and maps", "Positions are counted from 0."),
    "hash": ("Hashes", "The same on every machine and in every version."),
}
SCALARS = {"bool": "bool", "int32": "int32_t", "int64": "int64_t", "float64": "double", "string": "Str", "bytes": "Str",
           "timestamp": "int64_t", "duration": "int64_t", "date": "int32_t"}
UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9,
         "w": 7 * 86400 * 10**9}


class Wrong(Exception):
    pass


class Type:
    """A type in a signature: a scalar, decimal(p, s), enum, const, T, list<…>, map<string, …>, and any of these with `?`."""

    def __init__(self, text):
        self.text = text = text.strip()
        self.nullable = text.endswith("?")
        if self.nullable:
            text = text[:-1]
        self.kind, self.element, self.digits = text, None, ()
        if match := re.fullmatch(r"decimal\((\w+), (\w+)\)", text):
            self.kind, self.digits = "decimal", match.groups()
        elif match := re.fullmatch(r"list<(.+)>", text):
            self.kind, self.element = "list", Type(match[1])
        elif match := re.fullmatch(r"map<string, (.+)>", text):
            self.kind, self.element = "map", Type(match[1])
        elif text not in SCALARS and text not in ("enum", "const", "T"):
            raise Wrong(f"unknown type `{text}`")

    def variables(self):
        own = [d for d in self.digits if not d.isdigit()]
        return own + (self.element.variables() if self.element else [])

    def is_generic(self):
        return self.kind == "T" or bool(self.element and self.element.is_generic())


class Function:
    def __init__(self, path, block, code):
        self.path, self.group, self.header = path, path.parent.name, f"stdlib/{path.relative_to(ROOT)}"
        match = re.fullmatch(r"fn (\w+)\((.*)\) -> (.+?)(?: (fails|overflows))?", block[0])
        if not match:
            raise Wrong(f"{path}: not a signature: {block[0]}")
        self.name, self.failing = match[1], match[4] or ""
        self.signature = block[0][3:]
        self.params = []
        for part in split_top(match[2]):
            name, kind = part.split(": ", 1)
            self.params.append((name, Type(kind)))
        self.result = Type(match[3])
        self.doc = [line for line in block[1:] if not line.startswith("    ")]
        self.examples = []
        for line in block[1:]:
            if line.startswith("    "):
                call, result = line.strip().split("   // ")
                self.examples.append((call, result))
        if not self.doc or not self.examples:
            raise Wrong(f"{path}: `{self.name}` needs a sentence and an example")
        self.read_cpp(code)

    def read_cpp(self, code):
        """The C++ behind the block: its name, and that its parameters are what the signature says."""
        match = re.match(r"(?:template <[^>]*>\s*)?(?:inline\s+)?([\w:<>*& ]+?)\s+(\w+)\(([^{;]*?)\)\s*(?:-> .*?\s*)?[{;]", code)
        if not match:
            raise Wrong(f"{self.path}: no C++ function behind `{self.signature}`")
        self.cpp = match[2]
        params = [p.strip() for p in split_top(match[3])]
        self.arena = bool(params) and params[0].startswith("Arena& ")
        if self.arena:
            params = params[1:]
        if self.failing:
            if not params or "* out" not in params[-1] or match[1] != "bool":
                raise Wrong(f"{self.path}: `{self.cpp}` must return bool and take its result's place last")
            params = params[:-1]
        own, extra = params[:len(self.params)], params[len(self.params):]
        if len(own) != len(self.params):
            raise Wrong(f"{self.path}: `{self.cpp}` takes too few arguments")
        self.extras = [p.split()[-1] for p in extra]
        digits = [v for _, t in self.params for v in t.variables()]
        for name in self.extras:
            if name != "names" and name not in digits:
                raise Wrong(f"{self.path}: `{self.cpp}` takes `{name}`, which the signature does not have")

    def place_of(self, extra):
        """Where the emitter finds an extra argument: "0s" is the scale of argument 0, "0p" its precision, "0n" its names."""
        for i, (_, kind) in enumerate(self.params):
            kind = kind.element or kind
            if extra == "names" and kind.kind == "enum":
                return f"{i}n"
            if extra in kind.digits and not (kind.digits[0] in dict(self.params)):
                return f"{i}{'ps'[kind.digits.index(extra)]}"
        raise Wrong(f"{self.path}: no argument says what `{extra}` is")


def split_top(text):
    """Splits at commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c in "(<":
            depth += 1
        elif c in ")>":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [p for p in parts + [text[start:].strip()] if p]


def read_functions():
    functions = []
    for group in GROUPS:
        for path in sorted((ROOT / group).glob("*.h")):
            lines = path.read_text().split("\n")
            i = 0
            while i < len(lines):
                if not lines[i].startswith("/// "):
                    i += 1
                    continue
                block = []
                while lines[i].startswith("///"):
                    block.append(lines[i][4:])
                    i += 1
                functions.append(Function(path, block, "\n".join(lines[i:])))
                if functions[-1].name != path.stem:
                    raise Wrong(f"{path}: `{functions[-1].name}` belongs in {functions[-1].name}.h")
    return functions


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def write_if_changed(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


# ---- index.inc and all.h ----


def index(functions):
    out = ["// Generated by stdlib/generate.py: rows of weir::stdlib::Function, see stdlib/index.h.\n"]
    for f in functions:
        params = "; ".join(f"{name}: {kind.text}" for name, kind in f.params)
        failing = {"": "kNever", "fails": "kFails", "overflows": "kOverflows"}[f.failing]
        examples = "\n".join(f"{call}   // {result}" for call, result in f.examples)
        extras = ",".join(f.place_of(name) for name in f.extras)
        out.append("{" + ", ".join([
            quoted(f.name), quoted(f.group), quoted(f.signature), quoted(params), quoted(f.result.text),
            f"Failing::{failing}", "true", "true" if f.arena else "false", quoted(f.cpp), quoted(extras),
            quoted(f.header), "\n " + quoted(" ".join(f.doc)), "\n " + quoted(examples)]) + "},\n")
    return "".join(out)


def all_header(functions):
    headers = sorted({f.header for f in functions})
    return ("// Generated by stdlib/generate.py: every function of the standard library.\n#pragma once\n\n" +
            "".join(f'#include "{h}"\n' for h in headers))


# ---- docs/stdlib.md ----


def docs(functions):
    out = ["# Standard library\n\n",
           "<!-- Generated by stdlib/generate.py from the functions' own files. Do not edit. -->\n\n",
           "Functions that every pipeline may call. One that says `fails` must be handled where it is called (`try f(x) else y`) "
           "or by its stream (`on unhandled`); one that says `overflows` fails only when a result is larger than its type. "
           "`decimal(p, s)` stands for decimals of all digits, `const` for a number written out, `T` for any type. Each example "
           "is a test.\n"]
    for group, (title, text) in GROUPS.items():
        mine = [f for f in functions if f.group == group]
        names = sorted({f.name for f in mine})
        out.append(f"\n## {title}\n\n{text}\n\n" + " · ".join(f"[{n}](#{group}-{n})" for n in names) + "\n")
        for name in names:
            out.append(f'\n### <a id="{group}-{name}"></a>{name}\n')
            for f in (f for f in mine if f.name == name):
                out.append(f"\n```weir\n{f.signature}\n```\n{' '.join(f.doc)}\n\n```weir\n")
                width = max(len(call) for call, _ in f.examples)
                out.extend(f"{call:<{width}}   // {result}\n" for call, result in f.examples)
                out.append("```\n")
    return "".join(out)


# ---- Examples as tests: a small reader of literals and calls ----


class Values:
    """Turns the literals of one example into C++ of the types that its signature wants."""

    def __init__(self, function):
        self.f, self.bound, self.t = function, {}, None

    def digits(self, kind):
        return tuple(int(d) if d.isdigit() else self.bound[d] for d in kind.digits)

    def cpp_type(self, kind):
        base = self.base_type(kind)
        return f"Opt<{base}>" if kind.nullable else base

    def base_type(self, kind):
        if kind.kind == "decimal":
            return "int64_t" if self.digits(kind)[0] <= 18 else "i128"
        if kind.kind == "const":
            return "int"
        if kind.kind == "T":
            return self.t
        if kind.kind == "enum":
            return "ExampleEnum"
        if kind.kind in ("list", "map"):
            return ("List<" if kind.kind == "list" else "Map<") + self.cpp_type(kind.element) + ">"
        return SCALARS[kind.kind]

    def bind(self, args):
        """Digits of decimals and the type T, from the arguments; arguments of one decimal type get one that holds all."""
        for text, (name, kind) in zip(args, self.f.params):
            if kind.kind == "const":
                self.bound[name] = int(text)
        for text, (_, kind) in zip(args, self.f.params):
            inner = kind.element if kind.element else kind
            texts = elements(text) if kind.element else [text]
            if kind.kind == "map":
                texts = [entry.split(": ", 1)[1] for entry in texts]
            if inner.kind == "T" and texts and self.t is None:
                self.t = "Str" if texts[0].startswith('"') else "double" if "." in texts[0] else "int64_t"
            if inner.kind != "decimal" or inner.digits[0] in dict(self.f.params):
                continue
            for item in texts:
                whole, _, behind = item.lstrip("-").partition(".")
                p, s = inner.digits
                scale = max(self.bound.get(s, 0), len(behind))
                before = max(self.bound.get(p, 0) - self.bound.get(s, 0), len(whole.lstrip("0")), 0)
                self.bound[s], self.bound[p] = scale, max(before + scale, 1)
        if self.t is None:
            self.t = "int64_t"

    def literal(self, text, kind):
        if kind.nullable:
            inner = Type(kind.text[:-1])
            return f"{self.cpp_type(kind)}()" if text == "null" else f"{self.cpp_type(kind)}({self.literal(text, inner)})"
        if kind.kind == "list":
            items = ", ".join(self.literal(t, kind.element) for t in elements(text))
            return f"MakeList<{self.cpp_type(kind.element)}>(arena, {{{items}}})"
        if kind.kind == "map":
            items = []
            for entry in elements(text):
                key, value = entry.split(": ", 1)
                items.append("{" + f"Str({key}), {self.literal(value, kind.element)}" + "}")
            return f"MakeMap<{self.cpp_type(kind.element)}>(arena, {{{', '.join(items)}}})"
        if kind.kind == "T":
            kind = Type({"Str": "string", "double": "float64", "int64_t": "int64"}[self.t])
        if kind.kind == "string":
            return f"Str({text})"
        if kind.kind == "bytes":
            if match := re.fullmatch(r'from_base64\("(.*)"\)', text):
                return f'BytesOfBase64(arena, "{match[1]}")'
            return f"Str({re.fullmatch(r'bytes[(](.*)[)]', text)[1]})"
        if kind.kind in ("int32", "int64"):
            return "INT64_MIN" if text == "-9223372036854775808" else f"{SCALARS[kind.kind]}{{{text}}}"
        if kind.kind == "float64":
            return text
        if kind.kind == "bool" or kind.kind == "const":
            return text
        if kind.kind == "timestamp":
            return f"Timestamp({text[1:]})"
        if kind.kind == "date":
            return f"Date({text[1:]})"
        if kind.kind == "duration":
            total, sign, rest = 0, 1, text
            if rest.startswith("-"):
                sign, rest = -1, rest[1:]
            for number, unit in re.findall(r"([\d.]+)([a-z]+)", rest):
                total += round(float(number) * UNITS[unit])
            return f"int64_t{{{sign * total}}}"
        if kind.kind == "decimal":
            precision, scale = self.digits(kind)
            return f'Decimal<{self.cpp_type(kind)}>("{text}", {precision}, {scale})'
        if kind.kind == "enum":
            return "ExampleEnum::" + text.split(".")[1]
        raise Wrong(f"no literal of {kind.text}")


def elements(text):
    return split_top_list(text[1:-1])


def split_top_list(text):
    parts, depth, quote, start = [], 0, False, 0
    for i, c in enumerate(text):
        if c == '"' and (i == 0 or text[i - 1] != "\\"):
            quote = not quote
        elif quote:
            continue
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [p for p in parts + [text[start:].strip()] if p]


def example_test(f, call, result, number):
    args = split_top_list(call[len(f.name) + 1:-1])
    if not call.startswith(f.name + "(") or len(args) != len(f.params):
        raise Wrong(f"{f.path}: the example `{call}` does not call `{f.signature}`")
    values = Values(f)
    values.bind(args)
    given = [values.literal(a, t) for a, (_, t) in zip(args, f.params)]
    for extra in f.extras:
        given.append("kExampleNames" if extra == "names" else str(values.bound[extra]))
    if f.arena:
        given.insert(0, "arena")
    result_type = values.cpp_type(f.result)
    lines = [f"TEST_CASE({quoted(f'{call} is {result} ({f.group} {number})')}) {{\n", "  Arena arena;\n"]
    if f.failing:
        lines.append(f"  {result_type} out{{}};\n  bool good = fn::{f.cpp}({', '.join(given + ['&out'])});\n")
        if result == "fails":
            return "".join(lines) + "  CHECK_FALSE(good);\n}\n\n"
        lines.append("  REQUIRE(good);\n")
    else:
        cast = result_type if f.result.kind == "decimal" else ""
        call_text = f"fn::{f.cpp}({', '.join(given)})"
        if cast:
            call_text = f"static_cast<{cast}>({call_text})"
        else:
            lines.append(f"  static_assert(std::is_same_v<decltype({call_text}), {result_type}>);\n")
        lines.append(f"  {result_type} out = {call_text};\n")
    if result.endswith("…"):
        digits = result[:-1]
        lines.append(f"  CHECK(out == Approx({digits}).margin(1e-{len(digits.partition('.')[2]) - 1}).epsilon(0));\n")
    else:
        lines.append(f"  CHECK((out == {values.literal(result, f.result)}));\n")
    return "".join(lines) + "}\n\n"


TEST_HEAD = """// Generated by stdlib/generate.py: every example of the standard library.
#include <catch2/catch.hpp>

#include <initializer_list>
#include <type_traits>

#include "runtime/core/base64.h"
#include "runtime/core/decimal.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/list.h"
#include "runtime/core/time.h"
#include "stdlib/all.h"

using namespace weir;

namespace {

enum class ExampleEnum : int32_t { B, S };
constexpr EnumName kExampleTable[] = {"B", "S"};
constexpr EnumNames kExampleNames(kExampleTable);

template <class T>
List<T> MakeList(Arena& arena, std::initializer_list<T> values) {
  ListBuilder<T> list(arena);
  for (const T& value : values) list.Add(value);
  return list.Finish();
}

template <class T>
Map<T> MakeMap(Arena& arena, std::initializer_list<MapEntry<T>> entries) {
  MapBuilder<T> map(arena);
  for (const auto& entry : entries) *map.Add(entry.key) = entry.value;
  return map.Finish();
}

int64_t Timestamp(Str text) {
  int64_t ns = 0;
  REQUIRE(ParseTimestamp(text, &ns));
  return ns;
}

int32_t Date(Str text) {
  int32_t days = 0;
  REQUIRE(ParseDate(text, &days));
  return days;
}

template <class D>
D Decimal(Str text, int precision, int scale) {
  D value = 0;
  REQUIRE(ParseDecimal(text, precision, scale, &value) == DecimalError::kOk);
  return value;
}

[[maybe_unused]] Str BytesOfBase64(Arena& arena, Str text) {
  char* bytes = arena.AllocChars(Base64BytesMax(text.size));
  size_t size = 0;
  REQUIRE(DecodeBase64(text, bytes, &size));
  return Str(bytes, size);
}

}  // namespace

"""


def tests(functions):
    out = [TEST_HEAD]
    number = 0
    for f in functions:
        for call, result in f.examples:
            number += 1
            out.append(example_test(f, call, result, number))
    return "".join(out)


def main(argv):
    functions = read_functions()
    if argv[:1] == ["--docs"]:
        write_if_changed(pathlib.Path(argv[1]), docs(functions))
    elif argv[:1] == ["--check"]:
        if pathlib.Path(argv[1]).read_text() != docs(functions):
            sys.exit(f"{argv[1]} is not up to date: run stdlib/generate.py --docs {argv[1]}")
    else:
        out = pathlib.Path(argv[0])
        write_if_changed(out / "stdlib/index.inc", index(functions))
        write_if_changed(out / "stdlib/all.h", all_header(functions))
        write_if_changed(out / "stdlib_examples_test.cc", tests(functions))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Wrong as wrong:
        sys.exit(str(wrong))
