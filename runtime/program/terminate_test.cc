// What nobody caught ends the process with the exit code and the words that are documented, never by a signal.
#include "runtime/program/terminate.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <catch2/catch.hpp>

namespace weir {
namespace {

struct Ended {
  int code = -1;  // -1: by a signal
  std::string said;
};

// A child process in which `mistake` is made and nobody catches it.
Ended EndOf(const std::function<void()>& mistake) {
  int said[2];
  REQUIRE(pipe(said) == 0);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(said[1], 2);
    EndByUncaughtException();
    [&]() noexcept { mistake(); }();
    _exit(0);
  }
  close(said[1]);
  Ended ended;
  char bytes[512];
  for (ssize_t n; (n = read(said[0], bytes, sizeof bytes)) > 0;) ended.said.append(bytes, static_cast<size_t>(n));
  close(said[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  return ended;
}

bool Says(const Ended& ended, const char* what) { return ended.said.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("an exception that nobody caught is our own mistake, with exit code 70 and its words") {
  Ended ended = EndOf([] { throw std::logic_error("no such step"); });
  CHECK(ended.code == 70);
  CHECK(Says(ended, "error: our own mistake: no such step; please report it"));

  ended = EndOf([] { std::thread([] { throw std::out_of_range("in a thread"); }).join(); });
  CHECK(ended.code == 70);
  CHECK(Says(ended, "in a thread"));

  ended = EndOf([] { throw 1; });
  CHECK(ended.code == 70);
  CHECK(Says(ended, "our own mistake"));

  ended = EndOf([] { std::terminate(); });
  CHECK(ended.code == 70);
  CHECK(Says(ended, "our own mistake"));
}

TEST_CASE("what the system has no more of ends the process with exit code 71 and the way out") {
  Ended ended = EndOf([] { throw std::bad_alloc(); });
  CHECK(ended.code == 71);
  CHECK(Says(ended, "there is no memory left"));

  ended = EndOf([] { throw std::system_error(EAGAIN, std::generic_category(), "no thread"); });
  CHECK(ended.code == 71);
  CHECK(Says(ended, "ulimit"));
}

}  // namespace weir
