#!/usr/bin/env python3
"""Writes goldens of a hub folder's denoiser and decoder with what PyTorch gets in float32 and in bfloat16.

    accuracy.py FOLDER OUT [--size W H]

OUT/denoiser and OUT/decoder are then judged by `ito parity OUT/denoiser OUT/decoder --precision bfloat16`: our error in
bfloat16, against PyTorch's float32, beside PyTorch's own. Weights are linked, not copied.
"""
import argparse
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

import model_peer


def write(out, source, inputs, f32, bf16):
    out.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(config))
    weights = out / "weights.safetensors"
    weights.unlink(missing_ok=True)
    weights.symlink_to(next(source.glob("*.safetensors")).resolve())
    tensors = {f"in.{name}": value for name, value in inputs.items()}
    for name, value in f32.items():
        tensors[f"out.{name}"] = value
        tensors[f"out.bf16.{name}"] = bf16[name].float()
        error = (bf16[name].float() - value).norm() / value.norm()
        print(json.dumps({"golden": str(out), "output": name, "torch_bf16_rel_rms": float(error)}), flush=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, out / "io.safetensors")


def both(module, inputs):
    """The module's output in float32, and in bfloat16 from the same numbers."""
    with torch.inference_mode():
        whole = module(*inputs)
        module.to(torch.bfloat16)
        return whole, module(*[i.to(torch.bfloat16) if i.is_floating_point() else i for i in inputs])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--size", type=int, nargs=2, metavar=("W", "H"))
    args = parser.parse_args()
    if not (args.folder / "model_index.json").is_file():
        sys.exit(f"{args.folder} is not a folder in the layout of the hub: it has no model_index.json")
    args.batch, args.parts = 1, ["denoiser", "decode"]
    torch.manual_seed(0)
    for part, module, inputs in model_peer.parts(args.folder, args):
        whole, half = both(module, inputs)
        if part == "decode":
            write(args.out / "decoder", args.folder / "vae", {"z": inputs[0]}, {"decoded": whole}, {"decoded": half})
        else:
            index = json.loads((args.folder / "model_index.json").read_text())
            is_unet = "unet" in index
            names = ["sample", "timestep", "encoder_hidden_states" if is_unet else "class_labels"]
            if len(inputs) > 3:
                names += ["added_cond_kwargs.text_embeds", "added_cond_kwargs.time_ids"]
            write(args.out / "denoiser", args.folder / ("unet" if is_unet else "transformer"), dict(zip(names, inputs)),
                  {"sample": whole}, {"sample": half})
        del module


if __name__ == "__main__":
    main()
