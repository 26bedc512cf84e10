#!/usr/bin/env python3
"""Itô and PyTorch in turn: the same networks, batch and work, one process each, best rate of each.

    compare.py [--what train,sample] [--networks A.json …] [--rounds 3] [--batch N] [--precisions f32]
               [--threads N] [--processor-time] [--compile] [--json FILE]

First the peers' networks are checked to compute what Itô's do, from the same weights. Then every round runs each
contestant once, so that whatever else the machine does falls on all of them. A contestant's rate is its best
over the rounds, and its memory the peak of its whole process. The last table gives, for each network, our rate
over PyTorch's: precision by precision, and best against best. Networks with prompts train with both optimizers.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BENCHMARKS = HERE.parent
# Itô's bf16 keeps float32 masters; PyTorch's autocast does the same, and its bf16 keeps nothing in float32.
OURS = ("f32", "bf16")
PEERS = ("f32", "autocast", "bf16")
DEFAULT_BATCH = {"train": 128, "sample": 64}


def chosen(args, precisions):
    """Those of `precisions` that were asked for, or all."""
    wanted = args.precisions.split(",") if args.precisions else precisions
    return [p for p in precisions if p in wanted]


def contestants(args, what, network, optimizer):
    """(name, precision, command) of everyone who runs this benchmark."""
    options = ["--batch", str(args.batch or DEFAULT_BATCH[what])]
    if args.threads:
        options += ["--threads", str(args.threads)]
    if optimizer:
        options += ["--optimizer", optimizer]
    for precision in chosen(args, OURS):
        yield "ito", precision, [args.ours, what, str(network), "--precision", precision, *options]
    script = str(HERE / f"{what}_peer.py")
    for precision in chosen(args, PEERS):
        command = [args.python, script, str(network), "--precision", precision, *options]
        yield "torch", precision, command
        if args.compile:
            yield "torch compiled", precision, [*command, "--compile"]


def check(args, network):
    """Whether the peer's network is ours; says how far they are apart."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/forward.safetensors"
        for command in ([args.ours, "forward", str(network), "--save", file],
                        [args.python, str(HERE / "check.py"), str(network), file]):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            print(done.stdout, end="", flush=True)
            if done.returncode:
                print(f"{network.stem}: the networks are not the same\n{done.stderr.strip()[-2000:]}",
                      file=sys.stderr)
                return False
    return True


def run(command):
    """The last JSON line a contestant prints, or nothing when it cannot run."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        print(f"failed ({done.returncode}): {' '.join(command)}\n{done.stderr.strip()[-2000:]}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def better(a, b, rate):
    """Of two results of one contestant, one with the better rate and the larger memory."""
    if a is None or b is None:
        return a or b
    best = dict(max(a, b, key=lambda r: r[rate]))
    best["peak_rss_mb"] = max(a["peak_rss_mb"], b["peak_rss_mb"])
    return best


def race(args, what, network, optimizer):
    """The best result of each contestant by (name, precision), over the rounds."""
    results = {}
    for round_ in range(args.rounds):
        for name, precision, command in contestants(args, what, network, optimizer):
            result = run(command)
            if result is None:
                continue
            print(json.dumps({"contestant": name, "round": round_, **result}), flush=True)
            results[name, precision] = better(results.get((name, precision)), result, args.rate)
    return results


def ratios(args, what, network, results):
    """Rows of (comparison, our rate, their rate, ratio, our MB, their MB)."""
    rows = []

    def compare(label, ours, theirs):
        if ours and theirs:
            rows.append({
                "what": what, "network": network, "comparison": label,
                "ours": ours[args.rate], "theirs": theirs[args.rate],
                "ratio": round(ours[args.rate] / theirs[args.rate], 3),
                "our_mb": ours["peak_rss_mb"], "their_mb": theirs["peak_rss_mb"],
            })

    def best(name, precisions=PEERS):
        found = [results[name, p] for p in precisions if (name, p) in results]
        return max(found, key=lambda r: r[args.rate], default=None)

    for name in ("torch", "torch compiled"):
        compare(f"f32 / {name} f32", results.get(("ito", "f32")), results.get((name, "f32")))
        compare(f"bf16 / {name} best bf16", results.get(("ito", "bf16")), best(name, ("autocast", "bf16")))
        compare(f"best / {name} best", best("ito"), best(name))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", default="train,sample")
    parser.add_argument("--networks", nargs="+", type=pathlib.Path,
                        default=sorted((BENCHMARKS / "networks").glob("*.json")))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, help="128 in training, 64 in sampling when not given")
    parser.add_argument("--precisions", help="only these, such as f32 on a processor without bfloat16")
    parser.add_argument("--threads", type=int, help="all there are when not given")
    parser.add_argument("--processor-time", dest="rate", action="store_const", const="cpu_rate_best",
                        default="rate_best", help="pictures a second of all processors' time: for one thread on a "
                        "machine that is never quiet")
    parser.add_argument("--compile", action="store_true", help="also PyTorch with torch.compile")
    parser.add_argument("--json", type=pathlib.Path, help="write the table there too")
    parser.add_argument("--ours", default=str(BENCHMARKS / ".build/release/ito-benchmarks"))
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()

    table = []
    networks = [network for network in args.networks if check(args, network)]
    failed = len(networks) < len(args.networks)
    for what in args.what.split(","):
        for network in networks:
            takes_prompts = json.loads(network.read_text())["_class_name"].startswith("ItoConvTransformer")
            both = what == "train" and takes_prompts
            for optimizer in ("adamw", "muon") if both else (None,):
                results = race(args, what, network, optimizer)
                name = f"{network.stem} {optimizer}" if optimizer else network.stem
                rows = ratios(args, what, name, results)
                failed = failed or not rows
                table += rows
    print()
    for row in table:
        print("{what:6}  {network:14}  {comparison:32}  {ours:9.2f} / {theirs:9.2f} a second = {ratio:5.2f}"
              "   {our_mb:6.0f} / {their_mb:6.0f} MB".format(**row))
    if args.json:
        args.json.write_text(json.dumps(table, indent=2) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
