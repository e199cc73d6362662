"""The time of one gradient step of SBX's or Stable-Baselines3's own train(), drawing the batch included."""

from timing import arguments, measure

args = arguments(libraries=("sbx", "sb3"))

import gymnasium
import numpy as np


class Shapes(gymnasium.Env):
    """An environment that only has the workload's shapes."""

    observation_space = gymnasium.spaces.Box(-1, 1, (24,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (9,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), float(action.sum()), False, self.np_random.random() < 0.01, {}


if args.library == "sb3":
    import torch

    torch.set_num_threads(args.threads)
    from stable_baselines3 import SAC

    extra = {"device": "cpu"}
else:
    from sbx import SAC

    extra = {}
model = SAC("MlpPolicy", Shapes(), seed=args.seed, buffer_size=20_000, learning_starts=500, batch_size=256,
            policy_kwargs={"net_arch": [256, 256]}, **extra)
model.learn(600)
measure(lambda: model.train(1, 256), args.seconds, peer=args.library, mode="state", threads=args.threads)
