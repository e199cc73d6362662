"""Trains a method of Stable-Baselines3 or SBX on the claw itself, served by turnkey, with one core.

    python train_claw.py sb3-td3 --binary ../../target/release/turnkey --seed 0 --steps 60000

The library's defaults, but for TD3's and DDPG's exploration: noise of a standard deviation of 0.1, as in TD3's paper, where the
library's default is none. Every 1,000 steps, as our own runs do, it evaluates 30 deterministic episodes, the very ones that
those are evaluated on, and prints a JSON line: step, success rate at the final step, median final |error| (rad), mean return,
minutes so far (those of evaluation not counted). The last line has the final evaluation, of 100 episodes, and at which step two
evaluations in a row had at least 90% success, if any.
"""

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOLVED = 0.9

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("method", choices=("sb3-sac", "sb3-td3", "sb3-ddpg", "sb3-ppo", "sbx-sac", "sbx-crossq"))
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=60_000)
parser.add_argument("--every", type=int, default=1_000)
parser.add_argument("--episodes", type=int, default=30)
parser.add_argument("--final", type=int, default=100)
parser.add_argument("--config", default=str(ROOT / "configs/valve_state.toml"))
parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as turnkey takes it")
parser.add_argument("--binary", default="turnkey")
args = parser.parse_args()

from timing import own_core

own_core()
sys.path.insert(0, str(ROOT / "crates/gymnasium/python"))

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import NormalActionNoise
from turnkey_claw import EVALUATION_SEEDS, TurnkeyClaw

torch.set_num_threads(1)
library, name = args.method.split("-")
if library == "sbx":
    import sbx as methods
else:
    import stable_baselines3 as methods
Method = {"sac": "SAC", "td3": "TD3", "ddpg": "DDPG", "ppo": "PPO", "crossq": "CrossQ"}[name]


def evaluate(model, environment, episodes):
    """What deterministic episodes of the model come to, in the words of turnkey's own results."""
    errors, returns, successes = [], [], 0
    for episode in range(episodes):
        observation, _ = environment.reset(seed=EVALUATION_SEEDS + episode)
        total, over = 0.0, False
        while not over:
            action, _ = model.predict(observation, deterministic=True)
            observation, reward, terminated, truncated, info = environment.step(action)
            total, over = total + reward, terminated or truncated
        errors.append(abs(info["angular_error"]))
        returns.append(total)
        successes += info["is_success"]
    return {
        "episodes": episodes,
        "successes": successes,
        "success_rate": successes / episodes,
        "median_error": float(np.median(errors)),
        "mean_return": float(np.mean(returns)),
    }


class Curve(BaseCallback):
    """Evaluates now and then, and counts the time between."""

    def _on_training_start(self):
        self.seconds, self.since, self.rates, self.solved = 0.0, time.perf_counter(), [], None

    def _on_step(self):
        if self.num_timesteps % args.every or self.num_timesteps > args.steps:
            return True
        self.pause()
        reached = evaluate(self.model, judge, args.episodes)
        print(json.dumps({**common, "step": self.num_timesteps, **reached, "minutes": self.minutes()}), flush=True)
        self.rates.append(reached["success_rate"])
        if self.solved is None and len(self.rates) > 1 and min(self.rates[-2:]) >= SOLVED:
            self.solved = self.num_timesteps - args.every
        self.since = time.perf_counter()
        return True

    def pause(self):
        self.seconds += time.perf_counter() - self.since

    def minutes(self):
        return round(self.seconds / 60, 2)


def make():
    return TurnkeyClaw(config=args.config, binary=args.binary, settings=args.set)


common = {"peer": args.method, "seed": args.seed}
environment, judge = make(), make()
options = {}
if isinstance(environment.observation_space, gymnasium.spaces.Dict) and name != "ppo":
    options["buffer_size"] = min(args.steps, 100_000)  # pictures of a million steps are in no machine's memory
if name in ("td3", "ddpg"):
    width = environment.action_space.shape
    options["action_noise"] = NormalActionNoise(np.zeros(width), np.full(width, 0.1))
policy = "MultiInputPolicy" if isinstance(environment.observation_space, gymnasium.spaces.Dict) else "MlpPolicy"
model = getattr(methods, Method)(policy, environment, seed=args.seed, device="cpu", **options)
curve = Curve()
model.learn(args.steps, callback=curve)
curve.pause()
last = {"steps": curve.num_timesteps, "steps_to_solve": curve.solved, "minutes": curve.minutes()}
print(json.dumps({**common, **last, "final": evaluate(model, judge, args.final)}), flush=True)
environment.close()
judge.close()
