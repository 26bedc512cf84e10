#!/usr/bin/env python3
"""Times the parts of a hub folder in another engine on this CPU, one JSON line a part, as `ito bench --json` does.

    model_peer.py torch|openvino FOLDER [--size W H] [--batch N] [--precision f32|bf16] [--threads N] [--rounds N]
                  [--parts text,denoiser,decode]

`ito bench MODEL --against torch,openvino` runs it. The denoiser is evaluated once, without guidance, on `batch`
latents; the text encoder on 77 tokens of one prompt. torch: channels-last, fused attention, large blocks kept.
OpenVINO: shapes fixed, converted from the same PyTorch modules.
"""
import argparse
import gc
import json
import os
import pathlib
import resource
import statistics
import sys
import warnings

import diffusers
import torch
import transformers

import peer

# What tracing a model for OpenVINO warns of concerns other shapes; the shapes are fixed here.
warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
transformers.utils.logging.disable_progress_bar()

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class Text(torch.nn.Module):
    """The encoder's token stream."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model(ids, return_dict=False)[0]


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


def load(folder, index, name):
    """A component in float32, or None where the model has none."""
    library, kind = index.get(name, (None, None))
    if kind is None:
        return None
    module = {"diffusers": diffusers, "transformers": transformers}[library]
    return getattr(module, kind).from_pretrained(folder / name, torch_dtype=torch.float32).eval()


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


def parts(folder, args):
    """(part, module, example inputs), one at a time, so that only one is in memory."""
    index = json.loads((folder / "model_index.json").read_text())
    x, (width, height), config = latents(folder, index, args)
    if "text" in args.parts and "text_encoder" in index:
        model = load(folder, index, "text_encoder")
        yield "text", Text(model), (torch.randint(0, model.config.vocab_size, (1, 77)),)
    if "denoiser" in args.parts:
        name = "unet" if "unet" in index else "transformer"
        model = load(folder, index, name)
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
        yield "decode", Decoder(load(folder, index, "vae")), (x,)


def torch_runner(module, inputs, args):
    dtype = DTYPES[args.precision]
    module = module.to(dtype).to(memory_format=torch.channels_last)
    inputs = [i.to(dtype) if i.is_floating_point() else i for i in inputs]
    inputs = [i.contiguous(memory_format=torch.channels_last) if i.ndim == 4 else i for i in inputs]

    def call():
        with torch.inference_mode():
            module(*inputs)

    return call


def openvino_runner(module, inputs, args):
    import openvino

    with torch.no_grad():
        model = openvino.convert_model(module, example_input=inputs, input=[tuple(i.shape) for i in inputs])
    compiled = openvino.Core().compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": args.precision, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": args.threads})
    request = compiled.create_infer_request()
    given = [i.numpy() for i in inputs]
    return lambda: request.infer(given)


RUNNERS = {"torch": torch_runner, "openvino": openvino_runner}


def reset_peak():
    """Starts a new measurement of the most memory held, where the system can."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_mb():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=sorted(RUNNERS))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, nargs=2, metavar=("W", "H"))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--precision", choices=sorted(DTYPES), default="f32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=["text", "denoiser", "decode"])
    args = parser.parse_args()
    if not (args.folder / "model_index.json").is_file():
        sys.exit(f"{args.folder} is not a folder in the layout of the hub: it has no model_index.json")
    peer.keep_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    for part, module, inputs in parts(args.folder, args):
        reset_peak()
        call = RUNNERS[args.engine](module, inputs, args)
        walls, processors = peer.clock(call, 1, args.rounds)
        print(json.dumps({
            "peer": args.engine, "part": part, "precision": args.precision, "threads": args.threads,
            "batch": args.batch, "seconds_best": round(min(walls), 6),
            "seconds_median": round(statistics.median(walls), 6),
            "cpu_seconds_best": round(min(processors), 6), "peak_rss_mb": peak_mb(),
        }), flush=True)
        del module, call
        gc.collect()


if __name__ == "__main__":
    main()
