// What an HTTP status means for a lookup.
#pragma once

#include <string>

#include "runtime/connector/http/http_settings.h"
#include "runtime/core/str.h"
#include "runtime/lookup/connector.h"

namespace weir::http {

//   2xx with a body                        found
//   204, any 2xx without a body, 404, 410  missing
//   408, 425, 429, 500, 502, 503, 504      error, worth another attempt, after `Retry-After` if given
//   3xx                                    error that names where it would have led: redirects are not followed
//   other 4xx                              rejected
//   everything else                        error
// Sets outcome, transient and, unless found, reason.
void SetOutcome(const Settings& settings, const LookupRequest& request, int status, Str body, Str location,
                LookupAnswer* answer);

// `GET http://host:port/accounts/a1?…`: the query may carry secrets and is left out.
std::string RequestName(const Settings& settings, const LookupRequest& request);

}  // namespace weir::http
