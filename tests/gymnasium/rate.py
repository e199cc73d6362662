"""Environment steps a second of the claw in Gymnasium, under random actions.

    python rate.py target/release/turnkey
"""

import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "crates/gymnasium/python"))

import turnkey_claw

for config in ("valve_state", "valve_pixels"):
    environment = turnkey_claw.TurnkeyClaw(config=ROOT / f"configs/{config}.toml", binary=sys.argv[1])
    environment.reset(seed=0)
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < 3:
        *_, terminated, truncated, _ = environment.step(environment.action_space.sample())
        steps += 1
        if terminated or truncated:
            environment.reset()
    print(f"{config}: {steps / (time.perf_counter() - begin):.0f} steps/s")
    environment.close()
