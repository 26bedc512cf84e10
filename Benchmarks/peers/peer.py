"""What the PyTorch peers share: the network from its JSON description, clocks, one JSON line of result."""
import contextlib
import ctypes
import json
import os
import resource
import statistics

import diffusers
import torch

from conv_transformer import ConvTransformer
from timing import clock

diffusers.logging.set_verbosity_error()

PRECISIONS = ("f32", "autocast", "bf16")


def add_arguments(parser):
    parser.add_argument("network", help="config.json of a DiTTransformer2DModel, UNet2DModel or ItoConvTransformer2DModel")
    parser.add_argument("--precision", choices=PRECISIONS, default="f32",
                        help="f32; autocast: bfloat16 products, float32 weights; bf16: everything bfloat16")
    parser.add_argument("--compile", action="store_true", help="torch.compile instead of eager mode")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tokens", type=int, default=16, help="tokens of a prompt, for networks that take one")
    parser.add_argument("--seed", type=int, default=0)


def keep_memory():
    """Has glibc keep large blocks for reuse instead of giving them back and faulting them in again, as a
    caching allocator does. Worth about 5 % of a training step to PyTorch, at the same peak."""
    libc = ctypes.CDLL(None)
    m_trim_threshold, m_top_pad, m_mmap_threshold = -1, -2, -3
    libc.mallopt(m_mmap_threshold, 1 << 30)
    libc.mallopt(m_trim_threshold, (1 << 31) - 1)
    libc.mallopt(m_top_pad, 1 << 28)


def build(args):
    """The network with PyTorch's best settings for this precision: channels last, fused attention
    (diffusers' default processor calls scaled_dot_product_attention), memory kept."""
    keep_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    with open(args.network) as file:
        config = json.load(file)
    own = {"ItoConvTransformer2DModel": ConvTransformer}.get(config["_class_name"])
    network = own(config) if own else getattr(diffusers, config["_class_name"]).from_config(config)
    dtype = torch.bfloat16 if args.precision == "bf16" else torch.float32
    if dtype != torch.float32:
        network = network.to(dtype)
    network = network.to(memory_format=torch.channels_last)
    return network, dtype


def settings(network):
    """The configuration of diffusers' networks and ours."""
    return network.settings if isinstance(network, ConvTransformer) else network.config


def call_network(network, x, time, given):
    """The output for times in steps of a thousand and a dictionary of conditioning."""
    if isinstance(network, ConvTransformer) or hasattr(network, "_orig_mod") and isinstance(
            network._orig_mod, ConvTransformer):
        return network(x, time, **given)
    return network(x, time, class_labels=given["label"], return_dict=False)[0]


def caller(network, args):
    """A function of (x, timestep, conditioning): the network under this run's precision, compiled if asked."""
    run = torch.compile(network) if args.compile else network

    def call(x, timestep, given):
        context = (torch.autocast("cpu", dtype=torch.bfloat16) if args.precision == "autocast"
                   else contextlib.nullcontext())
        with context:
            return call_network(run, x, timestep, given)

    return call


def class_count(network):
    """Classes that are drawn; None for networks that take prompts."""
    if isinstance(network, ConvTransformer):
        return None
    count = network.config.get("num_class_embeds") or network.config.get("num_embeds_ada_norm")
    if not count:
        raise SystemExit("the network needs class labels (num_class_embeds or num_embeds_ada_norm)")
    return min(count, 10)


def prompts(network, args):
    """Random prompts of 4 to `tokens` tokens for a batch, as our benchmark has them."""
    c, least = network.settings, min(4, args.tokens)
    lengths = torch.tensor([least + i % (args.tokens - least + 1) for i in range(args.batch)])
    return {
        "tokens": torch.randn(args.batch, args.tokens, c["cross_attention_dim"]),
        "mask": torch.arange(args.tokens) < lengths[:, None],
        "pooled": torch.nn.functional.normalize(torch.randn(args.batch, c["pooled_projection_dim"]), dim=1),
    }


def picture_shape(network, batch):
    c = settings(network)
    return batch, c["in_channels"], c["sample_size"], c["sample_size"]


def report(what, args, network, samples, clocked, **more):
    """One JSON line. Rates are samples a second, by the best and by the median call; `cpu_share` is the
    part of the machine's time the median call got: well under 1 means something else was running."""
    seconds, processors = clocked
    best, median = min(seconds), statistics.median(seconds)
    share = statistics.median(p / (s * args.threads) for s, p in zip(seconds, processors))
    print(json.dumps({
        "peer": f"torch {torch.__version__}", "what": what,
        "network": os.path.splitext(os.path.basename(args.network))[0],
        "precision": args.precision, "mode": "compile" if args.compile else "eager",
        "threads": args.threads, "batch": args.batch, "runs": len(seconds),
        "parameters": sum(p.numel() for p in network.parameters()),
        "seconds_best": round(best, 6), "seconds_median": round(median, 6),
        "rate_best": round(samples / best, 3), "rate_median": round(samples / median, 3),
        "cpu_seconds_best": round(min(processors), 6), "cpu_rate_best": round(samples / min(processors), 3),
        "cpu_share": round(share, 3),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1), **more,
    }), flush=True)
