#!/usr/bin/env python3
"""One picture from start to end: `ito generate` and diffusers in turn, one process each, on the same folder.

    pipeline.py FOLDER [--size 512x512] [--steps 1] [--precision f32|bf16] [--rounds 1] [--prompt TEXT] [--low-memory]

Prints a line of JSON for each process (wall and processor seconds, peak memory as the system counted it), then the
ratios of the best. diffusers runs as its users run it: DiffusionPipeline from the folder, on all cores.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def draw(args):
    """What a contestant's process does."""
    import diffusers
    import torch

    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[args.precision]
    pipeline = diffusers.DiffusionPipeline.from_pretrained(args.folder, torch_dtype=dtype, local_files_only=True)
    width, height = map(int, args.size.split("x"))
    picture = pipeline(args.prompt, num_inference_steps=args.steps, width=width, height=height).images[0]
    picture.save(args.output)


def timed(name, command):
    """A contestant's process, as one result."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}\n{errors.decode(errors='replace')[-2000:]}")
    result = {
        "peer": name, "seconds": round(time.monotonic() - start, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2), "peak_rss_mb": round(usage.ru_maxrss / 1024, 1),
    }
    print(json.dumps(result), flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--prompt", default="a cat")
    parser.add_argument("--low-memory", action="store_true", help="for Itô alone")
    parser.add_argument("--ito", default=str(HERE.parent.parent / ".build/release/ito"))
    parser.add_argument("--output", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.output:
        return draw(args)

    results = {"ito": [], "diffusers": []}
    with tempfile.TemporaryDirectory() as folder:
        shared = ["--size", args.size, "--steps", str(args.steps), "--prompt", args.prompt]
        precision = {"f32": "float32", "bf16": "bfloat16"}[args.precision]
        ours = [args.ito, "generate", "--model", args.folder, *shared, "--precision", precision,
                "--output", f"{folder}/ito.png"] + (["--low-memory"] if args.low_memory else [])
        theirs = [sys.executable, __file__, args.folder, *shared, "--precision", args.precision,
                  "--output", f"{folder}/diffusers.png"]
        for _ in range(args.rounds):
            results["ito"].append(timed("ito", ours))
            results["diffusers"].append(timed("diffusers", theirs))
    best = {name: {key: min(r[key] for r in found) for key in ("seconds", "cpu_seconds", "peak_rss_mb")}
            for name, found in results.items()}
    ratios = {key: round(value / best["diffusers"][key], 3) for key, value in best["ito"].items()}
    print(json.dumps({"ratio_to": "diffusers", **ratios}))


if __name__ == "__main__":
    main()
