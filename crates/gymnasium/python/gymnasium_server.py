"""Shows an environment of Gymnasium to turnkey, which runs this file and is the other end of the socket that is its standard
input. Needs gymnasium and numpy alone. docs/gymnasium.md has the format of messages.

A message is a length (u32, of what follows), a kind (u8) and a body; all numbers are little-endian.
"""

import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback

PROTOCOL = 1
OPEN, RESET, STEP = 1, 2, 3
OPENED, SEEN, STEPPED, REFUSED = 129, 130, 131, 255
LONGEST = 1 << 20  # bytes of a request
LEAVE_SECS = 2.0


class Refused(Exception):
    """Something can't be done: what was expected and what came, and the fix."""

    def __init__(self, message, fix):
        super().__init__(message)
        self.fix = fix


def received(connection, count):
    """So many bytes, or the end of this process where the other end is gone."""
    pieces = bytearray()
    while len(pieces) < count:
        piece = connection.recv(count - len(pieces))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)


def send(connection, kind, *parts):
    connection.sendall(struct.pack("<IB", 1 + sum(map(len, parts)), kind) + b"".join(parts))


def watch(connection):
    """Starts a process that ends this one, and whatever it started, soon after the other end is gone, even from the middle of
    a step that never ends; and whatever it started, once this one is gone. No thread could: a step that is stuck in native
    code may hold the interpreter's lock."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)  # whoever started this is not to be killed with it
    alive, held = os.pipe()  # nobody writes: it hangs up when this process, which alone holds the other end, is gone
    between = os.fork()
    if between == 0:
        os.close(held)
        if os.fork() == 0:  # nobody's child, so that no environment that waits for its own finds it
            end(alive, connection)
        os._exit(0)
    os.waitpid(between, 0)
    os.close(alive)
    os.register_at_fork(after_in_child=lambda: (connection.close(), os.close(held)))


def end(alive, connection):
    """Waits for either end to go, gives this process's group time to leave where it was the other, and kills what is left of
    it. This process is one of them: until then no other group can have the number."""
    try:
        poll = select.poll()
        poll.register(alive, 0)  # hanging up is always told
        poll.register(connection, 0)
        poll.poll()
        poll.unregister(connection)
        poll.poll(1000 * LEAVE_SECS)
        os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(0)


def make(request):
    """The environment that `request` asks for, and its sizes."""
    if request["protocol"] != PROTOCOL:
        raise Refused(f"expected protocol {PROTOCOL}, got {request['protocol']}", "mend the client")
    try:
        import gymnasium
        import numpy
    except ImportError as error:
        raise Refused(
            f"expected gymnasium and numpy in {sys.executable}, got: {error}",
            f"{sys.executable} -m pip install gymnasium numpy, or have gymnasium.python name a Python that has them",
        ) from error
    try:
        if request.get("module"):
            importlib.import_module(request["module"])
        arguments = dict(request.get("arguments", {}))
        if request.get("episode_steps"):
            arguments["max_episode_steps"] = request["episode_steps"]
        environment = gymnasium.make(request["id"], **arguments)
    except gymnasium.error.Error as error:
        raise Refused(
            f"expected an environment that gymnasium can make, got: {type(error).__name__}: {error}",
            "see that gymnasium.id is right, that gymnasium.module names the module that registers it, and that what it "
            "needs is installed",
        ) from error
    except ImportError as error:
        raise Refused(
            f"expected what {request['id']} needs in {sys.executable}, got: {error}",
            f"{sys.executable} -m pip install what is missing (for MuJoCo's environments: gymnasium[mujoco])",
        ) from error
    seen, done = environment.observation_space, environment.action_space
    for space, what in ((seen, "observations"), (done, "actions")):
        if not isinstance(space, gymnasium.spaces.Box):
            raise Refused(
                f"expected {what} that are a Box, got {space}",
                "wrap the environment, for example by gymnasium.wrappers.FlattenObservation, under an id of its own in a "
                "module that gymnasium.module names",
            )
    if not done.is_bounded():
        raise Refused(
            f"expected actions with a lower and an upper bound, got {done}",
            "wrap the environment by gymnasium.wrappers.ClipAction or RescaleAction, under an id of its own",
        )
    if not numpy.issubdtype(done.dtype, numpy.floating):
        raise Refused(
            f"expected actions in floating point, got {done}",
            "wrap the environment by gymnasium.wrappers.TransformAction, which rounds as it needs, under an id of its own",
        )
    bound = lambda values: numpy.asarray(values, numpy.float32).ravel().tolist()
    limit = environment.spec.max_episode_steps if environment.spec else None
    sizes = {
        "protocol": PROTOCOL, "name": request["id"], "numbers": int(numpy.prod(seen.shape, dtype=int)),
        "low": bound(done.low), "high": bound(done.high), "episode_steps": limit,
    }
    return environment, sizes


def seen_bytes(environment, observation):
    """An observation's numbers in single precision, if there are as many as the space says."""
    import numpy

    numbers = numpy.asarray(observation)
    if numbers.shape != environment.observation_space.shape:
        raise Refused(
            f"expected observations of the shape {environment.observation_space.shape}, got {numbers.shape}",
            "mend the environment: gymnasium.utils.env_checker.check_env says what is wrong with it",
        )
    return numbers.astype("<f4").tobytes()


def step(environment, body):
    import numpy

    space = environment.action_space
    action = numpy.frombuffer(body, "<f4").reshape(space.shape).astype(space.dtype)
    action = numpy.clip(action, space.low, space.high)  # a bound of 0.1 in single precision is above one in double
    observation, reward, terminated, truncated, _ = environment.step(action)
    head = struct.pack("<dB", float(reward), bool(terminated) | bool(truncated) << 1)
    return head, seen_bytes(environment, observation)


def answer(environment, kind, body):
    """What one request comes to: the environment that the next one is about, and the kind and the parts of the reply."""
    if kind == OPEN:
        environment, sizes = make(json.loads(body))
        return environment, OPENED, [json.dumps(sizes).encode()]
    if environment is None or kind not in (RESET, STEP):
        raise Refused(f"expected a request to open first, then reset or step, got kind {kind}", "mend the client")
    if kind == RESET:
        observation, _ = environment.reset(seed=struct.unpack("<Q", body)[0])
        return environment, SEEN, [seen_bytes(environment, observation)]
    return environment, STEPPED, step(environment, body)


def refusal(error):
    """The parts of the reply that says why something couldn't be done."""
    if isinstance(error, Refused):
        return [json.dumps({"message": str(error), "fix": error.fix}).encode()]
    traceback.print_exc()
    return [json.dumps({"message": f"expected no exception, got {type(error).__name__}: {error}"}).encode()]


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's interrupt is for the other end, which closes the socket
    connection = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    watch(connection)
    environment = None
    try:
        while True:
            (length,) = struct.unpack("<I", received(connection, 4))
            if not 0 < length <= LONGEST:  # where the next message begins can't be known
                lied = Refused(f"expected a request of 1 to {LONGEST} bytes, got one that says it has {length}", "mend the client")
                send(connection, REFUSED, *refusal(lied))
                break
            message = received(connection, length)
            try:
                environment, kind, parts = answer(environment, message[0], message[1:])
            except Exception as error:
                kind, parts = REFUSED, refusal(error)
            send(connection, kind, *parts)
    except (EOFError, OSError):
        pass  # the other end is gone
    if environment is not None:
        environment.close()


if __name__ == "__main__":
    main()
