"""What a Gymnasium environment does under random actions, as JSON lines: {"positions", "velocities", "observation"} where an episode begins,
{"action", "observation", "reward", "terminated", "truncated"} for each step. Floats are written so that they read back as
the same bits.

    python rollout.py Hopper-v5 1000
"""

import json
import sys

import gymnasium

environment = gymnasium.make(sys.argv[1])
environment.action_space.seed(0)
bare, begins, seed = environment.unwrapped, True, 0
for _ in range(int(sys.argv[2])):
    if begins:
        observation, _ = environment.reset(seed=seed)
        line = {"positions": bare.data.qpos.tolist(), "velocities": bare.data.qvel.tolist()}
        print(json.dumps({**line, "observation": observation.tolist()}))
        seed += 1
    action = environment.action_space.sample()
    observation, reward, terminated, truncated, _ = environment.step(action)
    line = {"action": action.tolist(), "observation": observation.tolist(), "reward": float(reward)}
    print(json.dumps({**line, "terminated": bool(terminated), "truncated": bool(truncated)}))
    begins = terminated or truncated
