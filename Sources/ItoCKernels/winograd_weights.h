// The layout of some panels of sixteen output channels, for winograd.cpp.
#pragma once
#include "include/ito_runtime.h"
#include "include/ito_winograd.h"

/// Bytes of a panel's kernels.
static inline int64_t panel_bytes(const ito_winograd_desc& d) {
  return d.channels * 9 * 16 * (d.kernel_dtype == ITO_F32 ? 4 : 2);
}

/// Lays out the kernels of `count` panels from `first` on, of a kernel as `ito_winograd_pack` takes it, to `packed`,
/// [panel, channel, 9, 16].
void ito_winograd_pack_panels(const ito_winograd_desc* desc, const void* kernel, int order, int64_t first, int64_t count,
                              void* packed);
