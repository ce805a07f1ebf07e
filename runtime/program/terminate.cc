#include "runtime/program/terminate.h"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include <boost/system/system_error.hpp>

#include "runtime/engine/exit_code.h"

namespace weir {

namespace {

// Nothing here takes memory: there may be none.
[[noreturn]] void End(const char* what, const char* then) {
  std::fprintf(stderr, "error: %s; %s. Nothing that was committed is lost\n", what, then);
  _exit(static_cast<int>(ExitCode::kSystem));
}

[[noreturn]] void EndByMistake(const char* what) {
  std::fprintf(stderr, "error: our own mistake: %s; please report it with the log. Nothing that was committed is lost\n", what);
  _exit(static_cast<int>(ExitCode::kInternal));
}

[[noreturn]] void OnTerminate() {
  constexpr const char* kLimits = "raise the limit of the process (ulimit -n for files, ulimit -u for threads)";
  std::exception_ptr current = std::current_exception();
  if (current == nullptr) EndByMistake("the process was ended without an exception");
  try {
    std::rethrow_exception(current);
  } catch (const std::bad_alloc&) {
    End("there is no memory left", "give the process more, or lower in_flight, caches and kafka.queued.max.messages.kbytes");
  } catch (const boost::system::system_error& error) {
    End(error.what(), kLimits);
  } catch (const std::system_error& error) {
    End(error.what(), kLimits);
  } catch (const std::exception& error) {
    EndByMistake(error.what());
  } catch (...) {
    EndByMistake("an exception without a name");
  }
}

}  // namespace

void EndByUncaughtException() { std::set_terminate(OnTerminate); }

}  // namespace weir
