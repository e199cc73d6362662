"""ROBEL's TurnRandom on our model of the claw, for Gymnasium: the twin of `crates/env` with `crates/sim`, written again.

Joints are finger by finger: base, middle, top. Angles in rad.
"""

import math
from pathlib import Path

import gymnasium
import mujoco
import numpy as np

MODEL = Path(__file__).resolve().parents[2] / "hardware" / "dclaw" / "dclaw.xml"
JOINTS = 9
HALF_RANGE = np.tile([0.48, math.pi / 3, math.pi / 2], 3)
START_POSE = np.tile([0.0, -math.pi / 3, math.pi / 3], 3)
PERIOD_SECS = 0.1
MAX_TRAVEL = 2 * math.pi / 3 * PERIOD_SECS  # of a goal from where the joint is, in one period
EPISODE_STEPS = 40


def wrap(angle):
    """The same angle in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


class TurnRandom(gymnasium.Env):
    """Turn the valve to the target. Only the time limit ends an episode: a truncation."""

    metadata = {"render_modes": []}

    def __init__(self):
        self.model = mujoco.MjModel.from_xml_path(str(MODEL))
        self.data = mujoco.MjData(self.model)
        self.substeps = round(PERIOD_SECS / self.model.opt.timestep)
        names = [f"finger_{finger}/{joint}" for finger in range(3) for joint in ("base", "middle", "top")]
        self.claw = np.array([self.model.joint(name).qposadr[0] for name in names])
        self.claw_velocity = np.array([self.model.joint(name).dofadr[0] for name in names])
        self.valve = self.model.joint("valve").qposadr[0]
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (JOINTS,), np.float32)
        # Joint angles 9, cosine and sine of the valve, last action 9, cosine and sine of the error.
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2 * JOINTS + 4,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[self.claw] = START_POSE
        self.data.qpos[self.valve] = self.np_random.uniform(-math.pi / 3, math.pi / 3)
        self.data.ctrl[:] = START_POSE
        self.target = math.pi + self.np_random.uniform(-math.pi / 3, math.pi / 3)
        self.last_action = np.zeros(JOINTS)
        self.steps = 0
        mujoco.mj_forward(self.model, self.data)
        return self.observe(), {"error": self.error()}

    def step(self, action):
        action = np.clip(np.asarray(action, np.float64), -1.0, 1.0)
        now = self.data.qpos[self.claw]
        asked = np.clip(action * HALF_RANGE, -HALF_RANGE, HALF_RANGE)
        self.data.ctrl[:] = now + np.clip(asked - now, -MAX_TRAVEL, MAX_TRAVEL)
        mujoco.mj_step(self.model, self.data, self.substeps)
        self.last_action = action
        self.steps += 1
        error = self.error()
        return self.observe(), self.reward(error), False, self.steps >= EPISODE_STEPS, {"error": error}

    def error(self):
        """Target less valve angle, in [-pi, pi)."""
        return wrap(self.target - self.data.qpos[self.valve])

    def reward(self, error):
        velocity = self.data.qvel[self.claw_velocity]
        pose = np.linalg.norm(self.data.qpos[self.claw] - START_POSE)
        speed = np.linalg.norm(velocity[np.abs(velocity) >= 0.5])
        distance = abs(error)
        return float(-5.0 * distance - pose - speed + 10.0 * (distance < 0.25) + 50.0 * (distance < 0.10))

    def observe(self):
        valve, error = self.data.qpos[self.valve], self.error()
        direction = [math.cos(valve), math.sin(valve)]
        target = [math.cos(error), math.sin(error)]
        return np.concatenate([self.data.qpos[self.claw], direction, self.last_action, target]).astype(np.float32)
