// The production loop: waits end early, descriptors are watched, and nothing happens after Forget.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "runtime/engine/asio_loop.h"
#include "runtime/engine/table_lock.h"

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t Elapsed(std::chrono::steady_clock::time_point from) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - from).count();
}

TEST_CASE("a wake ends a wait, also one that came before it") {
  auto loop = MakeAsioLoop();
  auto begin = std::chrono::steady_clock::now();
  loop->Wake();
  loop->Wake();
  loop->Run(60 * kSecond);
  std::thread other([&] { loop->Wake(); });
  loop->Run(60 * kSecond);
  other.join();
  CHECK(Elapsed(begin) < 30 * kSecond);
}

TEST_CASE("a wait that nothing ends takes its time, and no wait takes none") {
  auto loop = MakeAsioLoop();
  auto begin = std::chrono::steady_clock::now();
  loop->Run(20'000'000);
  CHECK(Elapsed(begin) >= 19'000'000);
  for (int i = 0; i < 1000; ++i) loop->Run(0);
}

TEST_CASE("a readable descriptor is told until it is forgotten, and stays open") {
  int fds[2];
  REQUIRE(pipe(fds) == 0);
  int told = 0;
  {
    auto loop = MakeAsioLoop();
    loop->Watch(fds[0], [&] {
      char byte;
      CHECK(read(fds[0], &byte, 1) == 1);
      ++told;
    });
    CHECK(write(fds[1], "x", 1) == 1);
    loop->Run(10 * kSecond);
    CHECK(told == 1);
    CHECK(write(fds[1], "yz", 2) == 2);
    while (told < 3) loop->Run(10 * kSecond);
    loop->Forget(fds[0]);
    loop->Forget(fds[0]);
    CHECK(write(fds[1], "w", 1) == 1);
    loop->Run(1'000'000);
    CHECK(told == 3);
    // Watched again, and still watched when the loop goes away.
    loop->Watch(fds[0], [&] {
      char byte;
      CHECK(read(fds[0], &byte, 1) == 1);
      ++told;
    });
    loop->Run(10 * kSecond);
    CHECK(told == 4);
  }
  CHECK(write(fds[1], "v", 1) == 1);
  char byte;
  CHECK(read(fds[0], &byte, 1) == 1);
  close(fds[0]);
  close(fds[1]);
}

TEST_CASE("a table's writer is not kept waiting by readers that come one after another") {
  TableLock lock;
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  std::atomic<int> torn{0};
  int value = 0;
  auto read = [&] {
    while (!stop) {
      lock.LockShared();
      ++inside;
      int before = value;
      std::this_thread::yield();
      torn += before != value;  // Catch2 takes checks from one thread only
      --inside;
      lock.UnlockShared();
    }
  };
  std::thread a(read), b(read);
  for (int i = 0; i < 200; ++i) {
    lock.Lock();
    CHECK(inside == 0);
    ++value;
    lock.Unlock();
  }
  stop = true;
  a.join();
  b.join();
  CHECK(torn == 0);
  CHECK(value == 200);
}

}  // namespace
}  // namespace weir
