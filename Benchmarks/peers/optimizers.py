"""The optimizers that training is compared with."""
import torch

# Muon's steps are for matrices inside the network; these are AdamW's whatever their shape.
OUTER = ("embed", "conv_in.", "conv_out.", "proj_out")


def orthogonalized(matrix, steps=5):
    """Newton and Schulz as published (Jordan et al. 2024), in float32, with fused multiply-adds."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-30)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon:
    """Momentum 0.95 with look-ahead, orthogonal steps of AdamW's size; fused AdamW for the rest."""

    def __init__(self, named, lr, weight_decay):
        self.lr, self.decay, self.momenta = lr, weight_decay, {}
        named = list(named)
        self.inner = [p for name, p in named if self.is_inner(name, p)]
        rest = [p for name, p in named if not self.is_inner(name, p)]
        self.adam = torch.optim.AdamW(
            [{"params": [p for p in rest if p.ndim >= 2]},
             {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0}],
            lr=lr, betas=(0.9, 0.95), weight_decay=weight_decay, fused=True)

    @staticmethod
    def is_inner(name, parameter):
        return (parameter.ndim >= 2 and min(parameter.shape[0], parameter[0].numel()) >= 8
                and not any(part in name for part in OUTER))

    def zero_grad(self, set_to_none=True):
        for parameter in self.inner:
            parameter.grad = None
        self.adam.zero_grad(set_to_none=set_to_none)

    @torch.no_grad()
    def step(self):
        self.adam.step()
        updates = []
        for parameter in self.inner:
            momentum = self.momenta.get(parameter)
            if momentum is None:
                momentum = self.momenta[parameter] = torch.zeros_like(parameter, dtype=torch.float32)
            gradient = parameter.grad.float()
            momentum.mul_(0.95).add_(gradient)
            ahead = gradient.add(momentum, alpha=0.95)
            matrix = ahead.reshape(len(ahead), -1)
            size = 0.2 * max(matrix.shape) ** 0.5
            updates.append((size * orthogonalized(matrix)).reshape(parameter.shape).to(parameter.dtype))
        torch._foreach_mul_(self.inner, 1 - self.lr * self.decay)
        torch._foreach_add_(self.inner, updates, alpha=-self.lr)


def make(name, network, lr=1e-4, weight_decay=0.01):
    """`adamw` (fused) or `muon`, for the network's trainable parameters."""
    named = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    if name == "muon":
        return Muon(named, lr, weight_decay)
    return torch.optim.AdamW([p for _, p in named], lr=lr, weight_decay=weight_decay, fused=True)
