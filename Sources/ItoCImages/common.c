#include "common.h"

void ito_image_bytes_free(ito_image_bytes *bytes) {
  free(bytes->data);
  *bytes = (ito_image_bytes){0};
}
