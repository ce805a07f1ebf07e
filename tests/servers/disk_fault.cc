// Runs a program and, at its n-th system call that touches files below a directory, kills it or makes that call fail as a
// disk would: what a sweep over all of them needs. Or it makes each sync of such files slow, or lets the program make so many
// threads and no more, as a limit on them does (which does not hold for root, as whom tests may run).
//
//   disk_fault DIRECTORY N kill|EIO|ENOSPC PROGRAM ARGUMENT…
//   disk_fault DIRECTORY N threads PROGRAM ARGUMENT…
//   disk_fault DIRECTORY SECONDS slow PROGRAM ARGUMENT…
//
// N counts from 1 over all threads; 0: nothing happens. With `threads` the N-th thread that is made, and each behind it, is
// refused with EAGAIN. The last line of stderr says how many calls there were and which one it was: "disk_fault: 57 calls,
// fdatasync". The exit code is the program's, 137 when it was killed. A slow sync says on stderr when it begins and ends:
// "disk_fault: fdatasync hangs", "disk_fault: fdatasync goes on"; all else goes on meanwhile. SIGTERM is passed on to the
// program.
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <time.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

struct Call {
  const char* name;
  enum By { kDescriptor, kPath, kPathBehindDirectory } by;  // where the first arguments say which file it is
  bool writes;
};

// ENOSPC is an answer to those that write only.
const std::map<long, Call>& Calls() {
  static const std::map<long, Call> calls = {
      {SYS_openat, {"openat", Call::kPathBehindDirectory, true}},
      {SYS_mkdir, {"mkdir", Call::kPath, true}},
      {SYS_rename, {"rename", Call::kPath, true}},
      {SYS_unlink, {"unlink", Call::kPath, true}},
      {SYS_read, {"read", Call::kDescriptor, false}},
      {SYS_pread64, {"pread64", Call::kDescriptor, false}},
      {SYS_getdents64, {"getdents64", Call::kDescriptor, false}},
      {SYS_flock, {"flock", Call::kDescriptor, false}},
      {SYS_write, {"write", Call::kDescriptor, true}},
      {SYS_writev, {"writev", Call::kDescriptor, true}},
      {SYS_pwrite64, {"pwrite64", Call::kDescriptor, true}},
      {SYS_pwritev, {"pwritev", Call::kDescriptor, true}},
      {SYS_ftruncate, {"ftruncate", Call::kDescriptor, true}},
      {SYS_fallocate, {"fallocate", Call::kDescriptor, true}},
      {SYS_fsync, {"fsync", Call::kDescriptor, true}},
      {SYS_fdatasync, {"fdatasync", Call::kDescriptor, true}},
  };
  return calls;
}

std::string PathAt(pid_t pid, unsigned long address) {
  std::string path(PATH_MAX, '\0');
  // Up to the end of a page at a time: what lies behind it may not be there.
  size_t have = 0;
  while (have < path.size()) {
    size_t size = 4096 - (address + have) % 4096;
    if (size > path.size() - have) size = path.size() - have;
    iovec to = {path.data() + have, size}, from = {reinterpret_cast<void*>(address + have), size};
    if (process_vm_readv(pid, &to, 1, &from, 1, 0) <= 0) break;
    have += size;
    if (memchr(path.data(), 0, have) != nullptr) break;
  }
  return path.c_str();
}

bool Below(const std::string& path, const std::string& directory) {
  return path == directory || path.rfind(directory + "/", 0) == 0;
}

bool Touches(pid_t pid, const Call& call, const __ptrace_syscall_info& info, const std::string& directory) {
  const auto* arguments = info.entry.args;
  if (call.by == Call::kPath) return Below(PathAt(pid, arguments[0]), directory);
  if (call.by == Call::kPathBehindDirectory) return Below(PathAt(pid, arguments[1]), directory);
  char target[PATH_MAX];
  std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(static_cast<int>(arguments[0]));
  ssize_t size = readlink(link.c_str(), target, sizeof target);
  return size > 0 && Below(std::string(target, static_cast<size_t>(size)), directory);
}

// A thread that waits for a slow disk, before its call.
struct Waiting {
  pid_t pid;
  const char* call;
  double until;
};

double Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

volatile sig_atomic_t asked_to_end = 0;

// Signals end waitpid now and then, so that those who have waited long enough go on.
void Interruptible() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  action.sa_handler = [](int) { asked_to_end = 1; };
  sigaction(SIGTERM, &action, nullptr);
  itimerval often = {{0, 20'000}, {0, 20'000}};
  setitimer(ITIMER_REAL, &often, nullptr);
}

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(125);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fputs("disk_fault DIRECTORY N kill|EIO|ENOSPC|threads PROGRAM ARGUMENT…\ndisk_fault DIRECTORY SECONDS slow PROGRAM ARGUMENT…\n",
          stderr);
    return 125;
  }
  const std::string directory = argv[1], what = argv[3];
  const long at = atol(argv[2]);
  const bool slow = what == "slow", threads = what == "threads";
  const long error = what == "EIO" ? EIO : what == "ENOSPC" ? ENOSPC : threads ? EAGAIN : 0;
  std::vector<Waiting> waiting;
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    execv(argv[4], argv + 4);
    Die(argv[4]);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) Die("fork");
  if (ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) != 0) Die("ptrace");
  if (slow) Interruptible();
  ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  long count = 0;
  std::set<pid_t> failing;  // threads whose call is made to fail
  const char* hit = "none";
  int code = 125;
  for (;;) {
    for (size_t i = 0; i < waiting.size();) {
      if (waiting[i].until > Now()) {
        ++i;
        continue;
      }
      fprintf(stderr, "disk_fault: %s goes on\n", waiting[i].call);
      ptrace(PTRACE_SYSCALL, waiting[i].pid, nullptr, nullptr);
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (asked_to_end) {
      asked_to_end = 0;
      kill(child, SIGTERM);
    }
    pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) break;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (pid == child) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      continue;
    }
    int sig = WSTOPSIG(status);
    if (sig == (SIGTRAP | 0x80)) {
      sig = 0;
      __ptrace_syscall_info info;
      if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0) {
        auto call = info.op == PTRACE_SYSCALL_INFO_ENTRY ? Calls().find(static_cast<long>(info.entry.nr)) : Calls().end();
        if (slow) {
          const bool syncs = call != Calls().end() && (call->first == SYS_fsync || call->first == SYS_fdatasync);
          if (syncs && Touches(pid, call->second, info, directory)) {
            fprintf(stderr, "disk_fault: %s hangs\n", call->second.name);
            waiting.push_back({pid, call->second.name, Now() + static_cast<double>(at)});
            continue;
          }
        } else if (threads && info.op == PTRACE_SYSCALL_INFO_ENTRY) {
          if ((info.entry.nr == SYS_clone3 || info.entry.nr == SYS_clone) && ++count >= at && at > 0) {
            hit = "clone";
            failing.insert(pid);
            ptrace(PTRACE_POKEUSER, pid, sizeof(long) * ORIG_RAX, -1L);
          }
        } else if (call != Calls().end() && (error != ENOSPC || call->second.writes) && Touches(pid, call->second, info, directory) &&
            ++count == at) {
          hit = call->second.name;
          if (error == 0) {
            kill(child, SIGKILL);
          } else {
            failing.insert(pid);
            ptrace(PTRACE_POKEUSER, pid, sizeof(long) * ORIG_RAX, -1L);
          }
        } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && failing.erase(pid) != 0) {
          ptrace(PTRACE_POKEUSER, pid, sizeof(long) * RAX, -error);
        }
      }
    } else if (sig == SIGTRAP || sig == SIGSTOP) {
      sig = 0;  // a new thread, on both sides; the program's start
    }
    ptrace(PTRACE_SYSCALL, pid, nullptr, sig);
  }
  fprintf(stderr, "disk_fault: %ld calls, %s\n", count, hit);
  return code;
}
