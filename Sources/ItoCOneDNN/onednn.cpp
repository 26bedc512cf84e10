#include "include/ito_onednn.h"
#include <dnnl.h>
extern "C" int ito_onednn_version(void){ return DNNL_VERSION_MAJOR; }
