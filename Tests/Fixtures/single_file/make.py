"""Makes tiny models of each family, as published and as one file, with Scripts/single-file.py.

    python make.py

NAME.published.safetensors holds the tensors of the parts as `unet.…`, `vae.…`, `text_encoder.…`;
NAME.safetensors (for sd1 also .ckpt and .gguf) the same in the original naming.
"""

import importlib.util
import os

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

here = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("single_file", f"{here}/../../../Scripts/single-file.py")
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)
torch.manual_seed(11)


def tensors(model, text=False):
    state = {k: v.half() for k, v in model.state_dict().items() if not k.endswith("position_ids")}
    if text:  # transformers 5 writes no `text_model.`, which every published folder has
        state = {k if k.startswith(("text_model.", "text_projection")) else f"text_model.{k}": v for k, v in state.items()}
    return state


def network(**more):
    common = dict(sample_size=8, block_out_channels=(4, 8), norm_num_groups=2, cross_attention_dim=8, attention_head_dim=2)
    return tensors(UNet2DConditionModel(**(common | more)))


def autoencoder():
    return tensors(AutoencoderKL(down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2))


def text(kind, layers):
    return tensors(kind(CLIPTextConfig(vocab_size=20, hidden_size=8, intermediate_size=12, num_hidden_layers=layers, num_attention_heads=2, max_position_embeddings=7, projection_dim=6)), text=True)


models = {
    "sd1": ({"unet": network(layers_per_block=2, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))}, 2),
    "sd2": ({"unet": network(layers_per_block=1, in_channels=9, use_linear_projection=True, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))}, 1),
    "sdxl": ({"unet": network(layers_per_block=1, use_linear_projection=True, transformer_layers_per_block=(1, 2), addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=30, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))}, 1),
}
for family, (parts, layers) in models.items():
    parts["vae"] = autoencoder()
    parts["text_encoder"] = text(CLIPTextModel, 2)
    if family == "sdxl":
        parts["text_encoder_2"] = text(CLIPTextModelWithProjection, 2)
    save_file({f"{part}.{k}": v.contiguous() for part, state in parts.items() for k, v in state.items()}, f"{here}/{family}.published.safetensors")
    script.write(script.convert(parts, layers, family), f"{here}/{family}", {})
    if family != "sd1":
        os.remove(f"{here}/{family}.ckpt")
        os.remove(f"{here}/{family}.gguf")
