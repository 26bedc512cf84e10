#include "ito_http.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libcurl's application interface is stable: these numbers have been the same since they were
// introduced, and are compared with the header's where there is one.
enum {
  OPT_WRITEDATA = 10001,
  OPT_URL = 10002,
  OPT_ERRORBUFFER = 10010,
  OPT_USERAGENT = 10018,
  OPT_HTTPHEADER = 10023,
  OPT_HEADERDATA = 10029,
  OPT_XFERINFODATA = 10057,
  OPT_CAINFO = 10065,
  OPT_WRITEFUNCTION = 20011,
  OPT_HEADERFUNCTION = 20079,
  OPT_XFERINFOFUNCTION = 20219,
  OPT_LOW_SPEED_LIMIT = 19,
  OPT_LOW_SPEED_TIME = 20,
  OPT_NOPROGRESS = 43,
  OPT_NOBODY = 44,
  OPT_CONNECTTIMEOUT = 78,
  OPT_NOSIGNAL = 99,
  OPT_PROTOCOLS = 181,
  INFO_RESPONSE_CODE = 0x200000 + 2,
  PROTOCOLS_HTTP_AND_HTTPS = 3,
};

#if __has_include(<curl/curl.h>)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#include <curl/curl.h>
_Static_assert(CURLOPT_WRITEDATA == OPT_WRITEDATA && CURLOPT_URL == OPT_URL, "libcurl");
_Static_assert(CURLOPT_ERRORBUFFER == OPT_ERRORBUFFER, "libcurl");
_Static_assert(CURLOPT_USERAGENT == OPT_USERAGENT && CURLOPT_HTTPHEADER == OPT_HTTPHEADER, "libcurl");
_Static_assert(CURLOPT_HEADERDATA == OPT_HEADERDATA, "libcurl");
_Static_assert(CURLOPT_XFERINFODATA == OPT_XFERINFODATA && CURLOPT_CAINFO == OPT_CAINFO, "libcurl");
_Static_assert(CURLOPT_WRITEFUNCTION == OPT_WRITEFUNCTION, "libcurl");
_Static_assert(CURLOPT_HEADERFUNCTION == OPT_HEADERFUNCTION, "libcurl");
_Static_assert(CURLOPT_XFERINFOFUNCTION == OPT_XFERINFOFUNCTION, "libcurl");
_Static_assert(CURLOPT_LOW_SPEED_LIMIT == OPT_LOW_SPEED_LIMIT, "libcurl");
_Static_assert(CURLOPT_LOW_SPEED_TIME == OPT_LOW_SPEED_TIME, "libcurl");
_Static_assert(CURLOPT_NOPROGRESS == OPT_NOPROGRESS && CURLOPT_NOBODY == OPT_NOBODY, "libcurl");
_Static_assert(CURLOPT_CONNECTTIMEOUT == OPT_CONNECTTIMEOUT, "libcurl");
_Static_assert(CURLOPT_NOSIGNAL == OPT_NOSIGNAL, "libcurl");
_Static_assert((int)CURLOPT_PROTOCOLS == OPT_PROTOCOLS, "libcurl");
_Static_assert(CURLINFO_RESPONSE_CODE == INFO_RESPONSE_CODE, "libcurl");
#pragma clang diagnostic pop
#endif

typedef void *handle;

typedef struct {
  int is_loaded;
  handle (*init)(void);
  int (*setopt)(handle, int, ...);
  int (*perform)(handle);
  int (*getinfo)(handle, int, ...);
  void (*cleanup)(handle);
  const char *(*strerror)(int);
  void *(*slist_append)(void *, const char *);
  void (*slist_free_all)(void *);
} library;

// Loading twice at once is harmless: both find the same functions.
static library load(void) {
  library found;
  memset(&found, 0, sizeof found);
  const char *names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so"};
  void *file = NULL;
  for (int i = 0; i < 3 && !file; i++) file = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!file) return found;
  int (*start)(long) = (int (*)(long))dlsym(file, "curl_global_init");
  found.init = (handle(*)(void))dlsym(file, "curl_easy_init");
  found.setopt = (int (*)(handle, int, ...))dlsym(file, "curl_easy_setopt");
  found.perform = (int (*)(handle))dlsym(file, "curl_easy_perform");
  found.getinfo = (int (*)(handle, int, ...))dlsym(file, "curl_easy_getinfo");
  found.cleanup = (void (*)(handle))dlsym(file, "curl_easy_cleanup");
  found.strerror = (const char *(*)(int))dlsym(file, "curl_easy_strerror");
  found.slist_append = (void *(*)(void *, const char *))dlsym(file, "curl_slist_append");
  found.slist_free_all = (void (*)(void *))dlsym(file, "curl_slist_free_all");
  found.is_loaded = start && found.init && found.setopt && found.perform && found.getinfo &&
                    found.cleanup && found.strerror && found.slist_append &&
                    found.slist_free_all && start(3) == 0;
  return found;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
  const ito_http_request *request = context;
  return request->on_body(request->context, bytes, (int64_t)(size * count)) == 0 ? size * count : 0;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context) {
  const ito_http_request *request = context;
  int64_t length = (int64_t)(size * count);
  while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) length--;
  return request->on_header(request->context, bytes, length) == 0 ? size * count : 0;
}

static int on_wait(void *context, int64_t a, int64_t b, int64_t c, int64_t d) {
  const ito_http_request *request = context;
  (void)a, (void)b, (void)c, (void)d;
  return request->on_wait(request->context);
}

static int outcome(int code) {
  switch (code) {
    case 0: return ITO_HTTP_OK;
    case 23: case 42: return ITO_HTTP_STOPPED;
    case 18: case 28: case 52: case 55: case 56: case 92: return ITO_HTTP_CUT;
    case 5: case 6: case 7: return ITO_HTTP_UNREACHABLE;
    default: return ITO_HTTP_FAILED;
  }
}

ito_http_result ito_http_perform(const ito_http_request *request) {
  ito_http_result result;
  memset(&result, 0, sizeof result);
  const library curl = load();
  handle easy = curl.is_loaded ? curl.init() : NULL;
  if (!easy) {
    result.outcome = ITO_HTTP_MISSING;
    return result;
  }
  void *headers = NULL;
  for (const char *const *line = request->headers; *line; line++)
    headers = curl.slist_append(headers, *line);
  char error[256] = "";
  curl.setopt(easy, OPT_ERRORBUFFER, error);
  curl.setopt(easy, OPT_URL, request->url);
  curl.setopt(easy, OPT_HTTPHEADER, headers);
  curl.setopt(easy, OPT_USERAGENT, "ito");
  curl.setopt(easy, OPT_PROTOCOLS, (long)PROTOCOLS_HTTP_AND_HTTPS);
  curl.setopt(easy, OPT_NOSIGNAL, 1L);
  curl.setopt(easy, OPT_NOBODY, request->is_head ? 1L : 0L);
  curl.setopt(easy, OPT_CONNECTTIMEOUT, request->timeout);
  curl.setopt(easy, OPT_LOW_SPEED_LIMIT, 1L);
  curl.setopt(easy, OPT_LOW_SPEED_TIME, request->timeout);
  curl.setopt(easy, OPT_WRITEFUNCTION, on_body);
  curl.setopt(easy, OPT_WRITEDATA, request);
  curl.setopt(easy, OPT_HEADERFUNCTION, on_header);
  curl.setopt(easy, OPT_HEADERDATA, request);
  curl.setopt(easy, OPT_NOPROGRESS, 0L);
  curl.setopt(easy, OPT_XFERINFOFUNCTION, on_wait);
  curl.setopt(easy, OPT_XFERINFODATA, request);
  // Where people say which certificates to trust.
  const char *certificates = getenv("CURL_CA_BUNDLE");
  if (!certificates) certificates = getenv("SSL_CERT_FILE");
  if (!certificates) certificates = getenv("REQUESTS_CA_BUNDLE");
  if (certificates && *certificates) curl.setopt(easy, OPT_CAINFO, certificates);
  const int code = curl.perform(easy);
  curl.getinfo(easy, INFO_RESPONSE_CODE, &result.status);
  result.outcome = outcome(code);
  if (code) snprintf(result.message, sizeof result.message, "%s", *error ? error : curl.strerror(code));
  curl.slist_free_all(headers);
  curl.cleanup(easy);
  return result;
}
