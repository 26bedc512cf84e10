#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ito_images.h"

static inline ito_image_result ito_image_fail(ito_image_result result, char *message,
                                              const char *text) {
  snprintf(message, ITO_IMAGE_MESSAGE, "%s", text);
  return result;
}
