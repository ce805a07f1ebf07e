// The event loop of production, on boost::asio. Asio itself is included by asio_loop.cc only.
#pragma once

#include <memory>

#include "runtime/engine/loop.h"

namespace weir {

std::unique_ptr<Loop> MakeAsioLoop();

}  // namespace weir
