"""Physics steps a second of Python MuJoCo on our claw, one thread: mj_step alone, under seeded random goals."""

from timing import arguments

args = arguments()

import json
import time

import mujoco
import numpy as np
from claw_env import HALF_RANGE, TurnRandom

env = TurnRandom()
draw = np.random.default_rng(args.seed)
rates, start, episode = [], time.perf_counter(), 0
while time.perf_counter() - start < args.seconds or len(rates) < 5:
    env.reset(seed=episode)
    episode += 1
    goals = draw.uniform(-1, 1, (40, 9)) * HALF_RANGE
    before = time.perf_counter()
    for goal in goals:
        env.data.ctrl[:] = goal
        mujoco.mj_step(env.model, env.data, env.substeps)
    rates.append(len(goals) * env.substeps / (time.perf_counter() - before))
rates.sort()
print(json.dumps({"peer": "python-mujoco", "mode": "physics", "threads": 1, "physics_steps_per_s": round(rates[len(rates) // 2], 1)}))
