// For runtime.cpp.
#pragma once

/// Whether the processor has products of bfloat16 pairs that are quicker than those of float32 numbers.
bool bf16_pairs_pay();
