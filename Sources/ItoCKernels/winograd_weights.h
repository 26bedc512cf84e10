// The transform of some panels of sixteen output channels, for winograd.cpp.
#pragma once
#include "include/ito_winograd.h"

/// Products of a tile along one axis, as many as pixels it reads.
static inline int64_t products_along_axis(const ito_winograd_desc& d) { return d.doubles ? 3 : d.tile + 1 + d.stride; }

/// Transforms the kernels of `count` panels from `first` on, of a kernel as `ito_winograd_weights` takes it, to
/// `transformed`, [panel, product, channels, 16].
void ito_winograd_panels(const ito_winograd_desc* desc, const void* kernel, int dtype, int order, int64_t first,
                         int64_t count, float* transformed);
