#!/usr/bin/env python3
"""Runs diffusers' pipelines on tiny hub folders and stores what comes out, for `ito parity`.

    python pipelines.py FIXTURES OUT

FIXTURES holds sd15_eps_ddim, sd21_v_euler and sdxl_euler (tiny pipelines in the layout of a hub). OUT gets
a folder for each job: the pipeline, `config.json` with the runs, and `io.safetensors` with what a run
starts from (`in.seedS.init`, `in.seedS.mask`, 8-bit) and gives (`out.seedS.latent`, `out.seedS.image`).
"""
import json, os, shutil, sys

import numpy as np
import torch
from diffusers import (LatentConsistencyModelPipeline, LCMScheduler, StableDiffusionImg2ImgPipeline,
                       StableDiffusionInpaintPipeline, StableDiffusionPipeline,
                       StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline,
                       UNet2DConditionModel)
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextModel

# diffusers 0.42 reaches into the text encoder of older versions of transformers for clip_skip.
if not hasattr(CLIPTextModel, "text_model"):
    CLIPTextModel.text_model = property(lambda self: self)


def picture(seed, width, height):
    """Smooth colours with an edge, so that resizing and encoding have something to get wrong."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 100 * np.sin(x / (5 + c) + seed) * np.cos(y / (7 - c)) for c in range(3)]
    rgb = np.stack(planes, -1).clip(0, 255).astype(np.uint8)
    rgb[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 60)
    return Image.fromarray(rgb)


def hole(width, height):
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : 3 * height // 4, width // 3 :] = 255
    return Image.fromarray(mask)


def tensor(image):
    a = np.array(image)
    return torch.from_numpy(a[..., None] if a.ndim == 2 else a).contiguous()


def run(pipe, settings, **inputs):
    kw = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items() if k not in ("seed", "steps")}
    kw["num_inference_steps"] = settings["steps"]
    out = []
    for kind in ("latent", "pt"):
        g = torch.Generator().manual_seed(settings["seed"])
        out.append(pipe(generator=g, output_type=kind, **kw, **inputs).images)
    return out


class Folder:
    def __init__(self, out, name, source):
        self.path = os.path.join(out, name)
        shutil.copytree(source, self.path, dirs_exist_ok=True)
        for stale in ("config.json", "io.safetensors"):
            if os.path.exists(os.path.join(self.path, stale)):
                os.remove(os.path.join(self.path, stale))
        self.runs, self.tensors = [], {}

    def load(self, cls, **kw):
        pipe = cls.from_pretrained(self.path, safety_checker=None, **kw) if "XL" not in cls.__name__ else cls.from_pretrained(self.path, **kw)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def add(self, pipe, settings, record=None, **inputs):
        latent, image = run(pipe, settings, **inputs)
        key = f"seed{settings['seed']}"
        assert all(r["seed"] != settings["seed"] for r in self.runs)
        self.runs.append({**settings, **(record or {})})
        self.tensors[f"out.{key}.latent"], self.tensors[f"out.{key}.image"] = latent.contiguous(), image.contiguous()
        for name, value in (("init", inputs.get("image")), ("mask", inputs.get("mask_image"))):
            if isinstance(value, Image.Image):
                self.tensors[f"in.{key}.{name}"] = tensor(value)

    def close(self):
        json.dump({"runs": self.runs}, open(os.path.join(self.path, "config.json"), "w"), indent=1)
        save_file(self.tensors, os.path.join(self.path, "io.safetensors"))
        print(self.path, len(self.runs), "runs")


def main(fixtures, out):
    os.makedirs(out, exist_ok=True)
    sd15, sd21, sdxl = (os.path.join(fixtures, n) for n in ("sd15_eps_ddim", "sd21_v_euler", "sdxl_euler"))

    f = Folder(out, "sd15_text", sd15)
    p = f.load(StableDiffusionPipeline)
    f.add(p, dict(seed=11, prompt="word " * 100, negative_prompt="", height=72, width=40, steps=3, guidance_scale=3.0))
    f.add(p, dict(seed=12, prompt="naïve café, 日本 🐱", height=64, width=64, steps=5, guidance_scale=1.0))
    f.add(p, dict(seed=13, prompt="a cat", negative_prompt="dog", height=64, width=64, steps=20, guidance_scale=9.0, clip_skip=1))
    f.add(p, dict(seed=14, prompt="a cat", height=64, width=64, steps=4, guidance_scale=7.5, guidance_rescale=0.7))
    f.add(p, dict(seed=15, prompt="a cat", height=64, width=64, steps=4, guidance_scale=7.5, eta=0.6))
    f.close()

    f = Folder(out, "sd21_text", sd21)
    p = f.load(StableDiffusionPipeline)
    f.add(p, dict(seed=21, prompt="a cat", height=64, width=64, steps=7, guidance_scale=7.5, guidance_rescale=0.7))
    f.close()

    for name, source in (("sd15_img2img", sd15), ("sd21_img2img", sd21)):
        f = Folder(out, name, source)
        p = f.load(StableDiffusionImg2ImgPipeline)
        f.add(p, dict(seed=31, prompt="a cat", negative_prompt="dog", strength=0.75, steps=8, guidance_scale=5.0), image=picture(1, 64, 48))
        f.add(p, dict(seed=32, prompt="a cat", strength=0.3, steps=10, guidance_scale=7.5), image=picture(2, 75, 66))
        f.add(p, dict(seed=33, prompt="a cat", strength=1.0, steps=3, guidance_scale=7.5), image=picture(3, 64, 64))
        f.close()
        f = Folder(out, name.replace("img2img", "inpaint"), source)
        p = f.load(StableDiffusionInpaintPipeline)
        for seed, strength in ((41, 1.0), (42, 0.6)):
            f.add(p, dict(seed=seed, prompt="a cat", strength=strength, height=64, width=72, steps=5, guidance_scale=7.5), image=picture(seed, 72, 64), mask_image=hole(72, 64))
        f.add(p, dict(seed=43, prompt="a cat", strength=0.8, height=64, width=64, steps=5, guidance_scale=7.5, **({"eta": 0.5} if "sd15" in name else {})), image=picture(4, 96, 96), mask_image=hole(96, 96))
        f.close()

    f = Folder(out, "sd15_inpaint9", sd15)
    config = UNet2DConditionModel.load_config(os.path.join(sd15, "unet"))
    torch.manual_seed(5)
    unet = UNet2DConditionModel.from_config({**config, "in_channels": 9})
    unet.save_pretrained(os.path.join(f.path, "unet"))
    index = json.load(open(os.path.join(f.path, "model_index.json")))
    index["_class_name"] = "StableDiffusionInpaintPipeline"
    json.dump(index, open(os.path.join(f.path, "model_index.json"), "w"))
    p = f.load(StableDiffusionInpaintPipeline)
    for seed, strength in ((51, 1.0), (52, 0.6)):
        f.add(p, dict(seed=seed, prompt="a cat", negative_prompt="dog", strength=strength, height=64, width=72, steps=5, guidance_scale=7.5), image=picture(seed, 72, 64), mask_image=hole(72, 64))
    f.close()

    f = Folder(out, "sd15_lcm", sd15)
    torch.manual_seed(6)
    unet = UNet2DConditionModel.from_config({**config, "time_cond_proj_dim": 16})
    unet.save_pretrained(os.path.join(f.path, "unet"))
    scheduler = LCMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False, set_alpha_to_one=True)
    scheduler.save_pretrained(os.path.join(f.path, "scheduler"))
    index["_class_name"], index["scheduler"] = "LatentConsistencyModelPipeline", ["diffusers", "LCMScheduler"]
    json.dump(index, open(os.path.join(f.path, "model_index.json"), "w"))
    p = f.load(LatentConsistencyModelPipeline)
    f.add(p, dict(seed=61, prompt="a cat", height=64, width=64, steps=4, guidance_scale=8.5))
    f.add(p, dict(seed=62, prompt="a cat", height=64, width=64, steps=2, guidance_scale=1.0))
    f.close()

    f = Folder(out, "sdxl_text", sdxl)
    p = f.load(StableDiffusionXLPipeline)
    f.add(p, dict(seed=71, prompt="a cat", height=64, width=96, steps=4, guidance_scale=5.0))
    f.add(p, dict(seed=72, prompt="a cat", negative_prompt="", height=64, width=64, steps=4, guidance_scale=5.0))
    f.add(p, dict(seed=73, prompt="a cat", negative_prompt="dog", height=64, width=64, steps=4, guidance_scale=5.0, original_size=[512, 384], crops_coords_top_left=[16, 8], target_size=[256, 256], negative_original_size=[64, 64], negative_target_size=[128, 64]))
    f.add(p, dict(seed=74, prompt="a cat", height=64, width=64, steps=4, guidance_scale=5.0, clip_skip=1))
    f.add(p, dict(seed=75, prompt="a cat", height=64, width=64, steps=10, guidance_scale=5.0, denoising_end=0.8))
    f.close()

    f = Folder(out, "sdxl_img2img", sdxl)
    p = f.load(StableDiffusionXLImg2ImgPipeline)
    f.add(p, dict(seed=81, prompt="a cat", strength=0.5, steps=8, guidance_scale=5.0), image=picture(8, 64, 64))
    f.close()


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main(sys.argv[1], sys.argv[2])
