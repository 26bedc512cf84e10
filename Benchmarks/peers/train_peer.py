#!/usr/bin/env python3
"""Training throughput of a diffusers network in PyTorch on this CPU: one JSON line.

    train_peer.py NETWORK.json [--batch 128] [--precision f32|autocast|bf16] [--compile]

One step is what a trainer does: gather a batch of uint8 pictures, scale, draw noise and times, form
x_t = (1 - t) clean + t noise, mean squared error of the velocity noise - clean, backward, clip, the optimizer
(fused AdamW, or Muon), and an exponential moving average of the weights.
"""
import argparse

import torch

import optimizers
import peer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peer.add_arguments(parser)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw")
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--no-ema", action="store_true", help="leave the moving average of the weights out")
    parser.add_argument("--no-clip", action="store_true", help="leave the clipping of gradients out")
    args = parser.parse_args()

    network, dtype = peer.build(args)
    network.train()
    call = peer.caller(network, args)
    parameters = [p for p in network.parameters() if p.requires_grad]
    averages = [p.detach().clone() for p in parameters]
    optimizer = optimizers.make(args.optimizer, network)

    shape = peer.picture_shape(network, args.batch)
    pictures = torch.randint(0, 256, (4096, *shape[1:]), dtype=torch.uint8)
    count = peer.class_count(network)
    classes = torch.randint(0, count or 1, (len(pictures),))
    given = None if count else peer.prompts(network, args)
    losses = []

    def step():
        index = torch.randint(0, len(pictures), (args.batch,))
        clean = pictures[index].to(torch.float32).mul_(2 / 255).sub_(1)
        clean = clean.contiguous(memory_format=torch.channels_last)
        noise = torch.randn_like(clean)
        time = torch.rand(args.batch)
        x = torch.lerp(clean, noise, time.view(-1, 1, 1, 1))
        # The denoisers with twice as many outputs also predict a variance; only the first half learns here.
        velocity = call(x.to(dtype), time * 1000, given or {"label": classes[index]})[:, : shape[1]]
        loss = torch.nn.functional.mse_loss(velocity.float(), noise - clean)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if not args.no_clip:
            torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        if not args.no_ema:
            with torch.no_grad():
                torch._foreach_lerp_(averages, parameters, 1e-3)
        losses.append(loss.item())

    clocked = peer.clock(step, args.warm_up, args.steps)
    peer.report("train", args, network, args.batch, clocked,
                optimizer=args.optimizer, first_loss=round(losses[0], 4), last_loss=round(losses[-1], 4))


if __name__ == "__main__":
    main()
