"""Environment steps a second of SBX's or Stable-Baselines3's whole loop on TurnRandom, or on HalfCheetah-v5 with `walk`, one gradient step a step."""

from timing import arguments

args = arguments(libraries=("sbx", "sb3", "sbx-walk", "sb3-walk"), seconds=30.0)
args.library, _, walks = args.library.partition("-")

import json
import time

if walks:
    import gymnasium

    environment = gymnasium.make("HalfCheetah-v5")
else:
    from claw_env import TurnRandom

    environment = TurnRandom()

if args.library == "sb3":
    import torch

    torch.set_num_threads(args.threads)
    from stable_baselines3 import SAC
else:
    from sbx import SAC

CHUNK = 400
model = SAC("MlpPolicy", environment, seed=args.seed, learning_starts=1000, batch_size=256, policy_kwargs={"net_arch": [256, 256]})
model.learn(1400)  # warm-up steps, then compilation
rates, start = [], time.perf_counter()
while time.perf_counter() - start < args.seconds or len(rates) < 3:
    before = time.perf_counter()
    model.learn(CHUNK, reset_num_timesteps=False)
    rates.append(CHUNK / (time.perf_counter() - before))
rates.sort()
print(json.dumps({"peer": args.library, "mode": walks or "loop", "threads": args.threads, "env_steps_per_s": round(rates[len(rates) // 2], 2)}))
