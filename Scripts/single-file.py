"""Turns the folder of a Stable Diffusion pipeline into one file in the original naming, three ways.

    python Scripts/single-file.py FOLDER OUT

writes OUT/NAME.safetensors, OUT/NAME.ckpt (torch.save) and OUT/NAME.gguf (F32), where NAME is the folder's.
Needs torch, safetensors, diffusers and gguf. What diffusers' own converters make of the result is compared
with the folder's tensors, bit for bit, before anything is written.
"""

import json
import os
import re
import sys

import torch
from safetensors.torch import load_file, save_file

RESIDUAL = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}
OUTSIDE = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
}


def residual(rest):
    part, end = rest.split(".", 1)
    return f"{RESIDUAL[part]}.{end}"


def unet(tensors, layers):
    """Names of `UNet2DConditionModel` in the original repository. `layers`: residual blocks a level."""
    out = {}
    has = lambda prefix: any(k.startswith(prefix) for k in tensors)
    for key, value in tensors.items():
        stem, end = key.rsplit(".", 1)
        if stem in OUTSIDE:
            out[f"{OUTSIDE[stem]}.{end}"] = value
        elif m := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", key):
            kind, i, rest = m[1], int(m[2]), m[3]
            out[f"middle_block.{2 * i}.{residual(rest)}" if kind == "resnets" else f"middle_block.1.{rest}"] = value
        elif m := re.match(r"down_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", key):
            b, kind, i, rest = int(m[1]), m[2], int(m[3]), m[4]
            n = 1 + b * (layers + 1) + i
            name = {"resnets": lambda: f"input_blocks.{n}.0.{residual(rest)}", "attentions": lambda: f"input_blocks.{n}.1.{rest}",
                    "downsamplers": lambda: f"input_blocks.{1 + b * (layers + 1) + layers}.0.op.{rest[len('conv.'):]}"}[kind]()
            out[name] = value
        elif m := re.match(r"up_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", key):
            b, kind, i, rest = int(m[1]), m[2], int(m[3]), m[4]
            n = b * (layers + 1) + i
            last = b * (layers + 1) + layers
            place = 2 if has(f"up_blocks.{b}.attentions") else 1
            name = {"resnets": lambda: f"output_blocks.{n}.0.{residual(rest)}", "attentions": lambda: f"output_blocks.{n}.1.{rest}",
                    "upsamplers": lambda: f"output_blocks.{last}.{place}.{rest}"}[kind]()
            out[name] = value
        else:
            raise SystemExit(f"no place for {key}")
    return out


def autoencoder(tensors):
    levels = 1 + max(int(m[1]) for k in tensors if (m := re.match(r"decoder\.up_blocks\.(\d)", k)))
    attention = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
    out = {}
    for key, value in tensors.items():
        name = key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if m := re.match(r"(\w+)\.mid_block\.resnets\.(\d)\.(.*)", name):
            name = f"{m[1]}.mid.block_{int(m[2]) + 1}.{m[3]}"
        elif m := re.match(r"(\w+)\.mid_block\.attentions\.0\.(.*)\.(weight|bias)", name):
            name = f"{m[1]}.mid.attn_1.{attention[m[2]]}.{m[3]}"
            if m[3] == "weight" and m[2] != "group_norm":
                value = value[:, :, None, None]
        elif m := re.match(r"encoder\.down_blocks\.(\d)\.(resnets|downsamplers)\.(\d)\.(.*)", name):
            name = f"encoder.down.{m[1]}.block.{m[3]}.{m[4]}" if m[2] == "resnets" else f"encoder.down.{m[1]}.downsample.{m[4]}"
        elif m := re.match(r"decoder\.up_blocks\.(\d)\.(resnets|upsamplers)\.(\d)\.(.*)", name):
            level = levels - 1 - int(m[1])
            name = f"decoder.up.{level}.block.{m[3]}.{m[4]}" if m[2] == "resnets" else f"decoder.up.{level}.upsample.{m[4]}"
        out[name] = value
    return out


def open_clip(tensors):
    inside = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj", "self_attn.out_proj": "attn.out_proj"}
    out = {}
    for key, value in tensors.items():
        if m := re.match(r"text_model\.encoder\.layers\.(\d+)\.(.*)\.(weight|bias)", key):
            place = f"transformer.resblocks.{m[1]}"
            if m[2] in inside:
                out[f"{place}.{inside[m[2]]}.{m[3]}"] = value
            elif m[2] == "self_attn.q_proj":
                out[f"{place}.attn.in_proj_{m[3]}"] = torch.cat([tensors[key.replace("q_proj", f"{p}_proj")] for p in "qkv"])
        elif key == "text_projection.weight":
            out["text_projection"] = value.T.contiguous()
        else:
            out[{"text_model.embeddings.token_embedding.weight": "token_embedding.weight", "text_model.embeddings.position_embedding.weight": "positional_embedding",
                 "text_model.final_layer_norm.weight": "ln_final.weight", "text_model.final_layer_norm.bias": "ln_final.bias"}[key]] = value
    return out


def check(name, ours, theirs):
    if set(ours) != set(theirs):
        raise SystemExit(f"{name}: diffusers disagrees on {sorted(set(ours) ^ set(theirs))[:5]}")
    for key in ours:
        if not torch.equal(ours[key], theirs[key].reshape(ours[key].shape)):
            raise SystemExit(f"{name}: diffusers disagrees on the values of {key}")


def convert(parts, layers, family):
    """The tensors of one file from those of the parts: {"unet": …, "vae": …, "text_encoder": …}."""
    from diffusers.loaders import single_file_utils as reference

    out = {f"model.diffusion_model.{k}": v for k, v in unet(parts["unet"], layers).items()}
    config = {"layers_per_block": layers, "class_embed_type": None, "addition_embed_type": "text_time" if family == "sdxl" else None}
    check("unet", parts["unet"], reference.convert_ldm_unet_checkpoint(dict(out), config))
    first = {f"first_stage_model.{k}": v for k, v in autoencoder(parts["vae"]).items()}
    levels = 1 + max(int(m[1]) for k in parts["vae"] if (m := re.match(r"decoder\.up_blocks\.(\d)", k)))
    check("vae", parts["vae"], reference.convert_ldm_vae_checkpoint(dict(first), {"down_block_types": [0] * levels, "up_block_types": [0] * levels}))
    out |= first
    texts = {
        "sd1": [("text_encoder", "cond_stage_model.transformer.", dict)],
        "sd2": [("text_encoder", "cond_stage_model.model.", open_clip)],
        "sdxl": [("text_encoder", "conditioner.embedders.0.transformer.", dict), ("text_encoder_2", "conditioner.embedders.1.model.", open_clip)],
    }[family]
    for part, prefix, rename in texts:
        out |= {prefix + k: v for k, v in rename(parts[part]).items()}
    # What training leaves in such files.
    out["betas"] = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    out["model_ema.decay"] = torch.tensor(0.9999)
    if family == "sd1":
        out["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    return {k: v.contiguous() for k, v in out.items()}


def write(tensors, stem, metadata):
    import gguf

    save_file(tensors, f"{stem}.safetensors", metadata={"format": "pt"} | metadata)
    torch.save({"global_step": 1, "state_dict": tensors}, f"{stem}.ckpt")
    writer = gguf.GGUFWriter(f"{stem}.gguf", metadata.get("architecture", "sd1"))
    for key, value in tensors.items():
        if value.is_floating_point() and value.ndim > 0:
            writer.add_tensor(key, value.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(folder, target):
    index = json.load(open(f"{folder}/model_index.json"))
    parts = {}
    for part, file in (("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"), ("text_encoder", "model"), ("text_encoder_2", "model")):
        if part in index:
            parts[part] = load_file(f"{folder}/{part}/{file}.safetensors")
    layers = json.load(open(f"{folder}/unet/config.json"))["layers_per_block"]
    prediction = json.load(open(f"{folder}/scheduler/scheduler_config.json")).get("prediction_type", "epsilon")
    family = "sdxl" if "text_encoder_2" in parts else "sd2" if prediction == "v_prediction" else "sd1"
    os.makedirs(target, exist_ok=True)
    name = os.path.basename(os.path.abspath(folder))
    write(convert(parts, layers, family), f"{target}/{name}", {"architecture": family})
    print(f"{target}/{name}.safetensors, .ckpt and .gguf: {family}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
