"""The time of one SAC gradient step from pictures in eager PyTorch, written as DrQ's users write it."""

from timing import arguments, measure

args = arguments(["default", "drq"])

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

NUMBERS, ACTION, HIDDEN, BATCH, RATE, FEATURES = 27, 9, 256, 128, 1e-3, 50
torch.set_num_threads(args.threads)
torch.set_default_device(args.device)
torch.manual_seed(args.seed)


def convolutions(channels, layers):
    for filters, kernel, stride in layers:
        yield from (nn.Conv2d(channels, filters, kernel, stride), nn.ReLU())
        channels = filters


# Channels, side, and filters, kernel and stride of each layer, as turnkey's `fast` on its default camera, and DrQ's.
CHANNELS, SIDE, LAYERS = {
    "default": (3, 48, [(16, 4, 4), (32, 3, 2), (32, 3, 1)]),
    "drq": (9, 64, [(32, 3, 2), (32, 3, 1), (32, 3, 1), (32, 3, 1)]),
}[args.library]


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        body = nn.Sequential(*convolutions(CHANNELS, LAYERS), nn.Flatten())
        flat = body(torch.zeros(1, CHANNELS, SIDE, SIDE)).shape[1]
        self.net = nn.Sequential(body, nn.Linear(flat, FEATURES), nn.LayerNorm(FEATURES), nn.Tanh())

    def forward(self, pictures, numbers):
        return torch.cat([self.net(pictures.float() / 255 - 0.5), numbers], -1)


def mlp(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, outputs))


SEEN = FEATURES + NUMBERS
encoder, actor = Encoder(), mlp(SEEN, 2 * ACTION)
critics = nn.ModuleList(mlp(SEEN + ACTION, 1) for _ in range(2))
targets, target_encoder = (copy.deepcopy(net).requires_grad_(False) for net in (critics, encoder))
log_alpha = torch.zeros((), requires_grad=True)
trained = [*critics.parameters(), *encoder.parameters()]
averaged = [*targets.parameters(), *target_encoder.parameters()]
actor_adam, critic_adam = torch.optim.Adam(actor.parameters(), RATE), torch.optim.Adam(trained, RATE)
alpha_adam = torch.optim.Adam([log_alpha], RATE)
pictures, next_pictures = torch.randint(0, 256, (2, BATCH, CHANNELS, SIDE, SIDE), dtype=torch.uint8)
numbers, next_numbers = torch.randn(2, BATCH, NUMBERS)
actions, rewards, continues = torch.rand(BATCH, ACTION) * 2 - 1, torch.randn(BATCH, 1), torch.ones(BATCH, 1)


def act(x):
    mean, log_std = actor(x).chunk(2, -1)
    log_std = log_std.clamp(-20, 2)
    noise = torch.randn_like(mean)
    u = mean + log_std.exp() * noise
    log_pi = -0.5 * noise**2 - log_std - 0.5 * math.log(2 * math.pi) - 2 * (math.log(2) - u - F.softplus(-2 * u))
    return u.tanh(), log_pi.sum(-1, keepdim=True)


def smaller(pair, x):
    return torch.min(pair[0](x), pair[1](x))


def descend(adam, loss):
    adam.zero_grad(set_to_none=True)
    loss.backward()
    adam.step()


def step():
    alpha = log_alpha.detach().exp()
    with torch.no_grad():
        next_actions, next_log_pi = act(encoder(next_pictures, next_numbers))
        seen = torch.cat([target_encoder(next_pictures, next_numbers), next_actions], -1)
        y = rewards + 0.99 * continues * (smaller(targets, seen) - alpha * next_log_pi)
    features = encoder(pictures, numbers)
    x = torch.cat([features, actions], -1)
    descend(critic_adam, 0.5 * sum(F.mse_loss(critic(x), y) for critic in critics))
    critics.requires_grad_(False)
    features = features.detach()
    new_actions, log_pi = act(features)
    descend(actor_adam, (alpha * log_pi - smaller(critics, torch.cat([features, new_actions], -1))).mean())
    critics.requires_grad_(True)
    descend(alpha_adam, (log_alpha.exp() * (-log_pi.detach() + ACTION)).mean())
    with torch.no_grad():
        torch._foreach_lerp_(averaged, trained, 0.005)
    if args.device != "cpu":
        torch.cuda.synchronize()


measure(step, args.seconds, warmup=3, peer="torch", mode=args.library, threads=args.threads, device=args.device)
