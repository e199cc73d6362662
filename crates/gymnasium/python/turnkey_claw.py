"""The claw that turns a valve, for whatever learns in Gymnasium: `gymnasium.make("Turnkey/Claw-v0")` once this is imported.

    import gymnasium, turnkey_claw
    environment = gymnasium.make("Turnkey/Claw-v0", config="configs/valve_state.toml", binary="target/release/turnkey")

Needs gymnasium, numpy and turnkey's binary, which it starts (`turnkey serve`) and which ends with it. docs/gymnasium.md has
the protocol.
"""

import json
import os
import socket as sockets
import struct
import subprocess

import gymnasium
import numpy as np

PROTOCOL = 1
OPEN, RESET, STEP = 1, 2, 3
OPENED, SEEN, STEPPED, REFUSED = 129, 130, 131, 255
TERMINATED, TRUNCATED = 1, 2
LONGEST = 64 << 20
# Evaluation episodes of turnkey itself have the seeds from here on; episodes that are begun without a seed are below.
EVALUATION_SEEDS = 1 << 62


class TurnkeyError(RuntimeError):
    """turnkey can't be started, has gone, or refuses something; says what was expected, what came, and the fix."""


class TurnkeyClaw(gymnasium.Env):
    """The environment of one of turnkey's configurations.

    Actions: 9 numbers in [-1, 1]. Observations: a vector of numbers, whose names are in `names`, where the task is seen by
    position; {"image": uint8 [height, width, 3*stack], oldest picture first, "state": the vector} where it is seen in
    pixels. `info` has `is_success`, and `angular_error` in rad, from the target to the valve.

    An episode that is reset with a seed is the one that turnkey has for that seed; without one, it is drawn from `np_random`.
    `settings` are changes of the configuration, as `--set` takes them. With `socket`, the environment that `turnkey serve
    --socket` serves there to one client at a time, instead of a process of its own.

    A forked process may use it instead of this one, not beside it; closing it there leaves it open here.
    """

    # What there may be; each environment has what its configuration shows.
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, config="configs/valve_state.toml", binary="turnkey", settings=(), socket=None, render_mode=None, timeout_secs=60.0):
        self._process, self._connection, self._picture = None, None, None
        self._timeout_secs, self._owner = timeout_secs, os.getpid()
        if socket and settings:
            raise TurnkeyError(
                f"expected no settings with a socket, got {settings}.\n  fix: give them to `turnkey serve`, by --set, where the socket is made"
            )
        try:
            self._connection = self._connect(socket) if socket else self._start(config, binary, settings)
            self._connection.settimeout(timeout_secs)
            sizes = json.loads(self._ask(OPEN, json.dumps({"protocol": PROTOCOL}).encode(), OPENED))
            self._take(sizes, render_mode)
        except BaseException:
            self.close()
            raise

    def _take(self, sizes, render_mode):
        if sizes["protocol"] != PROTOCOL:
            raise TurnkeyError(f"expected protocol {PROTOCOL}, got {sizes['protocol']}.\n  fix: take both from one version of turnkey")
        self.name, self.names, self._numbers = sizes["name"], sizes["names"], sizes["numbers"]
        low, high = np.array(sizes["low"], np.float32), np.array(sizes["high"], np.float32)
        self.action_space = gymnasium.spaces.Box(low, high, dtype=np.float32)
        state = gymnasium.spaces.Box(-np.inf, np.inf, (self._numbers,), np.float32)
        pictures = sizes["pictures"]
        if pictures:
            self._shape = (pictures["size"]["height"], pictures["size"]["width"], 3 * pictures["stack"])
            image = gymnasium.spaces.Box(0, 255, self._shape, np.uint8)
            self.observation_space = gymnasium.spaces.Dict({"image": image, "state": state})
        else:
            self._shape, self.observation_space = None, state
        period = sizes["period_secs"]
        self.metadata = {"render_modes": ["rgb_array"] if pictures else [], "render_fps": round(1 / period) if period else 10}
        if render_mode not in [None, *self.metadata["render_modes"]]:
            raise TurnkeyError(
                f"expected render_mode to be one of {[None, *self.metadata['render_modes']]}, got {render_mode!r}.\n  fix: a "
                "configuration that is seen in pixels, such as configs/valve_pixels.toml, has pictures"
            )
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if options:
            raise TurnkeyError(f"expected no options, got {options}.\n  fix: what can be changed is in `settings`")
        episode = int(self.np_random.integers(EVALUATION_SEEDS)) if seed is None else seed
        if not 0 <= episode < 1 << 64:
            raise TurnkeyError(f"expected a seed of 0 to 2^64 - 1, got {seed}")
        body = self._ask(RESET, struct.pack("<Q", episode), SEEN)
        observation, rest = self._observation(body)
        if rest:
            raise self._lied(f"{len(body) - len(rest)} bytes", f"{len(body)}")
        return observation, {}

    def step(self, action):
        action = np.asarray(action, "<f4")
        if action.shape != self.action_space.shape:
            raise TurnkeyError(f"expected an action of the shape {self.action_space.shape}, got {action.shape}")
        body = self._ask(STEP, action.tobytes(), STEPPED)
        if len(body) < 9:
            raise self._lied("9 bytes and more", f"{len(body)}")
        reward, end = struct.unpack_from("<dB", body)
        terminated, truncated = bool(end & TERMINATED), bool(end & TRUNCATED)
        observation, rest = self._observation(body[9:])
        told = json.loads(rest) if rest else {}
        info = {name: told[key] for name, key in (("is_success", "success"), ("angular_error", "angular_error")) if key in told}
        return observation, reward, terminated, truncated and not terminated, info

    def render(self):
        if self.render_mode is None or self._picture is None:
            return None
        return self._picture[:, :, -3:].copy()

    def close(self):
        ours = os.getpid() == self._owner  # a forked process leaves to its parent what it shares
        if self._connection is not None:
            try:
                if ours:
                    self._connection.shutdown(sockets.SHUT_RDWR)  # a forked process may hold it as well
            except OSError:
                pass  # turnkey was gone already
            self._connection.close()
            self._connection = None
        if self._process is not None and ours:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def __del__(self):
        if getattr(self, "_connection", None) is not None:
            self.close()

    def _observation(self, body):
        """The observation that `body` begins with, and what comes after it."""
        count, size = 4 * self._numbers, int(np.prod(self._shape)) if self._shape else 0
        if len(body) < count + size:
            raise self._lied(f"an observation of {count + size} bytes", f"{len(body)}")
        state = np.frombuffer(body, "<f4", self._numbers).astype(np.float32)
        if not self._shape:
            return state, body[count:]
        self._picture = np.frombuffer(body, np.uint8, size, count).reshape(self._shape).copy()
        return {"image": self._picture.copy(), "state": state}, body[count + size :]

    def _start(self, config, binary, settings):
        """Starts turnkey with one end of a socket pair as its standard input, and gives the other."""
        ours, theirs = sockets.socketpair()
        command = [os.fspath(binary), "serve", os.fspath(config)]
        for setting in settings:
            command += ["--set", setting]
        try:
            # In a session of its own: a terminal's interrupt is for this process, whose end it then notices.
            self._process = subprocess.Popen(command, stdin=theirs, start_new_session=True)
        except OSError as error:
            ours.close()
            raise TurnkeyError(
                f"expected turnkey's binary as {binary!r}, got: {error}.\n  fix: build it by `cargo build --release`, and name "
                "it: binary=\"target/release/turnkey\""
            ) from error
        finally:
            theirs.close()
        return ours

    def _connect(self, path):
        connection = sockets.socket(sockets.AF_UNIX)
        try:
            connection.connect(os.fspath(path))
        except OSError as error:
            connection.close()
            raise TurnkeyError(f"expected `turnkey serve --socket {path}` to be running, got: {error}.\n  fix: start it") from error
        return connection

    def _ask(self, kind, body, wanted):
        """Sends a request and gives the body of its reply."""
        if self._connection is None:
            raise TurnkeyError("expected an open environment, got one that is closed.\n  fix: make another")
        try:
            self._connection.sendall(struct.pack("<IB", 1 + len(body), kind) + body)
            (length,) = struct.unpack("<I", self._received(4))
            if not 1 <= length <= LONGEST:
                raise self._lied(f"a message of 1 to {LONGEST} bytes", f"one that says it has {length}")
            message = self._received(length)
        except TimeoutError as error:
            # Whatever comes later would be taken for the answer to the next request.
            self._abandon()
            raise TurnkeyError(f"expected an answer within {self._timeout_secs} s, got none.\n  fix: a larger timeout_secs") from error
        except OSError as error:
            self._abandon()
            raise TurnkeyError(f"expected an answer, but turnkey is gone: {error}; its own words, if any, are above") from error
        except BaseException:
            self._abandon()  # an interrupt, perhaps between a request and its answer
            raise
        if message[0] == REFUSED:
            refused = json.loads(message[1:])
            fix = f"\n  fix: {refused['fix']}" if refused.get("fix") else ""
            raise TurnkeyError(refused["message"] + fix)
        if message[0] != wanted:
            raise self._lied(f"a reply of kind {wanted}", f"kind {message[0]}")
        return message[1:]

    def _received(self, count):
        pieces = bytearray()
        while len(pieces) < count:
            piece = self._connection.recv(count - len(pieces))
            if not piece:
                raise ConnectionResetError("it closed the connection")
            pieces += piece
        return bytes(pieces)

    def _lied(self, expected, actual):
        return TurnkeyError(f"expected {expected}, got {actual}.\n  fix: take turnkey_claw.py and the binary from one version")

    def _abandon(self):
        if self._process is not None and os.getpid() == self._owner:
            self._process.kill()
        self.close()


gymnasium.register(id="Turnkey/Claw-v0", entry_point="turnkey_claw:TurnkeyClaw")
