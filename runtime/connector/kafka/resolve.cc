// librdkafka's resolve callback: numbers first, then the resolver we were given.
#include "runtime/connector/kafka/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

namespace weir::kafka {
namespace {

// librdkafka's callback has one opaque pointer per configuration, and the client uses it: resolvers are kept here.
const HostResolver* the_resolver = nullptr;
std::mutex ours_mutex;
std::set<const addrinfo*>* ours = nullptr;  // lists made here, which getaddrinfo's freeaddrinfo must not see

bool Append(const std::string& text, uint16_t port, addrinfo*** tail) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&storage); inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    length = sizeof *v4;
  } else if (auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
             inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    length = sizeof *v6;
  } else {
    return false;
  }
  // One piece of memory: the entry with its address behind it.
  auto* entry = static_cast<addrinfo*>(calloc(1, sizeof(addrinfo) + sizeof(sockaddr_storage)));
  entry->ai_family = storage.ss_family;
  entry->ai_socktype = SOCK_STREAM;
  entry->ai_protocol = IPPROTO_TCP;
  entry->ai_addrlen = length;
  entry->ai_addr = reinterpret_cast<sockaddr*>(entry + 1);
  memcpy(entry->ai_addr, &storage, length);
  **tail = entry;
  *tail = &entry->ai_next;
  return true;
}

void FreeList(addrinfo* list) {
  while (list) {
    addrinfo* next = list->ai_next;
    free(list);
    list = next;
  }
}

// As getaddrinfo; `node` and `service` null: frees *res.
int Resolve(const char* node, const char* service, const addrinfo* hints, addrinfo** res, void*) {
  if (!node && !service) {
    addrinfo* list = *res;
    bool made_here;
    {
      std::lock_guard<std::mutex> lock(ours_mutex);
      made_here = ours && ours->erase(list) != 0;
    }
    if (made_here) {
      FreeList(list);
    } else {
      freeaddrinfo(list);
    }
    return 0;
  }
  uint16_t port = static_cast<uint16_t>(strtoul(service ? service : "0", nullptr, 10));
  addrinfo* list = nullptr;
  addrinfo** tail = &list;
  if (!Append(node, port, &tail)) {
    if (!the_resolver) return getaddrinfo(node, service, hints, res);
    std::string error;
    for (const std::string& address : (*the_resolver)(node, &error)) Append(address, port, &tail);
    if (!list) return EAI_NONAME;
  }
  std::lock_guard<std::mutex> lock(ours_mutex);
  if (!ours) ours = new std::set<const addrinfo*>();
  ours->insert(list);
  *res = list;
  return 0;
}

}  // namespace

void UseResolver(rd_kafka_conf_t* conf, const HostResolver* resolver) {
  if (resolver && *resolver) the_resolver = resolver;
  rd_kafka_conf_set_resolve_cb(conf, Resolve);
}

}  // namespace weir::kafka
