// One table of statuses, and reasons that an operator can act on.
#include "runtime/connector/http/http_outcome.h"

#include "runtime/core/utf8.h"

namespace weir::http {
namespace {

constexpr uint32_t kBodyCut = 200;

// The body's beginning on one line, without what no log or dead letter should have to bear.
std::string Cut(Str body) {
  std::string out;
  for (uint32_t i = 0; i < body.size && out.size() < kBodyCut; ++i) {
    unsigned char c = static_cast<unsigned char>(body[i]);
    out += c < 0x20 || c >= 0x7f ? ' ' : static_cast<char>(c);
  }
  if (body.size > kBodyCut) out += "…";
  return out;
}

}  // namespace

std::string RequestName(const Settings& settings, const LookupRequest& request) {
  std::string_view target = request.target.view();
  size_t query = target.find('?');
  std::string out(request.verb.view());
  out += ' ';
  out += settings.origin;
  out += settings.prefix;
  out += target.substr(0, query);
  if (query != std::string_view::npos) out += "?…";
  return out;
}

void SetOutcome(const Settings& settings, const LookupRequest& request, int status, Str body, Str location,
                LookupAnswer* answer) {
  if (status >= 200 && status < 300 && status != 204 && body.size != 0) {
    answer->outcome = Outcome::kFound;
    return;
  }
  answer->reason = "HTTP " + std::to_string(status) + " from " + RequestName(settings, request);
  if ((status >= 200 && status < 300) || status == 404 || status == 410) {
    answer->outcome = Outcome::kMissing;
    if (status >= 200 && status < 300) answer->reason += " without a body";
    return;
  }
  if (status >= 300 && status < 400) {
    answer->outcome = Outcome::kError;
    answer->reason += ", which leads elsewhere; redirects are not followed";
    std::string_view to = location.view();
    if (!to.empty()) answer->reason += " (to " + Cut(Str(to.substr(0, to.find('?')))) + ")";
    return;
  }
  if (body.size != 0) answer->reason += ": " + Cut(body);
  switch (status) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      answer->outcome = Outcome::kError;
      answer->transient = true;
      return;
    default:
      answer->outcome = status >= 400 && status < 500 ? Outcome::kRejected : Outcome::kError;
  }
}

}  // namespace weir::http
