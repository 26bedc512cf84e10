#!/usr/bin/env python3
"""Sampling rate of a diffusers network in PyTorch on this CPU: one JSON line.

    sample_peer.py NETWORK.json [--batch 64] [--steps 20] [--precision f32|autocast|bf16] [--compile]

One run draws `batch` pictures by `steps` Euler steps of the flow from noise (time 1) to data (time 0).
"""
import argparse

import torch

import peer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peer.add_arguments(parser)
    parser.add_argument("--batch", type=int, default=64, help="pictures drawn together")
    parser.add_argument("--steps", type=int, default=20, help="solver steps")
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()

    network, dtype = peer.build(args)
    network.eval()
    call = peer.caller(network, args)
    shape = peer.picture_shape(network, args.batch)
    count = peer.class_count(network)
    given = {"label": torch.arange(args.batch) % count} if count else peer.prompts(network, args)
    times = torch.linspace(1, 0, args.steps + 1).tolist()

    @torch.inference_mode()
    def draw():
        x = torch.randn(shape).contiguous(memory_format=torch.channels_last)
        for now, then in zip(times, times[1:]):
            timestep = torch.full((args.batch,), now * 1000)
            x = x + (then - now) * call(x.to(dtype), timestep, given)[:, : shape[1]].float()
        if not torch.isfinite(x).all():
            raise SystemExit("the pictures are not finite")

    clocked = peer.clock(draw, args.warm_up, args.runs)
    peer.report("sample", args, network, args.batch, clocked, steps=args.steps)


if __name__ == "__main__":
    main()
