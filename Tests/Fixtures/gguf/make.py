"""Makes blocks.gguf and expected.safetensors beside it, with gguf 0.19 and safetensors (PyPI).

    python make.py

One tensor of each type: quantized by gguf's own code where it can, else random blocks with sane scales; the
expected values are what gguf's dequantize gives.
"""

import os

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Q
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(7)
writer = gguf.GGUFWriter(f"{here}/blocks.gguf", "sd1")
writer.add_string("general.name", "blocks of every type")
writer.add_uint32("test.number", 7)
writer.add_float32("test.fraction", 0.5)
writer.add_bool("test.flag", True)
writer.add_array("test.short", [1, 2, 3])
writer.add_array("test.texts", [f"text {i}" for i in range(20)])
expected = {}


def add(name, data, values, raw=None, shape=None):
    writer.add_tensor(name, data, raw_shape=shape, raw_dtype=raw)
    expected[name] = np.ascontiguousarray(values, dtype=np.float32)


for name, dtype in (("F32", np.float32), ("F16", np.float16)):
    x = random.standard_normal((3, 5)).astype(dtype)
    add(name, x, x)
x = random.standard_normal((2, 8)).astype(np.float32)
q = quantize(x, Q.BF16)
add("BF16", q, dequantize(q, Q.BF16), Q.BF16)
x = random.standard_normal((2, 3, 3, 3)).astype(np.float32)
add("kernel", x, x)

# Where the half-precision numbers of a block are.
halves = {
    Q.Q2_K: (80, 82), Q.Q3_K: (108,), Q.Q4_K: (0, 2), Q.Q5_K: (0, 2), Q.Q6_K: (208,), Q.IQ4_NL: (0,), Q.IQ4_XS: (0,),
}
for q in (Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K, Q.IQ4_NL, Q.IQ4_XS):
    count, size = GGML_QUANT_SIZES[q]
    rows, blocks = 3, 2
    if q in halves:
        data = random.integers(0, 256, (rows, blocks, size), dtype=np.uint8)
        for at in halves[q]:
            scale = random.uniform(-0.1, 0.1, (rows, blocks, 1)).astype(np.float16)
            data[..., at : at + 2] = scale.view(np.uint8)
        data = data.reshape(rows, blocks * size)
    else:
        data = quantize(random.standard_normal((rows, blocks * count)).astype(np.float32), q)
    add(q.name, data, dequantize(data, q), q)

# A kernel flattened to rows of blocks, with its shape noted.
x = random.standard_normal((4, 2, 4, 4)).astype(np.float32)
data = quantize(x.reshape(4, 32), Q.Q8_0)
writer.add_array("comfy.gguf.orig_shape.flattened", [4, 2, 4, 4])
add("flattened", data, dequantize(data, Q.Q8_0).reshape(4, 2, 4, 4), Q.Q8_0)

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
save_file(expected, f"{here}/expected.safetensors")
