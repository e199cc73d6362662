"""Trains SBX's or Stable-Baselines3's SAC, with the library's defaults, on TurnRandom with one thread.

    python train_peer.py sbx --seed 0 --steps 130000

Every 1,000 steps, as in our own default, it evaluates 30 deterministic episodes, whose seeds are disjoint from training's, and prints a
JSON line: step, success rate at the final step, median final |error| (rad), mean return, minutes so far (those of
evaluation not counted). The last line says at which step two evaluations in a row had at least 90%, if any.
"""

import argparse
import json
import time

from timing import own_core

EVERY, EPISODES, EVALUATION_SEED, SOLVED = 1_000, 30, 1_000_000, 0.9

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("library", choices=("sbx", "sb3"))
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=130_000)
args = parser.parse_args()
own_core()

from claw_env import TurnRandom, evaluate

if args.library == "sb3":
    import torch

    torch.set_num_threads(1)
    from stable_baselines3 import SAC
else:
    from sbx import SAC

model = SAC("MlpPolicy", TurnRandom(), seed=args.seed)
common = {"peer": args.library, "seed": args.seed}
seconds, before_was_good, solved = 0.0, False, None
for step in range(EVERY, args.steps + 1, EVERY):
    begin = time.perf_counter()
    model.learn(EVERY, reset_num_timesteps=False)
    seconds += time.perf_counter() - begin
    reached = evaluate(lambda x: model.predict(x, deterministic=True)[0], EPISODES, EVALUATION_SEED)
    print(json.dumps({**common, "step": step, **reached, "minutes": round(seconds / 60, 2)}), flush=True)
    good = reached["success_rate"] >= SOLVED
    if good and before_was_good and solved is None:
        solved = step - EVERY
    before_was_good = good
print(json.dumps({**common, "steps": args.steps, "steps_to_solve": solved, "minutes": round(seconds / 60, 2)}), flush=True)
