"""Stable-Baselines3's checker on the claw, by position and from pictures, and a few updates of its SAC on each: what it says
of an environment that it can learn in. Any failure or warning is an exception.

    python check_claw_env.py ../../target/release/turnkey
"""

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "crates/gymnasium/python"))

from stable_baselines3 import SAC
from stable_baselines3.common.env_checker import check_env
from turnkey_claw import TurnkeyClaw

for config, settings, policy in (
    ("valve_state", [], "MlpPolicy"),
    ("valve_pixels", [], "MultiInputPolicy"),
    ("valve_pixels", ["task.stack=3"], "MultiInputPolicy"),
):
    environment = TurnkeyClaw(config=ROOT / f"configs/{config}.toml", binary=sys.argv[1], settings=settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(environment)
    model = SAC(policy, environment, seed=0, learning_starts=40, batch_size=8, buffer_size=500, device="cpu")
    model.learn(60)
    environment.close()
    print(" ".join([config, *settings, "passes, and SAC learns in it from", str(environment.observation_space)]), flush=True)
