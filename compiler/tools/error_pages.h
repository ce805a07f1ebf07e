// compiler/tools/error_pages.h — docs/errors/*.md inside the program; error_pages.cc is written by
// CMake.
#pragma once

#include <string_view>
#include <vector>

namespace weirc {

struct EmbeddedPage {
  std::string_view id;  // "W0201"
  std::string_view markdown;
};

const std::vector<EmbeddedPage>& EmbeddedPages();

}  // namespace weirc
