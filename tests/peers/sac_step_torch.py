"""The time of one SAC gradient step in eager PyTorch, written as its users write it."""

from timing import arguments, measure

args = arguments()

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

OBSERVATION, ACTION, HIDDEN, BATCH, RATE = 24, 9, 256, 256, 3e-4
torch.set_num_threads(args.threads)
torch.set_default_device(args.device)
torch.manual_seed(args.seed)


def mlp(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, outputs))


actor = mlp(OBSERVATION, 2 * ACTION)
critics = nn.ModuleList(mlp(OBSERVATION + ACTION, 1) for _ in range(2))
targets = copy.deepcopy(critics).requires_grad_(False)
log_alpha = torch.zeros((), requires_grad=True)
critic_parameters, target_parameters = list(critics.parameters()), list(targets.parameters())
actor_adam = torch.optim.Adam(actor.parameters(), RATE)
critic_adam = torch.optim.Adam(critic_parameters, RATE)
alpha_adam = torch.optim.Adam([log_alpha], RATE)
observations, next_observations = torch.randn(2, BATCH, OBSERVATION)
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
        next_actions, next_log_pi = act(next_observations)
        value = smaller(targets, torch.cat([next_observations, next_actions], -1)) - alpha * next_log_pi
        y = rewards + 0.99 * continues * value
    x = torch.cat([observations, actions], -1)
    descend(critic_adam, 0.5 * sum(F.mse_loss(critic(x), y) for critic in critics))
    critics.requires_grad_(False)
    new_actions, log_pi = act(observations)
    descend(actor_adam, (alpha * log_pi - smaller(critics, torch.cat([observations, new_actions], -1))).mean())
    critics.requires_grad_(True)
    descend(alpha_adam, (log_alpha.exp() * (-log_pi.detach() + ACTION)).mean())
    with torch.no_grad():
        torch._foreach_lerp_(target_parameters, critic_parameters, 0.005)
    if args.device != "cpu":
        torch.cuda.synchronize()


measure(step, args.seconds, peer="torch", mode="state", threads=args.threads, device=args.device)
