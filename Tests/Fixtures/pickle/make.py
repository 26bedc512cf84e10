"""Makes the pickles beside it, with PyTorch 2.13 (and safetensors for what they hold).

    python make.py

zip.pt and plain.pt are the same tensors in the two layouts of torch.save, expected.safetensors what they
hold. The others ask for things that must be refused; they hold no payload beyond `echo`.
"""

import collections
import os
import pickle

import torch
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
generator = torch.Generator().manual_seed(5)


def random(*shape):
    return torch.randn(*shape, generator=generator)


shared = random(6, 4)
weights = collections.OrderedDict(
    [
        ("f32", random(3, 5)),
        ("f16", random(7).half()),
        ("bf16", random(2, 3).bfloat16()),
        ("f64", random(4).double()),
        ("i64", torch.tensor([1, -2, 2**40])),
        ("i32", torch.tensor([[7, -8]], dtype=torch.int32)),
        ("u8", torch.tensor([0, 255], dtype=torch.uint8)),
        ("bool", torch.tensor([True, False, True])),
        ("scalar", torch.tensor(2.5)),
        ("empty", torch.zeros(0, 3)),
        ("transposed", shared.t()),
        ("slice", shared[2:4, 1:3]),
        ("tied", shared),
        ("kernel", random(2, 3, 3, 3).contiguous(memory_format=torch.channels_last)),
        ("parameter", torch.nn.Parameter(random(2, 2))),
    ]
)
checkpoint = {
    "epoch": 3,
    "global_step": 470000,
    "state_dict": weights,
    "optimizer_states": [{"exp_avg": random(3, 5)}],
    "note": "écrit à la main",
}
torch.save(checkpoint, f"{here}/zip.pt")
torch.save(checkpoint, f"{here}/plain.pt", _use_new_zipfile_serialization=False)
save_file({k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in weights.items()}, f"{here}/expected.safetensors")
torch.save(
    {"string_to_token": {"*": 265}, "string_to_param": {"*": random(2, 8)}, "name": "cat", "step": 499},
    f"{here}/embedding.pt",
)


class Call:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


torch.save({"weight": random(2), "x": Call(os.system, "echo")}, f"{here}/system.pt")
torch.save({"x": Call(eval, "1")}, f"{here}/eval.pt", _use_new_zipfile_serialization=False)
for protocol in range(5):
    with open(f"{here}/system-{protocol}.pt", "wb") as file:
        pickle.dump({"x": Call(os.system, "echo")}, file, protocol=protocol)
