#!/usr/bin/env python3
"""Times one network that model_peer.py converted for OpenVINO, in a process that holds nothing else.

    openvino_peer.py FOLDER PART [--batch N] [--precision f32|bf16] [--threads N] [--rounds N]

FOLDER has model.xml, model.bin and inputs.npz. Prints model_peer.py's JSON line.
"""
import argparse
import pathlib

import numpy
import openvino

import timing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("part")
    timing.add_arguments(parser)
    args = parser.parse_args()
    timing.reset_peak()
    compiled = openvino.Core().compile_model(args.folder / "model.xml", "CPU", {
        "INFERENCE_PRECISION_HINT": args.precision, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": args.threads})
    request = compiled.create_infer_request()
    with numpy.load(args.folder / "inputs.npz") as file:
        given = [file[name] for name in file.files]
    timing.report("openvino", args.part, lambda: request.infer(given), args)


if __name__ == "__main__":
    main()
