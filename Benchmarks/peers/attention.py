#!/usr/bin/env python3
"""Attention of tokens to themselves, here and by PyTorch's fused kernel, in turn; one JSON line a shape.

    attention.py [--precision f32|bf16] [--rounds N] [--threads N] [--shapes FILE]

`ratio` is the time of Itô over PyTorch's, best of all rounds; `peak_share` our rate over that of oneDNN's largest product
in the same type. Needs `ito-benchmarks` to be built (`make bench` does).
"""
import argparse
import json
import os
import pathlib
import subprocess

import torch

import peer

HERE = pathlib.Path(__file__).resolve().parent.parent
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def ours(args):
    """Shape -> GFLOP/s and share of the peak, and the peak, of one run."""
    command = [HERE / ".build/release/ito-benchmarks", "ops", "--shapes", args.shapes, "--types", args.precision,
               "--rounds", "3", "--threads", str(args.threads)]
    lines = map(json.loads, subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines())
    found = {}
    for line in lines:
        if line["what"] == "attention":
            found[tuple(map(int, line["shape"].split()))] = line["gflops"]
        elif line["what"] == "summary":
            found["peak"] = line["peak_gflops"]
    return found


def theirs(shape, args):
    batch, tokens, heads, size = shape
    q = torch.full((batch, heads, tokens, size), 1 / 128, dtype=DTYPES[args.precision])
    call = lambda: torch.nn.functional.scaled_dot_product_attention(q, q, q)
    with torch.inference_mode():
        walls, _ = peer.clock(call, 1, 3)
    return 4 * batch * heads * tokens * tokens * size / min(walls) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=sorted(DTYPES), default="bf16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--shapes", default=str(HERE / "attention.txt"))
    args = parser.parse_args()
    peer.keep_memory()
    torch.set_num_threads(args.threads)
    mine, others = {}, {}
    for _ in range(args.rounds):
        for key, rate in ours(args).items():
            mine[key] = max(rate, mine.get(key, 0))
        for shape in [key for key in mine if key != "peak"]:
            others[shape] = max(theirs(shape, args), others.get(shape, 0))
    for shape, rate in others.items():
        print(json.dumps({
            "what": "attention", "shape": shape, "precision": args.precision, "threads": args.threads,
            "gflops": mine[shape], "torch_gflops": round(rate, 1), "ratio": round(rate / mine[shape], 3),
            "peak_share": round(mine[shape] / mine["peak"], 3)}), flush=True)


if __name__ == "__main__":
    main()
