#!/usr/bin/env python3
"""The first thousand merges of CLIP's vocabulary (MIT), and what transformers makes of many strings with them.

    python make.py MERGES_TXT      # transformers 5.23, tokenizers
"""
import json, os, random, sys, unicodedata
from transformers import CLIPTokenizer

here = os.path.dirname(os.path.abspath(__file__))
merges = open(sys.argv[1], encoding="utf-8").read().split("\n")[1:1001]
printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
alphabet = [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]
vocab = alphabet + [c + "</w>" for c in alphabet] + ["".join(m.split()) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
json.dump({t: i for i, t in enumerate(vocab)}, open(f"{here}/vocab.json", "w"), ensure_ascii=False)
open(f"{here}/merges.txt", "w", encoding="utf-8").write("#version: 0.2\n" + "\n".join(merges) + "\n")
json.dump({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}, open(f"{here}/tokenizer_config.json", "w"))
json.dump({"pad_token": "!"}, open(f"{here}/special_tokens_map.json", "w"))
t = CLIPTokenizer(vocab={t: i for i, t in enumerate(vocab)}, merges=[tuple(m.split()) for m in merges])
t.backend_tokenizer.save(f"{here}/tokenizer.json", pretty=False)

strings = ["a photograph of an astronaut riding a horse", "", " ", "  many   spaces\tand\nlines ", "don't I'll we've they're I'm he'd it's DON'T 'S ''s !!'s ",
  "naïve café — Ünïcödé 日本語 emoji 🐱🚀 👩‍👩‍👧 🇨🇭", "cafe\u0301 e\u0323\u0302 \u0301start A\u030a \u212b \u1112\u1161\u11ab 한글 \ufb01 ﬁ",
  "1234 x 5678 = 7006652; C++20 & swift_6", "½ ² Ⅳ ① ٣ 三", "İstanbul ΣΑΣ ẞ ǅ Straße", "<|startoftext|>a<|endoftext|>b <|ENDOFTEXT|> <|endoftext|", "word " * 30,
  "\u00a0no\u2003break\u3000space\u200bzero\u0085next\u2028line", "control\x00\x01\x7f\ufeffbom \ufffd", "नमस्ते क़ ไทย العَرَبِيَّة עִבְרִית", "hello</w> Ġ Ã©", "a" * 200, "the" * 60]
r = random.Random(1)
pools = [range(32, 127), range(160, 384), range(0x300, 0x370), range(0x391, 0x3ca), range(0x410, 0x450), range(0x900, 0x960), range(0x1100, 0x1200), range(0x3040, 0x30ff), range(0xac00, 0xac80), range(0x1f300, 0x1f400), range(0xf900, 0xf920), range(0x2000, 0x2070)]
for _ in range(120):
  strings.append("".join(chr(c) for c in (r.choice(r.choice(pools)) for _ in range(r.randrange(1, 24))) if unicodedata.category(chr(c)) != "Cn"))
json.dump([{"text": s, "ids": t(s).input_ids} for s in strings], open(f"{here}/expected.json", "w"))
print(len(strings), max(os.path.getsize(f"{here}/{f}") for f in os.listdir(here)))
