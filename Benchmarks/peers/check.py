#!/usr/bin/env python3
"""Whether a peer's network computes what Itô's does: same weights, same input, relative RMS of the outputs.

    ito-benchmarks forward NETWORK.json --save FILE.safetensors
    check.py NETWORK.json FILE.safetensors

Exits with status 1 when they differ by more than float32 rounding explains (2e-5).
"""
import argparse
import sys

import safetensors.torch
import torch

import peer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peer.add_arguments(parser)
    parser.add_argument("file", help="what ito-benchmarks forward wrote")
    args = parser.parse_args()
    network, _ = peer.build(args)
    network.eval()
    tensors = safetensors.torch.load_file(args.file)
    given = {key.removeprefix("benchmark."): tensors.pop(key) for key in list(tensors) if key.startswith("benchmark.")}
    network.load_state_dict(tensors, strict=True)
    with torch.inference_mode():
        output = peer.call_network(
            network, given["x"].permute(0, 3, 1, 2), given["time"],
            {name: given[name] for name in ("label", "tokens", "mask", "pooled") if name in given})
    output = output[:, : given["x"].shape[-1]].permute(0, 2, 3, 1)
    wanted = given["output"]
    error = ((output - wanted).square().mean() / wanted.square().mean()).sqrt().item()
    print(f"{args.network}: relative RMS {error:.2e}")
    return 0 if error < 2e-5 else 1


if __name__ == "__main__":
    sys.exit(main())
