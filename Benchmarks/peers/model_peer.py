#!/usr/bin/env python3
"""Times the parts of a hub folder in another engine on this CPU, one JSON line a part, as `ito bench --json` does.

    model_peer.py torch|openvino FOLDER [--size W H] [--batch N] [--precision f32|bf16] [--threads N] [--rounds N]
                  [--parts text,denoiser,decode]

`ito bench MODEL --against torch,openvino` runs it. The denoiser is evaluated once, without guidance, on `batch`
latents; the text encoders on 77 tokens of one prompt. torch: channels-last, fused attention, large blocks kept.
OpenVINO: shapes fixed, converted from the same PyTorch modules (weights kept in half precision for bf16) and run by
openvino_peer.py, each part in a process of its own.
"""
import argparse
import gc
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import diffusers
import torch
import transformers

import peer
import timing

# What tracing a model for OpenVINO warns of concerns other shapes; the shapes are fixed here.
warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
transformers.utils.logging.disable_progress_bar()

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class Text(torch.nn.Module):
    """The encoders' token streams."""

    def __init__(self, models):
        super().__init__()
        self.models = torch.nn.ModuleList(models)

    def forward(self, ids):
        return [model(ids, return_dict=False)[0] for model in self.models]


class Denoiser(torch.nn.Module):
    """One evaluation with everything it takes as plain tensors."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, t, *given):
        if "UNet2DCondition" in type(self.model).__name__:
            added = {"text_embeds": given[1], "time_ids": given[2]} if len(given) > 1 else None
            return self.model(x, t, given[0], added_cond_kwargs=added, return_dict=False)[0]
        return self.model(x, timestep=t, class_labels=given[0], return_dict=False)[0]


class Decoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, z):
        return self.model.decode(z, return_dict=False)[0]


def load(folder, index, name, dtype):
    """A component."""
    library, kind = index[name]
    module = {"diffusers": diffusers, "transformers": transformers}[library]
    return getattr(module, kind).from_pretrained(folder / name, torch_dtype=dtype).eval()


def latents(folder, index, args):
    """Random latents of the asked size."""
    config = json.loads((folder / ("unet" if "unet" in index else "transformer") / "config.json").read_text())
    scale = 8
    if "vae" in index:
        vae = json.loads((folder / "vae" / "config.json").read_text())
        scale = 2 ** (len(vae["block_out_channels"]) - 1)
    channels = vae["latent_channels"] if "vae" in index else config["in_channels"]
    width, height = args.size or [scale * config["sample_size"]] * 2
    return torch.randn(args.batch, channels, height // scale, width // scale), (width, height), config


def parts(folder, args, dtype=torch.float32):
    """(part, module, example inputs in float32), one at a time, so that only one is in memory."""
    index = json.loads((folder / "model_index.json").read_text())
    x, (width, height), config = latents(folder, index, args)
    if "text" in args.parts and "text_encoder" in index:
        encoders = [name for name in ("text_encoder", "text_encoder_2") if index.get(name, [None])[0]]
        models = [load(folder, index, name, dtype) for name in encoders]
        yield "text", Text(models), (torch.randint(0, models[0].config.vocab_size, (1, 77)),)
    if "denoiser" in args.parts:
        name = "unet" if "unet" in index else "transformer"
        model = load(folder, index, name, dtype)
        extra = torch.randn(args.batch, config["in_channels"] - x.shape[1], *x.shape[2:])
        inputs = [torch.cat([x, extra], 1), torch.full((args.batch,), 500)]
        if name == "unet":
            inputs.append(torch.randn(args.batch, 77, config["cross_attention_dim"]))
            if config.get("addition_embed_type") == "text_time":
                ids = torch.tensor([[float(height), width, 0, 0, height, width]])
                pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
                inputs += [torch.randn(args.batch, pooled), ids.repeat(args.batch, 1)]
        else:
            inputs.append(torch.full((args.batch,), 3))
        yield "denoiser", Denoiser(model), tuple(inputs)
    if "decode" in args.parts and "vae" in index:
        yield "decode", Decoder(load(folder, index, "vae", dtype)), (x,)


def torch_runner(module, inputs, dtype):
    module = module.to(memory_format=torch.channels_last)
    inputs = [i.to(dtype) if i.is_floating_point() else i for i in inputs]
    inputs = [i.contiguous(memory_format=torch.channels_last) if i.ndim == 4 else i for i in inputs]

    def call():
        with torch.inference_mode():
            module(*inputs)

    return call


def time_torch(args):
    peer.keep_memory()
    torch.set_num_threads(args.threads)
    timing.reset_peak()
    for part, module, inputs in parts(args.folder, args, DTYPES[args.precision]):
        timing.report("torch", part, torch_runner(module, inputs, DTYPES[args.precision]), args)
        del module
        gc.collect()
        timing.reset_peak()


def convert(args):
    """Writes the part as openvino_peer.py reads it."""
    import numpy
    import openvino

    from openvino.frontend.pytorch.patch_model import __make_16bit_traceable as make_traceable

    for _, module, inputs in parts(args.folder, args, DTYPES[args.precision]):
        if args.precision == "bf16":
            make_traceable(module)
        with torch.no_grad():
            model = openvino.convert_model(module, example_input=inputs, input=[tuple(i.shape) for i in inputs])
        openvino.save_model(model, args.convert / "model.xml", compress_to_fp16=args.precision == "bf16")
        numpy.savez(args.convert / "inputs.npz", *[i.numpy() for i in inputs])


def time_openvino(args):
    here = pathlib.Path(__file__).resolve()
    given = ["--batch", args.batch, "--precision", args.precision, "--threads", args.threads]
    size = ["--size", *args.size] if args.size else []
    index = json.loads((args.folder / "model_index.json").read_text())
    needs = {"text": "text_encoder", "decode": "vae"}
    for part in args.parts:
        if part in needs and needs[part] not in index:
            continue
        # Converting takes several times what running does: it has a process of its own.
        with tempfile.TemporaryDirectory() as folder:
            for command in ([here, "openvino", args.folder, *given, *size, "--parts", part, "--convert", folder],
                            [here.with_name("openvino_peer.py"), folder, part, *given, "--rounds", args.rounds]):
                status = subprocess.run([sys.executable, *map(str, command)]).returncode
                if status:
                    sys.exit(f"openvino: {part} failed with status {status}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=("openvino", "torch"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, nargs=2, metavar=("W", "H"))
    timing.add_arguments(parser)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=["text", "denoiser", "decode"])
    parser.add_argument("--convert", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not (args.folder / "model_index.json").is_file():
        sys.exit(f"{args.folder} is not a folder in the layout of the hub: it has no model_index.json")
    torch.manual_seed(0)
    if args.convert:
        convert(args)
    elif args.engine == "torch":
        time_torch(args)
    else:
        time_openvino(args)


if __name__ == "__main__":
    main()
