"""Makes the adapter files beside it, with peft 0.x on PyTorch 2.13.

    python make.py

base.safetensors is a linear and a convolutional layer, io.safetensors what they are given and what peft gives
with each adapter; NAME.safetensors are the adapters, with α beside the factors as kohya and LyCORIS write it.
"""

import os

import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))


class Layers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(12, 8)
        self.conv = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1)

    def forward(self, x, image):
        return self.linear(x), self.conv(image)


def base():
    torch.manual_seed(3)
    return Layers()


random = torch.Generator().manual_seed(4)
x, image = torch.randn(5, 12, generator=random), torch.randn(2, 4, 7, 6, generator=random)
io = {"x": x, "image": image}
save_file(base().state_dict(), f"{here}/base.safetensors")
targets = ["linear", "conv"]
configs = {
    "lora": LoraConfig(r=3, lora_alpha=6, target_modules=targets),
    "dora": LoraConfig(r=3, lora_alpha=6, use_dora=True, target_modules=targets),
    "loha": LoHaConfig(r=2, alpha=5, target_modules=targets),
    "loha_tucker": LoHaConfig(r=2, alpha=5, target_modules=targets, use_effective_conv2d=True),
    "lokr": LoKrConfig(r=1, alpha=3, target_modules=targets, decompose_factor=2),
    "lokr_tucker": LoKrConfig(r=1, alpha=3, target_modules=targets, decompose_both=True, use_effective_conv2d=True),
}
for name, config in configs.items():
    model = get_peft_model(base(), config)
    for key, parameter in model.named_parameters():
        if any(part in key for part in ("lora_A", "lora_B", "hada", "lokr")):
            parameter.data = 0.5 * torch.randn(parameter.shape, generator=random)
        if "magnitude" in key:
            parameter.data = parameter.data * (1 + 0.2 * torch.rand(parameter.shape, generator=random))
    with torch.no_grad():
        io[f"{name}.linear"], io[f"{name}.conv"] = model(x, image)
    tensors = {k: v.contiguous() for k, v in get_peft_model_state_dict(model).items()}
    alpha = getattr(config, "alpha", None) or config.lora_alpha
    for layer in targets:
        tensors[f"base_model.model.{layer}.alpha"] = torch.tensor(float(alpha))
    save_file(tensors, f"{here}/{name}.safetensors")
with torch.no_grad():
    io["base.linear"], io["base.conv"] = base()(x, image)
save_file({k: v.contiguous() for k, v in io.items()}, f"{here}/io.safetensors")
