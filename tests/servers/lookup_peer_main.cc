// The lookup peer as a program. Prints "ready 127.0.0.1:PORT control 127.0.0.1:PORT" and serves until it is ended;
// it also ends when the process that started it does.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/servers/lookup_peer.h"

int main(int argc, char** argv) {
  weir_test::PeerOptions options;
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    if (i + 1 == argc) {
      fprintf(stderr,
              "usage: lookup_peer [--port N] [--control-port N] [--delay MIN..MAX] [--data FILE.ndjson] [--key NAME]\n");
      return 2;
    }
    const char* value = argv[++i];
    if (name == "--port") {
      options.port = atoi(value);
    } else if (name == "--control-port") {
      options.control_port = atoi(value);
    } else if (name == "--delay") {
      if (!weir_test::ParseRange(value, &options.delay_min_ms, &options.delay_max_ms)) {
        fprintf(stderr, "lookup_peer: --delay is 5 or 0..10, in milliseconds, not %s\n", value);
        return 2;
      }
    } else if (name == "--data") {
      options.data_path = value;
    } else if (name == "--key") {
      options.data_key = value;
    } else {
      fprintf(stderr, "lookup_peer: unknown option %s\n", name.c_str());
      return 2;
    }
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  rlimit files{65536, 65536};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) {  // not root: as many as the hard limit allows
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  weir_test::LookupPeer peer(options);
  if (!peer.Open()) return 1;
  printf("ready 127.0.0.1:%d control 127.0.0.1:%d\n", peer.port(), peer.control_port());
  fflush(stdout);
  peer.Run();
}
