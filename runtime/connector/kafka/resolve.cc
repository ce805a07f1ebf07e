#include "runtime/connector/kafka/resolve.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cstdlib>
#include <cstring>

#include "runtime/connector/dns/resolve.h"

namespace weir::kafka {
namespace {

constexpr int kWaitMsMax = 5'000;

void FreeList(addrinfo* list) {
  while (list) {
    addrinfo* next = list->ai_next;
    free(list);
    list = next;
  }
}

// As getaddrinfo; `node` and `service` null: frees *res. librdkafka's threads.
int Resolve(const char* node, const char* service, const addrinfo*, addrinfo** res, void*) {
  if (!node && !service) {
    FreeList(*res);
    return 0;
  }
  uint16_t port = static_cast<uint16_t>(strtoul(service ? service : "0", nullptr, 10));
  dns::Resolved found = dns::Resolve(node, kWaitMsMax);
  addrinfo* list = nullptr;
  addrinfo** tail = &list;
  for (dns::Address& address : found.addresses) {
    address.SetPort(port);
    // One piece of memory: the entry with its address behind it.
    auto* entry = static_cast<addrinfo*>(calloc(1, sizeof(addrinfo) + sizeof(sockaddr_storage)));
    if (entry == nullptr) {
      FreeList(list);
      return EAI_MEMORY;
    }
    entry->ai_family = address.storage.ss_family;
    entry->ai_socktype = SOCK_STREAM;
    entry->ai_protocol = IPPROTO_TCP;
    entry->ai_addrlen = address.size;
    entry->ai_addr = reinterpret_cast<sockaddr*>(entry + 1);
    memcpy(entry->ai_addr, &address.storage, address.size);
    *tail = entry;
    tail = &entry->ai_next;
  }
  *res = list;
  return list ? 0 : EAI_NONAME;
}

}  // namespace

void UseResolver(rd_kafka_conf_t* conf) { rd_kafka_conf_set_resolve_cb(conf, Resolve); }

}  // namespace weir::kafka
