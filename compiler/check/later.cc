// compiler/check/later.cc — Declarations whose meaning comes in a later version: each says so.
#include "compiler/check/passes.h"

namespace weirc::check {

void ReportLaterDeclarations(Context& context) {
  for (const ast::File* file : context.files) {
    for (const ast::DeclPtr& decl : file->decls) {
      auto later = [&](std::string_view construct, std::string instead = {}) {
        context.ReportLater(Code::kLaterDeclaration, decl->keyword, construct, std::move(instead));
      };
      switch (decl->kind) {
        case ast::DeclKind::kLookup:
          if (Cast<ast::LookupDecl>(*decl).is_call)
            later("`call`", "a request without effects is a `lookup`");
          break;
        case ast::DeclKind::kExternLookup:
          later("`extern lookup`", "a service reached over HTTP is a `lookup`");
          break;
        case ast::DeclKind::kExternFn:
          later("`extern fn`", "a function written in the language is a `fn`");
          break;
        case ast::DeclKind::kAggregateFn:
          later("`aggregate` as a declaration",
                "this version has count, sum, min, max, first, last, avg and vwap");
          break;
        case ast::DeclKind::kService: later("`service`"); break;
        default: break;
      }
    }
  }
}

}  // namespace weirc::check
