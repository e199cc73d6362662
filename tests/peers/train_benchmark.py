"""Trains SBX's or Stable-Baselines3's SAC on a Gymnasium environment with one thread of the CPU, or on a GPU.

    python train_benchmark.py sbx HalfCheetah-v5 --seed 0 --steps 200000

The library's defaults, but for 10,000 steps of random actions to begin with (as in the paper's code and RL Zoo's settings
for these environments). Every `--every` steps it evaluates deterministic episodes, whose seeds are disjoint from
training's, and prints a JSON line: step, mean return, each episode's return, minutes so far (those of evaluation not
counted). The last line has the final evaluation, of `--final` episodes. With `--limit-seconds` it ends early, and says so.
"""

import argparse
import json
import time

EVALUATION_SEED, WARMUP = 1_000_000, 10_000

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("library", choices=("sbx", "sb3"))
parser.add_argument("environment")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=200_000)
parser.add_argument("--every", type=int, default=10_000)
parser.add_argument("--episodes", type=int, default=10)
parser.add_argument("--final", type=int, default=20)
parser.add_argument("--gpu", action="store_true")
parser.add_argument("--limit-seconds", type=float, default=float("inf"))
args = parser.parse_args()
start = time.perf_counter()
if not args.gpu:
    from timing import own_core

    own_core()

import gymnasium
import numpy

if args.library == "sb3":
    import torch

    torch.set_num_threads(1)
    from stable_baselines3 import SAC
else:
    from sbx import SAC
from stable_baselines3.common.callbacks import BaseCallback


def evaluate(model, environments):
    """The returns of one deterministic episode in each environment, all asked for actions at once."""
    observations = [environment.reset(seed=EVALUATION_SEED + i)[0] for i, environment in enumerate(environments)]
    returns, running = [0.0] * len(environments), set(range(len(environments)))
    while running:
        actions, _ = model.predict(numpy.stack(observations), deterministic=True)
        for i in list(running):
            observations[i], reward, terminated, truncated, _ = environments[i].step(actions[i])
            returns[i] += float(reward)
            if terminated or truncated:
                running.remove(i)
    return returns


class Curve(BaseCallback):
    """Evaluates now and then, and counts the time between."""

    def _on_training_start(self):
        self.seconds, self.since = 0.0, time.perf_counter()

    def report(self, environments, **more):
        self.seconds += time.perf_counter() - self.since
        returns = evaluate(self.model, environments)
        line = {
            "peer": args.library, "environment": args.environment, "seed": args.seed, "step": self.num_timesteps,
            "mean_return": sum(returns) / len(returns), "returns": returns, "minutes": round(self.seconds / 60, 3),
        }
        print(json.dumps({**line, **more}), flush=True)
        self.since = time.perf_counter()

    def _on_step(self):
        if self.num_timesteps % args.every == 0:
            self.report(judges[: args.episodes])
        return time.perf_counter() - start < args.limit_seconds


judges = [gymnasium.make(args.environment) for _ in range(max(args.episodes, args.final))]
device = "cuda" if args.gpu and args.library == "sb3" else "cpu"
model = SAC("MlpPolicy", gymnasium.make(args.environment), seed=args.seed, learning_starts=WARMUP, device=device)
curve = Curve()
model.learn(args.steps, callback=curve)
curve.report(judges[: args.final], final=True, complete=curve.num_timesteps >= args.steps)
