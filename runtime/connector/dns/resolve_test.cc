// Names, numbers and answers that no service of a name may have; the name server is one of the test's own.
#include "runtime/connector/dns/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

namespace weir::dns {
namespace {

// A hosts file of the test's own, which c-ares reads instead of /etc/hosts.
struct Hosts {
  std::string path = "/tmp/weir_hosts_" + std::to_string(getpid());
  explicit Hosts(const std::string& text) {
    std::ofstream(path) << text;
    setenv("CARES_HOSTS", path.c_str(), 1);
  }
  ~Hosts() {
    unsetenv("CARES_HOSTS");
    unlink(path.c_str());
  }
};

std::vector<std::string> Texts(const Resolved& r) {
  std::vector<std::string> out;
  for (const Address& a : r.addresses) out.push_back(a.Text());
  return out;
}

TEST_CASE("Numbers are addresses and ask nobody") {
  for (auto [text, plain] : {std::pair{"10.1.2.3", "10.1.2.3"}, {"::1", "::1"}, {"[fd00::5]", "fd00::5"},
                             {"169.254.169.254", "169.254.169.254"}}) {
    Query q(text, 1000);
    REQUIRE(q.done());
    CHECK(Texts(q.result()) == std::vector<std::string>{plain});
  }
  Address a;
  CHECK_FALSE(ParseAddress("example.com", &a));
  CHECK_FALSE(ParseAddress("10.1.2", &a));
  CHECK_FALSE(ParseAddress("", &a));
  REQUIRE(ParseAddress("10.1.2.3", &a));
  a.SetPort(8080);
  CHECK(ntohs(reinterpret_cast<sockaddr_in&>(a.storage).sin_port) == 8080);
}

TEST_CASE("localhost needs no file and no server") {
  for (const char* name : {"localhost", "LOCALHOST", "localhost.", "api.localhost"}) {
    Resolved r = Resolve(name, 1000);
    CHECK(Texts(r) == std::vector<std::string>{"127.0.0.1", "::1"});
  }
}

TEST_CASE("A hosts file is asked before DNS, and read again each time") {
  {
    Hosts hosts("10.9.8.7 accounts.internal\n10.9.8.8 accounts.internal\n");
    Resolved r = Resolve("accounts.internal", 1000);
    CHECK(r.addresses.size() == 2);
    CHECK(Texts(r)[0].substr(0, 7) == "10.9.8.");
  }
  Hosts hosts("10.9.8.1 accounts.internal\n");
  CHECK(Texts(Resolve("accounts.internal", 1000)) == std::vector<std::string>{"10.9.8.1"});
}

TEST_CASE("A name never leads to link-local addresses, written so or another way") {
  for (const char* address : {"169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1"}) {
    Hosts hosts(std::string(address) + " metadata.internal\n");
    Resolved r = Resolve("metadata.internal", 1000);
    CAPTURE(address);
    CHECK(r.addresses.empty());
    CHECK(r.error.find("which no service of this name may have") != std::string::npos);
  }
}

TEST_CASE("What is no host name is an error at once") {
  CHECK_FALSE(Resolve("", 1000).error.empty());
  CHECK_FALSE(Resolve(std::string(300, 'a'), 1000).error.empty());
}

TEST_CASE("A question ends when its time is over") {
  Query q("a-name-that-is-not-there.invalid", 50);
  while (!q.done()) {
    usleep(1000);
    q.Process();
  }
  CHECK(q.result().addresses.empty());
  CHECK_FALSE(q.result().error.empty());
}

}  // namespace
}  // namespace weir::dns
