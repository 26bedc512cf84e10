// HTTP through the system's libcurl, found when the first request is made, so that a program that
// makes none neither loads it nor needs it.
#ifndef ITO_HTTP_H
#define ITO_HTTP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A request, and who hears of the answer. Callbacks return 0 to go on and anything else to stop.
typedef struct {
  const char *url;
  /// `Name: value` lines, ended by NULL.
  const char *const *headers;
  /// Ask for the headers alone.
  int is_head;
  /// Seconds to connect, and seconds without a byte, before giving up.
  long timeout;
  void *context;
  /// A line of the answer's headers, without its end.
  int (*on_header)(void *context, const char *line, int64_t count);
  /// Bytes of the answer's body.
  int (*on_body)(void *context, const void *bytes, int64_t count);
  /// Called several times a second.
  int (*on_wait)(void *context);
} ito_http_request;

/// How a request went.
enum {
  ITO_HTTP_OK = 0,
  /// A callback stopped it.
  ITO_HTTP_STOPPED = 1,
  /// The connection was cut before the body's end, or stalled.
  ITO_HTTP_CUT = 2,
  /// The host could not be reached.
  ITO_HTTP_UNREACHABLE = 3,
  /// Anything else; `message` tells.
  ITO_HTTP_FAILED = 4,
  /// There is no libcurl.
  ITO_HTTP_MISSING = 5
};

typedef struct {
  int outcome;
  /// The status of the answer, 0 when there was none.
  long status;
  char message[256];
} ito_http_result;

/// Makes a request and waits for its end. Redirections are not followed.
ito_http_result ito_http_perform(const ito_http_request *request);

#ifdef __cplusplus
}
#endif
#endif
