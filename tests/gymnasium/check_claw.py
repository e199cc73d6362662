"""Checks the claw as Gymnasium sees it, by position and from pictures: Gymnasium's own checker, and what the environment
promises besides. Any failure is an exception.

    python check_claw.py target/release/turnkey
"""

import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "crates/gymnasium/python"))

import gymnasium
import numpy as np
import turnkey_claw
from gymnasium.utils.env_checker import check_env

BINARY = sys.argv[1]
# Velocities have no bound that could be promised.
KNOWN = "A Box observation space (minimum|maximum) value is -?infinity"


def make(config, **more):
    return gymnasium.make("Turnkey/Claw-v0", config=str(ROOT / f"configs/{config}.toml"), binary=BINARY, **more)


def expect(words, act):
    """`act` must fail, and say `words`."""
    try:
        act()
    except turnkey_claw.TurnkeyError as error:
        assert words in str(error), f"expected {words!r} in: {error}"
    else:
        raise AssertionError(f"expected an error that says {words!r}")


def episode(environment, seed):
    """Every observation, reward, end and info of an episode of seeded actions."""
    draw = np.random.default_rng(5)
    seen = [environment.reset(seed=seed)[0]]
    while True:
        step = environment.step(draw.uniform(-1, 1, 9).astype(np.float32))
        seen.append(step)
        if step[2] or step[3]:
            return seen


def same(a, b):
    return gymnasium.utils.env_checker.data_equivalence(a, b, exact=True)


def check(config):
    one, other = make(config), make(config)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", f".*{KNOWN}")
        check_env(one.unwrapped)
    first = episode(one, 7)
    assert len(first) == 41 and first[-1][3] and not first[-1][2], "40 steps, then a truncation"
    assert same(first, episode(one, 7)) and same(first, episode(other, 7)), "the same seed, the same episode"
    assert not same(first[0], one.reset(seed=8)[0]), "another seed, another episode"
    one.reset(seed=9), other.reset(seed=9)
    assert same(one.reset()[0], other.reset()[0]), "seeds that are drawn are drawn from the seed before"
    assert set(first[1][4]) == {"is_success", "angular_error"}, first[1][4]
    assert one.action_space == gymnasium.spaces.Box(-1, 1, (9,), np.float32)
    expect("shape (9,), got (3,)", lambda: one.step(np.zeros(3, np.float32)))
    expect("no options", lambda: one.reset(options={"target": 1}))
    expect("2^64", lambda: one.reset(seed=1 << 64))
    other.close()
    expect("closed", lambda: other.unwrapped.reset(seed=1))
    one.close()
    print(f"{config}: as it should be")


def check_pictures():
    environment = make("valve_pixels", settings=["task.stack=3"], render_mode="rgb_array")
    image = environment.observation_space["image"]
    assert image == gymnasium.spaces.Box(0, 255, (48, 48, 9), np.uint8), image
    seen, _ = environment.reset(seed=1)
    for _ in range(3):
        before, (seen, *_) = seen, environment.step(np.ones(9, np.float32))
    assert np.array_equal(seen["image"][:, :, :6], before["image"][:, :, 3:]), "oldest first"
    assert np.array_equal(environment.render(), seen["image"][:, :, 6:]) and seen["image"].std() > 5
    environment.close()
    expect("pictures", lambda: make("valve_state", render_mode="rgb_array", disable_env_checker=True))


def check_errors():
    expect("cargo build --release", lambda: turnkey_claw.TurnkeyClaw(binary="/nowhere/turnkey"))
    expect("is gone", lambda: make("valve_state", settings=["task.name=nonsense"]))
    expect("to be running", lambda: turnkey_claw.TurnkeyClaw(socket="/nowhere/claw.sock"))
    expect("no settings", lambda: turnkey_claw.TurnkeyClaw(socket="/nowhere/claw.sock", settings=["task.name=screw"]))
    environment = make("valve_state").unwrapped
    environment.reset(seed=1)
    environment._process.kill()
    expect("is gone", lambda: [environment.step(np.zeros(9, np.float32)) for _ in range(2)])
    assert environment._process is None


def wait_until(what, holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


def check_leaving():
    """A server ends with its client, however that ends."""
    environment = make("valve_state").unwrapped
    process = environment._process
    environment._connection.close()
    wait_until("the server's end", lambda: process.poll() is not None)
    assert process.poll() == 0, process.poll()
    environment.close()


CLIENT = """
import sys, time, turnkey_claw
environment = turnkey_claw.TurnkeyClaw(config=sys.argv[1], binary=sys.argv[2])
print(environment._process.pid, flush=True)
while True:
    environment.reset()
"""


def check_killed():
    """A server ends with a client that is killed."""
    paths = os.pathsep.join([str(ROOT / "crates/gymnasium/python"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", CLIENT, str(ROOT / "configs/valve_state.toml"), BINARY]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths})
    status = pathlib.Path(f"/proc/{int(client.stdout.readline())}/status")
    lives = lambda: status.exists() and "State:\tZ" not in status.read_text()
    assert lives()
    client.kill()
    assert client.wait() == -signal.SIGKILL
    client.stdout.close()
    wait_until("the server's end", lambda: not lives())


def check_forking():
    """A forked process may close what it inherited, and end, and its parent goes on."""
    environment = make("valve_state")
    environment.reset(seed=1)
    child = os.fork()
    if child == 0:
        environment.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    environment.step(np.zeros(9, np.float32))
    environment.close()


def check_ends():
    """An episode that is terminated and truncated at once is terminated."""
    environment = make("valve_state").unwrapped
    environment.reset(seed=1)
    seen = bytes(4 * 22)
    for flags, ends in ((0, (False, False)), (1, (True, False)), (2, (False, True)), (3, (True, False))):
        environment._ask = lambda *_: struct.pack("<dB", 0, flags) + seen
        assert environment.step(np.zeros(9, np.float32))[2:4] == ends, flags
    environment.close()


def check_socket():
    """A server at a socket has the same episodes, for one client at a time."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "claw.sock"
        command = [BINARY, "serve", str(ROOT / "configs/valve_state.toml"), "--socket", str(path)]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            line = server.stderr.readline()
            assert "is served at" in line, line
            there, here = turnkey_claw.TurnkeyClaw(socket=path), make("valve_state")
            assert there._process is None and same(episode(there, 7), episode(here, 7))
            expect("another client is served here", lambda: turnkey_claw.TurnkeyClaw(socket=path))
            there.reset(seed=8)
            there.close()
            again = turnkey_claw.TurnkeyClaw(socket=path)
            assert same(episode(again, 7), episode(here, 7))
            again.close(), here.close()
        finally:
            server.kill()
            server.wait()
            server.stderr.close()


def check_disturbed():
    """What is served looks as it does in training."""
    one, other = make("valve_pixels_robust", settings=["disturbance.share=1"]), make("valve_pixels_robust", settings=["disturbance.share=0"])
    (seen, _), (plain, _) = one.reset(seed=1), other.reset(seed=1)
    assert np.array_equal(seen["state"], plain["state"]) and not np.array_equal(seen["image"], plain["image"])
    one.close(), other.close()


def check_vector():
    environments = gymnasium.vector.SyncVectorEnv([lambda: make("valve_state")] * 2)
    environments.reset(seed=[1, 2])
    for _ in range(41):
        seen, *_ = environments.step(np.zeros((2, 9), np.float32))
    assert seen.shape == (2, 22)
    environments.close()


for config in ("valve_state", "valve_pixels"):
    check(config)
check_pictures()
check_errors()
check_leaving()
check_killed()
check_forking()
check_ends()
check_socket()
check_disturbed()
check_vector()
