"""ItoConvTransformer2DModel in PyTorch, as one would write it there: the same parameters under the same names.

Fused attention and norms, channels-last convolutions; changes of size by views of the channels-last tensor, so
that linear layers read them as they are.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


def space_to_depth(x):
    """[batch, h, w, c] to [batch, h/2, w/2, 4c]."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, 4 * c)


def depth_to_space(x):
    """The inverse."""
    b, h, w, c = x.shape
    return x.reshape(b, h, w, 2, 2, c // 4).permute(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, c // 4)


class TimeEmbedding(nn.Module):
    def __init__(self, inputs, features):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(inputs, features), nn.Linear(features, features)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, conditioning, groups):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time_emb_proj = nn.Linear(conditioning, 2 * outputs)
        self.norm2, self.conv2 = nn.GroupNorm(groups, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None
        nn.init.zeros_(self.conv2.weight), nn.init.zeros_(self.conv2.bias)

    def forward(self, x, steering):
        scale, shift = self.time_emb_proj(steering)[:, :, None, None].chunk(2, 1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + h


class Level(nn.Module):
    def __init__(self, own, following, conditioning, groups):
        super().__init__()
        self.before = ResidualBlock(own, own, conditioning, groups)
        self.down, self.up = nn.Linear(4 * own, following), nn.Linear(following, 4 * own)
        self.after = ResidualBlock(2 * own, own, conditioning, groups)


class Attention(nn.Module):
    def __init__(self, width, heads, head, zero=False):
        super().__init__()
        inner = heads * head
        self.heads = heads
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(inner, width)])
        self.norm_q, self.norm_k = nn.RMSNorm(head, eps=1e-6), nn.RMSNorm(head, eps=1e-6)
        if zero:
            nn.init.zeros_(self.to_out[0].weight), nn.init.zeros_(self.to_out[0].bias)

    def forward(self, x, source, mask=None):
        def split(t):
            return t.unflatten(-1, (self.heads, -1))

        q, k = self.norm_q(split(self.to_q(x))), self.norm_k(split(self.to_k(source)))
        v = split(self.to_v(source))
        out = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), mask)
        return self.to_out[0](out.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width, heads, head, conditioning, cross):
        super().__init__()
        self.modulation = nn.Linear(conditioning, 6 * width)
        self.attn = Attention(width, heads, head)
        self.cross = Attention(width, heads, head, zero=True) if cross else None
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        nn.init.zeros_(self.modulation.weight), nn.init.zeros_(self.modulation.bias)

    def forward(self, x, steering, prompt, mask):
        m = self.modulation(steering)[:, None].chunk(6, -1)
        shape = x.shape[-1:]
        normed = F.layer_norm(x, shape, eps=1e-6) * (1 + m[1]) + m[0]
        x = x + m[2] * self.attn(normed, normed)
        if self.cross is not None and prompt is not None:
            x = x + self.cross(F.layer_norm(x, shape), prompt, mask)
        normed = F.layer_norm(x, shape, eps=1e-6) * (1 + m[4]) + m[3]
        return x + m[5] * self.down(F.gelu(self.up(normed), approximate="tanh"))


class ConvTransformer(nn.Module):
    """`x` [batch, channels, size, size], `time` [batch] in steps of a thousand, tokens with their mask, pooled."""

    def __init__(self, c):
        super().__init__()
        channels, conditioning, groups = c["block_out_channels"], c["conditioning_dim"], c["norm_num_groups"]
        width = c["num_attention_heads"] * c["attention_head_dim"]
        grid = c["sample_size"] >> (len(channels) + 1)
        self.settings = c
        self.time_embedding = TimeEmbedding(conditioning, conditioning)
        self.pooled_embedding = (
            TimeEmbedding(c["pooled_projection_dim"], conditioning) if c.get("pooled_projection_dim") else None)
        cross = c.get("cross_attention_dim")
        self.token_projection = nn.Linear(cross, width) if cross else None
        self.null_token = nn.Parameter(0.02 * torch.randn(1, 1, width)) if cross else None
        self.conv_in = nn.Conv2d(4 * c["in_channels"], channels[0], 3, padding=1)
        self.levels = nn.ModuleList(
            Level(own, following, conditioning, groups)
            for own, following in zip(channels, [*channels[1:], width]))
        self.positions = nn.Parameter(0.02 * torch.randn(1, grid * grid, width))
        self.blocks = nn.ModuleList(
            Block(width, c["num_attention_heads"], c["attention_head_dim"], conditioning, cross)
            for _ in range(c["num_layers"]))
        self.norm_out = nn.GroupNorm(groups, channels[0])
        self.conv_out = nn.Conv2d(channels[0], 4 * c["out_channels"], 3, padding=1)
        nn.init.zeros_(self.conv_out.weight), nn.init.zeros_(self.conv_out.bias)

    def forward(self, x, time, tokens=None, mask=None, pooled=None):
        half = self.settings["conditioning_dim"] // 2
        rates = torch.exp(torch.arange(half, dtype=torch.float32) * (-math.log(10_000) / (half - 1)))
        angles = time.float()[:, None] * rates
        steering = self.time_embedding(torch.cat([angles.cos(), angles.sin()], -1).to(x.dtype))
        if self.pooled_embedding is not None and pooled is not None:
            steering = steering + self.pooled_embedding(math.sqrt(pooled.shape[1]) * pooled.to(x.dtype))
        steering = F.silu(steering)
        prompt, keys = None, None
        if self.token_projection is not None:
            prompt = self.null_token.expand(x.shape[0], -1, -1)
            if tokens is not None:
                prompt = torch.cat([prompt, self.token_projection(tokens.to(x.dtype))], 1)
                if mask is not None:
                    keys = F.pad(mask, (1, 0), value=True)[:, None, None, :]
        # From here on the memory is [batch, height, width, channels], convolutions see it as channels-last.
        h = self.conv_in(space_to_depth(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
        h = self.descend(0, h, steering, prompt, keys)
        h = self.conv_out(F.silu(self.norm_out(h)))
        return depth_to_space(h.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def descend(self, index, x, steering, prompt, keys):
        level = self.levels[index]
        skip = level.before(x, steering)
        deeper = level.down(space_to_depth(skip.permute(0, 2, 3, 1)))
        if index + 1 < len(self.levels):
            below = self.descend(index + 1, deeper.permute(0, 3, 1, 2), steering, prompt, keys).permute(0, 2, 3, 1)
        else:
            hidden = deeper.flatten(1, 2) + self.positions
            for block in self.blocks:
                hidden = block(hidden, steering, prompt, keys)
            below = hidden.reshape(deeper.shape)
        below = depth_to_space(level.up(below)).permute(0, 3, 1, 2)
        return level.after(torch.cat([below, skip], 1), steering)
